"""What the extension shows, in a dark theme."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from channelcoder_lsp.offline.script import Failure, StructuredOutput
from editors.conftest import SHOP

TOTAL = (13, 18)
READABLE = 4.0
"""The contrast of text, a little less than what the editor's own links have on its own grey."""
DARK = {"workbench.colorTheme": "Default Dark Modern"}
FINDINGS = [
    {"line": 15, "end_line": 15, "severity": "warning", "code": "bug", "message": "The sum of no items is a float."},
    {"line": 22, "end_line": 23, "severity": "error", "code": "speed", "message": "Each item is compared with all."},
]
ANSWER = """It adds up what the items cost, one after the other:

| item | cost |
| --- | --- |
| tea | 2.50 |

```python
def total(items: list[Item]) -> float:  # shorter
    return sum(item.price * 1.19 for item in items)
```

> That is the same in `one` line."""


def test_all_that_is_shown(start, machine, model):
    """Threads of a review, the views, the menu of the status bar; a session's page can be read in light themes too."""
    model.script(
        "It is a shop.",
        StructuredOutput(value={"findings": FINDINGS}),
        ANSWER,
        Failure(status=401, message="invalid x-api-key", times="always"),
    )
    code = start(machine.write("shop.py", SHOP), **DARK)
    code.ready()
    expect(code.page.locator(".monaco-workbench.vs-dark")).to_be_visible()
    code.ask("What is this?", (1, 1))
    code.answered("It is a shop.")
    code.run("ChannelCoder: New Session")
    code.type_name("a-session-with-a-name-that-is-too-long-for-the-view")
    expect(code.lenses).to_have_count(0)
    code.run("ChannelCoder: Review File")
    code.view("ChannelCoder")
    code.page.get_by_role("treeitem", name=re.compile("Each item is compared with all.*line 22")).click()
    expect(code.thread).to_contain_text("Claude: error")
    expect(code.page.locator(".statusbar-item", has_text="Claude reviews")).to_have_count(0)
    code.run("Notifications: Clear All Notifications")
    code.picture("dark-review")
    code.collapse()
    code.ask("What does this do?", TOTAL)
    expect(code.thread.filter(has_text="in one line")).to_have_count(1)
    code.picture("dark-views")
    code.collapse()
    code.ask("And why?", TOTAL)
    expect(code.lenses.filter(has_text="failed")).to_have_count(1)
    code.picture("dark-failed")
    code.collapse()
    code.run("Notifications: Clear All Notifications")
    code.status.click()
    expect(code.rows("Restart Server")).to_be_visible()
    code.picture("dark-menu")
    code.page.keyboard.press("Escape")

    code.run("ChannelCoder: Show Transcript")
    expect(code.session().locator("main")).to_contain_text("in one line")
    code.picture("dark-session")
    assert code.faint(READABLE) == {}
    code.run("Preferences: Toggle between Light/Dark Themes")
    expect(code.session().locator("body.vscode-light")).to_be_visible()
    assert code.faint(READABLE) == {}
    code.picture("light-session")
