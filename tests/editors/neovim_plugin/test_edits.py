"""Proposed edits are looked at as a diff, and applied, discarded or taken in part; reviews open threads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from channelcoder_lsp.offline.script import StructuredOutput, Text, ToolCall, ToolUse
from editors.conftest import SHOP
from editors.neovim.nvim import TOTAL

if TYPE_CHECKING:
    from editors.conftest import Model

    from .nvim import Plugin

FIXED = SHOP.replace("    result = 0.0\n", "    result = 0.00\n").replace(
    "    found = []\n", "    found: list[str] = []\n"
)
DIFF = "return #vim.api.nvim_list_tabpages() > 1 and vim.wo.diff"


def tool(name: str, **arguments: Any) -> ToolCall:
    return ToolCall(name=f"mcp__channelcoder__{name}", input=arguments)


@pytest.fixture
def proposed(nvim: Plugin, model: Model) -> Plugin:
    """A Neovim with an edit of two places proposed in a thread; the cursor is on its code."""
    path = nvim.lua("return vim.fn.expand('%:.')")
    calls = (
        tool("propose_edit", path=path, old_string="    result = 0.0\n", new_string="    result = 0.00\n"),
        tool("propose_edit", path=path, old_string="    found = []\n", new_string="    found: list[str] = []\n"),
    )
    model.script(ToolUse(name=calls[0].name, input=calls[0].input, also=calls[1:]), Text(text="Mended."))
    nvim.run(f"{TOTAL[0]},{TOTAL[1]}ChannelCoder prompts fix")
    nvim.window("Mended.", "**An edit is proposed:** `a` looks at it.")
    return nvim


class TestLook:
    def test_shows_buffer_and_proposal_side_by_side(self, proposed: Plugin):
        """The real buffer on the left, in a tab page of its own, coloured as code."""
        proposed.api.input("a")
        proposed.wait(DIFF)
        assert proposed.text == FIXED
        assert proposed.api.eval("&filetype") == "python"
        assert proposed.api.eval("&modifiable") == 0
        assert proposed.api.eval("&winbar") == "Claude proposes · a apply · d discard · q close"
        assert proposed.api.current.window.cursor == (15, 0), "the first change"
        proposed.api.command("wincmd h")
        assert proposed.text == SHOP
        assert proposed.api.eval("&winbar").endswith("shop.py")
        assert proposed.api.eval("&diff") == 1
        proposed.api.command("wincmd l")
        proposed.api.input("q")
        proposed.wait("return #vim.api.nvim_list_tabpages() == 1")
        assert proposed.text == SHOP

    def test_applies_it_and_one_undo_takes_it_back(self, proposed: Plugin):
        proposed.api.input("a")
        proposed.wait(DIFF)
        proposed.api.input("a")
        proposed.said("channelcoder: applied; u takes it back.")
        assert proposed.text == FIXED
        assert not proposed.api.eval("&diff")
        proposed.marks((TOTAL[0], "◆", "◆ Fix · 1 answer · the code changed"))
        proposed.api.input("u")
        proposed.wait("return vim.api.nvim_buf_get_lines(0, 14, 15, false)[1] == '    result = 0.0'")
        assert proposed.text == SHOP

    def test_shows_it_once(self, proposed: Plugin):
        """Looked at again, it is shown as it is now."""
        proposed.api.input("a")
        proposed.wait(DIFF)
        proposed.api.command("wincmd h")
        proposed.api.current.buffer[0:0] = ["# new"]
        proposed.go(TOTAL[0] + 1)
        proposed.run("apply")
        proposed.wait("return vim.wo.diff and vim.fn.getline(1) == '# new' and not vim.bo.modifiable")
        assert proposed.text == "# new\n" + FIXED
        assert proposed.lua("return #vim.api.nvim_list_tabpages()") == 2
        proposed.api.input("q")
        proposed.wait("return #vim.api.nvim_list_tabpages() == 1")

    def test_discards_it(self, proposed: Plugin):
        proposed.api.input("a")
        proposed.wait(DIFF)
        proposed.api.input("d")
        proposed.said("channelcoder: discarded.")
        proposed.marks((TOTAL[0], "◆", "◆ Fix · 1 answer"))
        assert proposed.text == SHOP

    def test_one_change_can_be_taken(self, proposed: Plugin):
        """With the keys of a diff; what is left is applied later, and looked at anew."""
        proposed.api.input("a")
        proposed.wait(DIFF)
        proposed.api.command("wincmd h")
        proposed.api.input("gg]cdo")
        proposed.wait("return vim.api.nvim_buf_get_lines(0, 14, 15, false)[1] == '    result = 0.00'")
        proposed.api.command("wincmd l")
        proposed.api.input("a")
        proposed.said("channelcoder: applied")
        assert proposed.text == FIXED


class TestAtOnce:
    def test_is_applied_without_a_look(self, proposed: Plugin):
        """The code went on meanwhile: the edit goes where it is now."""
        proposed.api.input("q")
        proposed.wait("return vim.bo.buftype == ''")
        proposed.api.current.buffer[0:0] = ["# new"]
        proposed.go(TOTAL[0] + 1)
        proposed.run("ChannelCoder! apply")
        proposed.said("channelcoder: applied; u takes it back.")
        assert proposed.text == "# new\n" + FIXED

    def test_is_refused_where_the_code_is_another(self, proposed: Plugin):
        """With the reason, and nothing is changed."""
        proposed.api.input("q")
        proposed.wait("return vim.bo.buftype == ''")
        proposed.api.current.buffer[14:15] = ["    result = 7"]
        before = proposed.text
        proposed.go(TOTAL[0])
        proposed.run("ChannelCoder! apply")
        assert "line 15" in proposed.said("channelcoder: Nothing was applied")
        assert proposed.text == before


def test_the_light_bulb_previews_in_a_diff(proposed: Plugin):
    proposed.api.input("q")
    proposed.wait("return vim.bo.buftype == ''")
    proposed.go(TOTAL[0])
    proposed.lua('seen.choice = "Preview Claude\'s edit"')
    proposed.api.input("gra")
    proposed.wait(DIFF)
    proposed.api.input("q")
    proposed.wait("return #vim.api.nvim_list_tabpages() == 1")


def test_a_new_file_and_a_deletion(nvim: Plugin, model: Model):
    """A tab page for each file; closed together."""
    folder = nvim.lua("return vim.fn.expand('%:.:h')")
    nvim.lua("vim.fn.writefile({ 'old = 1' }, vim.fn.expand('%:h') .. '/old.py')")
    calls = (
        tool("propose_file", path=f"{folder}/new.py", content="new = 1\n"),
        tool("propose_deletion", path=f"{folder}/old.py"),
    )
    model.script(ToolUse(name=calls[0].name, input=calls[0].input, also=calls[1:]), Text(text="Moved."))
    nvim.run(f"{TOTAL[0]},{TOTAL[1]}ChannelCoder prompts refactor")
    nvim.window("**An edit is proposed:**")
    nvim.api.input("a")
    nvim.wait("return #vim.api.nvim_list_tabpages() == 3")
    assert nvim.text == "new = 1\n"
    assert nvim.api.eval("&winbar").startswith("Claude proposes a new file ·")
    nvim.api.command("tabnext")
    assert nvim.api.eval("&winbar").startswith("Claude proposes to delete it ·")
    nvim.api.input("a")
    nvim.said("channelcoder: applied")
    nvim.wait("return vim.fn.filereadable(vim.fn.getcwd() .. '/' .. ...) == 0", f"{folder}/old.py")
    assert nvim.lua("return #vim.api.nvim_list_tabpages()") == 1


class TestReview:
    def test_findings_are_threads_and_diagnostics(self, nvim: Plugin, model: Model):
        """With the sign of their severity; in the list with its letter."""
        found = {"line": 15, "end_line": 15, "severity": "warning", "code": "bug", "message": "Use `sum`."}
        model.script(StructuredOutput(value={"findings": [found]}))
        nvim.run("review")
        nvim.said("channelcoder: reviewing 1 file.")
        nvim.wait("local marks = seen.marks() return marks[1] and marks[1][1] == 15")
        assert "Use" in nvim.lua("return seen.marks()")[0][2]
        nvim.wait("return #vim.diagnostic.get(0) == 1")
        nvim.run("ChannelCoder! threads")
        nvim.wait("return vim.bo.buftype == 'quickfix'")
        (item,) = nvim.api.funcs.getloclist(0)
        assert (item["lnum"], item["type"]) == (15, "W")
        nvim.api.command("lclose")

    def test_of_the_selection(self, nvim: Plugin, model: Model):
        model.script(StructuredOutput(value={"findings": []}))
        nvim.run(f"{TOTAL[0]},{TOTAL[1]}ChannelCoder review")
        (request,) = model.requests(1)
        assert "def duplicates" not in request.prompt.partition("<code")[2] or 'lines="13-18"' in request.prompt

    def test_of_what_can_not_be_reviewed_is_said(self, nvim: Plugin):
        nvim.run("review everything")
        nvim.said("'everything' can't be reviewed")


def test_what_checkers_say_goes_with_the_question(nvim: Plugin, model: Model):
    """Of the lines that are asked about, whoever said it."""
    nvim.lua(
        """
        local function one(line, message)
          return { lnum = line - 1, col = 4, end_col = 10, message = message, severity = 2, source = 'checker' }
        end
        vim.diagnostic.set(vim.api.nvim_create_namespace('checker'), 0, { one(15, 'Inside.'), one(24, 'Outside.') })
        """
    )
    nvim.run(f"{TOTAL[0]},{TOTAL[1]}ChannelCoder ask Why?")
    (request,) = model.requests(1)
    assert "Inside." in request.prompt
    assert "Outside." not in request.prompt


def test_claude_can_ask_what_checkers_say_elsewhere(nvim: Plugin, model: Model):
    """Of the lines that were not asked about, too; but not its own findings."""
    nvim.lua(
        """
        local found = { lnum = 23, col = 4, end_col = 10, message = 'Far away.', severity = 1, source = 'checker' }
        vim.diagnostic.set(vim.api.nvim_create_namespace('checker'), 0, { found })
        """
    )
    call = tool("diagnostics")
    model.script(ToolUse(name=call.name, input=call.input), Text(text="There is one."))
    nvim.run(f"{TOTAL[0]},{TOTAL[1]}ChannelCoder ask What else is wrong?")
    nvim.window("There is one.")
    assert "Far away." in str(model.requests()[-1].messages)
