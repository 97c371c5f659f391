"""From the start of the process to the answer to ``initialize``, against the bare server."""

from __future__ import annotations

from benchmarks.measure import Table, in_turns, ratio
from benchmarks.place import BARE, OURS, new_place

AIM = 1.15
TIMES = 20


def measure() -> Table:
    """Start both servers in turns."""
    table = Table("Start to the answer to `initialize`", ("", "against a bare pygls server", "aim"))
    taken: dict[tuple[str, ...], list[float]] = {OURS: [], BARE: []}
    with new_place() as place:
        for number, command in in_turns(TIMES + 1, (BARE, OURS)):
            with place.server(command) as server:
                seconds = server.initialize()
            if number:  # the first ones find the disk cold
                taken[command].append(seconds)
    table.add("start", ratio(taken[OURS], taken[BARE]), aim=AIM)
    table.tell("channelcoder-lsp", taken[OURS])
    table.tell("bare pygls", taken[BARE])
    return table
