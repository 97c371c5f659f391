"""Leaving Neovim and coming back: nothing is left running, and nothing is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from channelcoder_lsp.offline.script import Text
from editors.conftest import SHOP, Machine

from .nvim import TOTAL, gone

if TYPE_CHECKING:
    from .conftest import Start


def test_answer_is_there_and_the_session_goes_on(machine: Machine, start: Start):
    """Started again at once, as people do: hover, lens and session are as they were."""
    path = machine.write("shop.py", SHOP)
    nvim = start(path)
    nvim.ask("What does this add up?")
    nvim.healthy()
    before = nvim.quit()
    nvim = start(path)
    nvim.lens("Claude: 1 answer | Reply | Resolve", TOTAL[0])
    nvim.go(TOTAL[1])
    assert "> What does this add up?" in nvim.hover()
    nvim.go(TOTAL[0])
    nvim.run_lens("Reply", question="And for an empty list?")
    nvim.over()
    assert "I was given 1 earlier question of this session:\n\n1. What does this add up?" in nvim.hover()
    gone(before)


def test_answer_is_where_the_code_went_meanwhile(machine: Machine, start: Start):
    """Changed with Neovim closed; and the session goes on without a selection, by the suggested key."""
    path = machine.write("shop.py", SHOP)
    nvim = start(path)
    nvim.ask("What does this add up?")
    gone(nvim.quit())
    machine.write("shop.py", "# new\n# lines\n" + SHOP.replace("result = 0.0", "result = 0"))
    nvim = start(path)
    nvim.lens("Claude: 1 answer | Reply | Resolve", TOTAL[0] + 2)
    nvim.go(TOTAL[0] + 2)
    assert "the code changed since" in nvim.hover()
    nvim.lua("seen.question = ...", "What did I ask?")
    nvim.api.input("grc")
    nvim.over()
    last = machine.model.requests(2)[-1]
    assert (last.question, last.earlier_questions) == ("What did I ask?", ["What does this add up?"])
    nvim.wait("return vim.bo.filetype == 'markdown'")
    assert nvim.lines[0] == "# What did I ask?"


def test_leaving_in_mid_answer_ends_it(machine: Machine, start: Start):
    """No process is left; the question says afterwards that it was cancelled, and can be asked again."""
    machine.model.script(Text(text="never", wait=True))
    path = machine.write("shop.py", SHOP)
    nvim = start(path)
    nvim.select(*TOTAL)
    nvim.choose("Claude: Explain")
    machine.model.requests(1)
    gone(nvim.quit())
    nvim = start(path)
    nvim.lens("Claude: cancelled | Reply | Resolve", TOTAL[0])
    nvim.go(TOTAL[0])
    assert "*cancelled*" in nvim.hover()
    nvim.choose("Retry: Explain")
    nvim.over()
    assert "This is the offline model" in nvim.hover()
