"""The session of the folder: going on with it, and its page."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from channelcoder_lsp.offline.script import Text
from editors.conftest import SHOP

TOTAL = (13, 18)


@pytest.fixture
def code(start, machine, model):
    """VS Code with a question that was answered."""
    model.script("It **adds up** what the items cost.")
    code = start(machine.write("shop.py", SHOP))
    code.ready()
    code.ask("What does this do?", TOTAL)
    code.answered("It adds up")
    return code


def test_a_session_goes_on_after_a_reload(code, model):
    """Continue Session knows what was said; its page has the answer as it streams, and leads to the code."""
    code.reload()
    code.ready()
    text = "Faster:\n\n```python\nreturn sum(item.price for item in items)\n```\n\nThat is all."
    model.script(Text(text=text, words_per_chunk=2, hold_after=1))
    code.run("ChannelCoder: Continue Session")
    code.answer("How could it be faster?")
    page = code.session()
    expect(page.locator("main")).to_contain_text("It adds up what the items cost.")
    expect(page.locator("main")).to_contain_text("answering…")
    model.requests(2)  # a reply that isn't on its way can't be released
    model.release()
    expect(page.locator("main")).to_contain_text("That is all.")
    expect(page.locator("main")).not_to_contain_text("answering…")
    expect(page.locator("figure svg a")).to_have_count(2)
    code.picture("session")
    code.small_pictures("continue")
    assert model.requests(2)[1].earlier_questions == ["What does this do?"]
    page.get_by_role("link", name="shop.py:13").click()
    expect(code.cursor).to_have_text("Ln 13, Col 1")


def test_sessions_are_switched(code, model):
    """The list has name, age, messages, cost and first question; each session has its own threads."""
    code.run("ChannelCoder: New Session")
    code.type_name("another")
    expect(code.lenses).to_have_count(0)

    def switch(once: int) -> None:
        code.run("ChannelCoder: Switch Session")
        row = code.rows("What does this do?")
        expect(row).to_contain_text("2 messages", timeout=once)
        expect(row).to_contain_text("$0.0", timeout=once)
        code.picture("sessions")
        row.click(timeout=once)

    code.again(switch)
    expect(code.lenses.first).to_have_text("Claude: 1 answer")
