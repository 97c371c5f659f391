"""The changes of a proposal, and what they come to in a text that went on meanwhile. Pure functions."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from enum import Enum
from functools import cached_property
from typing import TYPE_CHECKING

from channelcoder_lsp.anchoring import UNMATCHED, LineMap, certain, unique_in_order
from channelcoder_lsp.domain.proposal import Hunk

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_POPULAR_LINES = 3_000
"""Lines from which on frequent ones are no starting points of a comparison: it would take too long."""
CHANGED = "the code to change was changed since"
GONE = "the code to change is gone"
AROUND = "the lines around the place were changed since"
UNCLEAR = "what was changed since can't be told from what is proposed"


class HunkState(str, Enum):
    """What a change comes to in a text."""

    OPEN = "open"
    """Its place is there as it was: it can be applied."""
    APPLIED = "applied"
    """Its new lines stand there already."""
    STALE = "stale"
    """Its place was changed, or can't be told: it is not to be applied."""


@dataclass(frozen=True)
class HunkNow:
    """A change, and what it comes to in the text as it is now.

    Args:
        index: its number in the proposed file.
        hunk: the change.
        state: what it comes to.
        start: for an open one the first line that it replaces now, for an applied one its first new line.
        end: the line after the last of those.
        reason: for a stale one why.
    """

    index: int
    hunk: Hunk
    state: HunkState
    start: int = 0
    end: int = 0
    reason: str | None = None


def hunks_between(old: Sequence[str], new: Sequence[str]) -> list[Hunk]:
    """The changes that make ``new`` of ``old``: in order, with unchanged lines between, none without effect.

    Blank lines alone don't part two changes: what was rewritten stays in one piece.
    """
    first = _common(old, new)
    last = _common(old[first:][::-1], new[first:][::-1])
    middle, new_middle = old[first : len(old) - last], new[first : len(new) - last]
    kept = [pair for pair in unique_in_order(middle, new_middle) if middle[pair[0]].strip()]
    hunks: list[Hunk] = []
    at = new_at = 0
    for end, new_end in [*kept, (len(middle), len(new_middle))]:
        hunks += _between(middle[at:end], new_middle[new_at:new_end], first + at)
        at, new_at = end + 1, new_end + 1
    return hunks


def _between(old: Sequence[str], new: Sequence[str], first: int) -> Iterator[Hunk]:
    """The changes between two texts, of which the old one begins at line ``first``."""
    if old == new:
        return
    popular = max(len(old), len(new)) > _POPULAR_LINES
    matcher = SequenceMatcher(lambda line: not line.strip(), old, new, autojunk=popular)
    for tag, start, end, new_start, new_end in matcher.get_opcodes():
        if tag != "equal":
            taken, put = old[start:end], new[new_start:new_end]
            head = _common(taken, put)
            tail = _common(taken[head:][::-1], put[head:][::-1])
            put = put[head : len(put) - tail]
            yield Hunk(start=first + start + head, end=first + end - tail, lines=list(put))


def with_hunks(lines: Sequence[str], hunks: Iterable[tuple[int, int, Sequence[str]]]) -> list[str]:
    """``lines`` with the lines from ``start`` to before ``end`` of each hunk replaced; ascending, without overlap."""
    result: list[str] = []
    at = 0
    for start, end, put in hunks:
        result += [*lines[at:start], *put]
        at = end
    return [*result, *lines[at:]]


def applied_to(lines: Sequence[str], now: Iterable[HunkNow]) -> list[str]:
    """``lines`` with the open ones of the changes made, which are about them."""
    wanted = sorted((each.start, each.end, each.hunk.lines) for each in now if each.state is HunkState.OPEN)
    return with_hunks(lines, wanted)


def hunks_now(hunks: Sequence[Hunk], base: Sequence[str], lines: Sequence[str]) -> list[HunkNow]:
    """What each change comes to in ``lines``, worked out from the texts alone.

    Lines count as found only where no other line could be meant; an undo opens an applied change again.

    Args:
        hunks: changes of one file, in order, without overlap.
        base: the lines that they are about.
        lines: the file's lines now.
    """
    lines = list(lines)
    if lines == list(base):
        return [HunkNow(index, hunk, HunkState.OPEN, hunk.start, hunk.end) for index, hunk in enumerate(hunks)]
    proposed = with_hunks(base, ((hunk.start, hunk.end, hunk.lines) for hunk in hunks))
    if lines == proposed:
        return _all_applied(hunks)
    texts = _Texts(hunks, base, lines)
    return without_contradictions([_now(index, texts) for index in range(len(hunks))])


def _all_applied(hunks: Sequence[Hunk]) -> list[HunkNow]:
    found, shift = [], 0
    for index, hunk in enumerate(hunks):
        start = hunk.start + shift
        found.append(HunkNow(index, hunk, HunkState.APPLIED, start, start + len(hunk.lines)))
        shift += len(hunk.lines) - (hunk.end - hunk.start)
    return found


def _now(index: int, texts: _Texts) -> HunkNow:
    """One change: its place first where it has to be, then as a block that was moved."""
    hunk = texts.hunks[index]
    taken, stands = texts.old_place(index), texts.new_place(index)
    if taken is None and stands is None:
        taken, stands = texts.moved(hunk.start, hunk.end), texts.moved_new(index)
    if taken is not None or stands is not None:
        return _told(index, hunk, taken, stands)
    if hunk.start == hunk.end:
        return HunkNow(index, hunk, HunkState.STALE, reason=AROUND)
    return HunkNow(index, hunk, HunkState.STALE, reason=CHANGED if texts.has_some(hunk) else GONE)


def _told(index: int, hunk: Hunk, taken: tuple[int, int] | None, stands: tuple[int, int] | None) -> HunkNow:
    """What it means where the old and the new lines stand; one of the two is given at least."""
    if taken is None and stands is not None:
        return HunkNow(index, hunk, HunkState.APPLIED, *stands)
    if taken is not None and stands is None:
        return HunkNow(index, hunk, HunkState.OPEN, *taken)
    return HunkNow(index, hunk, HunkState.STALE, reason=UNCLEAR)


class _Texts:
    """The base and the text now, compared once for all changes.

    The new lines of a change that may have been applied can be twins of lines elsewhere. So the text now is compared
    with the base and all such lines in it: whichever of the changes were applied, every line that nobody typed is
    there, and a line that has a certain place has the right one.

    Args:
        hunks: the changes.
        base: the lines that they are about.
        lines: the lines now.
    """

    def __init__(self, hunks: Sequence[Hunk], base: Sequence[str], lines: list[str]) -> None:
        self.hunks = hunks
        self._base = list(base)
        self._lines = lines
        self._present = {index for index, hunk in enumerate(hunks) if _stands_in(lines, hunk.lines)}
        self._woven: list[str] = []
        where: list[int] = []
        self._put: list[int] = []
        """Where the new lines of each change are in ``_woven``, if they are."""
        at = 0
        for index, hunk in enumerate(hunks):
            where += range(len(self._woven), len(self._woven) + hunk.end - at)
            self._woven += self._base[at : hunk.end]
            self._put.append(len(self._woven))
            self._woven += hunk.lines if index in self._present else []
            at = hunk.end
        where += range(len(self._woven), len(self._woven) + len(self._base) - at)
        self._woven += self._base[at:]
        self._target = certain(self._woven, lines)
        self._base_target = [self._target[place] for place in where]

    def old_place(self, index: int) -> tuple[int, int] | None:
        """Where the old lines of a change stand; for an insertion: where its neighbours stand next to each other."""
        hunk = self.hunks[index]
        if hunk.start == hunk.end:
            return self._between(hunk.start, hunk.end)
        return _together(self._base_target, hunk.start, hunk.end)

    def new_place(self, index: int) -> tuple[int, int] | None:
        """Where its new lines stand; for a deletion: where its neighbours do."""
        hunk, put = self.hunks[index], self._put[index]
        if not hunk.lines:
            return self._between(hunk.start, hunk.end)
        return _together(self._target, put, put + len(hunk.lines)) if index in self._present else None

    def moved(self, start: int, end: int) -> tuple[int, int] | None:
        """Where lines of the base stand out of order now, in a block between two lines that have no twins."""
        return self._moved(self._base, start, end)

    def moved_new(self, index: int) -> tuple[int, int] | None:
        """The same for the new lines of a change."""
        hunk = self.hunks[index]
        if hunk.lines and index not in self._present:
            return None
        text = [*self._base[: hunk.start], *hunk.lines, *self._base[hunk.end :]]
        return self._moved(text, hunk.start, hunk.start + len(hunk.lines))

    def has_some(self, hunk: Hunk) -> bool:
        """Whether there is anything left of the old lines."""
        certainly = any(at != UNMATCHED for at in self._base_target[hunk.start : hunk.end])
        return certainly or self._line_map.relocate(hunk.start, hunk.end - 1) is not None

    def _between(self, start: int, end: int) -> tuple[int, int] | None:
        """The place between the base's lines before ``start`` and from ``end``, if nothing else is between them."""
        below = self._base_target[end] if end < len(self._base) else len(self._lines)
        above = self._base_target[start - 1] if start else -1
        if below == UNMATCHED or (start and above == UNMATCHED) or above + 1 != below:
            return None
        return below, below

    def _moved(self, text: list[str], start: int, end: int) -> tuple[int, int] | None:
        first, last = (start, end - 1) if start < end else (start - 1, start)
        while first >= 0 and text[first] not in self._unique:
            first -= 1
        while last < len(text) and text[last] not in self._unique:
            last += 1
        if first < 0 or last >= len(text):
            return None
        down = self._unique[text[first]] - first
        if text[first : last + 1] != self._lines[first + down : last + down + 1]:
            return None
        line_map = self._line_map if text is self._base else LineMap("\n".join(text), "\n".join(self._lines))
        relocated = line_map.relocate(first, last)
        if relocated is None or (relocated.start, relocated.end) != (first + down, last + down):
            return None
        return start + down, end + down

    @cached_property
    def _unique(self) -> dict[str, int]:
        """The lines that tell something and are unique before and after, with where they are now."""
        before, after = Counter(self._woven), Counter(self._lines)
        return {line: at for at, line in enumerate(self._lines) if line.strip() and before[line] == after[line] == 1}

    @cached_property
    def _line_map(self) -> LineMap:
        return LineMap("\n".join(self._base), "\n".join(self._lines))


def _together(target: Sequence[int], start: int, end: int) -> tuple[int, int] | None:
    """Where the lines from ``start`` to before ``end`` stand together."""
    first = target[start]
    if first == UNMATCHED or list(target[start:end]) != list(range(first, first + end - start)):
        return None
    return first, first + end - start


def _stands_in(lines: list[str], block: list[str]) -> bool:
    """Whether the lines of ``block`` stand together somewhere in ``lines``."""
    if not block:
        return False
    starts = (at for at, line in enumerate(lines) if line == block[0])
    return any(lines[at : at + len(block)] == block for at in starts)


def without_contradictions(found: list[HunkNow]) -> list[HunkNow]:
    """``found``, but stale those whose lines another one claims as well."""
    unclear: set[int] = set()
    placed = [now for now in found if now.state is not HunkState.STALE]
    for step, one in enumerate(placed):
        for other in placed[step + 1 :]:
            if one.state is HunkState.APPLIED and other.state is HunkState.APPLIED:
                continue
            if _overlap(one, other):
                unclear |= {one.index, other.index}
    return [
        replace(now, state=HunkState.STALE, start=0, end=0, reason=UNCLEAR) if now.index in unclear else now
        for now in found
    ]


def _overlap(one: HunkNow, other: HunkNow) -> bool:
    """Whether two places share a line, or one lies within the other, or they are the same place between lines."""
    if one.start == one.end and other.start == other.end:
        return one.start == other.start and one.state is other.state
    return one.start < other.end and other.start < one.end


def _common(one: Sequence[str], other: Sequence[str]) -> int:
    """How many lines the two begin with alike."""
    count = 0
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        count += 1
    return count
