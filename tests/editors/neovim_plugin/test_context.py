"""What goes along with a question: what words before it name, and what was added before it was asked."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from editors.neovim.nvim import TOTAL

if TYPE_CHECKING:
    from editors.conftest import Model

    from .nvim import Plugin

RANGE = f"{TOTAL[0]},{TOTAL[1]}"
TAX = """RATES = {"book": 0.07}
DEFAULT = 0.19


def rate(kind: str) -> float:
    return RATES.get(kind, DEFAULT)
"""


@pytest.fixture
def tax(nvim: Plugin, one_neovim) -> str:
    """The path of a second file, as it is typed."""
    machine, _ = one_neovim
    path = machine.write(f"tax{len(list(machine.project.iterdir()))}.py", TAX)
    return str(path.relative_to(machine.project))


def only(model: Model) -> str:
    """What the one question was sent with."""
    (request,) = model.requests(1)
    return request.prompt


class TestWords:
    def test_name_files_lines_and_definitions(self, nvim: Plugin, model: Model, tax):
        nvim.run(f"{RANGE}ChannelCoder! ask @{tax} What of the tax?")
        nvim.run(f"{RANGE}ChannelCoder! ask @{tax}:2 @{tax}#rate Which rate?")
        whole, parts = model.requests(2)
        assert "RATES = {" in whole.prompt
        sent = parts.prompt
        assert "DEFAULT = 0.19" in sent
        assert "5| def rate(kind: str)" in sent
        assert "RATES = {" not in sent

    def test_are_no_part_of_the_question(self, nvim: Plugin, model: Model, tax):
        """Also of one that is typed; an `@` within it names nothing."""
        nvim.run(f"{RANGE}ChannelCoder ask", typed=f"@{tax} Mail me@home?")
        (request,) = model.requests(1)
        assert request.question == "Mail me@home?"
        assert "RATES = {" in request.prompt

    def test_take_what_checkers_say(self, nvim: Plugin, model: Model):
        """Of all the file; what Claude found itself is not told to it."""
        nvim.lua(
            """
            local function found(line, message, source)
              return { lnum = line - 1, col = 4, message = message, severity = 2, source = source }
            end
            vim.diagnostic.set(vim.api.nvim_create_namespace('checker'), 0, {
              found(24, 'Far away.', 'checker'), found(25, 'Its own.', 'channelcoder') })
            """
        )
        nvim.run(f"{RANGE}ChannelCoder ask @diagnostics What is wrong?")
        sent = only(model)
        assert "shop.py:24:5: warning: Far away." in sent
        assert "Its own." not in sent

    def test_take_what_is_not_committed(self, nvim: Plugin, model: Model, one_neovim):
        """Of all the folder, as it is in the editor."""
        machine, _ = one_neovim
        git = ["git", "-c", "user.name=a", "-c", "user.email=a@b"]
        for arguments in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message", "Work"]):
            subprocess.run([*git, *arguments], cwd=machine.project, check=True, capture_output=True)
        nvim.api.current.buffer[14:15] = ["    result = 0.0  # unsaved"]
        nvim.run(f"{RANGE}ChannelCoder ask @changes Did I forget something?")
        sent = only(model)
        assert "| +    result = 0.0  # unsaved" in sent
        assert "| -    result = 0.0\n" in sent

    @pytest.mark.parametrize(
        ("word", "said"),
        [
            ("@nowhere.py", "there is no file 'nowhere.py' to send along."),
            ("@shop.py:x", "there is no file 'shop.py:x' to send along."),
            ("@diagnostics", "checkers say nothing about this file."),
        ],
    )
    def test_that_name_nothing_ask_nothing(self, nvim: Plugin, model: Model, word, said):
        nvim.run(f"{RANGE}ChannelCoder ask {word} Why?")
        nvim.said(f"channelcoder: {said}")
        nvim.ask_about(*TOTAL, "A real one?")
        assert [request.question for request in model.requests()] == ["A real one?"]

    def test_go_with_prompts_replies_and_the_session(self, nvim: Plugin, model: Model, tax):
        nvim.run(f"{RANGE}ChannelCoder prompts explain @{tax} in short")
        nvim.wait("local window = seen.window() return window and window.title:find('answered')")
        nvim.run(f"reply @{tax}:2 And this?")
        nvim.wait("return seen.window().text:find('And this?', 1, true) and seen.window().title:find('answered')")
        nvim.run(f"continue @{tax}#rate And in general?")
        explained, replied, went_on = model.requests(3)
        assert explained.question == "Explain: in short"
        assert "RATES = {" in explained.prompt
        assert "DEFAULT = 0.19" in replied.prompt
        assert went_on.question == "And in general?"
        assert "def rate(" in went_on.prompt

    def test_are_completed(self, nvim: Plugin, tax):
        complete = nvim.api.funcs.getcompletion
        assert complete(f"ChannelCoder ask @{tax[:-2]}", "cmdline") == [f"@{tax}"]
        assert complete(f"13,18ChannelCoder ask @{tax} @diag", "cmdline") == ["@diagnostics"]
        assert complete("ChannelCoder ask @chang", "cmdline") == ["@changes"]
        assert complete(f"ChannelCoder add {tax} {tax[:-2]}", "cmdline") == [tax]


class TestAdded:
    def test_lines_are_sent_as_they_are_then(self, nvim: Plugin, model: Model, tax):
        """From a buffer that is not the one asked about, which was edited meanwhile and not saved."""
        shop = nvim.lua("return vim.fn.expand('%')")
        nvim.api.command(f"edit {tax}")
        nvim.run("5,6ChannelCoder add")
        nvim.said(f"channelcoder: with the next question: {tax}:5-6.")
        nvim.api.current.buffer[0:0] = ["# new"]
        nvim.api.current.buffer[6] = "    return 0.0  # unsaved"
        nvim.api.command(f"edit {shop}")
        nvim.run(f"{RANGE}ChannelCoder ask And with tax?")
        sent = only(model)
        assert "6| def rate(" in sent
        assert "7|     return 0.0  # unsaved" in sent
        assert "RATES = {" not in sent

    def test_goes_with_one_question(self, nvim: Plugin, model: Model, tax):
        """Files that are named, and this one."""
        nvim.run(f"add {tax}")
        nvim.run("add")
        nvim.said(f"channelcoder: with the next question: {tax}, ")
        nvim.run("15ChannelCoder! ask With all?")
        with_all = only(model)
        assert "RATES = {" in with_all
        assert "def duplicates" in with_all
        nvim.run("15ChannelCoder! ask With nothing?")
        assert "RATES = {" not in model.requests(2)[-1].prompt

    def test_is_taken_back(self, nvim: Plugin, model: Model, tax):
        nvim.run(f"add {tax}")
        nvim.run("ChannelCoder! add")
        nvim.said("channelcoder: nothing goes along with the next question.")
        nvim.run(f"{RANGE}ChannelCoder ask With nothing?")
        assert "RATES = {" not in only(model)

    def test_goes_with_a_code_action(self, nvim: Plugin, model: Model, tax):
        nvim.run(f"add {tax}")
        nvim.select(*TOTAL)
        nvim.lua("seen.choice = 'Claude: Explain'")
        nvim.api.input("gra")
        assert "RATES = {" in only(model)

    def test_that_is_refused_is_said(self, nvim: Plugin, model: Model, one_neovim):
        """The server keeps secrets from Claude; the next question is asked without."""
        machine, _ = one_neovim
        machine.write(".env", "KEY=1\n")
        nvim.run("add .env")
        nvim.run(f"{RANGE}ChannelCoder ask What is my key?")
        nvim.said(".env is kept from Claude")
        nvim.ask_about(*TOTAL, "A real one?")
        assert [request.question for request in model.requests()] == ["A real one?"]
