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
    span, put = (hunk.start, hunk.end), (hunk.start, hunk.start + len(hunk.lines))
    if index in texts.present:
        # One comparison for all changes tells most of them.
        taken, stands = texts.together(index)
        if (taken is None) != (stands is None):
            return _told(index, hunk, taken, stands)
    before = texts.without(index)
    for find in (_Mapped.in_order, _Mapped.moved):
        taken, stands = find(before, *span), None
        if index in texts.present or (taken is None and not hunk.lines):
            stands = find(texts.after(index), *put)
        if taken is not None or stands is not None:
            return _told(index, hunk, taken, stands)
    if hunk.start == hunk.end:
        return HunkNow(index, hunk, HunkState.STALE, reason=AROUND)
    return HunkNow(index, hunk, HunkState.STALE, reason=CHANGED if before.has_some(*span) else GONE)


def _told(index: int, hunk: Hunk, taken: tuple[int, int] | None, stands: tuple[int, int] | None) -> HunkNow:
    """What it means where the old and the new lines stand; one of the two is given at least."""
    if taken is None and stands is not None:
        return HunkNow(index, hunk, HunkState.APPLIED, *stands)
    if taken is not None and stands is None:
        return HunkNow(index, hunk, HunkState.OPEN, *taken)
    return HunkNow(index, hunk, HunkState.STALE, reason=UNCLEAR)


class _Texts:
    """What the text may have come from: the base, with or without each of the changes.

    The new lines of a change that may have been applied can be twins of lines elsewhere, so they are taken along
    when the places of the other changes are looked for.

    Args:
        hunks: the changes.
        base: the lines that they are about.
        lines: the lines now.
    """

    def __init__(self, hunks: Sequence[Hunk], base: Sequence[str], lines: list[str]) -> None:
        self.hunks = hunks
        self._base = list(base)
        self._lines = lines
        self.present = {index for index, hunk in enumerate(hunks) if _stands_in(lines, hunk.lines)}
        self._known: dict[tuple[frozenset[int], int | None], _Mapped] = {}

    def without(self, index: int) -> _Mapped:
        """From the base without the change."""
        return self._mapped(None, self.present - {index})

    def after(self, index: int) -> _Mapped:
        """From the base with the change."""
        return self._mapped(index, self.present - {index})

    def together(self, index: int) -> tuple[tuple[int, int] | None, tuple[int, int] | None]:
        """Where the old and the new lines of a change stand, if it has both and that is certain."""
        taken, put = self._places[index]
        old = self._all.in_order(*taken) if taken[0] < taken[1] else None
        return old, self._all.in_order(*put)

    @cached_property
    def _all(self) -> _Mapped:
        """From the base with all that may have been put in."""
        _, _, woven = self._woven(None, self.present)
        return _Mapped(woven, list(range(len(woven))), woven, self._lines)

    @cached_property
    def _places(self) -> list[tuple[tuple[int, int], tuple[int, int]]]:
        """Where each change's old and new lines are in the text of :attr:`_all`."""
        places, shift = [], 0
        for index, hunk in enumerate(self.hunks):
            end = hunk.end + shift
            shift += len(hunk.lines) if index in self.present else 0
            places.append(((end - (hunk.end - hunk.start), end), (end, hunk.end + shift)))
        return places

    def _mapped(self, applied: int | None, others: set[int]) -> _Mapped:
        key = frozenset(others), applied
        if key not in self._known:
            self._known[key] = _Mapped(*self._woven(applied, others), self._lines)
        return self._known[key]

    def _woven(self, applied: int | None, others: set[int]) -> tuple[list[str], list[int], list[str]]:
        """The base (with one change applied), where its lines are when the others' new lines are put in, and all."""
        text: list[str] = []
        where: list[int] = []
        woven: list[str] = []

        def go_on(lines: Sequence[str]) -> None:
            where.extend(range(len(woven), len(woven) + len(lines)))
            text.extend(lines)
            woven.extend(lines)

        at = 0
        for index, hunk in enumerate(self.hunks):
            go_on(self._base[at : hunk.start])
            go_on(hunk.lines if index == applied else self._base[hunk.start : hunk.end])
            if index in others:
                woven.extend(hunk.lines)
            at = hunk.end
        go_on(self._base[at:])
        return text, where, woven


def _stands_in(lines: list[str], block: list[str]) -> bool:
    """Whether the lines of ``block`` stand together somewhere in ``lines``."""
    if not block:
        return False
    starts = (at for at, line in enumerate(lines) if line == block[0])
    return any(lines[at : at + len(block)] == block for at in starts)


class _Mapped:
    """Where the lines of a text are in a later one.

    Args:
        old: the earlier lines.
        where: their places in ``woven``.
        woven: the earlier lines, and others that may have been put in between since.
        new: the later lines.
    """

    def __init__(self, old: list[str], where: list[int], woven: list[str], new: list[str]) -> None:
        self._old, self._new, self._woven = old, new, woven
        target = certain(woven, new)
        self._target = [target[at] for at in where]

    def in_order(self, start: int, end: int) -> tuple[int, int] | None:
        """Where the lines from ``start`` to before ``end`` stand together; for no lines: between which lines."""
        if start < end:
            first = self._target[start]
            unbroken = list(range(first, first + end - start))
            return None if first == UNMATCHED or self._target[start:end] != unbroken else (first, first + end - start)
        below = self._target[start] if start < len(self._old) else len(self._new)
        above = self._target[start - 1] if start else -1
        if below == UNMATCHED or (start and above == UNMATCHED) or above + 1 != below:
            return None
        return below, below

    def moved(self, start: int, end: int) -> tuple[int, int] | None:
        """The same for lines that stand out of order now, in a block between two lines that have no twins."""
        first, last = (start, end - 1) if start < end else (start - 1, start)
        while first not in self._unique and first >= 0:
            first -= 1
        while last not in self._unique and last < len(self._old):
            last += 1
        if first < 0 or last >= len(self._old):
            return None
        down = self._unique[first] - first
        if self._old[first : last + 1] != self._new[first + down : last + down + 1]:
            return None
        relocated = self._line_map.relocate(first, last)
        if relocated is None or (relocated.start, relocated.end) != (first + down, last + down):
            return None
        return start + down, end + down

    def has_some(self, start: int, end: int) -> bool:
        """Whether there is anything left of the lines."""
        certainly = any(at != UNMATCHED for at in self._target[start:end])
        return certainly or self._line_map.relocate(start, end - 1) is not None

    @cached_property
    def _line_map(self) -> LineMap:
        return LineMap("\n".join(self._old), "\n".join(self._new))

    @cached_property
    def _unique(self) -> dict[int, int]:
        """The lines that tell something and are unique before and after, with where they are."""
        in_old, in_new = Counter(self._woven), Counter(self._new)
        where = {line: at for at, line in enumerate(self._new)}
        return {
            index: where[line]
            for index, line in enumerate(self._old)
            if line.strip() and in_old[line] == in_new[line] == 1
        }


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
