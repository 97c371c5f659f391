"""Which whole lines of an old text stand, in order, in a new one.

By patience: lines that occur once on both sides carry the alignment, recursively in the gaps between them.
Where nothing is unique nothing is matched: aligning repeated lines by their number alone misleads. The cost
is bounded.
"""

from __future__ import annotations

from bisect import bisect_left
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Sequence

ROUNDS = 6
"""How often the lines of a gap may be gone through; two times is a lot for text that people edited."""
UNMATCHED = -1


class Gap(NamedTuple):
    """Lines ``old_start:old_end`` against ``new_start:new_end``, both half-open."""

    old_start: int
    old_end: int
    new_start: int
    new_end: int


def open_gaps(target: Sequence[int], within: Gap) -> list[Gap]:
    """The gaps between the matches in ``within`` that have lines on both sides.

    Args:
        target: old line -> new line, ascending in ``within``.
        within: where to look.
    """
    gaps: list[Gap] = []
    old_start, old_end, new_start, new_end = within
    for index in range(old_start, old_end):
        at = target[index]
        if at == UNMATCHED:
            continue
        if old_start < index and new_start < at:
            gaps.append(Gap(old_start, index, new_start, at))
        old_start, new_start = index + 1, at + 1
    if old_start < old_end and new_start < new_end:
        gaps.append(Gap(old_start, old_end, new_start, new_end))
    return gaps


class Run(NamedTuple):
    """``size`` lines from ``old`` on that stand unchanged from ``new`` on."""

    old: int
    new: int
    size: int
    weight: float


def match_unique(
    old: Sequence[str], new: Sequence[str], weigh: Callable[[int], float], gap: Gap, target: list[int]
) -> None:
    """Match lines of ``gap`` that are equal and unique, and what is equal next to them.

    Args:
        old: keys of the old lines; equal keys are equal lines, an empty key is like no other.
        new: keys of the new lines.
        weigh: how much an old line tells; heavier runs win where two exclude each other.
        gap: where to look.
        target: the map (old line -> new line) to fill; entries outside of ``gap`` are left alone.
    """
    todo = [gap]
    budget = ROUNDS * (gap.old_end - gap.old_start + gap.new_end - gap.new_start)
    while todo and budget > 0:
        rest = _match_ends(old, new, todo.pop(), target)
        old_size, new_size = rest.old_end - rest.old_start, rest.new_end - rest.new_start
        budget -= old_size + new_size
        if not old_size or not new_size or old_size == new_size == 1:
            continue
        chain = _unique_runs(old, new, rest)
        if not chain:
            continue
        if any(here.new > after.new for here, after in pairwise(chain)):
            chain = heaviest_chain([_weighed(run, weigh) for run in chain])
        before_old, before_new = rest.old_start, rest.new_start
        for run in chain:
            for step in range(run.size):
                target[run.old + step] = run.new + step
            todo.append(Gap(before_old, run.old, before_new, run.new))
            before_old, before_new = run.old + run.size, run.new + run.size
        todo.append(Gap(before_old, rest.old_end, before_new, rest.new_end))


def _match_ends(old: Sequence[str], new: Sequence[str], gap: Gap, target: list[int]) -> Gap:
    """Match what is equal at both ends of ``gap``; return what is left between."""
    old_start, old_end, new_start, new_end = gap
    while old_start < old_end and new_start < new_end and old[old_start] == new[new_start]:
        target[old_start] = new_start
        old_start += 1
        new_start += 1
    while old_start < old_end and new_start < new_end and old[old_end - 1] == new[new_end - 1]:
        old_end -= 1
        new_end -= 1
        target[old_end] = new_end
    return Gap(old_start, old_end, new_start, new_end)


def _once(keys: Sequence[str], start: int, those: Container[str]) -> dict[str, int]:
    """Where each key of ``those`` stands that occurs once in ``keys``, from ``start`` on; the others are marked -1."""
    where: dict[str, int] = {}
    for index, key in enumerate(keys, start):
        if key in those:
            where[key] = UNMATCHED if key in where else index
    return where


def _unique_runs(old: Sequence[str], new: Sequence[str], gap: Gap) -> list[Run]:
    """Runs of lines that are unique on both sides of ``gap``, by their old line; not weighed yet.

    A run goes on over lines that aren't unique as long as they are equal, so that a moved block is one
    run; no two runs share a line.
    """
    old_keys, new_keys = old[gap.old_start : gap.old_end], new[gap.new_start : gap.new_end]
    both = set(old_keys).intersection(new_keys)
    both.discard("")
    if not both:
        return []
    in_new = _once(new_keys, gap.new_start, both)
    pairs = [
        (index, at)
        for key, index in _once(old_keys, gap.old_start, both).items()
        if index != UNMATCHED and (at := in_new[key]) != UNMATCHED
    ]
    runs: list[Run] = []
    for index, at in pairs:  # ascending, as dicts keep the order of insertion and every key here came once
        if runs:
            last = runs[-1]
            step = index - last.old
            if at - last.new == step and (
                step == last.size or all(old[last.old + k] == new[last.new + k] for k in range(last.size, step))
            ):
                runs[-1] = Run(last.old, last.new, step + 1, 0.0)
                continue
        runs.append(Run(index, at, 1, 0.0))
    return runs


def _weighed(run: Run, weigh: Callable[[int], float]) -> Run:
    first = weigh(run.old) or 0.01
    return run._replace(weight=first + sum(map(weigh, range(run.old + 1, run.old + run.size))))


def heaviest_chain(runs: Sequence[Run]) -> list[Run]:
    """The runs that can stand together in the same order on both sides and weigh most.

    Args:
        runs: by their old line, not overlapping on either side.
    """
    # best[k]: the heaviest chain that ends with a run at ends[k] or before it; both ascend.
    ends: list[int] = []
    best: list[float] = []
    who: list[int] = []
    previous = [UNMATCHED] * len(runs)
    for number, run in enumerate(runs):
        at = bisect_left(ends, run.new)
        before = best[at - 1] if at else 0.0
        previous[number] = who[at - 1] if at else UNMATCHED
        total = before + run.weight
        stop = at
        while stop < len(ends) and best[stop] <= total:
            stop += 1
        ends[at:stop] = [run.new]
        best[at:stop] = [total]
        who[at:stop] = [number]
    chain: list[Run] = []
    number = who[-1] if who else UNMATCHED
    while number != UNMATCHED:
        chain.append(runs[number])
        number = previous[number]
    chain.reverse()
    return chain
