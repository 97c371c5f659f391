"""What grows with what: start, hover and memory of the server in projects of ten and a hundred times the size.

Each figure is held against the smallest project of its kind. The growth order is the exponent ``k`` in ``size ** k``
from the smallest to the largest: 0 is none, 1 is in proportion. The picture is drawn anew each time.
"""

from __future__ import annotations

import asyncio
import math
from collections import defaultdict
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING

from benchmarks import history
from benchmarks.measure import Spread, Table, in_turns, p99, ratio
from benchmarks.place import ROOT, Place, new_place
from benchmarks.plot import Line, Panel, draw

if TYPE_CHECKING:
    from pathlib import Path

PICTURE = ROOT / "docs" / "images" / "growth.svg"
STARTS = 5
HOVERS = 400
WARM_UP = 40


@dataclass
class Project:
    """A project of some size.

    Args:
        place: its machine.
        opened: the file that is open.
        more: the workspace's folders beside the first.
    """

    place: Place
    opened: Path
    more: list[Path] = field(default_factory=list)


@dataclass(frozen=True)
class Kind:
    """Something that there can be more of.

    Args:
        name: what it is.
        sizes: how much of it; the first is what the others are held against.
    """

    name: str
    sizes: tuple[int, ...]

    async def make(self, place: Place, size: int) -> Project:
        """A project with so much of it."""
        match self.name:
            case "threads in the project":
                opened = await history.make(place, files=max(1, size // history.THREADS_PER_FILE))
            case "messages in the session":
                opened = await history.make(place, files=1, turns=size // 2)
            case "lines in the open file":
                opened = await history.make(place, files=1, functions=size // history.LINES)
            case _:
                opened = await history.make(place, files=1)
                more = [place.home / f"folder-{number}" for number in range(1, size)]
                for folder in more:
                    folder.mkdir()
                    await history.make(place, folder, files=1, name=folder.name)
                return Project(place, opened, more)
        return Project(place, opened)


KINDS = (
    Kind("threads in the project", (100, 1_000, 10_000)),
    Kind("messages in the session", (1_000, 10_000, 100_000)),
    Kind("lines in the open file", (1_000, 10_000, 100_000)),
    Kind("folders in the workspace", (1, 10, 50)),
)
MEASURES = ("start", "first hover", "hover, p50", "hover, p99", "memory")


def measure() -> Table:
    """Start a server in each project, in turns, and hover in it."""
    table = Table("Growth", ("", *MEASURES, "aim"))
    panels = []
    for kind in KINDS:
        taken = asyncio.run(_measure(kind))
        small = taken[kind.sizes[0]]
        lines: dict[str, list[float]] = {name: [1.0] for name in MEASURES}
        for size in kind.sizes[1:]:
            row = [_against(name, taken[size], small) for name in MEASURES]
            table.add(f"{size:,} {kind.name}, against {kind.sizes[0]:,}", *row)
            for name, spread in zip(MEASURES, row, strict=True):
                lines[name].append(spread.value)
        factor = math.log(kind.sizes[-1] / kind.sizes[0])
        orders = [f"n^{max(0.0, math.log(lines[name][-1]) / factor):.2f}" for name in MEASURES]
        table.rows.append((f"*growth order of {kind.name}*", *orders, ""))
        panels.append(Panel(kind.name, kind.sizes, [Line(name, values) for name, values in lines.items()]))
        for size in kind.sizes:
            start, first, hover, memory = (taken[size][name] for name in ("start", "first hover", "hover", "memory"))
            table.absolute.append(
                f"{size:,} {kind.name}: start {median(start):.2f} s, first hover after {median(first):.2f} s, "
                f"hover p50 {median(hover) * 1000:.2f} ms, p99 {p99(hover) * 1000:.2f} ms, "
                f"{median(memory) / 2**20:.0f} MB"
            )
    PICTURE.write_text(draw("against the smallest", panels), "utf-8")
    return table


Taken = dict[str, list[float]]


def _against(name: str, ours: Taken, small: Taken) -> Spread:
    if name.startswith("hover"):
        return ratio(ours["hover"], small["hover"], p99 if name.endswith("p99") else median, STARTS)
    return ratio(ours[name], small[name])


async def _measure(kind: Kind) -> dict[int, Taken]:
    taken: dict[int, Taken] = defaultdict(lambda: defaultdict(list))
    with new_place() as a, new_place() as b, new_place() as c:
        projects = {size: await kind.make(place, size) for size, place in zip(kind.sizes, (a, b, c), strict=True)}
        for number, size in in_turns(STARTS + 1, kind.sizes):
            one = _look_at(projects[size])
            if number:  # the first one finds the disk cold
                for name, values in one.items():
                    taken[size][name] += values
    return taken


def _look_at(project: Project) -> Taken:
    """One server's life in a project."""
    line = history.place_of(history.THREADS_PER_FILE // 2)[0]
    with project.place.server() as server:
        start = server.initialize(*project.more)
        uri = server.open(project.opened)
        while not server.hover(uri, line)[1]:
            pass  # its threads are placed beside the message loop
        first = server.age()
        for _ in range(WARM_UP):
            server.hover(uri, line)
        hovers = [server.hover(uri, line)[0] for _ in range(HOVERS)]
        return {
            "start": [start],
            "first hover": [first],
            "hover": hovers,
            "memory": [float(server.process.memory_info().rss)],
        }
