"""Blocks that were moved out of order: verbatim, and definitions by their names."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from channelcoder_lsp.anchoring.align import UNMATCHED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from channelcoder_lsp.anchoring.lines import Lines

MIN_WEIGHT = 1.5
"""What the lines of a block must tell together before it counts as moved: one line never does."""
MIN_SEED = 0.4
"""What a line must tell by itself for a block to be looked for around it."""


class _Block(NamedTuple):
    weight: float
    old: int
    new: int
    size: int


def find_moves(old: Lines, new: Lines, target: Sequence[int], taken: Sequence[bool]) -> dict[int, int]:
    """Blocks of lines without a partner that stand elsewhere word for word, up to indentation.

    A block grows around a line that occurs once among the lines without a partner on either side; a line
    that has a partner is never given a second one.

    Args:
        old: the old text.
        new: the new text.
        target: the old lines' partners so far.
        taken: which new lines have one.

    Returns:
        Old line -> new line.
    """
    where = _single(new.bare, [not it for it in taken])
    blocks: list[_Block] = []
    covered = -1
    for line, index in _single(old.bare, [at == UNMATCHED for at in target]).items():
        at = where.get(line, UNMATCHED)
        if index <= covered or UNMATCHED in {index, at} or old.weight(index) < MIN_SEED:
            continue
        block = _grow(old, new, target, taken, (index, at))
        covered = block.old + block.size - 1
        if block.weight >= MIN_WEIGHT:
            blocks.append(block)
    blocks.sort(key=lambda block: (-block.weight, block.old))
    moved: dict[int, int] = {}
    used: set[int] = set()
    for block in blocks:
        for step in range(block.size):
            if block.old + step not in moved and block.new + step not in used:
                moved[block.old + step] = block.new + step
                used.add(block.new + step)
    return moved


def _single(keys: Sequence[str], free: Sequence[bool]) -> dict[str, int]:
    """Where each key stands that occurs once among the free lines; ``UNMATCHED`` for the others."""
    where: dict[str, int] = {}
    for index, key in enumerate(keys):
        if free[index] and key:
            where[key] = UNMATCHED if key in where else index
    return where


def _grow(old: Lines, new: Lines, target: Sequence[int], taken: Sequence[bool], seed: tuple[int, int]) -> _Block:
    """The longest run of equal lines without partners around the old and the new line of ``seed``."""
    index, at = seed

    def fits(step: int) -> bool:
        here, there = index + step, at + step
        return (
            0 <= here < len(old)
            and 0 <= there < len(new)
            and target[here] == UNMATCHED
            and not taken[there]
            and old.bare[here] == new.bare[there]
        )

    above, below = 0, 1
    while fits(-above - 1):
        above += 1
    while fits(below):
        below += 1
    weight = sum(map(old.weight, range(index - above, index + below)))
    return _Block(weight, index - above, at - above, above + below)


def find_definitions(
    old: Lines, new: Lines, target: Sequence[int], moved: dict[int, int], taken: Sequence[bool]
) -> dict[int, int]:
    """Headers without a partner whose name is defined once in the old text and once in the new one."""
    here = _headers(old, [at == UNMATCHED and index not in moved for index, at in enumerate(target)])
    there = _headers(new, [not it for it in taken]) if here else {}
    both = here.keys() & there.keys()
    if not both:
        return {}
    old_count, new_count = _count_headers(old), _count_headers(new)
    return {
        index: there[name] for name, index in here.items() if name in both and old_count[name] == 1 == new_count[name]
    }


def _headers(lines: Lines, free: Sequence[bool]) -> dict[str, int]:
    where: dict[str, int] = {}
    for index, it in enumerate(free):
        if it and (name := lines.header(index)) is not None:
            where[name] = index
    return where


def _count_headers(lines: Lines) -> Counter[str | None]:
    return Counter(map(lines.header, range(len(lines))))
