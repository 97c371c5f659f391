"""Sessions that several machines share."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING
from uuid import uuid4

from channelcoder_lsp.domain.errors import SessionExistsError, SessionNameError, SessionNotFoundError
from channelcoder_lsp.storage.names import session_name
from channelcoder_lsp.storage.shared.active import SharedActive
from channelcoder_lsp.storage.shared.backend import Handle, is_listed
from channelcoder_lsp.storage.shared.journal import SharedJournal
from channelcoder_lsp.storage.shared.leasing import LEASE_SECONDS
from channelcoder_lsp.storage.shared.lines import head_of, state_of, whole_of
from channelcoder_lsp.storage.shared.transcripts import SharedTranscripts

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from channelcoder_lsp.domain.session import SessionInfo, SessionState
    from channelcoder_lsp.storage.shared.backend import Backend


class SharedStorage:
    """A :class:`~channelcoder_lsp.domain.storage.JournaledStorage` on a back end.

    Args:
        backend: where the sessions are.
        lease_seconds: how long a lease lasts that nobody renews.
        url: what another process opens the same place with, credentials included; None: it can't be said so.
    """

    def __init__(self, backend: Backend, *, lease_seconds: float = LEASE_SECONDS, url: str | None = None) -> None:
        self._backend = backend
        self._lease_seconds = lease_seconds
        self.url = url
        self.active_sessions = SharedActive(backend)
        """Which session is the active one of each project."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._backend.address!r})"

    async def save(self, state: SessionState, name: str | None = None) -> str:
        """Store ``state`` whole; see :meth:`channelcoder_lsp.domain.storage.SessionStorage.save`."""
        given = name if name is not None else state.metadata.name
        if given is None:
            handle = await self._stored_unnamed(state)
            key = handle.name if handle is not None else _unnamed_key(state)
            return await self._store(key, state, handle)
        key = session_name(given)
        state = state.model_copy(update={"metadata": state.metadata.model_copy(update={"name": key})})
        handle, unnamed = await self._backend.find(key), await self._stored_unnamed(state)
        if unnamed is not None and unnamed.name != key:
            # It has a name from now on: no copy is left under a session id.
            if handle is None:
                await self._backend.rename(unnamed, key)
                handle = await self._backend.find(key)
            else:
                where = await self._store(key, state, handle)
                await self._delete(unnamed)
                return where
        return await self._store(key, state, handle)

    async def load(self, name_or_path: str) -> SessionState:
        """The whole session; by its name, or by what :meth:`save` returned.

        Raises:
            SessionNotFoundError: there is none.
            SessionNameError: that can't be a name.
            SessionCorruptError: what is stored can't be read.
        """
        handle = await self._found(name_or_path.removeprefix(f"{self._backend.address}/"))
        return state_of(await self._backend.whole(handle), handle)

    async def list(self) -> list[SessionInfo]:
        """What there is, newest first, without reading any history."""
        rows = [row for row in await self._backend.rows() if is_listed(row.name)]
        return sorted(rows, key=lambda row: row.last_active, reverse=True)

    async def create(self, state: SessionState, name: str) -> SharedJournal:
        """Store a new session and open it.

        Raises:
            SessionExistsError: the name is taken.
            SessionNameError: the name can't be the name of a session.
        """
        key = session_name(name)
        if state.metadata.name is not None:
            state = state.model_copy(update={"metadata": state.metadata.model_copy(update={"name": key})})
        handle = Handle(key, uuid4().hex)
        await self._backend.create(handle, whole_of(state, key, self._backend.address))
        return await self._journal(handle)

    async def open(self, name: str) -> SharedJournal:
        """Open a stored session, reading only its head and what was recorded since that was kept.

        Raises:
            SessionNotFoundError: there is none.
            SessionCorruptError: what is stored can't be read.
        """
        return await self._journal(await self._found(name))

    async def exists(self, name: str) -> bool:
        """Whether there is a session of that name."""
        try:
            return await self._backend.find(session_name(name)) is not None
        except SessionNameError:
            return False

    async def delete(self, name: str) -> None:
        """Remove a session and everything that belongs to it.

        Raises:
            SessionNotFoundError: there is none.
        """
        await self._delete(await self._found(name))

    async def rename(self, name: str, new_name: str) -> None:
        """Give a session another name.

        Raises:
            SessionNotFoundError: there is none.
            SessionExistsError: the new name is taken.
            SessionNameError: the new name can't be the name of a session.
        """
        handle, new = await self._found(name), session_name(new_name)
        if handle.name != new:
            await self._backend.rename(handle, new)

    async def watch(self) -> AsyncGenerator[str, None]:
        """The names of sessions that changed, by whomever. Ends with its task."""
        async with aclosing(self._backend.watch()) as names:
            async for name in names:
                if is_listed(name):
                    yield name
                else:
                    self.active_sessions.changed(name)

    @property
    def away(self) -> str | None:
        """Why the back end can't be reached, while what is recorded waits in an outbox."""
        return self._backend.away

    def when_away(self, tell: Callable[[], None]) -> None:
        """Have ``tell`` called when the back end went or came back."""
        self._backend.when_away(tell)

    async def clock(self) -> float | None:
        """The back end's own time, in seconds since 1970, if it tells.

        Raises:
            StorageError: it can't be asked.
        """
        return await self._backend.clock()

    async def close(self) -> None:
        """Let go of the connections that were made here; those of a client that was given stay open."""
        await self._backend.close()

    async def _found(self, name: str) -> Handle:
        handle = await self._backend.find(session_name(name))
        if handle is None:
            raise SessionNotFoundError(name)
        return handle

    async def _delete(self, handle: Handle) -> None:
        transcripts = SharedTranscripts(self._backend, handle)
        await transcripts.delete()
        await self._backend.delete(handle)
        await transcripts.delete()  # what an answer that is under way elsewhere began anew in between

    async def _journal(self, handle: Handle) -> SharedJournal:
        transcripts = SharedTranscripts(self._backend, handle)
        return SharedJournal(self._backend, handle, await self._backend.head(handle), self._lease_seconds, transcripts)

    async def _store(self, name: str, state: SessionState, handle: Handle | None) -> str:
        whole = whole_of(state, name, self._backend.address)
        if handle is None:
            try:
                await self._backend.create(Handle(name, uuid4().hex), whole)
            except SessionExistsError:  # somebody was faster
                handle = await self._found(name)
                await self._backend.replace(handle, whole)
        else:
            await self._backend.replace(handle, whole)
        return whole.info.path

    async def _stored_unnamed(self, state: SessionState) -> Handle | None:
        """Where the session was stored while it had no name: under one of its session ids, made at the same moment."""
        for session_id in state.session_chain:
            try:
                handle = await self._backend.find(session_name(session_id))
            except SessionNameError:
                continue
            if handle is None:
                continue
            head = head_of(await self._backend.head(handle), handle)
            start = state.session_chain[: len(head.session_chain)]
            if (
                head.metadata.name is None
                and head.metadata.created == state.metadata.created
                and head.session_chain == start
            ):
                return handle
        return None


def _unnamed_key(state: SessionState) -> str:
    try:
        return session_name(state.current_session_id or "")
    except SessionNameError:
        return uuid4().hex
