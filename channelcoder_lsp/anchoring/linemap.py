"""Where each line of an old text is in a new one: all the evidence, from the surest to the weakest."""

from __future__ import annotations

from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from channelcoder_lsp.anchoring.align import UNMATCHED, Gap, Run, heaviest_chain, match_unique, open_gaps
from channelcoder_lsp.anchoring.likeness import MAX_SIZE, align, likeness
from channelcoder_lsp.anchoring.lines import Lines
from channelcoder_lsp.anchoring.moves import find_definitions, find_moves

if TYPE_CHECKING:
    from collections.abc import Iterator

INNER_GAP = 12
"""Lines between two moved lines up to which what is between them counts as moved along."""
TELLING = 0.03
"""Weight from which on a line takes part in the comparison by likeness."""


class Pocket(NamedTuple):
    """Lines without a partner that may be forms of each other: the rest of a gap or of a moved block."""

    old: tuple[int, ...]
    new: tuple[int, ...]


class Found(NamedTuple):
    """The new line that an old one became, and how alike the two are (1: equal up to indentation)."""

    line: int
    likeness: float


class LineMatcher:
    """The partners of the old text's lines, worked out as far as they are asked for.

    What a line's partner is doesn't depend on which lines were asked for before.

    Attributes:
        old: the old text's lines.
        new: the new text's lines.
        exact: old line -> new line where a line that is unique thereabouts, or next to one, stands in
            the same order as before, up to indentation; else ``UNMATCHED``.
    """

    def __init__(self, old_text: str, new_text: str) -> None:
        self.old = old = Lines(old_text)
        self.new = new = Lines(new_text, like=old)
        self.exact = [UNMATCHED] * len(old)
        self._whole = Gap(0, len(old), 0, len(new))
        match_unique(old.trimmed, new.trimmed, old.weight, self._whole, self.exact)
        for gap in open_gaps(self.exact, self._whole):
            match_unique(old.bare, new.bare, old.weight, gap, self.exact)
        self._aligned: dict[Pocket, dict[int, Found]] = {}

    def find(self, line: int) -> Found | None:
        """What became of an old line; None if it is gone."""
        at = self.exact[line]
        if at == UNMATCHED:
            at = self.in_order[line]
        if at == UNMATCHED:
            at = self.moved.get(line, UNMATCHED)
        if at == UNMATCHED:
            pocket = self._pockets.get(line)
            return self._align(pocket).get(line) if pocket else None
        if self.old.bare[line] == self.new.bare[at]:
            return Found(at, 1.0)
        return Found(at, likeness(self.old.traits(line), self.new.traits(at)))

    @cached_property
    def in_order(self) -> list[int]:
        """``exact`` and, in its gaps, reformatted lines and headers by name."""
        target, weigh = self.exact.copy(), self.old.weight
        old_keys, new_keys = [""] * len(self.old), [""] * len(self.new)
        old_names, new_names = old_keys.copy(), new_keys.copy()
        for gap in open_gaps(self.exact, self._whole):
            _, old_end, _, new_end = gap
            old_keys[gap.old_start : old_end] = map(self.old.squeezed, range(gap.old_start, old_end))
            new_keys[gap.new_start : new_end] = map(self.new.squeezed, range(gap.new_start, new_end))
            match_unique(old_keys, new_keys, weigh, gap, target)
            for part in open_gaps(target, gap):
                if self._name(part, old_names, new_names):
                    match_unique(old_names, new_names, weigh, part, target)
                    for rest in open_gaps(target, part):
                        match_unique(old_keys, new_keys, weigh, rest, target)
        return target

    def _name(self, gap: Gap, old_names: list[str], new_names: list[str]) -> bool:
        """Fill in the names that the headers in ``gap`` define, other lines as equal to none.

        Returns:
            Whether there are names on both sides.
        """
        old = [self.old.header(index) for index in range(gap.old_start, gap.old_end)]
        if not any(old):
            return False
        new = [self.new.header(index) for index in range(gap.new_start, gap.new_end)]
        if not any(new):
            return False
        old_names[gap.old_start : gap.old_end] = [name or f"\0{step}" for step, name in enumerate(old)]
        new_names[gap.new_start : gap.new_end] = [name or f"\1{step}" for step, name in enumerate(new)]
        return True

    @cached_property
    def moved(self) -> dict[int, int]:
        """Lines that stand out of order: in blocks moved word for word, or headers known by their name."""
        taken = self._taken()
        moved = find_moves(self.old, self.new, self.in_order, taken)
        for at in moved.values():
            taken[at] = True
        return moved | find_definitions(self.old, self.new, self.in_order, moved, taken)

    @cached_property
    def taken(self) -> list[bool]:
        """Which new lines have a partner."""
        taken = self._taken()
        for at in self.moved.values():
            taken[at] = True
        return taken

    def _taken(self) -> list[bool]:
        taken = [False] * len(self.new)
        for at in self.in_order:
            if at != UNMATCHED:
                taken[at] = True
        return taken

    @cached_property
    def _pockets(self) -> dict[int, Pocket]:
        """The pocket of each old line that has one.

        A line is in one pocket only, the closest: between two lines of a moved block, in a moved definition,
        in a gap.
        """
        free_old = [at == UNMATCHED and index not in self.moved for index, at in enumerate(self.in_order)]
        free_new = [not it for it in self.taken]
        pockets: dict[int, Pocket] = {}
        for gap in self._candidates():
            pocket = Pocket(
                tuple(index for index in range(gap.old_start, gap.old_end) if free_old[index]),
                tuple(index for index in range(gap.new_start, gap.new_end) if free_new[index]),
            )
            if pocket.old and pocket.new:
                for index in pocket.old:
                    free_old[index] = False
                    pockets[index] = pocket
                for index in pocket.new:
                    free_new[index] = False
        return pockets

    def _candidates(self) -> Iterator[Gap]:
        """Where lines may be forms of each other, the closest places first."""
        moves = sorted(self.moved.items())
        for (index, at), (next_index, next_at) in pairwise(moves):
            if 1 < next_index - index <= INNER_GAP and 1 < next_at - at <= INNER_GAP:
                yield Gap(index + 1, next_index, at + 1, next_at)
        for index, at in reversed(moves):
            if self.old.header(index) is not None:
                yield from self._within(index, at)
        yield from open_gaps(self.in_order, self._whole)

    def _within(self, head: int, at: int) -> Iterator[Gap]:
        """The gaps of a moved definition, unless more of its lines went elsewhere than came along."""
        end, new_end = self.old.block_end(head), self.new.block_end(at)
        inside, outside = [], 0.0
        for index in range(head + 1, end + 1):
            there = self.in_order[index]
            if there == UNMATCHED:
                there = self.moved.get(index, UNMATCHED)
            if at < there <= new_end:
                inside.append(Run(index, there, 1, self.old.weight(index)))
            elif there != UNMATCHED:
                outside += self.old.weight(index)
        if sum(run.weight for run in inside) < outside:
            return
        start, new_start = head + 1, at + 1
        for run in heaviest_chain(inside):
            yield Gap(start, run.old, new_start, run.new)
            start, new_start = run.old + 1, run.new + 1
        yield Gap(start, end + 1, new_start, new_end + 1)

    def _align(self, pocket: Pocket) -> dict[int, Found]:
        """The forms of a pocket's old lines among its new ones."""
        known = self._aligned.get(pocket)
        if known is None:
            old = [index for index in pocket.old if self.old.weight(index) > TELLING]
            new = [index for index in pocket.new if self.new.weight(index) > TELLING]
            if max(len(old), len(new)) > MAX_SIZE:
                old = new = []
            matches = align(
                [self.old.traits(index) for index in old],
                [self.new.traits(index) for index in new],
                [self.old.weight(index) for index in old],
            )
            known = self._aligned[pocket] = {old[it.old]: Found(new[it.new], it.likeness) for it in matches}
        return known
