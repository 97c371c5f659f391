"""Sessions, models and trust; names are completed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from channelcoder_lsp.offline.script import Text
from editors.conftest import SHOP
from editors.neovim.nvim import TOTAL

if TYPE_CHECKING:
    from pathlib import Path

    from editors.conftest import Machine

    from .conftest import Start
    from .nvim import Plugin


def test_begin_switch_and_look_back(machine: Machine, start: Start, shop: Path):
    """A new session knows nothing of the old one; switched back, its threads are there."""
    nvim = start(shop)
    nvim.run("sessions")
    nvim.said("channelcoder: no sessions yet;")
    nvim.ask_about(*TOTAL, "In the first?")
    nvim.marks((TOTAL[0], "◆", "◆ In the first? · 1 answer"))

    nvim.run("new second")
    nvim.said("channelcoder: the session is second now.")
    nvim.marks()
    nvim.ask_about(*TOTAL, "In the second?")
    assert machine.model.requests(2)[-1].earlier_questions == []

    nvim.run("switch", choice="In the first?")
    nvim.marks((TOTAL[0], "◆", "◆ In the first? · 1 answer"))
    first, second = sorted(nvim.lua("return seen.offered"))
    assert " ago · 2 messages · $" in first or " · just now · 2 messages · $" in first
    assert second.startswith("● second · ")
    nvim.run("switch second")
    nvim.marks((TOTAL[0], "◆", "◆ In the second? · 1 answer"))
    nvim.completes("ChannelCoder switch s", "second")

    nvim.run("transcript")
    assert nvim.window("In the second?")["title"] == " Claude: session "
    nvim.api.input("q")
    nvim.run("sessions", choice="In the first?")
    nvim.window("In the first?")
    nvim.api.input("q")


def test_an_answer_in_a_session_that_was_left_is_said(machine: Machine, start: Start, shop: Path):
    """With the command that goes there."""
    machine.model.script(Text(text="It adds up.", words_per_chunk=1, hold_after=1))
    nvim = start(shop)
    nvim.run("{},{}ChannelCoder ask In the first?".format(*TOTAL))
    nvim.window("In the first?", "It")
    nvim.api.input("q")
    nvim.run("new second")
    nvim.said("channelcoder: the session is second now.")
    nvim.marks()
    machine.model.release()
    said = nvim.said("Claude answered in shop-")
    nvim.run(said[said.index("switch") : said.index(" goes there.")])
    nvim.marks((TOTAL[0], "◆", "◆ In the first? · 1 answer"))


def test_rename_and_fork(machine: Machine, start: Start, shop: Path):
    """The copy goes on with what was said before; what is asked in it is not in the first."""
    nvim = start(shop)
    nvim.run("rename prices")
    nvim.said("channelcoder: no session yet; :ChannelCoder ask begins one.")
    nvim.ask_about(*TOTAL, "In the first?")
    nvim.run("rename the prices")
    nvim.said("channelcoder: the session is the prices now.")
    nvim.completes("ChannelCoder switch the pr", "prices")
    nvim.run("fork", typed="a try")
    nvim.said("channelcoder: the session is a try now.")
    assert nvim.lua("return seen.prompts") == ["Name of the copy: "]
    nvim.ask_about(*TOTAL, "In the copy?")
    assert machine.model.requests(2)[-1].earlier_questions == ["In the first?"]
    nvim.marks((TOTAL[0], "◆", "◆ In the first? · 2 answers"))
    nvim.run("switch the prices")
    nvim.said("channelcoder: the session is the prices now.")
    nvim.marks((TOTAL[0], "◆", "◆ In the first? · 1 answer"))


def test_clear_and_remove(start: Start, shop: Path):
    """Only once that was confirmed; the list then has one session less."""
    nvim = start(shop)
    nvim.ask_about(*TOTAL, "In the first?")
    nvim.marks((TOTAL[0], "◆", "◆ In the first? · 1 answer"))
    nvim.run("rename prices")
    nvim.said("channelcoder: the session is prices now.")
    nvim.run("clear")
    nvim.wait("return vim.deep_equal(seen.offered, { 'Cancel', 'Drop' })")
    nvim.run("clear", choice="Drop")
    nvim.said("channelcoder: prices is empty now.")
    nvim.marks()
    nvim.ask_about(*TOTAL, "In the emptied one?")
    nvim.marks((TOTAL[0], "◆", "◆ In the emptied one? · 1 answer"))
    nvim.run("remove prices")
    nvim.wait("return vim.deep_equal(seen.offered, { 'Cancel', 'Remove' })")
    nvim.run("remove prices", choice="Remove")
    nvim.said("channelcoder: prices is removed.")
    nvim.marks()
    nvim.run("sessions")
    nvim.said("channelcoder: no sessions yet;")


def test_search_leads_to_what_was_said(start: Start, shop: Path):
    """In any session, whatever the case; the cursor is on it."""
    nvim = start(shop)
    nvim.ask_about(*TOTAL, "Is it the Zebra?")
    nvim.run("new second")
    nvim.said("channelcoder: the session is second now.")
    nvim.run("search", typed="zEBRA", choice="asked")
    window = nvim.window("Is it the Zebra?")
    assert window["floats"]
    nvim.wait("return vim.fn.getline('.'):find('Zebra', 1, true)")
    nvim.api.input("q")
    nvim.wait("return seen.window() == nil")
    nvim.run("search unicorns")
    nvim.said("channelcoder: unicorns was not said in any session.")


@pytest.mark.parametrize(
    ("form", "filetype", "first"),
    [("", "markdown", "# "), ("markdown", "markdown", "# "), ("json", "json", "{"), ("guide", "json", "{")],
)
def test_export_opens_a_buffer_to_write(nvim: Plugin, tmp_path: Path, form, filetype, first):
    nvim.ask_about(*TOTAL, "To be kept?")
    nvim.run(f"export {form}")
    nvim.wait("return vim.bo.filetype == ...", filetype)
    assert nvim.lines[0].startswith(first)
    assert "To be kept?" in nvim.text
    nvim.api.command(f"write {tmp_path}/kept")
    assert "To be kept?" in (tmp_path / "kept").read_text("utf-8")


def test_a_session_that_is_not_there_is_said(nvim: Plugin):
    nvim.run("switch nowhere")
    assert "nowhere" in nvim.said("channelcoder: ")


def test_the_model_is_chosen_and_said(machine: Machine, start: Start, shop: Path):
    nvim = start(shop)
    nvim.ask_about(*TOTAL, "With which?")
    nvim.run("model")
    nvim.said("channelcoder: the next question goes to the default model.")
    nvim.run("model sonnet")
    nvim.said("channelcoder: the next question goes to sonnet.")
    nvim.run("model default")
    nvim.wait("return #seen.said == 3 and seen.said[3][1]:find('the default model', 1, true)")


def test_trust_is_given_and_taken(machine: Machine, start: Start, shop: Path):
    nvim = start(shop)
    nvim.run("trust")
    nvim.said(f"channelcoder: {machine.project} is trusted.")
    nvim.run("ChannelCoder! trust")
    nvim.said(f"channelcoder: {machine.project} is not trusted.")


def test_two_projects_have_a_session_each(machine: Machine, start: Start, shop: Path):
    """The buffer says which one is meant."""
    other = machine.home / "other" / "main.py"
    (other.parent / ".git").mkdir(parents=True)
    other.write_text("print(1)\n", "utf-8")
    nvim = start(shop)
    nvim.ask_about(*TOTAL, "In the shop?")
    nvim.edit(other)
    nvim.ask_about(1, 1, "In the other?")
    nvim.marks((1, "◆", "◆ In the other? · 1 answer"))
    assert machine.model.requests(2)[-1].earlier_questions == []
    nvim.run("threads")
    nvim.wait("return vim.bo.buftype == 'quickfix'")
    assert [item["text"] for item in nvim.api.funcs.getqflist()] == ["In the other? · 1 answer"]


def test_a_file_that_is_in_no_project(start: Start, machine: Machine):
    """A single file outside of any repository: it has the session of all such files, and every command works in it."""
    path = machine.home / "alone.py"
    path.write_text(SHOP, "utf-8")
    nvim = start(path)
    nvim.ask_about(3, 4, "Alone?")
    nvim.run("threads")
    nvim.wait("return vim.bo.buftype == 'quickfix'")
    assert "Alone?" in nvim.api.funcs.getqflist()[0]["text"]
    nvim.api.command("cclose")
    nvim.run("model")
    nvim.said("the next question goes to ")
    nvim.run("limit")
    nvim.said("channelcoder: $")
    nvim.run("export")
    nvim.wait("return vim.bo.filetype == 'markdown'")
    assert any("Alone?" in line for line in nvim.api.current.buffer[:])
