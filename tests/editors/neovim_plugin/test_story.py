"""The main job with the plugin: ask, read, edit, reply, resolve, leave, come back, go on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from channelcoder_lsp.offline.script import Text
from editors.neovim.nvim import TOTAL, gone

if TYPE_CHECKING:
    from pathlib import Path

    from editors.conftest import Machine

    from .conftest import Start

QUESTION = "What does this add up?"


def test_ask_edit_reply_resolve(machine: Machine, start: Start, shop: Path):
    """The answer streams into a window; sign and question stand at the code and go where it goes."""
    machine.model.script(Text(text="It adds up the *prices* of all items.", words_per_chunk=2))
    nvim = start(shop)
    window = nvim.ask_about(*TOTAL, QUESTION)
    assert f"> {QUESTION}\n\nIt adds up the *prices* of all items." in window["text"]
    nvim.marks((TOTAL[0], "◆", f"◆ {QUESTION} · 1 answer"))

    nvim.api.current.buffer[0:0] = ["# one", "# two"]
    nvim.marks((TOTAL[0] + 2, "◆", f"◆ {QUESTION} · 1 answer"))

    nvim.go(TOTAL[0] + 3)
    nvim.run("reply And for none?")
    nvim.window("> And for none?")
    nvim.wait("return seen.window().title:find('answered')")
    assert [request.question for request in machine.model.requests(2)] == [QUESTION, "And for none?"]
    nvim.api.input("q")
    nvim.marks((TOTAL[0] + 2, "◆", f"◆ {QUESTION} · 2 answers"))

    nvim.run("resolve")
    nvim.marks()
    nvim.run("ChannelCoder! resolve")
    nvim.marks((TOTAL[0] + 2, "◆", f"◆ {QUESTION} · 2 answers"))


def test_leave_come_back_and_go_on(machine: Machine, start: Start, shop: Path):
    """Started again, all is there, and the session goes on with the first question in it."""
    nvim = start(shop)
    nvim.ask_about(*TOTAL, QUESTION)
    nvim.healthy()
    gone(nvim.quit())

    nvim = start(shop)
    nvim.marks((TOTAL[0], "◆", f"◆ {QUESTION} · 1 answer"))
    nvim.go(TOTAL[0])
    nvim.run("show")
    window = nvim.window(f"## {QUESTION}", "This is the offline model")
    assert window["title"] == " Claude: thread "
    nvim.api.input("q")
    nvim.run("continue", typed="What did I ask?")
    nvim.window("> What did I ask?", "I was given 1 earlier question of this session:")
    assert machine.model.requests(2)[-1].earlier_questions == [QUESTION]
    assert nvim.lua("return seen.prompts") == ["Continue: "]


def test_code_that_goes_takes_its_sign_along(start: Start, shop: Path):
    """Deleted, it shows nothing; undone, it is there again; the list has it in both cases."""
    nvim = start(shop)
    nvim.ask_about(*TOTAL, QUESTION)
    nvim.marks((TOTAL[0], "◆", f"◆ {QUESTION} · 1 answer"))
    nvim.api.command(f"{TOTAL[0] - 1},{TOTAL[1] + 1}delete")
    nvim.marks()
    nvim.run("threads")
    nvim.wait("return vim.bo.buftype == 'quickfix'")
    (item,) = nvim.api.funcs.getqflist()
    assert item["text"] == f"the code is gone: {QUESTION} · 1 answer"
    nvim.api.command("cclose")
    nvim.api.command("undo")
    nvim.marks((TOTAL[0], "◆", f"◆ {QUESTION} · 1 answer"))
