"""The back end port on SQL."""

from __future__ import annotations

import time
from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy import ARRAY, Integer, Text, and_, delete, func, insert, literal, or_, select, true, update
from sqlalchemy.exc import IntegrityError

from channelcoder_lsp.domain.errors import (
    LeaseLostError,
    SessionExistsError,
    SessionNotFoundError,
)
from channelcoder_lsp.domain.session import SessionInfo
from channelcoder_lsp.storage.database.tables import contents, epoch, records, sessions, snapshots
from channelcoder_lsp.storage.database.visits import TakenError, Visits
from channelcoder_lsp.storage.database.watching import CHANNEL, changed_sessions
from channelcoder_lsp.storage.shared.backend import Backend, Handle, Line, Mark, Stored, Whole

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Collection, Sequence

    from sqlalchemy import ColumnElement, Update
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

_WAITING_SECONDS = 2.0
"""For how long somebody who asked for the lease is next in turn without asking again."""
_LOOK_SECONDS = 60.0
"""How often, at most, somebody who uses the sessions looks for those that are to be removed."""
_INFO = (
    sessions.c.name,
    sessions.c.created,
    sessions.c.last_active,
    sessions.c.message_count,
    sessions.c.cost_usd,
    sessions.c.first_question,
    sessions.c.checkout,
)
_BASE, _HEAD = "base", "head"
_OF_A_SESSION = (snapshots, records, contents)
"""Where else there are rows of a session."""


class DatabaseBackend(Backend):
    """The port :class:`channelcoder_lsp.storage.shared.backend.Backend` on SQL.

    Args:
        engine: the database.
        tenant: whose sessions these are; those of another tenant are never seen.
        retention: seconds after which a session is removed in which nothing was recorded; None: never.
        owned: whether to dispose of the engine at the end.
    """

    def __init__(
        self, engine: AsyncEngine, *, tenant: str = "", retention: float | None = None, owned: bool = False
    ) -> None:
        self._engine = engine
        self._tenant = tenant
        self._retention = retention
        self._look_at = 0.0
        self._owned = owned
        self._visits = Visits(engine)

    @property
    def address(self) -> str:
        """The database's URL without credentials."""
        return self._visits.address

    async def create(self, handle: Handle, whole: Whole) -> None:
        """Store a new session."""
        await self._remove_old()
        row = {"key": handle.key, "tenant": self._tenant, "generation": 0, "seq": whole.seq, **_columns(whole.info)}
        try:
            async with self._changing(handle.name) as connection:
                await connection.execute(insert(sessions).values(**row, name=handle.name))
                texts = ((_BASE, whole.base), (_HEAD, whole.head))
                values = [
                    {"session": handle.key, "kind": kind, "generation": 0, "seq": whole.seq, "text": text}
                    for kind, text in texts
                ]
                await connection.execute(insert(snapshots), values)
        except TakenError as problem:
            raise SessionExistsError(handle.name) from problem

    async def find(self, name: str) -> Handle | None:
        """The session of that name."""
        await self._remove_old()
        async with self._visits.visit() as connection:
            query = select(sessions.c.key).where(sessions.c.tenant == self._tenant, sessions.c.name == name)
            key = (await connection.execute(query)).scalar()
        return Handle(name, key) if key is not None else None

    async def rows(self) -> list[SessionInfo]:
        """The rows of all sessions."""
        await self._remove_old()
        async with self._visits.visit() as connection:
            found = (await connection.execute(select(*_INFO).where(sessions.c.tenant == self._tenant))).mappings()
            return [SessionInfo(**row, path=f"{self.address}/{row['name']}") for row in found]

    async def replace(self, handle: Handle, whole: Whole) -> None:
        """Store the session anew."""
        async with self._changing(handle.name) as connection:
            change = update(sessions).where(self._is(handle))
            change = change.values(generation=sessions.c.generation + 1, seq=whole.seq, **_columns(whole.info))
            generation = (await connection.execute(change.returning(sessions.c.generation))).scalar()
            if generation is None:
                raise SessionNotFoundError(handle.name)
            await connection.execute(delete(records).where(records.c.session == handle.key))
            for kind, text in ((_BASE, whole.base), (_HEAD, whole.head)):
                await self._put(connection, handle, kind, Mark(generation, whole.seq), text)

    async def rename(self, handle: Handle, name: str) -> None:
        """Give the session another name."""
        try:
            async with self._changing(handle.name, name) as connection:
                change = update(sessions).where(self._is(handle)).values(name=name)
                await self._must_be_there(connection, change, handle)
        except TakenError as problem:
            raise SessionExistsError(name) from problem

    async def delete(self, handle: Handle) -> None:
        """Remove the session and all that belongs to it."""
        async with self._changing(handle.name) as connection:
            # The row first, which takes the lock that whoever records waits for.
            await self._must_be_there(connection, update(sessions).where(self._is(handle)).values(holder=None), handle)
            await self._remove(connection, [handle.key])

    async def head(self, handle: Handle) -> Stored:
        """The head that was kept last, and the records after it."""
        return await self._stored(handle, _HEAD)

    async def whole(self, handle: Handle) -> Stored:
        """The base, and all records."""
        return await self._stored(handle, _BASE)

    async def since(self, handle: Handle, mark: Mark) -> Sequence[Line] | None:
        """The records after a mark."""
        async with self._visits.visit() as connection:
            current = await self._mark(connection, handle)
            if current.generation != mark.generation:
                return None
            return await self._lines(connection, handle, mark) if current.seq > mark.seq else ()

    async def append(
        self, handle: Handle, mark: Mark, lines: Sequence[Line], info: SessionInfo, fence: int
    ) -> Mark | None:
        """Add records after ``mark``."""
        expected = [self._is(handle), sessions.c.generation == mark.generation, sessions.c.seq == mark.seq]
        if fence:
            expected.append(sessions.c.fence == fence)
        change = update(sessions).where(*expected).values(seq=lines[-1].seq, **_columns(info))
        added = self._added_at_once if self._engine.dialect.name == "postgresql" else self._added
        if await added(handle, change, mark.generation, lines):
            return Mark(mark.generation, lines[-1].seq)
        async with self._visits.visit() as connection:
            current = (await connection.execute(select(sessions.c.fence).where(self._is(handle)))).scalar()
        if current is None:
            raise SessionNotFoundError(handle.name)
        if fence and current != fence:
            raise LeaseLostError(handle.name)
        return None

    async def _added(self, handle: Handle, change: Update, generation: int, lines: Sequence[Line]) -> bool:
        async with self._visits.visit() as connection:
            if not (await connection.execute(change)).rowcount:
                return False
            values = [
                {"session": handle.key, "generation": generation, "seq": line.seq, "text": line.text} for line in lines
            ]
            await connection.execute(insert(records), values)
        return True

    async def _added_at_once(self, handle: Handle, change: Update, generation: int, lines: Sequence[Line]) -> bool:
        """The same in one statement: each way to the server and back is waited for."""
        session = change.returning(sessions.c.key).cte("session")
        numbers = literal([line.seq for line in lines], ARRAY(Integer))
        texts = literal([line.text for line in lines], ARRAY(Text))
        line = func.unnest(numbers, texts).table_valued("seq", "text").render_derived()
        rows = select(session.c.key, literal(generation), line.c.seq, line.c.text).select_from(
            session.join(line, true())
        )
        added = insert(records).from_select(["session", "generation", "seq", "text"], rows).cte("added")
        tell = select(func.pg_notify(CHANNEL, self._told(handle.name))).select_from(session).add_cte(added)
        async with self._visits.visit(alone=True) as connection:
            return (await connection.execute(tell)).first() is not None

    async def keep_head(self, handle: Handle, mark: Mark, head: str, drop: Sequence[int]) -> None:
        """Keep a head, unless a later one is kept."""
        async with self._visits.visit() as connection:
            await self._put(connection, handle, _HEAD, mark, head)
            if drop:
                mine = and_(records.c.session == handle.key, records.c.generation == mark.generation)
                await connection.execute(delete(records).where(mine, records.c.seq.in_(drop)))

    async def acquire(self, handle: Handle, holder: str, seconds: float) -> int | None:
        """The lease, as its fence."""
        now = epoch()
        my_turn = or_(sessions.c.waiting.is_(None), sessions.c.waiting == holder, sessions.c.waiting_until < now)
        free = or_(sessions.c.holder.is_(None), sessions.c.held_until < now)
        async with self._visits.visit() as connection:
            change = update(sessions).where(self._is(handle), free, my_turn)
            change = change.values(
                fence=sessions.c.fence + 1, holder=holder, held_until=now + seconds, waiting=None, waiting_until=None
            )
            fence = (await connection.execute(change.returning(sessions.c.fence))).scalar()
            if fence is not None:
                return int(fence)
            wait = update(sessions).where(self._is(handle), my_turn)
            wait = wait.values(waiting=holder, waiting_until=now + _WAITING_SECONDS)
            if not (await connection.execute(wait)).rowcount:
                await self._mark(connection, handle)
            return None

    async def renew(self, handle: Handle, fence: int, seconds: float) -> bool:
        """Hold a lease for longer."""
        async with self._visits.visit() as connection:
            held = and_(sessions.c.key == handle.key, sessions.c.fence == fence, sessions.c.holder.is_not(None))
            change = update(sessions).where(held).values(held_until=epoch() + seconds)
            return bool((await connection.execute(change)).rowcount)

    async def release(self, handle: Handle, fence: int) -> None:
        """Let go of a lease."""
        async with self._visits.visit() as connection:
            held = and_(sessions.c.key == handle.key, sessions.c.fence == fence)
            await connection.execute(update(sessions).where(held).values(holder=None, held_until=None))

    async def give_up(self, handle: Handle, holder: str) -> None:
        """Ask for the lease no more."""
        async with self._visits.visit() as connection:
            mine = and_(sessions.c.key == handle.key, sessions.c.waiting == holder)
            await connection.execute(update(sessions).where(mine).values(waiting=None, waiting_until=None))

    async def keep_content(self, handle: Handle, digest: str, data: bytes) -> None:
        """Keep some bytes under their digest."""
        async with self._visits.visit() as connection:
            there = and_(contents.c.session == handle.key, contents.c.digest == digest)
            if (await connection.execute(update(contents).where(there).values(wanted=epoch()))).rowcount:
                return
            await self._mark(connection, handle)
            try:
                async with connection.begin_nested():
                    values = {"session": handle.key, "digest": digest, "data": data, "wanted": epoch()}
                    await connection.execute(insert(contents).values(**values))
            except IntegrityError:  # kept by somebody else in this moment, or the session has gone
                await self._mark(connection, handle)

    async def content(self, handle: Handle, digest: str) -> bytes | None:
        """What was kept."""
        async with self._visits.visit() as connection:
            query = select(contents.c.data).where(contents.c.session == handle.key, contents.c.digest == digest)
            data = (await connection.execute(query)).scalar()
        return bytes(data) if data is not None else None

    async def drop_contents(self, handle: Handle, keep: Collection[str], older_than: float) -> None:
        """Drop what nothing points at any more."""
        async with self._visits.visit() as connection:
            old = and_(contents.c.session == handle.key, contents.c.wanted < epoch() - older_than)
            found = (await connection.execute(select(contents.c.digest).where(old))).scalars()
            if unwanted := [digest for digest in found if digest not in keep]:
                await connection.execute(delete(contents).where(old, contents.c.digest.in_(unwanted)))

    async def watch(self) -> AsyncGenerator[str, None]:
        """The names of sessions that changed."""
        async with self._visits.visit():  # the tables are there
            pass
        async with aclosing(changed_sessions(self._engine, self._tenant)) as names:
            async for name in names:
                yield name

    async def clock(self) -> float | None:
        """The database's own time."""
        async with self._visits.visit() as connection:
            return float((await connection.execute(select(epoch()))).scalar_one())

    async def close(self) -> None:
        """Close the connections, if they were made here."""
        if self._owned:
            await self._engine.dispose()

    def _is(self, handle: Handle) -> ColumnElement[bool]:
        return and_(sessions.c.key == handle.key, sessions.c.tenant == self._tenant, sessions.c.name == handle.name)

    async def _mark(self, connection: AsyncConnection, handle: Handle) -> Mark:
        query = select(sessions.c.generation, sessions.c.seq).where(self._is(handle))
        found = (await connection.execute(query)).first()
        if found is None:
            raise SessionNotFoundError(handle.name)
        return Mark(*found)

    async def _stored(self, handle: Handle, kind: str) -> Stored:
        async with self._visits.visit() as connection:
            await self._mark(connection, handle)
            query = select(snapshots.c.text, snapshots.c.generation, snapshots.c.seq)
            query = query.where(snapshots.c.session == handle.key, snapshots.c.kind == kind)
            found = (await connection.execute(query)).first()
            if found is None:
                raise SessionNotFoundError(handle.name)
            mark = Mark(found.generation, found.seq)
            return Stored(found.text, mark, await self._lines(connection, handle, mark))

    async def _lines(self, connection: AsyncConnection, handle: Handle, mark: Mark) -> list[Line]:
        query = select(records.c.seq, records.c.text).order_by(records.c.seq)
        query = query.where(
            records.c.session == handle.key, records.c.generation == mark.generation, records.c.seq > mark.seq
        )
        return [Line(seq, text) for seq, text in await connection.execute(query)]

    async def _put(self, connection: AsyncConnection, handle: Handle, kind: str, mark: Mark, text: str) -> None:
        older = or_(
            snapshots.c.generation < mark.generation,
            and_(snapshots.c.generation == mark.generation, snapshots.c.seq < mark.seq),
        )
        change = update(snapshots).where(snapshots.c.session == handle.key, snapshots.c.kind == kind, older)
        await connection.execute(change.values(generation=mark.generation, seq=mark.seq, text=text))

    async def _remove_old(self) -> None:
        """Remove the sessions that are not to be kept any longer, but none in which somebody is asking."""
        if self._retention is None or time.monotonic() < self._look_at:
            return
        self._look_at = time.monotonic() + _LOOK_SECONDS
        now = epoch()
        free = or_(sessions.c.holder.is_(None), sessions.c.held_until < now)
        old = and_(sessions.c.tenant == self._tenant, sessions.c.touched < now - self._retention, free)
        async with self._visits.visit() as connection:
            # What is changed is locked: nobody records in it any more.
            change = update(sessions).where(old).values(holder=None).returning(sessions.c.key, sessions.c.name)
            if found := (await connection.execute(change)).all():
                await self._remove(connection, [key for key, _ in found])
                await self._notify(connection, [name for _, name in found])

    async def _remove(self, connection: AsyncConnection, keys: Sequence[str]) -> None:
        for table in _OF_A_SESSION:
            await connection.execute(delete(table).where(table.c.session.in_(keys)))
        await connection.execute(delete(sessions).where(sessions.c.key.in_(keys)))

    async def _notify(self, connection: AsyncConnection, names: Sequence[str]) -> None:
        if self._engine.dialect.name == "postgresql":
            for name in names:
                await connection.execute(select(func.pg_notify(CHANNEL, self._told(name))))

    def _told(self, name: str) -> str:
        """What those who watch are told of a session that changed."""
        return f"{self._tenant}\n{name}"

    async def _must_be_there(self, connection: AsyncConnection, change: Any, handle: Handle) -> None:
        if not (await connection.execute(change)).rowcount:
            raise SessionNotFoundError(handle.name)

    @asynccontextmanager
    async def _changing(self, *names: str) -> AsyncIterator[AsyncConnection]:
        """A transaction that changes sessions, and tells those who watch."""
        async with self._visits.visit() as connection:
            yield connection
            await self._notify(connection, names)


def _columns(info: SessionInfo) -> dict[str, Any]:
    return {
        "created": info.created,
        "last_active": info.last_active,
        "message_count": info.message_count,
        "cost_usd": info.cost_usd,
        "first_question": info.first_question,
        "checkout": info.checkout,
        "touched": epoch(),
    }
