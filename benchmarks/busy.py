"""Hover in a server that is kept busy: 1,000 edits a second, and 100 questions that wait.

Edits are sent in tens, as fast as an editor that formats or replaces would, to our server and to the bare one in turns,
each with a hover right behind them. The questions wait behind an answer that is held; how long it takes to take on one
of them is held against the first ones.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING

from benchmarks import history
from benchmarks.measure import Table, in_turns, p99, ratio
from benchmarks.place import BARE, new_place
from channelcoder_lsp.offline.process import OfflineModel
from channelcoder_lsp.offline.script import Text

if TYPE_CHECKING:
    from benchmarks.wire import Wire

ROUNDS = 600
WARM_UP = 30
EDITS = 10
SECONDS = 0.01
"""In which so many edits are sent: 1,000 a second."""
QUESTIONS = 100
SOME = 20
"""Questions that are held against as many others."""
AIM = 1.3
QUEUED_AIM = 2.0


def measure() -> Table:
    """Edit and hover in both servers in turns, then have ours take on questions."""
    return asyncio.run(_measure())


async def _measure() -> Table:
    table = Table("Hover in a busy server", ("", "p50", "p99", "aim"))
    async with OfflineModel(control=True) as model:
        with new_place() as place:
            place.more = model.environment()
            opened = await history.make(place)
            await model.script(Text(text="one two three", words_per_chunk=1, hold_after=1, times="always"))
            with place.server() as ours, place.server(BARE) as bare:
                for server in (ours, bare):
                    server.initialize()
                    server.open(opened)
                uri = opened.as_uri()
                _edits(table, ours, bare, uri)
                _questions(table, ours, uri)
            await model.release()
    return table


def _edits(table: Table, ours: Wire, bare: Wire, uri: str) -> None:
    line = history.place_of(history.THREADS_PER_FILE // 2)[0]
    length = len(ours.hover(uri, line)[1])
    assert length > len(history.ANSWER), "there is no answer on hover"
    times: dict[str, list[float]] = defaultdict(list)
    last = line * 2
    for number, name in in_turns(ROUNDS + WARM_UP, ("ours", "bare")):
        server = ours if name == "ours" else bare
        begun = perf_counter()
        _edit(server, uri, last, number)
        seconds, text = server.hover(uri, line, 0 if name == "ours" else length)
        assert text
        if number >= WARM_UP:
            times[name].append(seconds)
        time.sleep(max(0.0, SECONDS - (perf_counter() - begun)))
    table.add(
        "1,000 edits a second, against a bare pygls server",
        ratio(times["ours"], times["bare"]),
        ratio(times["ours"], times["bare"], p99),
        aim=AIM,
    )
    table.tell("hover behind ten edits", times["ours"])
    table.tell("the same, bare server", times["bare"])


def _edit(server: Wire, uri: str, line: int, number: int) -> None:
    """Type a letter and take it away again, five times."""
    for each in range(EDITS):
        place, after = {"line": line, "character": 4}, {"line": line, "character": 4 + each % 2}
        change = {"range": {"start": place, "end": after}, "text": "" if each % 2 else "x"}
        version = 2 + number * EDITS + each
        identifier = {"uri": uri, "version": version}
        server.notify("textDocument/didChange", {"textDocument": identifier, "contentChanges": [change]})


def _questions(table: Table, ours: Wire, uri: str) -> None:
    line = history.place_of(history.THREADS_PER_FILE // 2)[0]
    held = ours.execute("channelcoder.ask", {"uri": uri, "range": _function(0), "question": "Why?"})["turnId"]
    ours.turn(held, lambda turn: bool(turn["text"]))  # Claude runs, and is being listened to
    hovers = {"none": [ours.hover(uri, line)[0] for _ in range(ROUNDS)]}
    before = ours.process.memory_info().rss
    asking = []
    for number in range(QUESTIONS):
        start = perf_counter()
        span = _function(number % history.THREADS_PER_FILE)
        ours.execute("channelcoder.ask", {"uri": uri, "range": span, "question": f"Why {number}?"})
        asking.append(perf_counter() - start)
    hovers["waiting"] = [ours.hover(uri, line)[0] for _ in range(ROUNDS)]
    memory = ours.process.memory_info().rss - before
    cancelled = ours.execute("channelcoder.cancel", {})["turnIds"]
    assert len(cancelled) == QUESTIONS + 1, f"{len(cancelled)} questions waited"
    both = hovers["waiting"], hovers["none"]
    table.add(f"{QUESTIONS} questions wait, against none", ratio(*both), ratio(*both, p99), aim=QUEUED_AIM)
    late, early = asking[-SOME:], asking[:SOME]
    worst = ratio(late, early, median, 4)
    table.add(f"taking on the last of {QUESTIONS} questions, against the first", worst, ratio(late, early, max, 4))
    table.tell("taking on a question", asking)
    table.absolute.append(f"{QUESTIONS} questions that wait take {memory / 2**20:.1f} MB")


def _function(number: int) -> dict[str, dict[str, int]]:
    first, last = history.place_of(number)
    return {"start": {"line": first, "character": 0}, "end": {"line": last, "character": 10}}
