"""VS Code and Neovim open on one folder: one session, and each shows what was asked in the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.sync_api import expect

if TYPE_CHECKING:
    from editors.conftest import Machine, Model
    from editors.vscode.code import Code

    from .conftest import Beside

TOTAL = (13, 18)
DUPLICATES = (21, 27)


def test_what_happens_in_one_shows_in_the_other_without_a_reload(
    beside: Beside, code: Code, machine: Machine, model: Model
):
    """Both were open before there was a session. Questions, answers and what is resolved come to both."""
    nvim = beside.nvim
    total = (TOTAL[0], "◆", "◆ What does this do? · 1 answer")
    duplicates = (DUPLICATES[0], "◆", "◆ And this? · 1 answer")

    model.script("It adds up.")
    code.ask("What does this do?", TOTAL)
    code.answered("It adds up.")
    beside.do(nvim.marks, total)

    model.script("It pairs them.")
    beside.do(nvim.ask_about, *DUPLICATES, "And this?")
    expect(code.lenses.filter(has_text="Claude: 1 answer")).to_have_count(2)
    code.hover("duplicates", "It pairs them.")
    beside.do(nvim.marks, total, duplicates)

    # Claude had both questions in one session.
    assert len(list((machine.home / "sessions").glob("*.json"))) == 1
    assert model.requests(2)[-1].earlier_questions[-1:] == ["What does this do?"]

    code.go(TOTAL[0])
    code.run("ChannelCoder: Resolve Thread")
    beside.do(nvim.marks, duplicates)
    beside.do(nvim.go, DUPLICATES[0])
    beside.do(nvim.run, "resolve")
    expect(code.lenses).to_have_count(0)
