"""The statusline: what is being asked, what the session cost and may cost, how full Claude's context is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from channelcoder_lsp.offline.script import Failure, Text, Usage
from editors.neovim.nvim import TOTAL

if TYPE_CHECKING:
    from pathlib import Path

    from editors.conftest import Machine

    from .conftest import Start
    from .nvim import Plugin

FULL = Usage(input_tokens=299_000, output_tokens=1_000)
"""What makes an answer fill 30 % of the context."""
SHOWS = "return require('channelcoder').statusline():match(...)"


def test_shows_cost_and_context(machine: Machine, start: Start, shop: Path):
    """Nothing before the first question; in the window of an answer the same as at the code; again after a restart."""
    nvim = start(shop)
    nvim.settled()
    assert nvim.lua("return require('channelcoder').statusline()") == ""
    machine.model.script(Text(text="It adds up the prices of all items.", usage=FULL, hold_after=1))
    nvim.run(f"{TOTAL[0]},{TOTAL[1]}ChannelCoder ask Why?")
    nvim.wait(SHOWS, "^Claude: answering %d+ s")
    machine.model.release()
    nvim.wait(SHOWS, r"^Claude: %$%d+%.%d+ · context 30%%$")
    assert nvim.api.eval("&filetype") == "markdown"
    nvim.api.input("q")
    nvim.wait(SHOWS, r"^Claude: %$%d+%.%d+ · context 30%%$")
    nvim.run("doctor")
    nvim.wait("return vim.bo.filetype == 'checkhealth'")
    assert ", context 30%" in nvim.text
    nvim.quit()
    start(shop).wait(SHOWS, r"^Claude: %$%d+%.%d+ · context 30%%$")


def test_a_limit_is_set_shown_and_kept(machine: Machine, start: Start, shop: Path):
    """What goes beyond it is refused, until it is taken away."""
    machine.model.script(Text(text="It adds up.", usage=FULL))
    nvim = start(shop)
    nvim.run("limit much")
    nvim.said("channelcoder: a limit is an amount of US dollars, or none.")
    nvim.run("limit $0.01")
    nvim.said(" may cost $0.0100; it cost $0.0000 so far.")
    nvim.wait(SHOWS, r"^Claude: %$0%.0000 of %$0%.0100$")
    nvim.ask_about(*TOTAL, "Why?")
    nvim.wait(SHOWS, r"^Claude: %$%d+%.%d+ of %$0%.0100 · context 30%%$")
    nvim.run("ask And now?")
    nvim.said("Raise its spending limit")
    assert [request.question for request in machine.model.requests()] == ["Why?"]
    nvim.run("limit")
    nvim.said(" of $0.0100, context 30%.")
    nvim.run("limit none")
    nvim.said(" has no limit; it cost $")
    nvim.ask_about(*TOTAL, "And now?")


def test_compacting_empties_the_context(machine: Machine, start: Start, shop: Path):
    """It is said when it is done, and when it was not; meanwhile the statusline shows that something is asked."""
    machine.model.script(Text(text="It adds up.", usage=FULL))
    nvim = start(shop)
    nvim.run("compact")
    nvim.said("no session")
    nvim.ask_about(*TOTAL, "Why?")
    nvim.wait(SHOWS, "context 30%%")
    machine.model.script(Failure(status=400, message="No such luck.", times="always"))
    nvim.run("compact")
    nvim.said(" was not compacted.")
    machine.model.clear()
    machine.model.script(Text(text="We talked about sums, and about nothing else.", hold_after=1))
    nvim.run("compact")
    nvim.wait(SHOWS, "^Claude: answering %d+ s · ")
    machine.model.release()
    nvim.said(" is compacted.")
    nvim.wait("return not require('channelcoder').statusline():find('context', 1, true)")
    nvim.marks((TOTAL[0], "◆", "◆ Why? · 1 answer"))
    nvim.ask_about(*TOTAL, "And now?")
    assert "| We talked about sums, and" in machine.model.requests()[-1].prompt


def test_a_place_for_sessions_that_is_away_is_told(machine: Machine, start: Start, shop: Path):
    """In the statusline, and by doctor with what it means; questions are answered all the same."""
    machine.more_environment["CHANNELCODER_STORAGE"] = "redis://127.0.0.1:1/0"
    nvim = start(shop)
    nvim.ask_about(*TOTAL, "Why?")
    nvim.wait(SHOWS, "^Claude: .*storage away$")
    nvim.run("doctor")
    nvim.wait("return vim.bo.filetype == 'checkhealth'")
    assert "the place where sessions are kept is away: " in nvim.text
    nvim.quit()  # the log tells of it, too


def test_takes_that_of_the_current_project(machine: Machine, start: Start, shop: Path):
    """Each project has a session, and a cost, of its own."""
    other = machine.home / "other" / "main.py"
    (other.parent / ".git").mkdir(parents=True)
    other.write_text("print(1)\n", "utf-8")
    nvim: Plugin = start(shop)
    nvim.ask_about(*TOTAL, "In the shop?")
    nvim.wait(SHOWS, "^Claude: ")
    nvim.edit(other)
    nvim.settled()
    assert nvim.lua("return require('channelcoder').statusline()") == ""
    nvim.api.command("buffer shop.py")
    nvim.wait(SHOWS, "^Claude: ")
