"""Sessions, models and trust; names are completed."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
    assert "just now · 2 messages · $" in first
    assert second.startswith("● second · just now · 2 messages · $")
    nvim.run("switch second")
    nvim.marks((TOTAL[0], "◆", "◆ In the second? · 1 answer"))
    assert "second" in nvim.api.funcs.getcompletion("ChannelCoder switch s", "cmdline")

    nvim.run("transcript")
    assert nvim.window("In the second?")["title"] == " Claude: session "
    nvim.api.input("q")
    nvim.run("sessions", choice="In the first?")
    nvim.window("In the first?")
    nvim.api.input("q")


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
    nvim.wait("return seen.said[3] and seen.said[3][1]:find('the default model', 1, true)")


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
