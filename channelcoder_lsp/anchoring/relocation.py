"""Where a range of lines is after the text around it, or the range itself, was changed."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Literal, NamedTuple

from channelcoder_lsp.anchoring.align import UNMATCHED
from channelcoder_lsp.anchoring.linemap import LineMatcher

if TYPE_CHECKING:
    from collections.abc import Sequence

SURVIVAL = 0.3
"""The share of what a range's lines tell that must be found again; with less the code is gone."""
LEADING_LINES = 8
"""Lines of decorators and comments before a header that still belong to the definition."""
JUMP = 30
"""Lines that may come between two neighbouring lines of a range before the second is somebody else's."""


class Relocation(NamedTuple):
    """Where the lines of a range are now.

    Attributes:
        start: the first line, zero-based.
        end: the last line, inclusive.
        state: ``exact`` (the same text at the same place), ``moved`` (the same text elsewhere; trailing
            white space and ends of line don't count), ``edited`` (the text changed, if only its indentation).
        likeness: the share of what the lines tell that was found again, 0 to 1.
    """

    start: int
    end: int
    state: Literal["exact", "moved", "edited"]
    likeness: float


class _Hit(NamedTuple):
    old: int
    new: int
    likeness: float


class LineMap:
    """The way from an old text to a new one, shared by all ranges of the old text.

    Build it once per pair of texts: most of the work is done then, the rest when the first range that was
    changed asks for it. The order of the questions doesn't matter. The object isn't safe for use by several
    threads at once.

    Args:
        old_text: the text that the ranges are about.
        new_text: what it is now.
    """

    def __init__(self, old_text: str, new_text: str) -> None:
        self._matcher = LineMatcher(old_text, new_text)
        self._old, self._new = self._matcher.old, self._matcher.new

    def relocate(self, start: int, end: int) -> Relocation | None:
        """Find the lines ``start`` to ``end`` of the old text in the new one.

        Args:
            start: the first line, zero-based.
            end: the last line, inclusive. What lies outside of the text is cut off.

        Returns:
            Where the lines are; None if they are gone.
        """
        last = len(self._old) - 1
        start = min(max(start, 0), last)
        end = min(max(end, start), last)
        target = self._matcher.exact
        if UNMATCHED in target[start : end + 1]:
            target = self._matcher.in_order
        if self._unbroken(target, start, end):
            grown = self._definition(start, end, [], 1.0)
            return self._placed(target[start], max(target[end], grown[1] if grown else 0), start, end, 1.0)
        return self._verdict(start, end)

    def _unbroken(self, target: Sequence[int], start: int, end: int) -> bool:
        """Whether the lines stand together as they stood, the same up to indentation."""
        first = target[start]
        return (
            first != UNMATCHED
            and list(range(first, first + end - start + 1)) == target[start : end + 1]
            and self._old.bare[start : end + 1] == self._new.bare[first : first + end - start + 1]
        )

    def _placed(self, first: int, last: int, start: int, end: int, likeness: float) -> Relocation:
        if self._old.trimmed[start : end + 1] != self._new.trimmed[first : last + 1]:
            return Relocation(first, last, "edited", likeness)
        return Relocation(first, last, "exact" if first == start else "moved", 1.0)

    def _verdict(self, start: int, end: int) -> Relocation | None:
        hits = [
            _Hit(line, found.line, found.likeness)
            for line in range(start, end + 1)
            if (found := self._matcher.find(line)) is not None
        ]
        total = sum(map(self._old.weight, range(start, end + 1)))
        hits, kept = self._together(hits)
        survived = kept / total if total else float(bool(hits))
        place = self._definition(start, end, hits, survived)
        if place is None:
            if survived < SURVIVAL:
                return None
            place = hits[0].new, self._end(start, end, hits)
        return self._placed(*place, start, end, min(1.0, survived))

    def _together(self, hits: Sequence[_Hit]) -> tuple[list[_Hit], float]:
        """The heaviest of the groups of hits that lie together and in order, and what it weighs."""
        groups: list[list[_Hit]] = []
        for hit in hits:
            for group in groups:
                last = group[-1]
                if 0 < hit.new - last.new <= 3 * (hit.old - last.old) + JUMP:
                    group.append(hit)
                    break
            else:
                groups.append([hit])
        if not groups:
            return [], 0.0

        weight = self._old.weight
        weighed = [(sum([weight(hit.old) * hit.likeness for hit in group]), len(group), group) for group in groups]
        kept, _, best = max(weighed, key=itemgetter(0, 1))
        return best, kept

    def _definition(self, start: int, end: int, hits: Sequence[_Hit], survived: float) -> tuple[int, int] | None:
        """The whole of a definition whose header was found, if the range is one."""
        head = self._head(start, end)
        if head is None:
            return None
        found = self._matcher.find(head)
        if found is None:
            return None
        at = found.line
        if self._old.header(head) != self._new.header(at) and (
            survived < SURVIVAL or all(hit.old != head for hit in hits)
        ):
            return None
        first = min([at, *(hit.new for hit in hits if hit.old < head and 0 < at - hit.new <= JUMP)])
        return first, self._new.block_end(at)

    def _end(self, start: int, end: int, hits: Sequence[_Hit]) -> int:
        """The last line: where a block closes, if the range is one and its closing line wasn't found."""
        last = hits[-1]
        if last.old < end and hits[0].old == start and self._old.block_end(start) == end:
            closed = self._new.block_end(hits[0].new)
            if 0 < closed - last.new <= 3 * (end - last.old) + JUMP:
                return closed
        return last.new

    def _head(self, start: int, end: int) -> int | None:
        """The header of the definition that the range is the whole of, with decorators and comments."""
        margin = self._old.indent(start)
        for line in range(start, min(end, start + LEADING_LINES) + 1):
            if self._old.header(line) is not None:
                return line if line < end and self._old.block_end(line) == end else None
            bare = self._old.bare[line]
            if bare and bare[0] not in "@#/*-" and self._old.indent(line) <= margin:
                return None
        return None


def relocate(old_text: str, start: int, end: int, new_text: str) -> tuple[int, int] | None:
    """Find the lines ``start`` to ``end`` of ``old_text`` in ``new_text``.

    For many ranges of one text use ``LineMap``, which also says how the lines fared.

    Args:
        old_text: the text that the range is about.
        start: the first line, zero-based.
        end: the last line, inclusive.
        new_text: the text as it is now.

    Returns:
        The first and the last line in ``new_text``, or None if the code is gone. Never raises.
    """
    found = LineMap(old_text, new_text).relocate(start, end)
    return None if found is None else (found.start, found.end)
