"""What the server asks in between: it is said, nothing opens before whoever is typing, and is answered by a command."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from channelcoder_lsp.offline.script import Text, Usage
from editors.neovim.nvim import TOTAL

if TYPE_CHECKING:
    from pathlib import Path

    from editors.conftest import Machine

    from .conftest import Start
    from .nvim import Plugin

SAID = ":ChannelCoder answer (Compact, Not now)"
WAITS = "return require('channelcoder').statusline():find(':ChannelCoder answer', 1, true)"
WAITS_NO_MORE = "return not require('channelcoder').statusline():find(':ChannelCoder answer', 1, true)"


@pytest.fixture
def asked(machine: Machine, start: Start, shop: Path) -> Plugin:
    """A Neovim that was asked whether to compact the session."""
    nvim = start(shop, options={"settings": {"contextWarningPercent": 20}})
    full = Usage(input_tokens=299_000, output_tokens=1_000)
    machine.model.script(Text(text="It adds up.", usage=full))
    nvim.ask_about(*TOTAL, "Why?")
    nvim.said(SAID)
    return nvim


def test_is_said_and_waits(asked: Plugin):
    """No list opens; the statusline tells of it until it is dismissed."""
    assert asked.lua("return seen.offered") == []
    asked.wait(WAITS)
    asked.api.input("ityped<Esc>")
    asked.wait("return vim.api.nvim_get_current_line():find('typed', 1, true)")
    asked.run("ChannelCoder! answer")
    asked.wait(WAITS_NO_MORE)
    asked.run("answer")
    asked.said("channelcoder: nothing is asked.")


def test_is_chosen_from_a_list_when_the_user_wants_to(machine: Machine, asked: Plugin):
    machine.model.script(Text(text="We talked about sums."))
    asked.run("answer", choice="Compact")
    assert asked.lua("return seen.offered") == ["Compact", "Not now"]
    asked.wait(WAITS_NO_MORE)
    asked.wait("return not require('channelcoder').statusline():find('context', 1, true)")
    assert len(machine.model.requests(2)) == 2


def test_is_answered_by_a_word_that_is_completed(machine: Machine, asked: Plugin):
    assert asked.api.funcs.getcompletion("ChannelCoder answer N", "cmdline") == ["Not now"]
    asked.run("answer perhaps")
    asked.said("channelcoder: 'perhaps' is no answer; there are Compact, Not now.")
    asked.run("answer not now")
    asked.wait(WAITS_NO_MORE)
    assert [request.question for request in machine.model.requests()] == ["Why?"]
