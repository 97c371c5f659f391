"""Sessions in SQLite, PostgreSQL, Redis and S3, against the bare client library that writes and reads the same.

Ours and the bare client work on the same server in turns: a record is added, a session is opened (its head: the last
20 turns), 2,000 sessions are listed. The bare client's row, record and notification are as large as ours, in one
transaction; it checks nothing and knows nothing of leases.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from collections import defaultdict
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING
from uuid import uuid4

from benchmarks import history
from benchmarks.measure import Table, in_turns, ratio
from benchmarks.place import ROOT
from benchmarks.raw import raw_client
from channelcoder_lsp.domain.records import dump_record
from channelcoder_lsp.domain.session import SessionMetadata, SessionState

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from benchmarks.raw import RawClient
    from channelcoder_lsp.domain.storage import JournaledStorage

AIM = 1.5
TURNS = 200
"""In the session that is opened."""
SESSIONS = 2000
APPENDS = 150
OPENS = 60
LISTS = 10
TOGETHER = 8
"""Sessions that are made at a time."""

Times = dict[str, list[float]]


def measure() -> Table:
    """Each back end in turn."""
    return asyncio.run(_measure())


async def _measure() -> Table:
    table = Table("Back ends", ("", "against the bare client", "aim"))
    with ExitStack() as servers:
        for name, url in places(servers):
            times = await _back_end(url)
            for what, ours in ((each, times[each]) for each in times if not each.startswith("bare ")):
                bare = times[f"bare {what}"]
                table.add(f"{name}: {what}", ratio(ours, bare), aim=AIM)
                table.tell(f"{name}, {what}", ours)
                table.tell(f"{name}, {what}, bare client", bare)
    return table


def places(servers: ExitStack) -> Iterator[tuple[str, str]]:
    """A server of each kind, as the tests start them: its name, and its URL."""
    folder = Path(servers.enter_context(tempfile.TemporaryDirectory()))
    sys.path.insert(0, str(ROOT / "tests"))
    from backends.postgres import running_postgres  # noqa: PLC0415 - of the tests
    from backends.redis import RedisServer  # noqa: PLC0415
    from backends.s3 import running_s3  # noqa: PLC0415

    yield "SQLite", f"sqlite:///{folder}/sessions.db"
    yield "PostgreSQL", servers.enter_context(running_postgres()).url
    redis = RedisServer(folder / "redis", "--appendonly", "yes")
    redis.start()
    servers.callback(redis.stop)
    yield "Redis", redis.url
    yield "S3", servers.enter_context(running_s3(folder / "s3")).url


async def _back_end(url: str) -> Times:
    from backends.places import Place  # noqa: PLC0415 - of the tests

    times: Times = defaultdict(list)
    async with AsyncExitStack() as stack:
        storage: JournaledStorage = await stack.enter_async_context(Place(url, uuid4().hex).storage())
        bare = await stack.enter_async_context(raw_client(url))
        state = SessionState(metadata=SessionMetadata(name="long"))
        journal = await storage.create(state, "long")
        texts = []
        for number in range(TURNS):
            records = list(history.answered(None, number))
            await journal.append(*records)
            texts += [dump_record(record) for record in records]
        await journal.close()
        head = journal.head.model_dump_json(by_alias=True)
        await bare.make("long", row=_row("long"), head=head, texts=texts[-60:])
        await _turns(times, "append of a record", APPENDS, *_appending(storage, bare, texts))
        await _turns(times, "opening a session of 400 messages", OPENS, *_opening(storage, bare))
        await _make_many(storage, bare)
        await _turns(times, "list of 2,000 sessions", LISTS, *_listing(storage, bare))
    return times


async def _turns(
    times: Times, what: str, count: int, ours: Callable[[], Awaitable[object]], bare: Callable[[], Awaitable[object]]
) -> None:
    actions = {what: ours, f"bare {what}": bare}
    for number, name in in_turns(count + 2, list(actions)):
        start = perf_counter()
        await actions[name]()
        if number > 1:
            times[name].append(perf_counter() - start)


def _appending(
    storage: JournaledStorage, bare: RawClient, texts: list[str]
) -> tuple[Callable[[], Awaitable[object]], Callable[[], Awaitable[object]]]:
    records = [record for number in range(APPENDS) for record in history.answered(None, number)]
    opened = asyncio.ensure_future(storage.open("long"))

    async def ours() -> None:
        journal = await opened
        await journal.append(records.pop())

    async def raw() -> None:
        await bare.append("long", row=_row("long"), text=texts[len(records) % len(texts)])

    return ours, raw


def _opening(
    storage: JournaledStorage, bare: RawClient
) -> tuple[Callable[[], Awaitable[object]], Callable[[], Awaitable[object]]]:
    async def ours() -> None:
        journal = await storage.open("long")
        assert len(journal.head.turns) >= 20

    async def raw() -> None:
        head, texts = await bare.open("long")
        assert json.loads(head)
        assert all(json.loads(text) for text in texts)

    return ours, raw


def _listing(
    storage: JournaledStorage, bare: RawClient
) -> tuple[Callable[[], Awaitable[object]], Callable[[], Awaitable[object]]]:
    async def ours() -> None:
        assert len(await storage.list()) == SESSIONS + 1

    async def raw() -> None:
        assert len([json.loads(row) for row in await bare.list()]) == SESSIONS + 1

    return ours, raw


async def _make_many(storage: JournaledStorage, bare: RawClient) -> None:
    names = iter([f"session-{number}" for number in range(SESSIONS)])

    async def make() -> None:
        for name in names:
            state = SessionState(metadata=SessionMetadata(name=name))
            await (await storage.create(state, name)).close()
            await bare.make(name, row=_row(name), head="{}", texts=[])

    await asyncio.gather(*(make() for _ in range(TOGETHER)))


def _row(name: str) -> str:
    row = {"name": name, "created": "2026-01-01T00:00:00Z", "lastActive": "2026-01-01T00:00:00Z", "messages": 400}
    return json.dumps({**row, "cost": 1.5, "question": "What does total_1 do, and what would you change?" * 2})
