"""Start, hover and memory beside two language servers that people run for Python, on the same file.

They are installed into an environment of their own the first time. What they do is not what ours does: they analyse the
code, ours looks up what was said about it. It is here to tell what one more server costs beside those that run already.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections import defaultdict
from statistics import median
from typing import TYPE_CHECKING

from benchmarks import history
from benchmarks.measure import Table, in_turns, p99, ratio
from benchmarks.place import OURS, ROOT, Place, new_place

if TYPE_CHECKING:
    from pathlib import Path

SERVERS = {
    "jedi-language-server": ("jedi-language-server==0.47.0", "jedi-language-server"),
    "python-lsp-server": ("python-lsp-server==1.15.0", "pylsp"),
}
ENVIRONMENT = ROOT / ".make" / "servers"
STARTS = 6
HOVERS = 60
WARM_UP = 5
CHARACTER = 6
"""Where a function's name is in its first line."""

Taken = dict[str, list[float]]


def measure() -> Table:
    """Start all of them in turns, each with the same file open, and hover over a function that was asked about."""
    programs = _installed()
    commands = {"ours": OURS, **{name: (str(programs / program),) for name, (_, program) in SERVERS.items()}}
    taken: dict[str, Taken] = defaultdict(lambda: defaultdict(list))
    with new_place() as place:
        opened = asyncio.run(history.make(place, files=1))
        for number, name in in_turns(STARTS + 1, list(commands)):
            one = _look_at(place, commands[name], opened.name)
            if number:  # the first ones find the disk cold
                for what, values in one.items():
                    taken[name][what] += values
    table = Table("Beside other servers", ("", *(f"{name} takes" for name in SERVERS), "aim"))
    ours = taken.pop("ours")
    for what in ("start", "first hover", "hover", "memory"):
        for of, tail in ((median, ", p50"), (p99, ", p99")) if what == "hover" else ((median, ""),):
            table.add(what + tail, *(ratio(taken[name][what], ours[what], of, STARTS) for name in SERVERS))
    for name, each in {"ours": ours, **taken}.items():
        for what in ("start", "first hover", "hover"):
            table.tell(f"{name}, {what}", each[what])
        table.absolute.append(f"{name}: {median(each['memory']) / 2**20:.0f} MB")
    return table


def _installed() -> Path:
    """The folder with their programs."""
    programs = ENVIRONMENT / ("Scripts" if sys.platform == "win32" else "bin")
    if not ENVIRONMENT.exists():
        subprocess.run([sys.executable, "-m", "venv", str(ENVIRONMENT)], check=True)
    wanted = [requirement for requirement, _ in SERVERS.values()]
    subprocess.run([str(programs / "python"), "-m", "pip", "install", "--quiet", *wanted], check=True)
    return programs


def _look_at(place: Place, command: tuple[str, ...], opened: str) -> Taken:
    line = history.place_of(history.THREADS_PER_FILE // 2)[0]
    with place.server(command) as server:
        start = server.initialize()
        uri = server.open(place.project / opened)
        while not server.hover(uri, line, CHARACTER)[1]:
            pass  # ours places threads beside the message loop
        first = server.age()
        for _ in range(WARM_UP):
            server.hover(uri, line, CHARACTER)
        hovers = [server.hover(uri, line, CHARACTER)[0] for _ in range(HOVERS)]
        memory = float(server.process.memory_info().rss)
        return {"start": [start], "first hover": [first], "hover": hovers, "memory": [memory]}
