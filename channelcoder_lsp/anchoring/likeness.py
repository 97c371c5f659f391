"""How alike two lines are, and which lines of a gap are rewritten forms of each other, in order."""

from __future__ import annotations

import re
from operator import add
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MAX_PAIRS = 5_000
"""Pairs of lines that are compared in one gap; in a larger one only those that share rare words are."""
MAX_SIZE = 2_000
"""Lines on either side from which on a gap is left alone."""
RARE = 12
"""Lines that a word may stand in and still be rare."""
CANDIDATES = 6
"""Lines that one line is compared with in a large gap."""
LEAST = 0.5
"""Likeness from which on two lines count as forms of the same line."""
LEAST_IN_PLACE = 0.33
"""The same where as many lines came as went."""
DISTANCE = 0.1
"""What a line loses in likeness when it is far from where it would be by either end of the gap."""
FAR = 30
"""Lines from which on it is far."""
EXPONENT = 2.5
"""One good match is worth more than two poor ones that exclude it."""
_WORD = re.compile(r"\w+|[^\w\s]")


class Traits(NamedTuple):
    """What a line is compared by: pairs of neighbouring characters, and words and signs."""

    pairs: frozenset[str]
    words: frozenset[str]


class Match(NamedTuple):
    """Line ``new`` is a form of line ``old``; ``likeness`` is above 0 and at most 1."""

    old: int
    new: int
    likeness: float


def traits(line: str) -> Traits:
    """What ``line`` (stripped) is compared by."""
    padded = "\0" + line[:400]
    return Traits(frozenset(map(add, padded, padded[1:])), frozenset(_WORD.findall(line)))


def likeness(one: Traits, other: Traits) -> float:
    """From 0 (nothing in common) to 1: the mean of the Dice coefficients of pairs and words."""
    words = len(one.words & other.words)
    if not words:
        return 0.0
    pairs = len(one.pairs & other.pairs)
    return pairs / (len(one.pairs) + len(other.pairs)) + words / (len(one.words) + len(other.words))


def align(old: Sequence[Traits], new: Sequence[Traits], weight: Sequence[float]) -> list[Match]:
    """Pair lines that are forms of each other, in order, so that the likeness is greatest as a whole.

    Args:
        old: the old lines of a gap.
        new: its new lines.
        weight: how much each old line tells.

    Returns:
        The pairs, ascending on both sides. The cost is bounded by ``MAX_PAIRS``, or grows linearly.
    """
    least = LEAST_IN_PLACE if len(old) == len(new) else LEAST
    if len(old) == len(new) == 1:
        value = likeness(old[0], new[0])
        return [Match(0, 0, value)] if value >= least else []
    if len(old) * len(new) <= MAX_PAIRS:
        everyone = range(len(new))
        tried: Iterator[Sequence[int]] = (everyone for _ in old)
    else:
        tried = _by_rare_words(old, new)
    spare = len(new) - len(old)
    rows: list[list[Match]] = []
    for index, those in enumerate(tried):
        mine = old[index]
        row: list[Match] = []
        for at in those:
            value = likeness(mine, new[at])
            if value >= least:
                away = at - index
                value -= DISTANCE * min(1.0, min(abs(away), abs(away - spare)) / FAR)
                if value >= least:
                    row.append(Match(index, at, value))
        rows.append(row)
    return _heaviest(rows, weight, len(new))


def _by_rare_words(old: Sequence[Traits], new: Sequence[Traits]) -> Iterator[list[int]]:
    """For each old line the new ones that share most of the words that are rare among the new ones."""
    where: dict[str, list[int]] = {}
    for at, line in enumerate(new):
        for word in line.words:
            where.setdefault(word, []).append(at)
    rare = {word: those for word, those in where.items() if len(those) <= RARE}
    for line in old:
        shared: dict[int, float] = {}
        for word in sorted(line.words & rare.keys()):
            those = rare[word]
            for at in those:
                shared[at] = shared.get(at, 0.0) + 1 / len(those)
        yield sorted(sorted(shared, key=lambda at: (-shared[at], at))[:CANDIDATES])


class _Link(NamedTuple):
    total: float
    match: Match | None
    before: _Link | None


def _heaviest(rows: Sequence[Sequence[Match]], weight: Sequence[float], width: int) -> list[Match]:
    """The chain of matches, ascending on both sides, of greatest total; a Fenwick tree over new lines."""
    none = _Link(0.0, None, None)
    tree = [none] * (width + 1)

    def best_before(at: int) -> _Link:
        best = none
        while at > 0:
            if tree[at].total > best.total:
                best = tree[at]
            at -= at & -at
        return best

    for index, row in enumerate(rows):
        links = []
        for match in row:
            before = best_before(match.new)
            gain = match.likeness**EXPONENT * (weight[index] + 0.05)
            links.append(_Link(before.total + gain, match, before))
        for match, link in zip(row, links):  # noqa: B905 - strict= costs here
            at = match.new + 1
            while at <= width:
                if link.total > tree[at].total:
                    tree[at] = link
                at += at & -at
    chain: list[Match] = []
    last: _Link | None = best_before(width)
    while last is not None and last.match is not None:
        chain.append(last.match)
        last = last.before
    chain.reverse()
    return chain
