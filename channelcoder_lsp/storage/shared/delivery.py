"""Delivering to the back end what was recorded while it was away: in order, once, by one process of this machine."""

from __future__ import annotations

import asyncio
import logging
from hashlib import md5
from typing import TYPE_CHECKING

from channelcoder_lsp.domain.errors import (
    ChannelCoderError,
    SessionExistsError,
    SessionNotFoundError,
    StorageUnreachableError,
)
from channelcoder_lsp.domain.session import SessionState
from channelcoder_lsp.services.locks import FileLock
from channelcoder_lsp.storage.file.recall import fill
from channelcoder_lsp.storage.shared.backend import Handle, Line, Mark, is_listed
from channelcoder_lsp.storage.shared.lines import head_of, row_after, whole_of
from channelcoder_lsp.storage.shared.transcripts import session_of

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Collection
    from pathlib import Path

    from channelcoder_lsp.storage.shared.backend import Backend
    from channelcoder_lsp.storage.shared.drawer import Drawer, Waiting

logger = logging.getLogger(__name__)

_LOCK_SECONDS = 0.05


class Delivery:
    """Brings what waits in a drawer to a back end.

    Args:
        inner: the back end.
        drawer: what waits.
        folder: of this machine, for the lock among its processes.
    """

    def __init__(self, inner: Backend, drawer: Drawer, folder: Path) -> None:
        self._inner = inner
        self._drawer = drawer
        self._folder = folder
        self._delivering = asyncio.Lock()
        self._names: dict[str, str] = {}
        """The names of sessions that were made here under a name that was taken, by key."""
        self._news = asyncio.Condition()
        self._told: list[str] = []

    def there(self, handle: Handle) -> Handle:
        """The session as the back end knows it."""
        return Handle(self._names.get(handle.key, handle.name), handle.key)

    async def arrived(self) -> AsyncGenerator[str, None]:
        """The names of sessions of which something has arrived, from now on."""
        seen = len(self._told)
        while True:
            async with self._news:
                await self._news.wait_for(lambda: len(self._told) > seen)  # noqa: B023 - called at once
                names, seen = self._told[seen:], len(self._told)
            for name in names:
                yield name

    async def all(self, keys: Collection[str] | None = None) -> None:
        """Deliver what waits, or what waits of the sessions with these keys.

        Raises:
            StorageUnreachableError: the back end is away.
            StorageError: something was refused; all else has arrived.
        """
        async with self._delivering:
            if not await self._waiting_of(keys):
                return
            lock = FileLock(self._folder / "delivering.lock")
            try:
                while not lock.try_acquire():  # noqa: ASYNC110 - another process has it
                    await asyncio.sleep(_LOCK_SECONDS)
                refused: ChannelCoderError | None = None
                for what in await self._waiting_of(keys):
                    try:
                        await self._deliver(what)
                    except StorageUnreachableError:
                        raise
                    except ChannelCoderError as problem:  # which must not keep the others from arriving
                        refused = problem
                if refused is not None:
                    raise refused
            finally:
                lock.close()

    async def _waiting_of(self, keys: Collection[str] | None) -> list[Waiting]:
        """What waits, sessions before what is kept beside them."""
        waiting = [each for each in await self._drawer.waiting() if keys is None or each.handle.key in keys]
        return sorted(waiting, key=lambda each: not is_listed(each.handle.name))

    async def _deliver(self, what: Waiting) -> None:
        handle = self.there(what.handle)
        session = session_of(handle.name)
        if session is not None and await self._drawer.is_waiting(session):
            return  # it was refused for now
        try:
            if session is not None:  # of one that is gone there is nothing to keep
                known = await self._drawer.keyed(session)
                await self._inner.head(known or Handle("", session))
            if what.base is not None:
                handle = await self._create(handle, what.base)
            for digest, data in what.contents:
                await self._inner.keep_content(handle, digest, data)
            if what.lines:
                await self._append(handle, what)
        except SessionNotFoundError:
            # Removed by somebody else: what was recorded here stays, in a session of its own.
            await self._revive(what)
        else:
            await self._drawer.delivered(what)
            await self._drawer.remember(handle, await self._inner.head(handle))
        self._told.append(handle.name)
        async with self._news:
            self._news.notify_all()

    async def _append(self, handle: Handle, what: Waiting) -> None:
        while True:
            # What was on its way when the connection was lost may have come through, and others may have gone on since:
            # the head may be kept after it.
            since = await self._inner.since(handle, what.after) if what.after is not None else None
            stored = await self._inner.head(handle)
            head = head_of(stored, handle)
            mark = Mark(stored.mark.generation, max([stored.mark.seq, *(line.seq for line in stored.lines)]))
            there = {line.text for line in (*(since or ()), *stored.lines)}
            missing = [line.text for line in what.lines if line.text not in there]
            if not missing:
                return
            lines = [Line(number, text) for number, text in enumerate(missing, start=mark.seq + 1)]
            row = row_after(head, lines, handle, self._inner.address)
            if await self._inner.append(handle, mark, lines, row, 0) is not None:
                return

    async def _create(self, handle: Handle, base: str) -> Handle:
        """Create a session that was made here; under another name if its own was taken meanwhile."""
        state = SessionState.model_validate_json(base)
        name, number = handle.name, 1
        while True:
            try:
                wanted = Handle(name, handle.key)
                await self._inner.create(wanted, whole_of(state, name, self._inner.address))
            except SessionExistsError:
                there = await self._inner.find(name)
                # It was created before this process, or the last one, died; what isn't listed everybody may create.
                if there is not None and (there.key == handle.key or not is_listed(name)):
                    return there
                number += 1
                name = f"{handle.name}-{number}"
            else:
                self._names[handle.key] = name
                return wanted

    async def _revive(self, what: Waiting) -> None:
        if not is_listed(what.handle.name):
            # Transcripts go with their session; what was said in it is in the one that is revived.
            await self._drawer.delivered(what)
            await self._drawer.forget(what.handle.key)
            return
        known = await self._drawer.stored(what.handle.key)
        state = SessionState()
        if known is not None:
            head = head_of(known, what.handle)
            state.metadata = head.metadata
            fill(state, head)
        key = md5(what.handle.key.encode(), usedforsecurity=False).hexdigest()
        free = await self._create(Handle(f"{what.handle.name}-kept", key), state.at_rest())
        logger.warning("session %r was removed elsewhere; what waited for it is in %r", what.handle.name, free.name)
        await self._drawer.delivered(what)
        await self._drawer.forget(what.handle.key)
