"""Finding the place of an anchor again in a text that may have changed (design decision 12)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import TYPE_CHECKING

from channelcoder_lsp.anchoring import LineMap, end_of_insert, find_exact
from channelcoder_lsp.domain.place import QUOTE_LIMIT, Anchor, AnchorState, Position, Range
from channelcoder_lsp.domain.text import clamp, split_lines, text_in

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


LINES_AT_ONCE = 2_000
"""How many replaced lines are compared while the editor waits."""
_TELLING_CHARS = 8


@dataclass(frozen=True)
class Lost:
    """Code that an edit took away: all that the edit took, and the code's part of it."""

    taken: str
    offset: int
    code: str

    def put_back(self, start: Position, text: str) -> Range | None:
        """Where the code is if ``text``, put in at ``start``, brings it back: an undo, a paste."""
        if len(text) < len(self.code):
            return None
        if self.code and self.taken in text:
            at = text.index(self.taken) + self.offset
        elif len(self.code.strip()) >= _TELLING_CHARS and text.count(self.code) == 1:
            at = text.index(self.code)
        else:
            return None
        begin = end_of_insert(start, text[:at])
        return Range(Position(*begin), Position(*end_of_insert(begin, self.code)))


@dataclass
class Place:
    """Where an anchor is in a document: a range, or None when it can't be found, and how sure we are."""

    range: Range | None
    state: AnchorState
    touched: bool = False
    """Whether an edit touched it since ``state`` was true."""
    lost: Lost | None = None
    """What an edit took away; put in again, it is the place again."""

    def settle(self, anchor: Anchor, lines: Sequence[str]) -> None:
        """Make ``state`` true again after edits."""
        if not self.touched:
            return
        self.touched = False
        if self.range is None or (self.range.empty and anchor.quote):
            self.state = AnchorState.ORPHANED
            return
        self.range = _whole_quote(anchor, clamp(lines, self.range), lines)
        if text_in(lines, self.range)[:QUOTE_LIMIT] != anchor.quote:
            self.state = AnchorState.EDITED
        else:
            self.state = _where(anchor, self.range)


def _where(anchor: Anchor, range_: Range) -> AnchorState:
    """The state of an anchor whose text stands at ``range_`` unchanged; once moved, it is until it is back."""
    if range_ == anchor.origin or (range_ == anchor.range and anchor.state is not AnchorState.MOVED):
        return AnchorState.EXACT
    return AnchorState.MOVED


def _whole_quote(anchor: Anchor, range_: Range, lines: Sequence[str]) -> Range:
    """``range_``, or the whole quote if it stands around or across it: what an undo put back belongs to it."""
    if not anchor.quote or text_in(lines, range_) == anchor.quote:
        return range_
    down = anchor.quote.count("\n")
    first = max(0, range_.start.line - down)
    window = "\n".join(lines[first : range_.end.line + down + 1])
    at = window.find(anchor.quote)
    while at >= 0:
        start = end_of_insert((first, 0), window[:at])
        found = Range(Position(*start), Position(*end_of_insert(start, anchor.quote)))
        if found.touches(range_):
            return found
        at = window.find(anchor.quote, at + 1)
    return range_


def unmoved(anchor: Anchor, lines: Sequence[str]) -> Place | None:
    """The place of ``anchor`` if the text that was last seen there still is there; the cheapest way to find it."""
    last = clamp(lines, anchor.range)
    if last != anchor.range or last.empty:
        return None
    text = text_in(lines, last)[:QUOTE_LIMIT]
    if text == anchor.quote:
        return Place(last, _where(anchor, last))
    return Place(last, AnchorState.EDITED) if text == anchor.current else None


def find_all(anchors: Mapping[str, Anchor], lines: Sequence[str], texts: Mapping[str, str]) -> dict[str, Place]:
    """The places of anchors in one document, each found the cheapest way that finds it, or orphaned: never a guess.

    Args:
        anchors: what to find, by any key.
        lines: the document's lines without their ends.
        texts: the texts that the anchors' ``content`` names, as far as they were kept.
    """
    places: dict[str, Place] = {}
    maps: dict[str, LineMap] = {}
    whole = "\n".join(lines)
    for key, anchor in anchors.items():
        if (place := unmoved(anchor, lines)) is not None:
            places[key] = place
        elif anchor.origin is not None and anchor.content in texts:
            digest = anchor.content or ""
            if digest not in maps:
                maps[digest] = LineMap(texts[digest], whole)
            places[key] = _through(maps[digest], anchor, anchor.origin, lines)
        else:
            places[key] = _by_quote(anchor, lines, whole)
    return places


class Rewriting:
    r"""One edit that replaced whole places with what is around them: a deletion, a formatter, a reload from disk.

    Args:
        start: where it began.
        taken: the text that was replaced, its lines joined by ``\n``.
        old: the lines that it lay on, whole.
        new: the lines in their place.
    """

    def __init__(self, start: Position, taken: str, old: Sequence[str], new: Sequence[str]) -> None:
        self._start = start
        self._taken = taken
        self._old = old
        self._new = new
        self._map: LineMap | None = None
        self.too_much = False
        """Whether a place was asked for and there were too many lines to look for it at once."""

    @cached_property
    def _offsets(self) -> list[int]:
        """Where the lines begin in the text that was taken."""
        return [0, *accumulate(len(line) + 1 for line in self._old)]

    def lost(self, place: Range) -> Lost | None:
        """What became of the code of ``place``; None if it had none."""
        inside = down_by(place, -self._start.line)
        code = text_in(self._old, inside)
        if not code:
            return None
        offset = self._offsets[inside.start.line] + inside.start.character - self._start.character
        return Lost(self._taken, offset, code)

    def find(self, place: Range) -> Range | None:
        """Where the code of ``place`` is among the new lines."""
        if max(len(self._old), len(self._new)) > LINES_AT_ONCE:
            self.too_much = True
            return None
        if self._map is None:
            self._map = LineMap("\n".join(self._old), "\n".join(self._new))
        inside = down_by(place, -self._start.line)
        found = self._map.relocate(inside.start.line, inside.last_line)
        if found is None:
            return None
        here = _with_columns(self._new, found.start, found.end, split_lines(text_in(self._old, inside)))
        return down_by(here, self._start.line)


def down_by(place: Range, lines: int) -> Range:
    """``place``, so many lines further down."""
    (line, character), (end_line, end_character) = place
    # As Range(Position(...), Position(...)), in half the time: a line put in at the top moves all that is below.
    new = tuple.__new__
    return new(Range, (new(Position, (line + lines, character)), new(Position, (end_line + lines, end_character))))


def _by_quote(anchor: Anchor, lines: Sequence[str], whole: str) -> Place:
    if not anchor.quote.strip() or len(anchor.quote) >= QUOTE_LIMIT:
        return Place(None, AnchorState.ORPHANED)
    near = anchor.range.start.line
    found = find_exact(whole, anchor.quote, near, before=anchor.before, after=anchor.after, symbol=anchor.symbol)
    if found is None:
        return Place(None, AnchorState.ORPHANED)
    quote = split_lines(anchor.quote)
    return Place(_with_columns(lines, found[0], found[0] + len(quote) - 1, quote), AnchorState.MOVED)


def _through(line_map: LineMap, anchor: Anchor, origin: Range, lines: Sequence[str]) -> Place:
    relocation = line_map.relocate(origin.start.line, origin.last_line)
    if relocation is None:
        return Place(None, AnchorState.ORPHANED)
    range_ = _with_columns(lines, relocation.start, relocation.end, split_lines(anchor.quote))
    if text_in(lines, range_)[:QUOTE_LIMIT] != anchor.quote:
        return Place(range_, AnchorState.EDITED)
    return Place(range_, _where(anchor, range_))


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
