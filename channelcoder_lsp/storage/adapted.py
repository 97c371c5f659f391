"""Any storage with the guide's three methods, made into one that records turn by turn.

A custom adapter (session guide, "Custom Storage Adapters") saves, loads and lists whole sessions. Here its sessions are
kept in memory while they are open and saved whole when something was recorded: the cost of a turn grows with the
history, which is inherent in ``save``. Methods that the adapter has beyond the three are used where they help:

- ``exists(name) -> bool``: else ``load`` is tried.
- ``delete(name)``: else sessions can't be removed.
- ``lease(name)``: an async context manager that one process holds at a time; else turns are in order in this process
  only.
- ``watch()``: an async iterator over the names of sessions that change; else changes by other processes are seen when
  the session is used.
"""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from channelcoder_lsp.domain.errors import SessionExistsError, SessionNotFoundError, StorageError
from channelcoder_lsp.domain.records import TurnDelta, dump_record, parse_record
from channelcoder_lsp.domain.session import SessionHead, SessionInfo, SessionState

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
    from contextlib import AbstractAsyncContextManager

    from channelcoder_lsp.domain.records import Record
    from channelcoder_lsp.domain.storage import SessionStorage
    from channelcoder_lsp.domain.transcripts import Transcripts

logger = logging.getLogger(__name__)

STREAMED_SECONDS = 5.0
"""How often, at most, a session is saved for the text of an answer that streams."""


class AdaptedStorage:
    """A :class:`~channelcoder_lsp.domain.storage.JournaledStorage` over a three-method adapter.

    All that use one session in this process must use one of these, since the sessions in memory are shared through it.

    Args:
        adapter: what sessions are saved to.
        auto_save: save what is recorded; without it a session is saved by :meth:`save` alone.
    """

    def __init__(self, adapter: SessionStorage, *, auto_save: bool = True) -> None:
        self.adapter = adapter
        self.auto_save = auto_save
        self._open: dict[str, _Shared] = {}
        self._news = asyncio.Condition()
        self._changes = 0
        self._changed: list[str] = []

    async def save(self, state: SessionState, name: str | None = None) -> str:
        """Store ``state`` whole; see :meth:`channelcoder_lsp.domain.storage.SessionStorage.save`."""
        where = await self.adapter.save(state, name)
        key = name or state.metadata.name or state.current_session_id or where
        if (shared := self._open.get(key)) is not None:
            shared.become(_copy(state))
            await self._tell(key)
        return where

    async def load(self, name_or_path: str) -> SessionState:
        """The whole session; a new object each time."""
        shared = self._open.get(name_or_path)
        return _copy(shared.state) if shared is not None else await self.adapter.load(name_or_path)

    async def list(self) -> list[SessionInfo]:
        """What there is, newest first; of sessions that are open with what the adapter need not know."""
        rows = [SessionInfo.model_validate(row, from_attributes=True) for row in await self.adapter.list()]
        return [self._open[row.name].row() if row.name in self._open else row for row in rows]

    async def create(self, state: SessionState, name: str) -> AdaptedJournal:
        """Store a new session and open it.

        Raises:
            SessionExistsError: the name is taken.
        """
        if await self.exists(name):
            raise SessionExistsError(name)
        state = _copy(state)
        location = await self.adapter.save(state, name) if self.auto_save else name
        shared = self._open[name] = _Shared(self, name, state, location)
        await self._tell(name)
        return AdaptedJournal(shared)

    async def open(self, name: str) -> AdaptedJournal:
        """Open a stored session.

        Raises:
            SessionNotFoundError: there is none.
        """
        if name not in self._open:
            state = await self.adapter.load(name)
            self._open.setdefault(name, _Shared(self, name, state, name))
        return AdaptedJournal(self._open[name])

    async def exists(self, name: str) -> bool:
        """Whether there is a session of that name."""
        if name in self._open:
            return True
        if (exists := getattr(self.adapter, "exists", None)) is not None:
            return bool(await exists(name))
        try:
            await self.adapter.load(name)
        except SessionNotFoundError:
            return False
        except Exception as problem:  # noqa: BLE001 - whatever the adapter raises
            logger.debug("%s can't be loaded: %s", name, problem)
            # The guide's own examples raise a plain error for a session that is missing.
            return any(info.name == name for info in await self.adapter.list())
        return True

    async def delete(self, name: str) -> None:
        """Remove a session.

        Raises:
            SessionNotFoundError: there is none.
            StorageError: the adapter has no ``delete``.
        """
        if not await self.exists(name):
            raise SessionNotFoundError(name)
        await self._delete()(name)
        if (shared := self._open.pop(name, None)) is not None:
            shared.gone = True
        await self._tell(name)

    async def rename(self, name: str, new_name: str) -> None:
        """Give a session another name: saved under it, then removed under the old one.

        Raises:
            SessionNotFoundError, SessionExistsError: as they say.
            StorageError: the adapter has no ``delete``.
        """
        if not await self.exists(name):
            raise SessionNotFoundError(name)
        if name == new_name:
            return
        if await self.exists(new_name):
            raise SessionExistsError(new_name)
        delete = self._delete()
        state = await self.load(name)
        state.metadata.name = new_name
        contents = self._open[name].contents if name in self._open else {}
        await self.adapter.save(state, new_name)
        await delete(name)
        if (shared := self._open.pop(name, None)) is not None:
            shared.gone = True
            self._open[new_name] = _Shared(self, new_name, state, new_name, contents)
        await self._tell(new_name)

    async def watch(self) -> AsyncGenerator[str, None]:
        """The names of sessions that change."""
        if (watch := getattr(self.adapter, "watch", None)) is not None:
            names = watch()
            async with aclosing(names) if hasattr(names, "aclose") else nullcontext():
                async for name in names:
                    yield name
        seen = self._changes
        while True:
            async with self._news:
                while self._changes <= seen:
                    await self._news.wait()
                names, seen = self._changed[seen:], self._changes
            for name in names:
                yield name

    @property
    def active_sessions(self) -> None:
        """Each folder has its own: an adapter has no place for it."""

    @property
    def away(self) -> None:
        """Nothing waits: an adapter that fails says so at once."""

    def when_away(self, tell: Callable[[], None]) -> None:
        """It never is."""

    async def close(self) -> None:
        """Nothing: the adapter is its maker's."""

    async def saved(self, shared: _Shared) -> None:
        """Save a session that is open, and tell."""
        if self.auto_save:
            shared.location = await self.adapter.save(_copy(shared.state), shared.name)
            shared.at_rest = shared.state.at_rest()
        await self._tell(shared.name)

    def _delete(self) -> Callable[[str], Awaitable[object]]:
        delete: Callable[[str], Awaitable[object]] | None = getattr(self.adapter, "delete", None)
        if delete is None:
            raise StorageError(
                f"{type(self.adapter).__name__} can't remove sessions. Give it an async method delete(name)."
            )
        return delete

    async def _tell(self, name: str) -> None:
        async with self._news:
            self._changes += 1
            self._changed.append(name)
            self._news.notify_all()


class _Shared:
    """One open session, for all its journals in this process."""

    def __init__(
        self,
        storage: AdaptedStorage,
        name: str,
        state: SessionState,
        location: str,
        contents: dict[str, str] | None = None,
    ) -> None:
        self.storage = storage
        self.name = name
        self.state = state
        self.location = location
        self.contents = dict(contents or {})
        self.at_rest = state.at_rest()
        """What the adapter holds, as far as is known."""
        self.changes = 0
        self.gone = False
        self.saved_at = 0.0
        self.lock = asyncio.Lock()
        self.turn = asyncio.Lock()

    def row(self) -> SessionInfo:
        """The session as the list shows it."""
        state, ours = self.state, self.state.channelcoder
        return SessionInfo(
            name=self.name,
            path=self.location,
            created=state.metadata.created,
            last_active=state.metadata.last_active,
            message_count=len(state.messages),
            cost_usd=ours.totals.cost_usd,
            first_question=ours.first_question,
            checkout=ours.checkout,
        )

    def become(self, state: SessionState) -> None:
        """Take the place of what was there; the object stays the same."""
        for field in SessionState.model_fields:
            setattr(self.state, field, getattr(state, field))
        self.at_rest = self.state.at_rest()
        self.changes += 1


class AdaptedJournal:
    """The port :class:`channelcoder_lsp.domain.storage.Journal` over a session in memory."""

    transcripts: Transcripts | None = None

    def __init__(self, shared: _Shared) -> None:
        self._shared = shared
        self._seen = shared.changes
        self._closed = False

    @property
    def name(self) -> str:
        """The session's name."""
        return self._shared.name

    @property
    def location(self) -> str:
        """What the adapter returned when the session was saved."""
        return self._shared.location

    @property
    def head(self) -> SessionHead:
        """The session, with its messages too; shared by all its journals in this process."""
        return self._shared.state

    async def append(self, *records: Record, durable: bool = True) -> None:
        """Record what happened; see :meth:`channelcoder_lsp.domain.storage.Journal.append`."""
        shared = self._there()
        if self._closed:
            raise StorageError(f"The session {self.name!r} was closed here; nothing more can be recorded.")
        async with shared.lock:
            before = shared.state.at_rest() if records else ""
            for record in records:
                record.seq = shared.state.channelcoder.seq + 1
                shared.state.apply(parse_record(dump_record(record)))
            if not records or not self._is_due(records, durable=durable):
                return
            try:
                await shared.storage.saved(shared)
            except BaseException:
                shared.become(SessionState.model_validate_json(before))
                raise
            shared.saved_at = time.monotonic()
            shared.changes += 1
            self._seen = shared.changes

    async def refresh(self) -> bool:
        """Take in what others saved; whether there was anything."""
        shared = self._there()
        async with shared.lock:
            if shared.storage.auto_save:
                stored = await shared.storage.adapter.load(shared.name)
                if stored.at_rest() != shared.at_rest:
                    shared.become(stored)
            news, self._seen = self._seen != shared.changes, shared.changes
            return news

    async def state(self) -> SessionState:
        """The whole session."""
        return _copy(self._there().state)

    def lease(self) -> AbstractAsyncContextManager[None]:
        """Hold the right to ask a question."""
        return self._lease()

    async def keep_content(self, digest: str, text: str) -> None:
        """Keep the text of a file, in memory."""
        self._there().contents[digest] = text

    async def content(self, digest: str) -> str | None:
        """A text that was kept, or None."""
        return self._shared.contents.get(digest)

    async def fold(self) -> None:
        """Save the session, if it is saved by itself."""
        shared = self._there()
        async with shared.lock:
            if shared.storage.auto_save and shared.state.at_rest() != shared.at_rest:
                await shared.storage.saved(shared)

    async def close(self) -> None:
        """Save the session and let go of it."""
        if not self._closed and not self._shared.gone:
            await self.fold()
        self._closed = True

    @asynccontextmanager
    async def _lease(self) -> AsyncIterator[None]:
        lease: Any = getattr(self._shared.storage.adapter, "lease", None)
        async with AsyncExitStack() as held:
            await held.enter_async_context(self._shared.turn)
            if lease is not None:
                await held.enter_async_context(lease(self.name))
            yield

    def _there(self) -> _Shared:
        if self._shared.gone:
            raise SessionNotFoundError(self.name)
        return self._shared

    def _is_due(self, records: tuple[Record, ...], *, durable: bool) -> bool:
        streamed = not durable and all(isinstance(record, TurnDelta) for record in records)
        return not streamed or time.monotonic() - self._shared.saved_at >= STREAMED_SECONDS


def _copy(state: SessionState) -> SessionState:
    return SessionState.model_validate_json(state.at_rest())
