"""The definition that a place in code belongs to, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from channelcoder_lsp.anchoring.lines import Lines

if TYPE_CHECKING:
    from collections.abc import Sequence

_LEADING_LINES = 8
"""Lines of decorators and comments above a header that still belong to the definition."""
_FAR = 5_000
"""Lines above a place that are looked through."""


def symbol_at(lines: Sequence[str], start: int, end: int) -> str | None:
    """The name of the innermost definition that has the lines ``start`` to ``end`` in it, or is them.

    Args:
        lines: the text's lines without their ends.
        start: the first line, zero-based.
        end: the last line, inclusive.

    Returns:
        The names from the outermost definition inwards, joined by dots: ``Cart.total``. None at the top level.
    """
    first = max(0, start - _FAR)
    known = Lines("\n".join(lines[first : end + _FAR]))
    names = enclosing(known, start - first, end - first)
    return ".".join(names) or None


def enclosing(lines: Lines, start: int, end: int) -> list[str]:
    """The names of the definitions that have the lines in them, the outermost first."""
    names: list[str] = []
    head = _head(lines, start, end)
    if head is not None:
        names.append(lines.header(head) or "")
        start = head
    margin = lines.indent(start)
    if margin < 0:  # a blank line belongs to what comes before it
        margin = next((lines.indent(line) for line in range(start, -1, -1) if lines.trimmed[line]), 0) + 1
    for line in range(start - 1, -1, -1):
        if margin == 0:
            break
        indent = lines.indent(line)
        if 0 <= indent < margin and (name := lines.header(line)) is not None and lines.block_end(line) >= end:
            names.append(name)
            margin = indent
    return names[::-1]


def _head(lines: Lines, start: int, end: int) -> int | None:
    """The header of the definition that the lines begin with, if all of them belong to it."""
    for line in range(start, min(end, start + _LEADING_LINES) + 1):
        if lines.header(line) is not None:
            return line if lines.block_end(line) >= end else None
        bare = lines.bare[line]
        if bare and bare[0] not in "@#/*-":
            return None
    return None
