"""The bare client libraries, writing and reading what the back ends do; nothing is checked."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Protocol
from uuid import uuid4

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

LAST = 60
"""Records that belong to 20 turns."""


class RawClient(Protocol):
    """What all of them do. Rows, heads and records are JSON texts."""

    async def make(self, name: str, *, row: str, head: str, texts: Sequence[str]) -> None:
        """Write a session."""
        ...

    async def append(self, name: str, *, row: str, text: str) -> None:
        """Add a record to a session, and write its row anew, as one."""
        ...

    async def open(self, name: str) -> tuple[str, Sequence[str]]:
        """A session's head, and the last records."""
        ...

    async def list(self) -> Sequence[str]:
        """The rows of all sessions."""
        ...


@asynccontextmanager
async def raw_client(url: str) -> AsyncIterator[RawClient]:
    """The client for the server at ``url``, with nothing of others in its way."""
    if url.startswith("sqlite"):
        import aiosqlite  # noqa: PLC0415 - each place needs one of them

        async with aiosqlite.connect(f"{url.removeprefix('sqlite:///')}-bare", isolation_level=None) as lite:
            client = SQLite(lite)
            await client.prepare()
            yield client
    elif url.startswith("postgresql"):
        import asyncpg  # noqa: PLC0415

        connection = await asyncpg.connect(url)
        try:
            postgres = PostgreSQL(connection)
            await postgres.prepare()
            yield postgres
        finally:
            await connection.close()
    elif url.startswith("redis"):
        from redis.asyncio import Redis as Client  # noqa: PLC0415

        async with Client.from_url(url) as redis:
            yield Redis(redis)
    else:
        from backends.s3 import client_for  # noqa: PLC0415 - of the tests

        yield S3(client_for(url)[0])


_TABLES = (
    "CREATE TABLE raw_sessions (name varchar(200) PRIMARY KEY, seq integer NOT NULL, line text NOT NULL)",
    "CREATE TABLE raw_heads (name varchar(200) PRIMARY KEY, head text NOT NULL)",
    "CREATE TABLE raw_records (name varchar(200), seq integer, text text NOT NULL, PRIMARY KEY (name, seq))",
)


class SQLite:
    """aiosqlite, with the journal mode and the synchronisation of ours."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def prepare(self) -> None:
        """Make the tables."""
        await self._connection.execute("PRAGMA journal_mode=WAL")
        for table in _TABLES:
            await self._connection.execute(table)

    async def make(self, name: str, *, row: str, head: str, texts: Sequence[str]) -> None:
        await self._connection.execute("INSERT INTO raw_sessions VALUES (?, ?, ?)", (name, len(texts), row))
        await self._connection.execute("INSERT INTO raw_heads VALUES (?, ?)", (name, head))
        rows = [(name, seq, text) for seq, text in enumerate(texts)]
        await self._connection.executemany("INSERT INTO raw_records VALUES (?, ?, ?)", rows)

    async def append(self, name: str, *, row: str, text: str) -> None:
        connection = self._connection
        await connection.execute("BEGIN IMMEDIATE")
        await connection.execute("UPDATE raw_sessions SET seq = seq + 1, line = ? WHERE name = ?", (row, name))
        insert = "INSERT INTO raw_records SELECT name, seq, ? FROM raw_sessions WHERE name = ?"
        await connection.execute(insert, (text, name))
        await connection.execute("COMMIT")

    async def open(self, name: str) -> tuple[str, Sequence[str]]:
        [(head,)] = await self._connection.execute_fetchall("SELECT head FROM raw_heads WHERE name = ?", (name,))
        last = f"SELECT text FROM raw_records WHERE name = ? ORDER BY seq DESC LIMIT {LAST}"
        return head, [text for (text,) in await self._connection.execute_fetchall(last, (name,))]

    async def list(self) -> Sequence[str]:
        return [line for (line,) in await self._connection.execute_fetchall("SELECT line FROM raw_sessions")]


class PostgreSQL:
    """asyncpg, with one connection; those who listen are told."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._busy = asyncio.Lock()

    async def prepare(self) -> None:
        """Make the tables."""
        for table in _TABLES:
            await self._connection.execute(table)

    async def make(self, name: str, *, row: str, head: str, texts: Sequence[str]) -> None:
        async with self._busy:
            await self._connection.execute("INSERT INTO raw_sessions VALUES ($1, $2, $3)", name, len(texts), row)
            await self._connection.execute("INSERT INTO raw_heads VALUES ($1, $2)", name, head)
            rows = [(name, seq, text) for seq, text in enumerate(texts)]
            await self._connection.executemany("INSERT INTO raw_records VALUES ($1, $2, $3)", rows)

    async def append(self, name: str, *, row: str, text: str) -> None:
        connection = self._connection
        async with self._busy, connection.transaction():
            await connection.execute("UPDATE raw_sessions SET seq = seq + 1, line = $1 WHERE name = $2", row, name)
            insert = "INSERT INTO raw_records SELECT name, seq, $1 FROM raw_sessions WHERE name = $2"
            await connection.execute(insert, text, name)
            await connection.execute("SELECT pg_notify('raw', $1)", name)

    async def open(self, name: str) -> tuple[str, Sequence[str]]:
        head = await self._connection.fetchval("SELECT head FROM raw_heads WHERE name = $1", name)
        last = f"SELECT text FROM raw_records WHERE name = $1 ORDER BY seq DESC LIMIT {LAST}"
        return head, [row[0] for row in await self._connection.fetch(last, name)]

    async def list(self) -> Sequence[str]:
        return [row[0] for row in await self._connection.fetch("SELECT line FROM raw_sessions")]


class Redis:
    """redis-py: a stream of records, a hash for the rest; those who listen are told."""

    def __init__(self, client: Any) -> None:
        self._client = client

    async def make(self, name: str, *, row: str, head: str, texts: Sequence[str]) -> None:
        async with self._client.pipeline(transaction=True) as pipeline:
            pipeline.hset(f"raw:{name}", mapping={"row": row, "head": head})
            pipeline.sadd("raw", name)
            for text in texts:
                pipeline.xadd(f"raw:{name}:records", {"text": text})
            await pipeline.execute()

    async def append(self, name: str, *, row: str, text: str) -> None:
        async with self._client.pipeline(transaction=True) as pipeline:
            pipeline.xadd(f"raw:{name}:records", {"text": text})
            pipeline.hset(f"raw:{name}", "row", row)
            pipeline.publish("raw", name)
            await pipeline.execute()

    async def open(self, name: str) -> tuple[str, Sequence[str]]:
        head = await self._client.hget(f"raw:{name}", "head")
        last = await self._client.xrevrange(f"raw:{name}:records", count=LAST)
        return head, [fields[b"text"] for _, fields in last]

    async def list(self) -> Sequence[str]:
        async with self._client.pipeline(transaction=False) as pipeline:
            for name in await self._client.smembers("raw"):
                pipeline.hget(f"raw:{name.decode()}", "row")
            rows: list[str] = await pipeline.execute()
            return rows


class S3:
    """obstore: one object that is written anew if nobody else has, with the last records in it; one for each row."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self._prefix = uuid4().hex
        self._tags: dict[str, Any] = {}
        self._rows: dict[str, str] = {}

    async def make(self, name: str, *, row: str, head: str, texts: Sequence[str]) -> None:
        from obstore import put_async  # noqa: PLC0415 - an extra

        self._rows[name] = row
        body = "\n".join([row, *texts]).encode()
        self._tags[name] = await put_async(self._store, f"{self._prefix}/{name}", body, mode="create")
        if texts:
            await put_async(self._store, f"{self._prefix}-heads/{name}", head.encode())

    async def append(self, name: str, *, row: str, text: str) -> None:
        from obstore import put_async  # noqa: PLC0415

        body = f"{row}\n{text}".encode()
        mode = {"e_tag": self._tags[name]["e_tag"]}
        self._tags[name] = await put_async(self._store, f"{self._prefix}/{name}", body, mode=mode)

    async def open(self, name: str) -> tuple[str, Sequence[str]]:
        from obstore import get_async  # noqa: PLC0415

        head = await (await get_async(self._store, f"{self._prefix}-heads/{name}")).bytes_async()
        card = await (await get_async(self._store, f"{self._prefix}/{name}")).bytes_async()
        return bytes(head).decode(), bytes(card).decode().split("\n")

    async def list(self) -> Sequence[str]:
        import obstore  # noqa: PLC0415

        found = []
        async for page in obstore.list(self._store, f"{self._prefix}/"):
            found += [self._rows[each["path"].rpartition("/")[2]] for each in page]
        return found
