"""A question about a selection, from the palette to the thread beside the code, and on after a reload."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from channelcoder_lsp.offline.script import Text
from editors.conftest import SHOP

TOTAL = (13, 18)


def test_the_answer_streams_into_a_thread(start, machine, model):
    """What is there of the answer is seen before its end; hover and lens tell of it; after a reload it is all there."""
    model.script(Text(text="It adds up what the items cost, one after the other.", words_per_chunk=3, hold_after=2))
    code = start(machine.write("shop.py", SHOP))
    code.ready()

    code.ask("What does this do?", TOTAL)
    expect(code.thread).to_contain_text("What does this do?")
    expect(code.thread).to_contain_text("It adds up what the items")
    expect(code.thread).to_contain_text("answering")
    model.release()
    expect(code.thread).to_contain_text("one after the other.")
    expect(code.thread).to_contain_text("Claude · 1 answer")
    expect(code.lenses.first).to_have_text("Claude: 1 answer")
    code.picture("thread")
