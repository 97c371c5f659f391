"""Keeping ranges in place while a document is edited (LSP ``TextDocumentContentChangeEvent``).

Positions are ``(line, character)`` tuples, zero-based, the end of a range exclusive, and all of them in one
unit: code points, or the units that were negotiated with the client; nothing here looks at the text.

The rules, for a range from ``start`` to ``end`` and an edit that replaces ``edit_start`` to ``edit_end``:

- an edit that ends at or before ``start`` moves the range; so does an insertion exactly at ``start``;
- an edit that begins at or after ``end`` leaves it alone; so does an insertion exactly at ``end``;
- an edit within the range grows or shrinks it, one that replaces exactly the range included;
- an edit over one end cuts the range off there: what was put in belongs to the surroundings;
- an edit over the whole range and more, or a deletion of the whole range, collapses it to ``edit_start``.

Undoing an edit restores the range unless a deletion touched one of its ends from within, or an edit went
over one of them: then the text put back can't be told from text put in beside the range.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from channelcoder_lsp.domain.text import split_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Point = tuple[int, int]
"""``(line, character)``."""
Span = tuple[Point, Point]
"""``(start, end)``, the end exclusive."""


def end_of_insert(start: Point, text: str, measure: Callable[[str], int] = len) -> Point:
    """Where ``text`` ends when it is put in at ``start``.

    Args:
        start: where it is put in.
        text: what is put in.
        measure: the length of a line in the unit of the positions; code points unless given.
    """
    lines = split_lines(text)
    if len(lines) == 1:
        return start[0], start[1] + measure(text)
    return start[0] + len(lines) - 1, measure(lines[-1])


def shift(span: Span, edit_start: Point, edit_end: Point, new_end: Point) -> Span:
    """Where ``span`` is after the text from ``edit_start`` to ``edit_end`` was replaced.

    Args:
        span: a range of the text before the edit.
        edit_start: where the replaced text began.
        edit_end: where it ended; the same for an insertion.
        new_end: where the text put in its place ends (see ``end_of_insert``); ``edit_start`` for a deletion.

    Returns:
        The range in the text after the edit; never inverted, empty if nothing of it is left.
    """
    start, end = span
    if end <= edit_start and (end < edit_start or start < end):
        return span
    if edit_end <= start:
        return _pushed(start, edit_end, new_end), _pushed(end, edit_end, new_end)
    if edit_start < start:
        if edit_end >= end:
            return edit_start, edit_start
        return new_end, _pushed(end, edit_end, new_end)
    if edit_end <= end:
        return start, _pushed(end, edit_end, new_end)
    return start, edit_start


def shift_all(spans: Iterable[Span], edit_start: Point, edit_end: Point, new_end: Point) -> list[Span]:
    """``shift`` for many ranges of one document, in their order."""
    lines = new_end[0] - edit_end[0]
    edit_line = edit_end[0]
    shifted: list[Span] = []
    for span in spans:
        start, end = span
        if end < edit_start:
            shifted.append(span)
        elif start[0] > edit_line:
            shifted.append(((start[0] + lines, start[1]), (end[0] + lines, end[1])) if lines else span)
        else:
            shifted.append(shift(span, edit_start, edit_end, new_end))
    return shifted


def _pushed(point: Point, edit_end: Point, new_end: Point) -> Point:
    """A point at or after ``edit_end``, after the edit."""
    if point[0] == edit_end[0]:
        return new_end[0], new_end[1] + point[1] - edit_end[1]
    return point[0] + new_end[0] - edit_end[0], point[1]
