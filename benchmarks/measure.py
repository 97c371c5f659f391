"""Medians, ratios with their spread, and the tables made of them."""

from __future__ import annotations

import itertools
import os
from dataclasses import dataclass, field
from statistics import median, quantiles
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

BLOCKS = 10

T = TypeVar("T")


@dataclass(frozen=True)
class Spread:
    """A figure, and the quartiles of the same figure in single blocks of the run: how much to make of it."""

    value: float
    low: float
    high: float

    def show(self, unit: str = "x", digits: int = 2) -> str:
        """The figure and its spread for a table: ``1.12x (1.08 to 1.19)``."""
        return f"{self.value:.{digits}f}{unit} ({self.low:.{digits}f} to {self.high:.{digits}f})"


@dataclass
class Table:
    """What one measurement found.

    Args:
        title: what was measured.
        columns: the heads of the columns.
        rows: the cells, by row.
        missed: which rows miss their aim.
        absolute: what the figures were here, for the console only.
    """

    title: str
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)
    absolute: list[str] = field(default_factory=list)

    def add(self, name: str, *spreads: Spread, aim: float | None = None, unit: str = "x", least: bool = False) -> None:
        """A row.

        Args:
            name: what the figures are of.
            spreads: the figures, one for each column between the first and the last.
            aim: what each should be at most; None: they are for information.
            unit: their unit.
            least: ``aim`` is what each should be at least.
        """
        shown = [spread.show(unit) for spread in spreads]
        if aim is not None:
            bad = [
                text for text, it in zip(shown, spreads, strict=True) if (it.value < aim) is least and it.value != aim
            ]
            self.missed += [f"{self.title}, {name}: {text}, aim {aim:g}{unit}" for text in bad]
        word = "at least" if least else "at most"
        self.rows.append((name, *shown, "" if aim is None else f"{word} {aim:g}{unit}"))

    def tell(self, name: str, seconds: Sequence[float]) -> None:
        """Say what was measured here, in milliseconds."""
        low, middle, high = (f"{value * 1000:.2f}" for value in quartiles(seconds))
        last = f"{p99(seconds) * 1000:.2f}"
        self.absolute.append(f"{name}: median {middle} ms, middle half {low} to {high}, p99 {last}, n={len(seconds)}")

    def markdown(self) -> str:
        """The table as Markdown."""
        lines = [self.columns, tuple("---" for _ in self.columns), *self.rows]
        return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def p99(seconds: Sequence[float]) -> float:
    """What all but one in a hundred stay below."""
    return sorted(seconds)[min(len(seconds) - 1, round(len(seconds) * 0.99))]


def ratio(
    ours: Sequence[float], base: Sequence[float], of: Callable[[Sequence[float]], float] = median, blocks: int = BLOCKS
) -> Spread:
    """``of`` our times to ``of`` the base's; both in the order in which they were taken, in turns."""
    single = [of(a) / of(b) for a, b in zip(_blocks(ours, blocks), _blocks(base, blocks), strict=True)]
    low, _, high = quartiles(single)
    return Spread(of(ours) / of(base), low, high)


def difference_ms(ours: Sequence[float], base: Sequence[float]) -> Spread:
    """The median of the differences between what was taken one after the other, in milliseconds."""
    low, middle, high = quartiles([(a - b) * 1000 for a, b in zip(ours, base, strict=True)])
    return Spread(middle, low, high)


def in_turns(times: int, things: Sequence[T]) -> Iterable[tuple[int, T]]:
    """Each of ``things`` ``times`` times, in turns; every other round backwards, so that none is always first."""
    for number in range(times):
        for thing in things if number % 2 == 0 else reversed(things):
            yield number, thing


def load() -> str:
    """How busy the machine is."""
    if not hasattr(os, "getloadavg"):
        return "unknown"
    return f"{os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"


def quartiles(values: Sequence[float]) -> tuple[float, float, float]:
    if len(values) < 2:
        return values[0], values[0], values[0]
    low, middle, high = quantiles(values, n=4, method="inclusive")
    return low, middle, high


def _blocks(values: Sequence[float], count: int) -> list[Sequence[float]]:
    """``values`` in ``count`` pieces of neighbours."""
    count = min(count, len(values))
    ends = [len(values) * number // count for number in range(count + 1)]
    return [values[start:end] for start, end in itertools.pairwise(ends)]
