"""What changed since the last commit: reviewed, and sent along with a question."""

from __future__ import annotations

import re
import subprocess

import pytest
from playwright.sync_api import expect

from channelcoder_lsp.offline.script import StructuredOutput
from editors.conftest import SHOP

TOTAL = (13, 18)
FINDING = {"line": 15, "end_line": 15, "severity": "warning", "code": "bug", "message": "Two zeros say no more."}


@pytest.fixture
def code(start, machine):
    """VS Code with a line of the shop changed since the commit."""
    path = machine.write("shop.py", SHOP)
    git = ["git", "-C", str(machine.project), "-c", "user.name=a", "-c", "user.email=a@b"]
    for command in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "--message", "Begin"]):
        subprocess.run([*git, *command], check=True)
    machine.write("shop.py", SHOP.replace("result = 0.0", "result = 0.00"))
    code = start(path)
    code.ready()
    return code


def test_changes_are_reviewed_and_asked_about(code, model):
    """A finding is a thread with its severity; ``@changes`` before a question sends the diff, and is no part of it."""
    model.script(StructuredOutput(value={"findings": [FINDING]}), "It has two zeros.")
    code.run("ChannelCoder: Review Changes")
    code.view("ChannelCoder")
    row = code.page.get_by_role("treeitem", name=re.compile("Two zeros say no more.*line 15"))
    row.click()
    expect(code.thread).to_contain_text("Claude: warning")
    code.picture("review")
    code.collapse()
    code.ask("@changes What is new?", TOTAL)
    expect(code.thread.filter(has_text="It has two zeros.")).to_have_count(1)
    asked = model.requests(2)[1]
    assert asked.question == "What is new?"
    assert "+    result = 0.00" in asked.prompt
