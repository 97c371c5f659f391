"""Vim with ALE as docs/editors.md sets it up: a client that takes no edits and answers no request."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from channelcoder_lsp.offline.script import StructuredOutput
from editors.conftest import SHOP

if TYPE_CHECKING:
    from editors.conftest import Machine, Model

HANDS = Path(__file__).with_name("hands.vim")
PAGE = Path(__file__).parents[3] / "docs" / "editors.md"
CODE = """Shorter:

```python
def total(items: list[Item]) -> float:
    return sum(item.price * item.quantity for item in items)
```

That is all.
"""
SECONDS = 110


class Vim:
    """Vim on a file of a machine's project."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        (configuration,) = re.findall(r"(?s)## Vim with ALE.*?```vim\n(.*?)```", PAGE.read_text("utf-8"))
        (machine.home / "vimrc").write_text(configuration, "utf-8")

    def do(self, story: str) -> dict[str, Any]:
        """Play a story in Vim script with the sample project open; what it has seen in the end."""
        path = self._machine.write("shop.py", SHOP)
        home = self._machine.home
        lines = [f"edit {path}", "try", story, "catch", "call End({'failed': v:exception})", "endtry"]
        (home / "story.vim").write_text("\n".join([f"source {HANDS}", *lines]), "utf-8")
        command = ["vim", "--not-a-term", "-N", "-n", "-i", "NONE", "-u", home / "vimrc", "-S", home / "story.vim"]
        with subprocess.Popen(
            command,
            env={**self._machine.environment, "TERM": "ansi", "SEEN": str(home / "seen.json")},
            cwd=self._machine.project,
            stdin=subprocess.PIPE,  # a keyboard on which nobody types: Vim ends with its input
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as running:
            try:
                running.wait(SECONDS)
            except subprocess.TimeoutExpired:
                running.kill()
                raise
        seen: dict[str, Any] = json.loads((home / "seen.json").read_text("utf-8"))
        assert "failed" not in seen, seen["failed"]
        return seen


@pytest.fixture
def vim(machine: Machine) -> Vim:
    return Vim(machine)


def test_a_comment_is_asked_and_the_answer_shows_on_hover(vim: Vim, model: Model):
    """The comment stays, since ALE says that it takes no edits."""
    model.script("Because of the **inner** loop.")
    seen = vim.do("""
        call cursor(24, 5)
        let offered = Choose('Ask Claude: why is this slow?')
        call cursor(25, 5)
        let hover = Hover('loop.')
        call End({'offered': offered, 'hover': hover, 'text': getline(1, '$')})
    """)
    assert seen["offered"][0] == "Ask Claude: why is this slow?"
    assert "why is this slow?" in seen["hover"]
    assert "Because of the inner loop." in seen["hover"].replace("*", "")
    assert seen["text"] == SHOP.splitlines()
    assert [request.question for request in model.requests(1)] == ["why is this slow?"]


def test_a_command_asks_and_a_code_action_takes_the_code_from_the_answer(vim: Vim, model: Model):
    model.script(CODE)
    seen = vim.do("""
        call cursor(15, 1)
        call Choose('Claude: Explain')
        call Hover('That is all.')
        call Choose('Claude: Insert the code from the answer')
        call Wait('the code', {-> search('return sum', 'n') > 0})
        call End({'text': getline(1, '$')})
    """)
    (line,) = [line for line in seen["text"] if "return sum(" in line]
    assert line.strip() == "return sum(item.price * item.quantity for item in items)"


def test_findings_of_a_review_are_in_its_list(vim: Vim, model: Model):
    """ALE pulls no diagnostics, so they are published."""
    finding = {"line": 15, "end_line": 15, "severity": "warning", "code": "bug", "message": "Use `sum`."}
    model.script(StructuredOutput(value={"findings": [finding]}))
    seen = vim.do("""
        call cursor(1, 1)
        call Choose('Claude: Review')
        call End({'listed': Listed()})
    """)
    (listed,) = seen["listed"]
    assert (listed["line"], listed["type"]) == (15, "W")
    assert "Use `sum`." in listed["text"]
