"""Fifty writers on one server: 10,000 turns in ten sessions, by five processes, each with ten writers.

Each session has a writer in every process. A turn is three records, one after the other: the question, the start, the
answer. Afterwards each session must have all turns of its writers once, with their answers, in the order in which each
writer asked them. Held against one writer on the same server.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from contextlib import ExitStack
from time import perf_counter
from typing import TYPE_CHECKING
from uuid import uuid4

from benchmarks import history
from benchmarks.backends import places
from benchmarks.measure import Table, p99
from benchmarks.place import ROOT
from channelcoder_lsp.domain.session import SessionMetadata, SessionState
from channelcoder_lsp.domain.turn import TurnState

if TYPE_CHECKING:
    from channelcoder_lsp.domain.storage import JournaledStorage

SERVERS = ("PostgreSQL", "Redis")
PROCESSES = 5
SESSIONS = 10
TURNS = 200
"""Of each writer."""


def measure() -> Table:
    """Write with one writer, then with all."""
    columns = ("", "turns a second, against one writer", "p99 of a turn, against one writer", "lost or doubled")
    table = Table("Fifty writers", columns)
    with ExitStack() as servers:
        for name, url in places(servers):
            if name in SERVERS:
                _alone, (rate, slowest, lost) = _write(url, 1, 1), _write(url, PROCESSES, SESSIONS)
                total = PROCESSES * SESSIONS * TURNS
                cells = (f"{rate / _alone[0]:.2f}x", f"{slowest / _alone[1]:.2f}x", f"{lost} of {total:,}")
                table.rows.append((name, *cells))
                table.missed += [f"{name}: {lost} turns are lost or doubled"] if lost else []
                for who, (turns, tail, _) in (("one writer", _alone), ("fifty", (rate, slowest, lost))):
                    table.absolute.append(f"{name}, {who}: {turns:.0f} turns a second, p99 {tail * 1000:.1f} ms")
    return table


def _write(url: str, processes: int, sessions: int) -> tuple[float, float, int]:
    """Turns a second, the 99th percentile of a turn's seconds, and how many turns are lost or doubled."""
    tenant = uuid4().hex
    asyncio.run(_make(url, tenant, sessions))
    command = [sys.executable, "-m", "benchmarks.writers", url, tenant, str(sessions)]
    running = [
        subprocess.Popen([*command, f"process-{n}"], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for n in range(processes)
    ]
    for each in running:
        assert each.stdout is not None
        assert each.stdout.readline() == "ready\n"
    start = perf_counter()
    seconds: list[float] = []
    for each in running:
        assert each.stdin is not None
        each.stdin.write("go\n")
        each.stdin.flush()
    for each in running:
        assert each.stdout is not None
        seconds += json.loads(each.stdout.readline())
    taken = perf_counter() - start
    for each in running:
        each.communicate()
    wrong = asyncio.run(_wrong(url, tenant, sessions, [f"process-{n}" for n in range(processes)]))
    return len(seconds) / taken, p99(seconds), wrong


async def _make(url: str, tenant: str, sessions: int) -> None:
    from backends.places import Place  # noqa: PLC0415 - of the tests

    async with Place(url, tenant).storage() as storage:
        for number in range(sessions):
            state = SessionState(metadata=SessionMetadata(name=f"session-{number}"))
            await (await storage.create(state, f"session-{number}")).close()


async def _wrong(url: str, tenant: str, sessions: int, writers: list[str]) -> int:
    from backends.places import Place  # noqa: PLC0415 - of the tests

    wrong = 0
    async with Place(url, tenant).storage() as storage:
        for number in range(sessions):
            state = await storage.load(f"session-{number}")
            said = [message.turn_id for message in state.messages if message.role == "assistant"]
            for writer in writers:
                mine = [turn.id for turn in state.turns.values() if turn.id.startswith(f"{writer}-")]
                wanted = [f"{writer}-{turn}" for turn in range(TURNS)]
                done = all(state.turns[turn].state is TurnState.DONE for turn in mine)
                answered = [turn for turn in said if turn in wanted]
                if mine != wanted or sorted(answered) != sorted(wanted) or not done:
                    wrong += max(1, len(set(wanted) ^ set(answered)), abs(len(answered) - len(wanted)))
    return wrong


async def _writer(storage: JournaledStorage, session: str, name: str) -> list[float]:
    """Write the turns of one writer; the seconds that each took."""
    journal = await storage.open(session)
    seconds = []
    for number in range(TURNS):
        asked, started, finished = history.answered(None, number)
        turn_id = f"{name}-{number}"
        asked = asked.model_copy(update={"turn": asked.turn.model_copy(update={"id": turn_id})})
        start = perf_counter()
        await journal.append(asked)
        await journal.append(started.model_copy(update={"turn_id": turn_id}))
        await journal.append(finished.model_copy(update={"turn_id": turn_id}))
        seconds.append(perf_counter() - start)
    await journal.close()
    return seconds


async def _process(url: str, tenant: str, sessions: int, name: str) -> None:
    sys.path.insert(0, str(ROOT / "tests"))
    from backends.places import Place  # noqa: PLC0415 - of the tests

    async with Place(url, tenant).storage() as storage:
        await storage.list()  # it is connected
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        taken = await asyncio.gather(*(_writer(storage, f"session-{n}", name) for n in range(sessions)))
    print(json.dumps([each for writer in taken for each in writer]), flush=True)


if __name__ == "__main__":
    asyncio.run(_process(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]))
