"""Where lines of an old text are in a new one beyond doubt, for edits that must never land at a guessed place.

Alignments are seldom unique: of three equal lines, two before the edit, nobody can tell which is the new one. The
rest of this package picks the likeliest; here such lines have no place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from channelcoder_lsp.anchoring.align import UNMATCHED

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_CELLS = 400_000
"""Old times new lines of a gap up to which it is compared; in a larger one no line has a certain place."""


def certain(old: Sequence[str], new: Sequence[str]) -> list[int]:
    """The line of ``new`` that each line of ``old`` is for certain, else ``UNMATCHED``; ascending.

    Certain are the lines that are unique on both sides and change their order with no other such line, and
    between those the lines that every longest common subsequence pairs alike. So if ``new`` came about by taking
    lines from ``old`` and putting in lines that ``old`` doesn't have, a line with a place has the right one.
    """
    target = [UNMATCHED] * len(old)
    old_start = new_start = 0
    for old_end, new_end in [*unique_in_order(old, new), (len(old), len(new))]:
        for index, at in _between(old[old_start:old_end], new[new_start:new_end]):
            target[old_start + index] = new_start + at
        if old_end < len(old):
            target[old_end] = new_end
        old_start, new_start = old_end + 1, new_end + 1
    return target


def unique_in_order(old: Sequence[str], new: Sequence[str]) -> list[tuple[int, int]]:
    """The lines that are unique on both sides, with their new place, but for those that changed their order."""
    in_old, in_new = _once(old), _once(new)
    pairs = [(index, in_new[line]) for line, index in in_old.items() if index >= 0 and in_new.get(line, -1) >= 0]
    pairs.sort()
    least_behind = [len(new)] * (len(pairs) + 1)
    for step in range(len(pairs) - 1, -1, -1):
        least_behind[step] = min(least_behind[step + 1], pairs[step][1])
    kept, most_before = [], -1
    for step, (index, at) in enumerate(pairs):
        if most_before < at < least_behind[step + 1]:
            kept.append((index, at))
        most_before = max(most_before, at)
    return kept


def _once(lines: Sequence[str]) -> dict[str, int]:
    """Where each line is that is there once; -1 for those that are there more often."""
    where: dict[str, int] = {}
    for index, line in enumerate(lines):
        where[line] = -1 if line in where else index
    return where


def _between(old: Sequence[str], new: Sequence[str]) -> list[tuple[int, int]]:
    """The pairs that all longest common subsequences share."""
    if old == new:
        return [(index, index) for index in range(len(old))]
    if not old or not new or len(old) * len(new) > _CELLS:
        return []
    lengths = _lengths(old, new)
    # The best ways form a band between the two outermost; where those meet, all of them do.
    rest = set(_outermost(old, new, lengths, old_first=True))
    return [pair for pair in _outermost(old, new, lengths, old_first=False) if pair in rest]


def _lengths(old: Sequence[str], new: Sequence[str]) -> list[list[int]]:
    """The length of the longest common subsequence of ``old[i:]`` and ``new[j:]``, by ``i`` and ``j``."""
    rows = [[0] * (len(new) + 1)]
    for line in reversed(old):
        below, row, right = rows[-1], [0] * (len(new) + 1), 0
        for at in range(len(new) - 1, -1, -1):
            right = below[at + 1] + 1 if new[at] == line else max(right, below[at])
            row[at] = right
        rows.append(row)
    rows.reverse()
    return rows


def _outermost(
    old: Sequence[str], new: Sequence[str], lengths: Sequence[Sequence[int]], *, old_first: bool
) -> Iterator[tuple[int, int]]:
    """The pairs of the longest common subsequence that passes over lines of one side as early as can be."""
    index = at = 0
    while index < len(old) and at < len(new):
        left = lengths[index][at]
        over_old, over_new = lengths[index + 1][at] == left, lengths[index][at + 1] == left
        if over_old if old_first else over_new:
            over = old_first
        elif old[index] == new[at]:
            yield index, at
            index, at = index + 1, at + 1
            continue
        else:
            over = not old_first
        index, at = (index + 1, at) if over else (index, at + 1)
