"""Edits that Claude proposes: looked at as a diff, applied by a person, taken back by one undo."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from channelcoder_lsp.offline.script import Text, ToolCall, ToolUse
from editors.conftest import SHOP

TOTAL = (13, 18)
DARK = {"workbench.colorTheme": "Default Dark Modern"}


def edit(old: str, new: str) -> ToolCall:
    arguments = {"path": "shop.py", "old_string": old, "new_string": new}
    return ToolCall(name="mcp__channelcoder__propose_edit", input=arguments)


def proposed(start, machine, model, **settings):
    """VS Code where Claude proposed two changes of the file."""
    first = edit("result = 0.0", "result = 0.00")
    second = edit("found = []", "found: list[str] = []")
    model.script(ToolUse(name=first.name, input=first.input, also=(second,)), Text(text="Mended."))
    code = start(machine.write("shop.py", SHOP), **settings, **DARK)
    code.ready()
    code.select(*TOTAL)
    code.run("ChannelCoder: Fix Selection")
    code.answered("Mended.")
    expect(code.thread.get_by_role("button", name="Preview Proposed Edit")).to_be_visible()
    code.picture("thread-dark")
    return code


@pytest.fixture
def code(start, machine, model):
    """VS Code where edits are applied without being confirmed."""
    return proposed(start, machine, model, **{"channelcoder.confirmEdits": False})


def test_the_light_bulb_applies_a_proposal_and_one_undo_takes_it_back(code):
    """Both changes at once; nothing is written to the disk by it."""
    code.collapse()
    code.go(14)
    code.choose("Apply Claude's edit", picture="proposal-actions")
    code.shows("result = 0.00", without="found = []")
    expect(code.lenses.filter(has_text="Apply")).to_have_count(0)
    code.undo()
    code.shows("found = []", without="0.00")
    assert (code.machine.project / "shop.py").read_text("utf-8") == SHOP


def test_a_proposal_is_shown_as_a_diff_and_applied_there(code):
    """The diff has the code now and with the edit; applied, it closes and the thread offers it no more."""
    code.thread.get_by_role("button", name="Preview Proposed Edit").click()
    diff = code.page.locator(".monaco-diff-editor")
    expect(diff.locator(".editor.modified .view-lines:not(.line-delete)")).to_contain_text("result = 0.00")
    # Each of the two changes has its own block of removed lines.
    removed = diff.locator(".view-lines.line-delete").filter(has_text=re.compile(r"result\s=\s0\.0$"))
    expect(removed).to_have_count(1)
    code.picture("proposal")
    code.title("Apply Proposed Edit").click()
    expect(diff).to_have_count(0)
    code.shows("result = 0.00", without="found = []")
    expect(code.page.get_by_role("button", name="Preview Proposed Edit")).to_have_count(0)


def test_what_is_to_be_confirmed_is_looked_at_once(start, machine, model):
    """Apply in the thread shows the diff; applied there, the editor asks no more."""
    code = proposed(start, machine, model)
    code.thread.get_by_role("button", name="Apply Proposed Edit").click()
    diff = code.page.locator(".monaco-diff-editor")
    expect(diff.locator(".editor.modified .view-lines:not(.line-delete)")).to_contain_text("result = 0.00")
    code.title("Apply Proposed Edit").click()
    expect(diff).to_have_count(0)
    code.shows("result = 0.00", without="found = []")
