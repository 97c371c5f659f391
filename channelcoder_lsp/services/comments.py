"""Questions asked from the code: ``# claude: why is this slow?`` (design decision 11)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from channelcoder_lsp.domain.place import Position, Range

if TYPE_CHECKING:
    from collections.abc import Sequence

_CLOSERS = {"/*": "*/", "<!--": "-->", "{-": "-}", "(*": "*)", "--[": "]]", "{#": "#}", "<%--": "--%>", "@*": "*@"}
_BLOCK = r"/\*+!?|<!--+|\{-+|\(\*+|--\[\[|\{#+|<%--|@\*"
_LINE = r"(?<![:/])//+!?|(?<!#)#+|(?<!-)--+|(?<!;);+|(?<!%)%+|(?<=\s)(?P<quote>[\"'])(?=\s)(?!.*(?P=quote))"
# These mean something else within a line of code.
_FIRST = r"^\s*(?:\*+|!+|\.\.|rem\b|dnl\b|[\"'](?=\s|[^\"']*$))"
_LONGEST_LINE = 2_000
_LONGEST_COMMENT = 20
"""Lines that a question in a block comment may have."""

_PRELUDE = re.compile(r"^\s*(?:@.*[^{;\s]\s*$|\[[A-Z].*\]\s*$|#|//|--\s|/\*|\*[\s/]|;|%|<!--|\{-|\(\*)")
"""Comments, decorators and attributes: what comes after them belongs to them."""
_CLOSING_LINE = re.compile(
    r"^\s*(?:[\])}>]|(?:end|else|elif|elsif|except|finally|catch|rescue|ensure|case|default|fi|done|esac)\b)"
)


@dataclass(frozen=True)
class CommentQuestion:
    """A comment that asks.

    Args:
        text: the question.
        comment: what to take away once it was asked: whole lines, or the comment with the space before it.
        target: the code it is about: the statement below with its block, or the code on its own line.
    """

    text: str
    comment: Range
    target: Range


def find_question(lines: Sequence[str], line: int, keyword: str) -> CommentQuestion | None:
    """The question in a comment that begins on ``line`` (zero-based), or None.

    Whether something is a comment is told by how it begins, in any of the usual languages: a string or a name
    that holds the word is none, a string that holds a whole comment is taken for one.

    Args:
        lines: the document's lines without their ends.
        line: where to look.
        keyword: the word that makes a comment a question, any case: ``claude``.
    """
    if not 0 <= line < len(lines) or len(text := lines[line]) > _LONGEST_LINE:
        return None
    if keyword.casefold() not in text.casefold() or (match := _pattern(keyword).search(text)) is None:
        return None
    leader = match["leader"].lstrip()
    begin, last, end = match.end("leader") - len(leader), line, len(text)
    question = match["question"]
    if closer := next((closer for opener, closer in _CLOSERS.items() if leader.startswith(opener)), None):
        if (closed := _closed(lines, line, match.end("leader"), closer)) is None:
            return None
        question, last, end = closed
        question = question.partition(":")[2]
    elif leader.startswith("*") and "*/" in question:
        # The last line of a block comment, which must stay closed.
        question = question.partition("*/")[0]
        end = text.index("*/", begin)
    question = " ".join(question.split())
    if not question:
        return None
    code, rest = text[:begin].rstrip(), lines[last][end:]
    if code:
        comment = Range(Position(line, begin if rest.strip() else len(code)), Position(last, end))
        target = Range(Position(line, _indent(text)), Position(line, len(code)))
    elif rest.strip() and "*/" not in rest[:2]:
        comment = Range(Position(line, begin), Position(last, end + _indent(rest)))
        target = Range(Position(last, end + _indent(rest)), Position(last, len(lines[last].rstrip())))
    else:
        comment = _whole_lines(lines, line, last)
        if rest.strip():
            comment = Range(Position(line, begin), Position(line, end))
        target = _below(lines, line, last)
    return CommentQuestion(question, comment, target)


def questions_in(lines: Sequence[str], first: int, last: int, keyword: str) -> list[CommentQuestion]:
    """All questions in comments that begin on the lines ``first`` to ``last``, both included."""
    found = (find_question(lines, line, keyword) for line in range(first, last + 1))
    return [question for question in found if question is not None]


@lru_cache(maxsize=8)
def _pattern(keyword: str) -> re.Pattern[str]:
    # A space on one side at least: `#claude:hover` is CSS and `//claude:8080` an address.
    word = rf"(?:\s+@?{re.escape(keyword)}\s*:|@?{re.escape(keyword)}\s*:(?=\s))"
    return re.compile(rf"(?P<leader>{_FIRST}|{_BLOCK}|{_LINE}){word}(?P<question>.*)$", re.IGNORECASE)


def _closed(lines: Sequence[str], line: int, column: int, closer: str) -> tuple[str, int, int] | None:
    """The text of a block comment up to its closer, and the place behind that; None for one without an end."""
    parts = []
    for number in range(line, min(len(lines), line + _LONGEST_COMMENT)):
        text = lines[number][column:] if number == line else lines[number]
        at = text.find(closer)
        part = text if at < 0 else text[:at]
        parts.append(part if number == line else part.lstrip(" \t*"))
        if at >= 0:
            return "\n".join(parts), number, at + len(closer) + (column if number == line else 0)
        column = 0
    return None


def _whole_lines(lines: Sequence[str], first: int, last: int) -> Range:
    if last + 1 < len(lines):
        return Range(Position(first, 0), Position(last + 1, 0))
    return Range(Position(first, 0), Position(last, len(lines[last])))


def _below(lines: Sequence[str], first: int, last: int) -> Range:
    """The statement below the lines ``first`` to ``last`` with its block; else the line above; else those lines."""
    start = _filled(lines, last + 1)
    if start is None:
        above = next((n for n in range(first - 1, -1, -1) if lines[n].strip()), first)
        return Range(Position(above, _indent(lines[above])), Position(above, len(lines[above])))
    end = _statement_end(lines, start)
    base, head = _indent(lines[start]), start
    while _PRELUDE.match(lines[head]):
        following = _filled(lines, end + 1)
        if following is None or _indent(lines[following]) != base:
            break
        head, end = following, _statement_end(lines, following)
    return Range(Position(start, base), Position(end, len(lines[end])))


def _statement_end(lines: Sequence[str], start: int) -> int:
    """The last line of the statement that begins on ``start``: its deeper lines, and those that close it."""
    base, end = _indent(lines[start]), start
    opened = lines[start].rstrip().endswith(("{", "(", "["))
    for number in range(start + 1, len(lines)):
        text = lines[number]
        if not text.strip():
            continue
        depth = _indent(text)
        headed = _indent(lines[end]) == base and not lines[end].rstrip().endswith(("}", ";"))
        brace = depth == base and headed and text.strip() == "{"
        if depth < base or (depth == base and not brace and not (opened and _CLOSING_LINE.match(text))):
            break
        opened = opened or brace or depth > base
        end = number
    return end


def _filled(lines: Sequence[str], start: int) -> int | None:
    """The first line from ``start`` on that has something on it."""
    return next((number for number in range(start, len(lines)) if lines[number].strip()), None)


def _indent(text: str) -> int:
    return len(text) - len(text.lstrip())
