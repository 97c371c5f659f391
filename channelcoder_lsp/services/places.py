"""Finding the place of an anchor again in a text that may have changed (design decision 12)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from channelcoder_lsp.anchoring import LineMap, find_exact
from channelcoder_lsp.domain.place import QUOTE_LIMIT, Anchor, AnchorState, Position, Range
from channelcoder_lsp.domain.text import clamp, split_lines, text_in

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass
class Place:
    """Where an anchor is in a document: a range, or None when it can't be found, and how sure we are."""

    range: Range | None
    state: AnchorState
    touched: bool = False
    """Whether an edit touched it since ``state`` was true."""

    def settle(self, anchor: Anchor, lines: Sequence[str]) -> None:
        """Make ``state`` true again after edits."""
        if not self.touched or self.range is None:
            return
        self.touched = False
        if anchor.quote and self.range.empty:
            self.state = AnchorState.ORPHANED
            return
        self.range = clamp(lines, self.range)
        same = text_in(lines, self.range)[:QUOTE_LIMIT] == anchor.quote
        if not same:
            self.state = AnchorState.EDITED
        else:
            self.state = AnchorState.EXACT if self.range == anchor.range else AnchorState.MOVED


def find_again(anchor: Anchor, lines: Sequence[str], line_map: LineMap | None) -> Place:
    """The place of ``anchor`` in ``lines``, cheapest way first, or an orphaned one: never a guess.

    Args:
        anchor: what to find.
        lines: the document's lines without their ends.
        line_map: from the text that ``anchor.content`` names to ``lines``, if that text was kept.
    """
    last = clamp(lines, anchor.range)
    if last == anchor.range and text_in(lines, last)[:QUOTE_LIMIT] == anchor.quote:
        return Place(last, AnchorState.EXACT)
    if line_map is not None and anchor.origin is not None:
        return _through(line_map, anchor, anchor.origin, lines)
    quote = split_lines(anchor.quote)
    near = anchor.range.start.line
    found = find_exact("\n".join(lines), anchor.quote, near, before=anchor.before, after=anchor.after)
    if found is None or not anchor.quote.strip() or len(anchor.quote) >= QUOTE_LIMIT:
        return Place(None, AnchorState.ORPHANED)
    start, _ = found
    return Place(_with_columns(lines, start, start + len(quote) - 1, quote), AnchorState.MOVED)


def _through(line_map: LineMap, anchor: Anchor, origin: Range, lines: Sequence[str]) -> Place:
    relocation = line_map.relocate(origin.start.line, origin.last_line)
    if relocation is None:
        return Place(None, AnchorState.ORPHANED)
    range_ = _with_columns(lines, relocation.start, relocation.end, split_lines(anchor.quote))
    if text_in(lines, range_)[:QUOTE_LIMIT] != anchor.quote:
        return Place(range_, AnchorState.EDITED)
    return Place(range_, AnchorState.EXACT if range_ == anchor.range else AnchorState.MOVED)


def _with_columns(lines: Sequence[str], first: int, last: int, quote: Sequence[str]) -> Range:
    """The quote's columns on the lines ``first`` to ``last``, or the whole lines where its text changed."""
    begin = lines[first].find(quote[0]) if quote[0] else len(lines[first])
    if begin < 0:
        begin = len(lines[first]) - len(lines[first].lstrip())
    finish = lines[last].find(quote[-1])
    end = finish + len(quote[-1]) if finish >= 0 and quote[-1] else len(lines[last])
    if len(quote) > 1 and not quote[-1] and last + 1 < len(lines):
        return Range(Position(first, begin), Position(last + 1, 0))
    return Range(Position(first, begin), Position(last, max(end, begin if first == last else 0)))
