"""Back ends that several processes share, as the tests and the processes that they start reach them."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from contextlib import asynccontextmanager, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from anyio import fail_after, to_thread

from channelcoder_lsp.domain.errors import StorageUnreachableError

PATIENCE = 60.0
"""Seconds, for what is sure to come."""


async def arrived(outbox):
    """Wait until nothing waits in an outbox any more."""
    with fail_after(PATIENCE):
        while outbox.away is not None or await outbox.waiting():  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.05)


@contextmanager
def kept_away(outbox):
    """For this machine alone the server, which is away, stays away a little longer."""
    find = outbox._inner.find

    async def away(name):
        raise StorageUnreachableError("It is away for this machine alone.")

    outbox._inner.find = away
    yield
    outbox._inner.find = find


@dataclass(frozen=True)
class Place:
    """Where sessions are, in words that another process understands."""

    url: str
    tenant: str
    lease_seconds: float = 15.0

    @asynccontextmanager
    async def storage(self):
        """A storage there, with connections of its own."""
        options = {"tenant": self.tenant, "lease_seconds": self.lease_seconds}
        if self.url.startswith("redis"):
            from redis.asyncio import Redis  # noqa: PLC0415 - each test needs one of them

            from channelcoder_lsp.storage.redis.storage import RedisStorage  # noqa: PLC0415

            async with Redis.from_url(self.url) as client:
                yield RedisStorage(client, **options)
        elif self.url.startswith("s3"):
            from backends.s3 import client_for  # noqa: PLC0415
            from channelcoder_lsp.storage.s3.storage import S3Storage  # noqa: PLC0415

            store, prefix = client_for(self.url)
            storage = S3Storage(store, prefix=prefix, **options)
            try:
                yield storage
            finally:
                await storage.close()
        else:
            from sqlalchemy.ext.asyncio import create_async_engine  # noqa: PLC0415

            from channelcoder_lsp.storage.database.storage import DatabaseStorage  # noqa: PLC0415

            driver = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg"}[self.url.partition(":")[0]]
            engine = create_async_engine(f"{driver}:{self.url.partition(':')[2]}", pool_pre_ping=True)
            try:
                yield DatabaseStorage(engine, **options)
            finally:
                await engine.dispose()

    async def leftovers(self) -> list[str]:
        """What the tenant has there."""
        if self.url.startswith("redis"):
            from redis.asyncio import Redis  # noqa: PLC0415

            from channelcoder_lsp.storage.redis.keys import Keys  # noqa: PLC0415

            async with Redis.from_url(self.url, decode_responses=True) as client:
                return [key async for key in client.scan_iter() if key.startswith(Keys(self.tenant).prefix)]
        if self.url.startswith("s3"):
            return await self._objects()
        from sqlalchemy import func, select  # noqa: PLC0415

        from channelcoder_lsp.storage.database.tables import contents, records, sessions, snapshots  # noqa: PLC0415

        mine = select(sessions.c.key).where(sessions.c.tenant == self.tenant)
        everybody = select(sessions.c.key)
        left = []
        async with self.storage() as storage, storage._backend._engine.connect() as connection:
            left += (await connection.execute(mine)).scalars()
            for table in (snapshots, records, contents):
                # What belongs to no session can only be left over; what belongs to one of the tenant's is there, too.
                stray = table.c.session.not_in(everybody) | table.c.session.in_(mine)
                count = (await connection.execute(select(func.count()).select_from(table).where(stray))).scalar()
                left += [table.name] * count
        return left

    async def _objects(self) -> list[str]:
        """Paths of objects, but for those that all sessions share and that have nothing of a session in them."""
        from channelcoder_lsp.storage.s3 import paths  # noqa: PLC0415

        async with self.storage() as storage:
            bucket = storage._backend._bucket
            empty = {paths.NAMES: b'"names":{}}', paths.ROWS: b'{"rows":{}}'}
            left = []
            for each in await bucket.list(""):
                found = await bucket.get(each.path)
                if each.path != paths.CHANGED and not found.data.endswith(empty.get(each.path, b"none")):
                    left.append(each.path)
            return left


class Process:
    """A process that does one of the things of ``backends/process.py``, told line by line."""

    def __init__(self, does: str, place: Place, *arguments: str) -> None:
        folder = Path(__file__).parent
        command = [sys.executable, "-m", "backends.process", does, json.dumps(asdict(place)), *arguments]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
            env={**os.environ, "PYTHONPATH": str(folder.parent)},
        )

    async def says(self, patience: float = PATIENCE) -> str:
        """Its next line."""
        with fail_after(patience):
            return (await to_thread.run_sync(self._process.stdout.readline, abandon_on_cancel=True)).strip()

    def tell(self, line: str) -> None:
        """Give it a line."""
        self._process.stdin.write(f"{line}\n")

    async def stopped(self) -> None:
        """Wait until it has stopped itself."""
        with fail_after(PATIENCE):
            status = 0
            while not os.WIFSTOPPED(status):
                _, status = os.waitpid(self._process.pid, os.WUNTRACED | os.WNOHANG)  # noqa: ASYNC222 - it does not wait
                await asyncio.sleep(0.02)

    def signal(self, number: int) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    def end(self) -> None:
        """Have it end, in whatever state it is."""
        self._process.kill()
        self._process.wait(PATIENCE)
        self._process.stdin.close()
        self._process.stdout.close()
