"""A question about a selection, from the palette to the thread beside the code, and on after a reload."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from channelcoder_lsp.offline.script import Failure, Text
from editors.conftest import SHOP

TOTAL = (13, 18)
ANSWER = """It adds up what the items cost, one after the other.

```python
def total(items: list[Item]) -> float:
    return sum(item.price * item.quantity for item in items)
```

That is the same in one line."""


@pytest.fixture
def code(start, machine):
    """VS Code with a file of the shop open, and the server ready."""
    code = start(machine.write("shop.py", SHOP))
    code.ready()
    return code


def test_an_answer_streams_into_a_thread_and_stays(code, model):
    """What is there of the answer is seen before its end; lens and hover tell of it; a reload brings all of it back."""
    model.script(Text(text=ANSWER, words_per_chunk=3, hold_after=2))
    code.ask("What does this do?", TOTAL)
    expect(code.thread).to_contain_text("What does this do?")
    expect(code.thread).to_contain_text("It adds up what the items")
    expect(code.thread).to_contain_text("answering")
    expect(code.status).to_contain_text(re.compile(r"Claude \d+ s"))
    code.picture("streaming")
    model.release()
    code.answered("That is the same in one line.")
    expect(code.thread).to_contain_text("Claude · 1 answer")
    code.picture("thread")

    code.reload()
    code.ready()
    expect(code.lenses.first).to_have_text("Claude: 1 answer")
    code.hover("total", "one after the other.")
    code.picture("hover")
    code.lenses.first.click()
    expect(code.thread).to_contain_text("one after the other.")
    model.script("Since addition is like that.")
    code.reply("Why that way?")
    expect(code.thread).to_contain_text("Since addition is like that.")
    expect(code.thread).to_contain_text("Claude · 2 answers")


def test_a_thread_keeps_its_place(code, model):
    """Lines that are typed above it move it, beside the code as well."""
    model.script("It adds up.")
    code.ask("What does this do?", TOTAL)
    code.answered("It adds up.")
    code.go(1)
    code.page.keyboard.type("# one\n# two\n")
    code.run("ChannelCoder: Next Thread")
    expect(code.cursor).to_have_text(re.compile("Ln 15, Col 1"))


def test_a_thread_is_resolved_and_opened_again(code, model):
    """Resolved, it is out of the way; the view has it among the resolved ones, and opens it again."""
    model.script("It adds up.")
    code.ask("What does this do?", TOTAL)
    code.answered("It adds up.")
    code.run("ChannelCoder: Resolve Thread")
    expect(code.lenses).to_have_count(0)
    code.view("ChannelCoder")
    row = code.page.get_by_role("treeitem", name=re.compile(r"What does this do.*line 13"))
    row.hover()
    row.get_by_role("button", name="Reopen Thread").click()
    expect(code.lenses.first).to_have_text("Claude: 1 answer")
    code.picture("views")


def test_the_light_bulb_takes_code_from_an_answer(code, model):
    """The code action puts the answer's code in the place of the selection; one undo takes it back."""
    model.script(ANSWER)
    code.ask("Make it shorter", TOTAL)
    code.answered("in one line")
    code.small_pictures("ask")
    code.collapse()
    code.go(14)
    code.choose("Claude: Replace the selection with it", picture="actions")
    code.shows("return sum(", without="result = 0.0")
    code.undo()
    code.shows("result = 0.0", without="return sum(")


def test_a_question_that_the_lens_asks_for_is_typed(start, machine, model):
    """Continue has no question of its own: the editor asks for it."""
    contrast = {"workbench.colorTheme": "Default High Contrast"}
    code = start(machine.write("shop.py", SHOP), **{"channelcoder.lensActions": True}, **contrast)
    code.ready()
    model.script("It adds up.", "It is.")
    code.ask("What does this do?", TOTAL)
    code.answered("It adds up.")
    code.lenses.nth(1).click()
    code.answer("Is it fast?")
    expect(code.thread).to_contain_text("It is.")
    expect(code.thread).to_contain_text("Claude · 2 answers")
    code.picture("thread-contrast")
    assert [request.question for request in model.requests(2)] == ["What does this do?", "Is it fast?"]


def test_a_question_that_failed_can_be_asked_again(code, model):
    """The thread says what went wrong, and has a button."""
    model.script(Failure(status=401, message="invalid x-api-key", times="always"))
    code.ask("What does this do?", TOTAL)
    expect(code.thread).to_contain_text("Failed:")
    model.clear()
    model.script("It adds up.")
    code.thread.get_by_role("button", name="Ask Again").click()
    expect(code.thread).to_contain_text("It adds up.")
