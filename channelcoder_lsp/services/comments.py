"""Questions asked from the code: ``# claude: why is this slow?`` (design decision 11)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from channelcoder_lsp.domain.place import Position, Range

if TYPE_CHECKING:
    from collections.abc import Sequence

_LEADERS = r"//+!?|/\*+|#+|--+\[*|;+|%+|<!--|\{-|\(\*|'|\"|\*|REM\b|rem\b"
_CLOSERS = re.compile(r"\s*(?:\*+/|-->|-\}|\*\)|\]\]|\"\"\")?\s*$")
_CLOSING_LINE = re.compile(r"^\s*[\])}>]|^\s*end\b|^\s*(?:else|elif|except|finally|case|fi|done|esac)\b")


@dataclass(frozen=True)
class CommentQuestion:
    """A comment that asks.

    Args:
        text: the question.
        comment: what to take away once it was asked: the whole line, or from before the comment to its end.
        target: the code it is about: the statement below with its block, or the code on its own line.
    """

    text: str
    comment: Range
    target: Range


def find_question(lines: Sequence[str], line: int, keyword: str) -> CommentQuestion | None:
    """The question in a comment on ``line`` (zero-based), or None.

    Args:
        lines: the document's lines without their ends.
        line: where to look.
        keyword: the word that makes a comment a question, any case: ``claude``.
    """
    if not 0 <= line < len(lines):
        return None
    text = lines[line]
    if (match := _pattern(keyword).match(text)) is None:
        return None
    question = _CLOSERS.sub("", match["question"]).strip()
    if not question:
        return None
    code = match["code"].rstrip()
    if code.strip():
        comment = Range(Position(line, len(code)), Position(line, len(text)))
        target = Range(Position(line, _indent(text)), Position(line, len(code)))
        return CommentQuestion(question, comment, target)
    comment = Range(Position(line, 0), Position(line + 1, 0))
    if line + 1 >= len(lines):
        comment = Range(Position(line, 0), Position(line, len(text)))
    return CommentQuestion(question, comment, _below(lines, line))


def questions_in(lines: Sequence[str], first: int, last: int, keyword: str) -> list[CommentQuestion]:
    """All questions in comments on the lines ``first`` to ``last``, both included."""
    found = (find_question(lines, line, keyword) for line in range(first, last + 1))
    return [question for question in found if question is not None]


@lru_cache(maxsize=8)
def _pattern(keyword: str) -> re.Pattern[str]:
    word = re.escape(keyword)
    pattern = rf"^(?P<code>.*?)(?:{_LEADERS})\s*@?{word}\s*:\s*(?P<question>.*)$"
    return re.compile(pattern, re.IGNORECASE)


def _below(lines: Sequence[str], line: int) -> Range:
    """The statement below ``line`` with its block; else the line above, else the comment itself."""
    start = next((n for n in range(line + 1, len(lines)) if lines[n].strip()), None)
    if start is None:
        above = next((n for n in range(line - 1, -1, -1) if lines[n].strip()), line)
        return Range(Position(above, _indent(lines[above])), Position(above, len(lines[above])))
    end = start
    base = _indent(lines[start])
    opened = False
    for number in range(start + 1, len(lines)):
        text = lines[number]
        if not text.strip():
            continue
        deeper = _indent(text) > base
        decorated = not opened and lines[start].lstrip().startswith("@") and _indent(text) == base
        if not (deeper or decorated or (opened and _indent(text) == base and _CLOSING_LINE.match(text))):
            break
        opened = opened or deeper
        end = number
    return Range(Position(start, base), Position(end, len(lines[end])))


def _indent(text: str) -> int:
    return len(text) - len(text.lstrip())
