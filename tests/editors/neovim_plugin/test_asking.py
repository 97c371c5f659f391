"""Questions: what they are about, how they are typed and chosen, and where their answers are read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from channelcoder_lsp.offline.script import Failure, Text
from editors.neovim.nvim import TOTAL

if TYPE_CHECKING:
    from pathlib import Path

    from editors.conftest import Machine, Model

    from .conftest import Start
    from .nvim import Plugin

RANGE = f"{TOTAL[0]},{TOTAL[1]}"


class TestAbout:
    def test_the_selected_lines(self, nvim: Plugin, model: Model):
        """The unsaved buffer counts; the question is asked for with `vim.ui.input`."""
        nvim.api.current.buffer[14] = "    result = 0.0  # 🛒 unsaved"
        nvim.run(f"{RANGE}ChannelCoder ask", typed="What does this add up?")
        (request,) = model.requests(1)
        assert 'lines="13-18"' in request.prompt
        assert "15|     result = 0.0  # 🛒 unsaved" in request.prompt
        assert nvim.lua("return seen.prompts") == ["Ask Claude: "]

    def test_the_selected_characters_of_the_mapped_key(self, nvim: Plugin, model: Model):
        """`<Plug>` in visual mode takes the selection as it is, whatever the characters take in UTF-16."""
        nvim.api.current.buffer[14] = "    🛒 = total_of(naïve) + 1"
        nvim.lua("vim.keymap.set('x', 'gA', '<Plug>(channelcoder-ask)'); seen.typed = 'And this?'")
        nvim.go(15)
        nvim.api.input("9|vt)gA")
        (request,) = model.requests(1)
        assert request.question == "And this?"
        nvim.window("selected line 15")
        nvim.api.input("q")
        nvim.marks((15, "◆", "◆ And this? · 1 answer"))
        nvim.run("ChannelCoder! threads")
        nvim.wait("return vim.bo.buftype == 'quickfix'")
        nvim.api.command("lclose")
        nvim.wait(
            """
            local client = vim.lsp.get_clients({ name = 'channelcoder' })[1]
            local rows = require('channelcoder.client').wait_for(
              client, 'channelcoder.thread.list', { uri = vim.uri_from_bufnr(0) })
            return rows and rows.threads[1].code == ...
            """,
            " total_of(naïve",
        )

    def test_the_line_of_the_cursor(self, nvim: Plugin, model: Model):
        nvim.go(15)
        nvim.run("ask What is this?")
        (request,) = model.requests(1)
        assert 'lines="15-15"' in request.prompt or 'lines="15"' in request.prompt

    @pytest.mark.parametrize("typed", [None, "", "  "])
    def test_nothing_when_nothing_is_typed(self, nvim: Plugin, model: Model, typed):
        nvim.run("ask", typed=typed)
        nvim.ask_about(*TOTAL, "A real one?")
        assert [request.question for request in model.requests()] == ["A real one?"]

    def test_a_file_whose_type_is_unknown(self, nvim: Plugin, model: Model, one_neovim):
        """Neovim starts no server for it; asking attaches the project's."""
        machine, _ = one_neovim
        nvim.api.command(f"edit {machine.write('NOTES', 'Some notes.')}")
        assert nvim.api.eval("&filetype") == ""
        nvim.run("ask What are these?")
        (request,) = model.requests(1)
        assert "Some notes." in request.prompt


class TestPrompts:
    def test_are_chosen(self, nvim: Plugin, model: Model):
        nvim.run(f"{RANGE}ChannelCoder prompts", choice="Explain")
        nvim.window("> Explain")
        (request,) = model.requests(1)
        assert request.question == "Explain"
        titles, what_for = zip(*(row.split(" · ", 1) for row in nvim.lua("return seen.offered")), strict=True)
        assert titles[:4] == ("Explain", "Review", "Fix", "Write tests")
        assert what_for[0] == "What it is for, how it works, what is surprising about it"

    def test_are_named_and_completed(self, nvim: Plugin, model: Model):
        nvim.completes("ChannelCoder prompts ex", "explain")
        nvim.run(f"{RANGE}ChannelCoder prompts explain")
        (request,) = model.requests(1)
        assert request.question == "Explain"


class TestWindow:
    def test_shows_the_answer_while_it_streams(self, nvim: Plugin, model: Model):
        """Title and statusline say how far it is; nothing can be changed in it."""
        model.script(Text(text="one two three four five six", words_per_chunk=1, hold_after=3))
        nvim.run(f"{RANGE}ChannelCoder ask Count")
        window = nvim.window("> Count\n\none two three")
        assert "four" not in window["text"]
        assert (window["title"], window["floats"], window["filetype"]) == (" Claude: answering ", True, "markdown")
        assert nvim.lua("return require('channelcoder').statusline()").startswith("Claude: answering ")
        assert nvim.api.eval("&modifiable") == 0
        model.release()
        nvim.window("one two three four five six")
        nvim.wait("return not require('channelcoder').statusline():find('answering', 1, true)")

    def test_can_be_kept_as_a_split(self, nvim: Plugin, model: Model):
        """An answer goes on streaming into it."""
        model.script(Text(text="one two three four five six", words_per_chunk=1, hold_after=3))
        nvim.run(f"{RANGE}ChannelCoder ask Count")
        nvim.window("one two three")
        nvim.api.input("K")
        nvim.wait("local window = seen.window() return window and not window.floats")
        model.release()
        nvim.window("one two three four five six")
        nvim.api.command("wincmd p")
        nvim.marks((TOTAL[0], "◆", "◆ Count · 1 answer"))

    def test_stays_where_it_is_read_and_follows_from_its_end(self, nvim: Plugin, model: Model):
        lines = "\n".join(f"line {number}" for number in range(90))
        for keys, is_at in (("", "return vim.fn.line('.') == 1"), ("G", "return vim.fn.line('.') > 90")):
            model.script(Text(text=lines, words_per_chunk=20, hold_after=2))
            nvim.run(f"{RANGE}ChannelCoder ask Count")
            nvim.window("line 15")
            nvim.api.input(keys)
            nvim.wait("return vim.fn.line('.') == (... and vim.fn.line('$') or 1)", keys == "G")
            model.release()
            nvim.window("line 89", "$")
            assert nvim.lua(is_at)
            nvim.api.input("q")

    def test_is_left_closed_when_asked_for_none(self, nvim: Plugin, model: Model):
        nvim.run(f"{RANGE}ChannelCoder! ask Quietly")
        nvim.marks((TOTAL[0], "◆", "◆ Quietly · 1 answer"))
        assert nvim.lua("return seen.window()") is None

    def test_shows_hostile_text_as_text(self, nvim: Plugin, model: Model):
        """No control character, no hidden direction, no modeline, and links say where they lead."""
        text = "\x1b[31mred\x1b[0m \u202eevil\u202c [a](https://evil.example/) \x07\r\n<b>x</b>\n\nvim: set cole=3:"
        model.script(Text(text=text, words_per_chunk=1))
        window = nvim.ask_about(*TOTAL, "Hostile?")
        shown = "[31mred[0m evil [a](https://evil.example/) \n<b>x</b>\n\nvim: set cole=3:"
        assert shown in window["text"]
        assert (window["conceal"], window["modeline"]) == (0, False)

    def test_a_reply_goes_on_in_the_thread(self, nvim: Plugin, model: Model):
        nvim.run(f"{RANGE}ChannelCoder ask First?")
        nvim.wait("local window = seen.window() return window and window.title:find('answered')")
        nvim.lua("seen.typed = 'Second?'")
        nvim.api.input("r")
        nvim.window("> Second?")
        assert [request.question for request in model.requests(2)] == ["First?", "Second?"]
        assert nvim.lua("return #vim.api.nvim_list_wins()") == 2, "the first window gave way"
        nvim.api.input("q")


class TestCancel:
    def test_ends_what_is_being_answered(self, nvim: Plugin, model: Model):
        """What had come by then stays; the session goes on."""
        model.script(Text(text="one two three four", words_per_chunk=1, hold_after=2))
        nvim.run(f"{RANGE}ChannelCoder ask Count")
        nvim.window("one two")
        nvim.run("cancel")
        assert nvim.said("cancelled") == "channelcoder: 1 question cancelled."
        window = nvim.window("one two\n\n**cancelled**")
        assert window["title"] == " Claude: cancelled "
        nvim.api.input("q")
        nvim.ask_about(*TOTAL, "And now?")

    def test_ends_it_from_its_window(self, nvim: Plugin, model: Model):
        model.script(Text(text="never", wait=True))
        nvim.run(f"{RANGE}ChannelCoder ask Count")
        model.requests(1)
        nvim.api.input("x")
        nvim.window("> Count\n\n**cancelled**")

    def test_says_when_there_is_nothing_to_cancel(self, nvim: Plugin):
        nvim.run("cancel")
        nvim.said("channelcoder: nothing is being asked.")


class TestRetry:
    def test_asks_what_a_window_shows_again(self, nvim: Plugin, model: Model):
        model.script(Text(text="never", wait=True), Text(text="This time."))
        nvim.run(f"{RANGE}ChannelCoder ask Again?")
        model.requests(1)
        nvim.api.input("x")
        nvim.window("**cancelled**", "`:ChannelCoder retry` asks it again.")
        nvim.run("retry")
        nvim.window("> Again?\n\nThis time.")
        assert [request.question for request in model.requests(2)] == ["Again?", "Again?"]
        nvim.api.input("q")
        nvim.marks((TOTAL[0], "◆", "◆ Again? · 1 answer"))

    def test_asks_the_newest_question_of_a_thread_again(self, nvim: Plugin, model: Model):
        """With `!` without a window."""
        nvim.ask_about(*TOTAL, "First?")
        nvim.ask_about(*TOTAL, "Second?")
        nvim.go(TOTAL[0])
        nvim.run("ChannelCoder! retry")
        assert [request.question for request in model.requests(3)] == ["First?", "Second?", "Second?"]
        nvim.marks((TOTAL[0], "◆", "◆ First? · 3 answers"))
        assert nvim.lua("return seen.window()") is None

    def test_of_the_session_in_its_window(self, nvim: Plugin, model: Model):
        """Where there is no thread."""
        nvim.run("continue In general?")
        nvim.wait("local window = seen.window() return window and window.title:find('answered')")
        nvim.run("retry")
        assert [request.question for request in model.requests(2)] == ["In general?", "In general?"]
        nvim.wait("local window = seen.window() return window and window.title:find('answered')")
        nvim.run("resolve")
        nvim.said("channelcoder: no open thread on this line;")


def test_a_failure_is_shown(start: Start, machine: Machine, shop: Path):
    """In the window, with what to do; the thread says that it has no answer."""
    machine.model.script(Failure(status=400, message="No such luck.", times="always"))
    nvim = start(shop)
    nvim.run(f"{RANGE}ChannelCoder ask Why?")
    nvim.window("**failed**", "No such luck.", "`:ChannelCoder retry` asks it again.")
    nvim.api.input("q")
    nvim.marks((TOTAL[0], "◆", "◆ Why? · no answer"))


class TestCodeActions:
    def test_ask_what_is_typed(self, nvim: Plugin, model: Model):
        nvim.select(*TOTAL)
        nvim.lua("seen.choice, seen.typed = 'Ask Claude', 'By hand?'")
        nvim.api.input("gra")
        nvim.window("> By hand?")
        assert [request.question for request in model.requests(1)] == ["By hand?"]

    def test_show_an_answer_in_the_plugins_window(self, nvim: Plugin, model: Model):
        nvim.ask_about(*TOTAL, "What is this?")
        nvim.go(TOTAL[0])
        nvim.lua('seen.choice = "Show Claude\'s answer"')
        nvim.api.input("gra")
        window = nvim.window("# What is this?", "## What was sent")
        assert window["floats"]
        nvim.api.input("q")


def test_code_lenses_are_kept_fresh_when_wanted(start: Start, shop: Path, machine: Machine):
    """They reply in the thread with what is typed."""
    nvim = start(shop, options={"code_lens": True})
    nvim.ask_about(*TOTAL, "First?")
    nvim.lens("Claude: 1 answer | Reply | Resolve", TOTAL[0])
    nvim.go(TOTAL[0])
    nvim.lua("seen.choice, seen.typed = 'Reply', 'Second?'")
    nvim.lua("vim.lsp.codelens.run()")
    nvim.window("> Second?")
    nvim.wait("return seen.window().title:find('answered')")
    nvim.api.input("q")
    nvim.lens("Claude: 2 answers | Reply | Resolve", TOTAL[0])
    assert nvim.lua("return seen.prompts") == ["Reply: "]
    assert [request.question for request in machine.model.requests(2)] == ["First?", "Second?"]
