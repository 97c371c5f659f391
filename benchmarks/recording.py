"""Writing a turn down, in sessions of 10, 1,000 and 100,000 messages, held against the one of 10.

A turn is what the worker records of one: the question (on disk before it is asked), the start, the finished answer
(on disk before it is told). The two small sessions are made anew for each block, so that they stay small; folding is
left to the journals, as in the server.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from time import perf_counter
from typing import TYPE_CHECKING

from benchmarks import history
from benchmarks.measure import Table, in_turns, ratio
from benchmarks.place import Place, new_place
from channelcoder_lsp.domain.place import Anchor, Position, Range
from channelcoder_lsp.domain.session import SessionMetadata, SessionState
from channelcoder_lsp.domain.thread import Thread
from channelcoder_lsp.storage import FileSessionStorage

if TYPE_CHECKING:
    from channelcoder_lsp.domain.storage import Journal

SIZES = (10, 1_000, 100_000)
AIM = 1.5
BLOCKS = 10
TURNS_IN_BLOCK = 12
LONGEST_THREAD = 100
"""Messages; a longer session has more threads."""

Times = dict[int, list[float]]


def measure() -> Table:
    """Record turns in sessions of all sizes, in turns."""
    return asyncio.run(_measure())


async def _measure() -> Table:
    table = Table("Recording a turn", ("", "against a session of 10 messages", "aim"))
    with new_place() as place:
        large = await _session(place, "large", SIZES[-1])
        on_disk: Times = defaultdict(list)
        written: Times = defaultdict(list)
        for block in range(BLOCKS):
            journals = {size: await _session(place, f"small-{block}-{size}", size) for size in SIZES[:-1]}
            journals[SIZES[-1]] = large
            for journal in journals.values():
                await _record(journal)
            for times, durable in ((on_disk, True), (written, False)):
                for _, size in in_turns(TURNS_IN_BLOCK, SIZES):
                    times[size].append(await _record(journals[size], durable=durable))
            for size in SIZES[:-1]:
                await journals[size].close()
        await large.close()
    for size in SIZES[1:]:
        table.add(f"{size:,} messages", ratio(on_disk[size], on_disk[SIZES[0]]), aim=AIM)
    for size in SIZES[1:]:
        table.add(f"{size:,} messages, without waiting for the disk", ratio(written[size], written[SIZES[0]]), aim=AIM)
    for size in SIZES:
        table.tell(f"{size:,} messages", on_disk[size])
        table.tell(f"{size:,} messages, without waiting for the disk", written[size])
    return table


async def _session(place: Place, name: str, messages: int) -> Journal:
    """A new session with so many messages, open for recording."""
    state = SessionState(metadata=SessionMetadata(name=name))
    for number in range(messages // 2):
        for record in history.answered(_thread(number * 2 // LONGEST_THREAD), number):
            state.apply(record)
    assert len(state.messages) == messages
    return await FileSessionStorage(place.sessions).create(state, name)


def _thread(number: int) -> Thread:
    span = Range(Position(number, 0), Position(number, 4))
    return Thread(id=f"thread-{number}", anchor=Anchor(uri="file:///shop.py", path="shop.py", range=span, quote="code"))


async def _record(journal: Journal, *, durable: bool = True) -> float:
    """Record a turn on the session's first thread; the seconds that it took."""
    thread = next(iter(journal.head.threads.values()))
    asked, started, finished = history.answered(thread.model_copy(deep=True), 0)
    start = perf_counter()
    await journal.append(asked, durable=durable)
    await journal.append(started, durable=False)
    await journal.append(finished, durable=durable)
    return perf_counter() - start
