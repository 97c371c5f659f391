"""The port that keeps sessions.

:class:`SessionStorage` is the guide's adapter with its three methods (session guide, "Storage Adapter
Guidelines"). :class:`JournaledStorage` is what the server works with: recording a turn costs the same
whatever the history, and several processes can use one session.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager
from typing import Protocol, runtime_checkable

from channelcoder_lsp.domain.records import Record
from channelcoder_lsp.domain.session import SessionHead, SessionInfo, SessionState
from channelcoder_lsp.domain.transcripts import Transcripts


@runtime_checkable
class SessionStorage(Protocol):
    """Keeps sessions under names: the guide's adapter."""

    async def save(self, state: SessionState, name: str | None = None) -> str:
        """Store ``state`` whole, replacing what is stored under the name; return where it is now.

        Args:
            state: the session.
            name: the name to store it under; without one its own name, else its session id.

        Raises:
            SessionNameError: the name can't be the name of a session.
            StorageError: it could not be stored; what was stored before is still there.
        """
        ...

    async def load(self, name_or_path: str) -> SessionState:
        """The whole session.

        Raises:
            SessionNotFoundError: there is none.
            SessionCorruptError: what is stored can't be read.
        """
        ...

    async def list(self) -> list[SessionInfo]:
        """What there is, newest first, without reading any history."""
        ...


class Journal(Protocol):
    """One session, open for recording: what happened to it is appended, one record at a time.

    Several journals of one session may be open at once, in one process or in many; each sees what the others
    appended on :meth:`refresh` and before its own :meth:`append` returns.
    """

    @property
    def name(self) -> str:
        """The session's name in the storage."""
        ...

    @property
    def location(self) -> str:
        """Where the session is at rest: a path, or an address without credentials."""
        ...

    @property
    def transcripts(self) -> Transcripts | None:
        """Claude's own copies of the conversation; None where those that the machine has do."""
        ...

    @property
    def head(self) -> SessionHead:
        """The session without its messages, as far as this journal has seen; changed in place by it."""
        ...

    async def append(self, *records: Record, durable: bool = True) -> None:
        """Record what happened, in order, and apply it to :attr:`head`.

        When it returns with ``durable`` the records survive a loss of power; without it, the death of this
        process.

        Raises:
            StorageError: nothing of it was recorded, or, after a loss of the device, it is not known.
            SessionNotFoundError: the session was removed meanwhile.
        """
        ...

    async def refresh(self) -> bool:
        """Take in what others recorded; whether there was anything."""
        ...

    async def state(self) -> SessionState:
        """The whole session with its messages: as costly as its history is long."""
        ...

    def lease(self) -> AbstractAsyncContextManager[None]:
        """Hold the right to ask a question in this session (design decision 6); waits for its turn.

        Another process's lease is waited for without a bound (cancel the wait to give up); it ends with its
        holder, however that dies.
        """
        ...

    async def keep_content(self, digest: str, text: str) -> None:
        """Keep the text of a file as it was when a question was asked, once per ``digest`` (its SHA-256).

        It stays as long as something recorded in the session names the digest, and for an hour after it was kept or
        kept again; later it may be dropped.
        """
        ...

    async def content(self, digest: str) -> str | None:
        """A text that was kept, or None."""
        ...

    async def fold(self) -> None:
        """Put the session at rest in the guide's form, with everything recorded so far in it."""
        ...

    async def close(self) -> None:
        """Fold and let go of everything held. The journal is of no use afterwards. Closing twice is fine."""
        ...


class ActiveSessions(Protocol):
    """Which session is the active one of a project, on all machines that share the storage."""

    async def active(self, project: str) -> str | None:
        """The name of a project's active session; None while none was chosen.

        Args:
            project: what the project is called on every machine.

        Raises:
            StorageError: it can't be told now.
        """
        ...

    async def choose(self, project: str, name: str) -> None:
        """Make the session ``name`` the active one of a project.

        Raises:
            StorageError: it could not be recorded.
        """
        ...

    def when_chosen(self, tell: Callable[[], None]) -> None:
        """Have ``tell`` called when a project's active session may be another one, while the storage is watched."""
        ...


class JournaledStorage(SessionStorage, Protocol):
    """A storage that records turn by turn."""

    @property
    def active_sessions(self) -> ActiveSessions | None:
        """Those of the projects; None where each folder has its own."""
        ...

    async def create(self, state: SessionState, name: str) -> Journal:
        """Store a new session and open it.

        Raises:
            SessionExistsError: the name is taken.
            SessionNameError: the name can't be the name of a session.
        """
        ...

    async def open(self, name: str) -> Journal:
        """Open a stored session, reading only what :attr:`Journal.head` needs.

        Raises:
            SessionNotFoundError: there is none.
            SessionCorruptError: what is stored can't be read; it was set aside.
        """
        ...

    async def exists(self, name: str) -> bool:
        """Whether there is a session of that name."""
        ...

    async def delete(self, name: str) -> None:
        """Remove a session and everything that belongs to it.

        Raises:
            SessionNotFoundError: there is none.
        """
        ...

    async def rename(self, name: str, new_name: str) -> None:
        """Give a session another name; it must not be open elsewhere in the middle of a turn.

        Raises:
            SessionNotFoundError: there is none.
            SessionExistsError: the new name is taken.
            SessionNameError: the new name can't be the name of a session.
        """
        ...

    def watch(self) -> AsyncGenerator[str, None]:
        """The names of sessions that changed, as they change, by whomever. Ends with its task."""
        ...

    @property
    def away(self) -> str | None:
        """Why the place where sessions are kept can't be reached; what is recorded waits here until it can."""
        ...

    def when_away(self, tell: Callable[[], None]) -> None:
        """Have ``tell`` called when :attr:`away` changed."""
        ...

    async def close(self) -> None:
        """Let go of connections that the storage made itself. Closing twice is fine."""
        ...
