"""Going on while the back end is slow or away.

What is recorded meanwhile waits on this machine, and is delivered in order when the back end is back, also by a later
process. Sessions that were open here before can be opened, asked in and read as far as this machine knows them; what
needs the back end itself (renaming, removing, a whole history) says that it is away.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING, TypeVar

from anyio import fail_after

from channelcoder_lsp.domain.errors import (
    ChannelCoderError,
    SessionExistsError,
    StorageUnreachableError,
)
from channelcoder_lsp.services.locks import FileLock
from channelcoder_lsp.services.tasks import end
from channelcoder_lsp.storage.file.disk import make_folder
from channelcoder_lsp.storage.shared.backend import Backend, Handle, Line, Mark, Stored
from channelcoder_lsp.storage.shared.delivery import Delivery
from channelcoder_lsp.storage.shared.drawer import HERE, Drawer
from channelcoder_lsp.storage.shared.lines import head_of, row_of
from channelcoder_lsp.storage.shared.transcripts import session_of

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Sequence
    from pathlib import Path

    from channelcoder_lsp.domain.session import SessionInfo
    from channelcoder_lsp.storage.shared.backend import Whole

logger = logging.getLogger(__name__)
T = TypeVar("T")

PATIENCE_SECONDS = 3.0
"""How long an editor's question waits for the back end before it is taken to be away."""
RETRY_SECONDS = 2.0
_LOOK_SECONDS = 15.0
"""How long the look whether the back end is there may take: a first visit may have tables to make."""
_LONG_SECONDS = 60.0
"""How long a whole history, or the delivery of what waits, may take."""
_OWN_FENCE = -1
"""The fence of a lease among this machine's processes alone."""


class Outbox(Backend):
    """A back end that goes on without the real one.

    Args:
        inner: the real one.
        folder: where what waits is kept.
        patience: seconds that a visit may take.
    """

    def __init__(self, inner: Backend, folder: Path, *, patience: float = PATIENCE_SECONDS) -> None:
        self._away: str | None = None
        self._tell: Callable[[], None] = lambda: None
        self._inner = inner
        self._folder = folder
        self._drawer = Drawer(folder)
        self._patience = patience
        self._begun = False
        self._task: asyncio.Task[None] | None = None
        self._closing = asyncio.Event()
        self._leases: dict[str, FileLock] = {}
        self._delivery = Delivery(inner, self._drawer, folder)
        self._there = self._delivery.there

    @property
    def address(self) -> str:
        """Where the real one is."""
        return self._inner.address

    @property
    def away(self) -> str | None:
        """Why the back end can't be reached, while it can't."""
        return self._away

    def when_away(self, tell: Callable[[], None]) -> None:
        """Have ``tell`` called when the back end went or came back."""
        self._tell = tell

    async def waiting(self) -> int:
        """How many records wait to be delivered."""
        return sum(len(each.lines) for each in await self._drawer.waiting())

    # Sessions

    async def create(self, handle: Handle, whole: Whole) -> None:
        """Store a new session."""
        try:
            await self._try(lambda: self._inner.create(handle, whole))
        except StorageUnreachableError:
            if not await self._drawer.make(handle, Stored(whole.head, Mark(0, whole.seq)), whole.base):
                raise SessionExistsError(handle.name) from None

    async def find(self, name: str) -> Handle | None:
        """The session of that name."""
        try:
            return await self._try(lambda: self._inner.find(name))
        except StorageUnreachableError:
            return await self._drawer.named(name)

    async def rows(self) -> list[SessionInfo]:
        """The rows of all sessions; while the back end is away, of those that this machine knows."""
        try:
            return await self._try(self._inner.rows)
        except StorageUnreachableError:
            known = await self._drawer.known()
            return [row_of(head_of(stored, handle), handle.name, self.address) for handle, stored in known]

    async def replace(self, handle: Handle, whole: Whole) -> None:
        """Store the session anew."""
        await self._try(lambda: self._inner.replace(self._there(handle), whole))

    async def rename(self, handle: Handle, name: str) -> None:
        """Give the session another name."""
        await self._try(lambda: self._inner.rename(self._there(handle), name))
        await self._drawer.forget(handle.key)

    async def delete(self, handle: Handle) -> None:
        """Remove the session and all that belongs to it."""
        await self._try(lambda: self._inner.delete(self._there(handle)))
        await self._drawer.forget(handle.key)

    # Reading

    async def head(self, handle: Handle) -> Stored:
        """The head that was kept last, and the records after it."""
        try:
            await self._deliver_first(handle)
            stored = await self._try(lambda: self._inner.head(self._there(handle)))
        except StorageUnreachableError:
            known = await self._drawer.stored(handle.key)
            if known is None:
                raise
            return known
        await self._drawer.remember(handle, stored)
        return stored

    async def whole(self, handle: Handle) -> Stored:
        """The base, and all records."""
        await self._deliver_first(handle)
        return await self._try(lambda: self._inner.whole(self._there(handle)), _LONG_SECONDS)

    async def since(self, handle: Handle, mark: Mark) -> Sequence[Line] | None:
        """The records after a mark."""
        try:
            lines = await self._try(lambda: self._inner.since(self._there(handle), mark))
        except StorageUnreachableError:
            return await self._since_here(handle, mark)
        if lines:
            await self._drawer.add(handle, lines)
        return lines

    async def _since_here(self, handle: Handle, mark: Mark) -> Sequence[Line] | None:
        known = await self._drawer.stored(handle.key)
        if known is None or (known.mark.generation == mark.generation and known.mark.seq > mark.seq):
            return ()
        if known.mark.generation != mark.generation:
            return None
        return [line for line in known.lines if line.seq > mark.seq]

    # Recording

    async def append(
        self, handle: Handle, mark: Mark, lines: Sequence[Line], info: SessionInfo, fence: int
    ) -> Mark | None:
        """Add records after ``mark``: at the back end, or to what waits."""
        try:
            await self._deliver_first(handle)
            if mark.generation == HERE:
                return None  # the numbers may be others by now
            added = await self._try(lambda: self._inner.append(self._there(handle), mark, lines, info, max(fence, 0)))
        except StorageUnreachableError:
            return await self._drawer.wait(handle, mark, lines)
        if added is not None:
            await self._drawer.add(handle, lines)
        return added

    async def keep_head(self, handle: Handle, mark: Mark, head: str, drop: Sequence[int]) -> None:
        """Keep a head."""
        if mark.generation != HERE:
            await self._try(lambda: self._inner.keep_head(self._there(handle), mark, head, drop))

    # The lease

    async def acquire(self, handle: Handle, holder: str, seconds: float) -> int | None:
        """The lease; while the back end is away, among this machine's processes."""
        try:
            fence = await self._try(lambda: self._inner.acquire(self._there(handle), holder, seconds))
        except StorageUnreachableError:
            fence = _OWN_FENCE
        if fence is None:
            return None
        # Another process here may hold it since the back end was away.
        lock = self._lock(handle)
        if handle.key not in self._leases and lock.try_acquire():
            self._leases[handle.key] = lock
            return fence
        if fence != _OWN_FENCE:
            await self._inner.release(self._there(handle), fence)
        return None

    async def renew(self, handle: Handle, fence: int, seconds: float) -> bool:
        """Hold a lease for longer."""
        return fence == _OWN_FENCE or await self._try(lambda: self._inner.renew(self._there(handle), fence, seconds))

    async def release(self, handle: Handle, fence: int) -> None:
        """Let go of a lease."""
        try:
            if fence != _OWN_FENCE:
                await self._try(lambda: self._inner.release(self._there(handle), fence))
        finally:
            if (lock := self._leases.pop(handle.key, None)) is not None:
                lock.close()

    async def give_up(self, handle: Handle, holder: str) -> None:
        """Ask for the lease no more."""
        await self._try(lambda: self._inner.give_up(self._there(handle), holder))

    # Texts

    async def keep_content(self, handle: Handle, digest: str, data: bytes) -> None:
        """Keep some bytes under their digest."""
        try:
            await self._try(lambda: self._inner.keep_content(self._there(handle), digest, data))
        except StorageUnreachableError:
            await self._drawer.keep_content(handle.key, digest, data, waiting=True)
        else:
            await self._drawer.keep_content(handle.key, digest, data, waiting=False)

    async def content(self, handle: Handle, digest: str) -> bytes | None:
        """What was kept: here, or at the back end."""
        if (data := await self._drawer.content(handle.key, digest)) is not None:
            return data
        try:
            data = await self._try(lambda: self._inner.content(self._there(handle), digest))
        except StorageUnreachableError as problem:
            logger.info("a text of session %r can't be had now: %s", handle.name, problem)
            return None
        if data is not None:
            await self._drawer.keep_content(handle.key, digest, data, waiting=False)
        return data

    async def drop_contents(self, handle: Handle, keep: Collection[str], older_than: float) -> None:
        """Drop what nothing points at any more."""
        await self._try(lambda: self._inner.drop_contents(self._there(handle), keep, older_than))

    async def watch(self) -> AsyncGenerator[str, None]:
        """The names of sessions that changed, at the back end or here."""
        queue: asyncio.Queue[str] = asyncio.Queue()

        async def inner() -> None:
            while True:
                with suppress(ChannelCoderError):
                    async with aclosing(self._inner.watch()) as names:
                        async for name in names:
                            queue.put_nowait(name)
                await asyncio.sleep(RETRY_SECONDS)

        async def here() -> None:
            async with aclosing(self._delivery.arrived()) as names:
                async for name in names:
                    queue.put_nowait(name)

        tasks = [asyncio.create_task(each()) for each in (inner, here)]
        try:
            while True:
                yield await queue.get()
        finally:
            await end(tasks)

    async def close(self) -> None:
        """Deliver what waits, if that can be done at once, and let go of everything."""
        self._closing.set()
        if self._task is not None:
            await asyncio.wait({self._task}, timeout=self._patience)
            await end([self._task])
        if self.away is None:
            with suppress(ChannelCoderError):
                await self._try(self._delivery.all, _LONG_SECONDS)
        await self._drawer.close()
        await self._inner.close()

    # Being away

    async def _try(self, visit: Callable[[], Awaitable[T]], seconds: float | None = None) -> T:
        """Visit the back end, unless it is away.

        Raises:
            StorageUnreachableError: it is away.
        """
        if self.away is not None and self._looked_for_by_another():
            raise StorageUnreachableError(self.away)
        try:
            with fail_after(seconds or self._patience):
                result = await visit()
        except TimeoutError:
            said = f"{self.address} did not answer in {seconds or self._patience:.0f} seconds."
            self._went(said)
            raise StorageUnreachableError(said) from None
        except StorageUnreachableError as problem:
            self._went(problem.message)
            raise
        if self.away is not None or not self._begun:
            self._came()
        return result

    def _looked_for_by_another(self) -> bool:
        """Whether a task sees to it already, so that nobody else needs to wait."""
        return self._task is not None and not self._task.done() and self._task is not asyncio.current_task()

    def _went(self, said: str) -> None:
        self._begun = True
        if self.away is None:
            logger.warning("sessions are kept on this machine for a while: %s", said)
            self._away = said
            self._tell()
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._look_again(), name="outbox")

    def _came(self) -> None:
        was_away, self._away, self._begun = self._away, None, True
        if was_away is not None:
            self._tell()
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._look_again(), name="outbox")

    async def _look_again(self) -> None:
        """Deliver what waits, as soon as that can be done."""
        while not self._closing.is_set():
            try:
                await self._try(lambda: self._inner.find(""), _LOOK_SECONDS)
                await self._try(self._delivery.all, _LONG_SECONDS)
            except StorageUnreachableError as problem:
                logger.debug("still away: %s", problem)
            except ChannelCoderError as problem:
                logger.warning("what waits can't be delivered yet: %s", problem)
            else:
                # Something may have been put here since, while this was on its way.
                if not await self._drawer.waiting() and self.away is None:
                    return
                continue
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._closing.wait(), RETRY_SECONDS)

    async def _deliver_first(self, handle: Handle) -> None:
        """Deliver what waits of a session, if something does.

        Raises:
            StorageUnreachableError: it can't be delivered as fast as a question waits.
        """
        if await self._drawer.is_waiting(handle.key):
            # Transcripts are kept of a session that is there: it comes before them.
            keys = {handle.key, session_of(handle.name) or handle.key}
            await self._try(lambda: self._delivery.all(keys))

    def _lock(self, handle: Handle) -> FileLock:
        make_folder(self._folder)
        return FileLock(self._folder / f"{handle.key}.lease")
