"""What the server imports before it can answer, and the memory of an idle one. For information: no aims."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections import defaultdict
from time import perf_counter
from typing import TYPE_CHECKING

from benchmarks import history
from benchmarks.measure import Table, in_turns, ratio
from benchmarks.place import BARE, OURS, Place, new_place

if TYPE_CHECKING:
    from pathlib import Path

MODULES = {"pygls": "pygls.lsp.server", "ours": "channelcoder_lsp.server", "nothing": "sys"}
IMPORTS = 10
SERVERS = 4


def measure() -> Table:
    """Import both in turns; start both in turns, and look at their memory when they have nothing to do."""
    table = Table("Imports and memory", ("", "against pygls, or a bare pygls server", "aim"))
    times: dict[str, list[float]] = defaultdict(list)
    for number, name in in_turns(IMPORTS + 1, list(MODULES)):
        seconds = _import(MODULES[name])
        if number:
            times[name].append(seconds)
    table.add("a process that imports the server", ratio(times["ours"], times["pygls"]))
    for name, module in MODULES.items():
        table.tell(f"a process that imports {module}", times[name])

    memory: dict[str, list[float]] = defaultdict(list)
    with new_place() as empty, new_place() as full:
        opened = {full: asyncio.run(history.make(full)), empty: empty.project / history.file_name(0)}
        opened[empty].write_text(history.source(0), "utf-8")
        kinds = {"bare": (empty, BARE), "empty": (empty, OURS), "full": (full, OURS)}
        for _, name in in_turns(SERVERS, list(kinds)):
            place, command = kinds[name]
            memory[name].append(_resident(place, command, opened[place]))
    table.add("memory, idle", ratio(memory["empty"], memory["bare"]))
    table.add("memory, idle, with 1,000 threads in the project", ratio(memory["full"], memory["bare"]))
    table.absolute += [f"{name}: {min(sizes) / 2**20:.1f} MB resident" for name, sizes in memory.items()]
    return table


def _import(module: str) -> float:
    start = perf_counter()
    subprocess.run([sys.executable, "-c", f"import {module}"], check=True)
    return perf_counter() - start


def _resident(place: Place, command: tuple[str, ...], opened: Path) -> float:
    """The memory of a server that has a document open and has answered a hover, in bytes."""
    with place.server(command) as server:
        server.initialize()
        server.hover(server.open(opened), 1)
        return float(server.process.memory_info().rss)
