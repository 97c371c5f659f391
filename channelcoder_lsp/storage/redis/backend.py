"""The back end port on Redis."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from channelcoder_lsp.domain.errors import LeaseLostError, SessionExistsError, SessionNotFoundError
from channelcoder_lsp.domain.session import SessionInfo
from channelcoder_lsp.storage.redis.keys import Keys
from channelcoder_lsp.storage.redis.server import RedisServer
from channelcoder_lsp.storage.redis.watching import changed_sessions
from channelcoder_lsp.storage.shared.backend import Backend, Handle, Line, Mark, Stored, Whole

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Collection, Sequence

    from redis.asyncio import Redis

_WAITING_SECONDS = 2.0
"""For how long somebody who asked for the lease keeps the place in the queue without asking again."""


class RedisBackend(Backend):
    """The port :class:`channelcoder_lsp.storage.shared.backend.Backend` on Redis.

    Args:
        client: how to reach the server.
        tenant: whose sessions these are; those of another tenant are never seen.
        retention: seconds after which a session is removed that nobody changed; None: never.
        owned: whether to close the client at the end.
    """

    def __init__(self, client: Redis, *, tenant: str = "", retention: float | None = None, owned: bool = False) -> None:
        self._server = RedisServer(client)
        self._keys = Keys(tenant)
        self._retention = _milliseconds(retention) if retention is not None else 0
        self._owned = owned

    @property
    def address(self) -> str:
        """Where the server is, without credentials."""
        return self._server.address

    async def create(self, handle: Handle, whole: Whole) -> None:
        """Store a new session."""
        await self._named(handle, handle.name, "create", whole.base, whole.head, whole.seq, _row(whole.info))

    async def find(self, name: str) -> Handle | None:
        """The session of that name."""
        key = await self._server.ask("HGET", self._keys.names, name)
        if key is None or not await self._is_there(key.decode()):
            return None
        return Handle(name, key.decode())

    async def rows(self) -> list[SessionInfo]:
        """The rows of all sessions."""
        rows = []
        for handle, name, row in await self._everywhere("name", "row"):
            if row is None:
                await self._run("forget", handle)
            else:
                info: SessionInfo = SessionInfo.model_validate_json(row)
                rows.append(info.model_copy(update={"name": name.decode(), "path": f"{self.address}/{name.decode()}"}))
        return rows

    async def replace(self, handle: Handle, whole: Whole) -> None:
        """Store the session anew."""
        await self._run("replace", handle, whole.base, whole.head, whole.seq, _row(whole.info))

    async def rename(self, handle: Handle, name: str) -> None:
        """Give the session another name."""
        await self._named(handle, name, "rename", name)

    async def delete(self, handle: Handle) -> None:
        """Remove the session and all that belongs to it."""
        await self._run("delete", handle)

    async def head(self, handle: Handle) -> Stored:
        """The head that was kept last, and the records after it."""
        return await self._stored(handle, "head")

    async def whole(self, handle: Handle) -> Stored:
        """The base, and all records."""
        return await self._stored(handle, "base")

    async def since(self, handle: Handle, mark: Mark) -> Sequence[Line] | None:
        """The records after a mark."""
        said, *found = await self._run("since", handle, mark.generation, mark.seq)
        return _lines(found[0]) if said == b"is" else None

    async def append(
        self, handle: Handle, mark: Mark, lines: Sequence[Line], info: SessionInfo, fence: int
    ) -> Mark | None:
        """Add records after ``mark``."""
        # What no answer was heard to is sent again: by the token the script knows what it did already.
        before = (mark.generation, mark.seq, fence, _row(info), uuid4().bytes)
        (said,) = await self._run("append", handle, *before, *(line.text for line in lines))
        if said == b"lost":
            raise LeaseLostError(handle.name)
        return Mark(mark.generation, lines[-1].seq) if said == b"done" else None

    async def keep_head(self, handle: Handle, mark: Mark, head: str, drop: Sequence[int]) -> None:
        """Keep a head, unless a later one is kept."""
        await self._run("keep_head", handle, mark.generation, mark.seq, head, *drop)

    async def acquire(self, handle: Handle, holder: str, seconds: float) -> int | None:
        """The lease, as its fence: by the server's clock."""
        arguments = (holder, _microseconds(seconds), _microseconds(_WAITING_SECONDS))
        said, *fence = await self._run("acquire", handle, *arguments)
        return int(fence[0]) if said == b"held" else None

    async def renew(self, handle: Handle, fence: int, seconds: float) -> bool:
        """Hold a lease for longer."""
        (said,) = await self._run("renew", handle, fence, _microseconds(seconds))
        return bool(said == b"held")

    async def release(self, handle: Handle, fence: int) -> None:
        """Let go of a lease."""
        await self._run("release", handle, fence)

    async def give_up(self, handle: Handle, holder: str) -> None:
        """Ask for the lease no more."""
        await self._run("give_up", handle, holder)

    async def keep_content(self, handle: Handle, digest: str, data: bytes) -> None:
        """Keep some bytes under their digest."""
        await self._run("keep_content", handle, digest, data)

    async def content(self, handle: Handle, digest: str) -> bytes | None:
        """What was kept."""
        data: bytes | None = await self._server.ask("HGET", self._keys.contents(handle.key), digest)
        return data

    async def drop_contents(self, handle: Handle, keep: Collection[str], older_than: float) -> None:
        """Drop what nothing points at any more."""
        await self._run("drop_contents", handle, _microseconds(older_than), *keep)

    async def watch(self) -> AsyncGenerator[str, None]:
        """The names of sessions that changed."""
        async with aclosing(changed_sessions(self._server, self._keys.channel, self._look)) as names:
            async for name in names:
                yield name

    async def clock(self) -> float | None:
        """The server's own time."""
        seconds, micro = await self._server.ask("TIME")
        return float(int(seconds) + int(micro) / 1_000_000)

    async def close(self) -> None:
        """Close the client, if it was made here."""
        if self._owned:
            await self._server.client.aclose()

    async def _run(self, script: str, handle: Handle, *arguments: str | bytes | int) -> list[Any]:
        common = (handle.key, handle.name, self._keys.channel, self._retention)
        answer = await self._server.run(script, self._keys.of(handle.key), (*common, *arguments))
        if answer[0] == b"gone":
            raise SessionNotFoundError(handle.name)
        return answer

    async def _named(self, handle: Handle, name: str, script: str, *arguments: str | bytes | int) -> None:
        """Run a script that takes a name, which may be taken by a session that has expired."""
        stale = b""
        while True:
            said, *taken = await self._run(script, handle, *arguments, stale)
            if said == b"done":
                return
            if taken[0] == stale or await self._is_there(taken[0].decode()):
                raise SessionExistsError(name)
            stale = taken[0]

    async def _is_there(self, key: str) -> bool:
        return bool(await self._server.ask("EXISTS", self._keys.meta(key)))

    async def _stored(self, handle: Handle, kind: str) -> Stored:
        _, generation, seq, text, lines = await self._run("read", handle, kind)
        return Stored(text.decode(), Mark(int(generation), int(seq)), _lines(lines))

    async def _look(self) -> dict[str, tuple[str, str, str]]:
        """How far each session is: by its name, its key, generation and seq."""
        found = await self._everywhere("name", "generation", "seq")
        return {
            name.decode(): (handle.key, generation.decode(), seq.decode())
            for handle, name, generation, seq in found
            if name is not None
        }

    async def _everywhere(self, *fields: str) -> list[tuple[Any, ...]]:
        """Each session that the index has, with fields of its meta: None where it has expired."""
        index: dict[bytes, bytes] = await self._server.ask("HGETALL", self._keys.names)
        handles = [Handle(name.decode(), key.decode()) for name, key in index.items()]
        found = await self._server.ask_all([("HMGET", self._keys.meta(handle.key), *fields) for handle in handles])
        return [(handle, *values) for handle, values in zip(handles, found, strict=True)]


def _row(info: SessionInfo) -> str:
    return info.model_dump_json()


def _lines(flat: Sequence[bytes]) -> list[Line]:
    return [Line(int(seq), text.decode()) for seq, text in zip(flat[::2], flat[1::2], strict=True)]


def _milliseconds(seconds: float) -> int:
    return max(round(seconds * 1000), 1)


def _microseconds(seconds: float) -> int:
    return round(seconds * 1_000_000)
