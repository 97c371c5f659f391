"""Threads: going from one to the next, lists, and which one is meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from channelcoder_lsp.offline.script import Text

if TYPE_CHECKING:
    from pathlib import Path

    from editors.conftest import Model

    from .conftest import Start
    from .nvim import Plugin


@pytest.fixture
def asked(nvim: Plugin) -> Plugin:
    """A Neovim with three threads in the open file."""
    for first, last, question in ((3, 4, "One?"), (13, 18, "Two?"), (21, 27, "Three?")):
        nvim.ask_about(first, last, question)
    nvim.marks((3, "◆", "◆ One? · 1 answer"), (13, "◆", "◆ Two? · 1 answer"), (21, "◆", "◆ Three? · 1 answer"))
    return nvim


class TestGoing:
    @pytest.mark.parametrize(
        ("line", "given", "arrives"),
        [
            (1, "next", 3),
            (3, "next", 13),
            (14, "next", 21),
            (21, "next", 3),
            (1, "next 2", 13),
            (1, "prev", 21),
            (13, "prev", 3),
            (14, "prev", 13),
            (21, "prev 2", 3),
        ],
    )
    def test_from_one_to_another_and_around(self, threads_of_one: Plugin, line, given, arrives):
        threads_of_one.go(line)
        threads_of_one.run(given)
        assert threads_of_one.api.current.window.cursor[0] == arrives

    def test_says_when_there_are_none(self, nvim: Plugin):
        nvim.run("next")
        nvim.said("channelcoder: no threads in this buffer.")


@pytest.fixture(scope="module")
def threads_of_one(one_neovim, running_model: Model) -> Plugin:
    """Three threads that only are gone to."""
    machine, nvim = one_neovim
    path = machine.write("many.py", "".join(f"x{number} = {number}\n" for number in range(30)))
    nvim.tidy()
    nvim.edit(path)
    for line in (3, 13, 21):
        nvim.ask_about(line, line + 1, f"At {line}?")
    nvim.marks(*((line, "◆", f"◆ At {line}? · 1 answer") for line in (3, 13, 21)))
    return nvim


class TestLists:
    def test_of_the_buffer(self, asked: Plugin):
        """Open ones first, then the resolved; a jump leads to the code."""
        asked.go(13)
        asked.run("resolve")
        asked.marks((3, "◆", "◆ One? · 1 answer"), (21, "◆", "◆ Three? · 1 answer"))
        asked.run("ChannelCoder! threads")
        asked.wait("return vim.bo.buftype == 'quickfix'")
        items = asked.api.funcs.getloclist(0)
        assert [(item["lnum"], item["end_lnum"], item["text"]) for item in items] == [
            (3, 3, "One? · 1 answer"),
            (21, 27, "Three? · 1 answer"),
            (13, 18, "resolved: Two? · 1 answer"),
        ]
        asked.api.command("ll 2")
        assert asked.api.current.window.cursor[0] == 21

    def test_of_the_project(self, asked: Plugin):
        asked.run("threads")
        asked.wait("return vim.bo.buftype == 'quickfix'")
        assert asked.api.funcs.getqflist({"title": 1})["title"] == "Claude: threads"
        assert len(asked.api.funcs.getqflist()) >= 3

    def test_a_line_stands_for_its_thread(self, asked: Plugin, model: Model):
        """Also one that is resolved: it is opened again, shown, replied to."""
        asked.go(13)
        asked.run("resolve")
        asked.marks((3, "◆", "◆ One? · 1 answer"), (21, "◆", "◆ Three? · 1 answer"))
        asked.run("ChannelCoder! threads")
        asked.wait("return vim.bo.buftype == 'quickfix'")
        asked.api.input("G")
        asked.wait("return vim.fn.line('.') == 3")
        asked.run("show")
        asked.window("## Two?")
        asked.api.input("q")
        asked.wait("return vim.bo.buftype == 'quickfix'")
        asked.run("ChannelCoder! resolve")
        asked.api.command("lclose")
        asked.marks((3, "◆", "◆ One? · 1 answer"), (13, "◆", "◆ Two? · 1 answer"), (21, "◆", "◆ Three? · 1 answer"))


class TestMeant:
    def test_is_the_one_on_the_line(self, asked: Plugin):
        asked.go(15)
        asked.run("show")
        assert "## Two?" in asked.window("## ")["text"]
        asked.api.input("q")

    def test_is_chosen_among_several(self, asked: Plugin):
        """The innermost first."""
        asked.ask_about(12, 19, "Around two?")
        asked.wait("return vim.inspect(seen.marks()):find('Around two? · 1 answer', 1, true)")
        asked.go(15)
        asked.run("show", choice="Around two?")
        asked.window("## Around two?")
        assert asked.lua("return seen.offered") == ["Two? · 1 answer", "Around two? · 1 answer"]
        asked.api.input("q")

    def test_none_is_said(self, nvim: Plugin):
        nvim.run("reply Hello?")
        nvim.said("channelcoder: no open thread on this line;")

    def test_has_no_edit_to_look_at(self, asked: Plugin):
        asked.go(15)
        asked.run("apply")
        asked.said("channelcoder: no edit waits in this thread.")


class TestShown:
    def test_a_waiting_one_says_so(self, nvim: Plugin, model: Model):
        model.script(Text(text="later", wait=True))
        nvim.run("13,18ChannelCoder! ask Soon?")
        nvim.marks((13, "◆", "◆ Soon? · answering…"))
        model.requests(1)  # what isn't asked yet can't be released
        model.release()
        nvim.marks((13, "◆", "◆ Soon? · 1 answer"))

    def test_changed_code_is_said(self, nvim: Plugin):
        nvim.ask_about(13, 18, "Two?")
        nvim.api.current.buffer[14:15] = ["    result = 1.0"]
        nvim.marks((13, "◆", "◆ Two? · 1 answer · the code changed"))
        nvim.api.command("undo")
        nvim.marks((13, "◆", "◆ Two? · 1 answer"))

    def test_a_long_question_is_cut(self, nvim: Plugin):
        nvim.ask_about(13, 18, "Why does this add up the prices of all the items that there are in the whole shop?")
        nvim.marks((13, "◆", "◆ Why does this add up the prices of all the item… · 1 answer"))

    def test_reloaded_from_disk(self, nvim: Plugin):
        """`:edit` takes marks away; they come back where the code went meanwhile."""
        nvim.ask_about(13, 18, "Two?")
        nvim.lua(
            """
            local path = vim.api.nvim_buf_get_name(0)
            local lines = vim.fn.readfile(path)
            table.insert(lines, 1, '# new')
            vim.fn.writefile(lines, path)
            vim.cmd.edit({ bang = true })
            """
        )
        nvim.marks((14, "◆", "◆ Two? · 1 answer"))

    def test_as_the_options_say(self, start: Start, shop: Path):
        nvim = start(shop, options={"threads": {"sign": "C", "virtual_text": False}, "window": {"kind": "split"}})
        nvim.run("13,18ChannelCoder ask Two?")
        window = nvim.window("> Two?")
        assert not window["floats"]
        nvim.wait("return vim.wo.winbar == 'Claude: answered'")
        nvim.api.command("wincmd p")
        nvim.marks((13, "C", ""))
