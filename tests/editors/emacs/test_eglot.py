"""Emacs with Eglot and the configuration that docs/editors.md shows: nothing of ours runs in it but the server."""

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

HANDS = Path(__file__).with_name("hands.el")
PAGE = Path(__file__).parents[3] / "docs" / "editors.md"
COMMENT = "    # claude: why is this slow?\n"
CODE = """Shorter:

```python
def total(items: list[Item]) -> float:
    return sum(item.price * item.quantity for item in items)
```

That is all.
"""
SECONDS = 110


class Emacs:
    """Emacs on a file of a machine's project."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._init = machine.home / "init.el"
        (configuration,) = re.findall(r"(?s)## Emacs.*?```elisp\n(.*?)```", PAGE.read_text("utf-8"))
        self._init.write_text(configuration, "utf-8")

    def do(self, story: str, text: str = SHOP) -> dict[str, Any]:
        """Play a story in Emacs Lisp with ``text`` open; what it has seen in the end."""
        path = self._machine.write("shop.py", text)
        file = self._machine.home / "story.el"
        file.write_text(f'(hands-open "{path}")\n{story}\n', "utf-8")
        command = ["emacs", "--batch", "-q", "-l", self._init, "-l", HANDS, "-l", file]
        done = subprocess.run(
            command,
            env=self._machine.environment,
            cwd=self._machine.project,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        seen: dict[str, Any] = json.loads(done.stdout)
        return seen


@pytest.fixture
def emacs(machine: Machine) -> Emacs:
    return Emacs(machine)


def test_a_comment_is_asked_and_taken_away_and_the_answer_shows_on_hover(emacs: Emacs, model: Model):
    """The code action runs a command, which has the editor edit the buffer."""
    model.script("Because of the **inner** loop.")
    seen = emacs.do("""
        (hands-go 24)
        (let ((titles (hands-titles)))
          (hands-choose "Ask Claude: why is this slow?")
          (hands-wait "the comment taken away" (not (string-match-p "claude:" (hands-text))))
          (hands-go 24)
          (hands-end (list :titles (vconcat titles) :text (hands-text) :hover (hands-hover "loop."))))
    """)
    assert seen["titles"][0] == "Ask Claude: why is this slow?"
    assert seen["text"] == SHOP.replace(COMMENT, "")
    assert "why is this slow?" in seen["hover"]
    assert "Because of the inner loop." in seen["hover"].replace("*", "")
    assert [request.question for request in model.requests(1)] == ["why is this slow?"]


def test_a_command_asks_and_a_code_action_takes_the_code_from_the_answer(emacs: Emacs, model: Model):
    model.script(CODE)
    seen = emacs.do("""
        (hands-run 'channelcoder.ask :range (hands-lines 13 18) :question "Shorter?")
        (hands-go 14)
        (hands-hover "That is all.")
        (hands-choose "Claude: Replace the selection with it")
        (hands-wait "the code" (string-match-p "return sum" (hands-text)))
        (hands-end (list :text (hands-text)))
    """)
    assert "return sum(item.price" in seen["text"]
    assert "result = 0.0" not in seen["text"]


def test_findings_of_a_review_are_diagnostics(emacs: Emacs, model: Model):
    """Eglot pulls none, so they are published."""
    finding = {"line": 15, "end_line": 15, "severity": "warning", "code": "bug", "message": "Use `sum`."}
    model.script(StructuredOutput(value={"findings": [finding]}))
    seen = emacs.do("""
        (hands-run 'channelcoder.review)
        (let ((found (hands-wait "a diagnostic" (hands-diagnostics))))
          (hands-end (list :line (line-number-at-pos (flymake-diagnostic-beg (car found)))
                           :text (flymake-diagnostic-text (car found)))))
    """)
    assert seen["line"] == 15
    assert "Use `sum`." in seen["text"]
