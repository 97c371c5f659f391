"""Sessions as files."""

from __future__ import annotations

import os
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from anyio import to_thread

from channelcoder_lsp.domain.errors import SessionNameError
from channelcoder_lsp.storage.file.disk import explained, make_folder
from channelcoder_lsp.storage.file.journal import FileJournal
from channelcoder_lsp.storage.file.listing import list_sessions
from channelcoder_lsp.storage.file.loading import load, load_path
from channelcoder_lsp.storage.file.moving import delete
from channelcoder_lsp.storage.file.names import SessionFiles
from channelcoder_lsp.storage.file.saving import create, rename, save_named, save_unnamed
from channelcoder_lsp.storage.file.watching import changed_sessions
from channelcoder_lsp.storage.names import is_path, session_name

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from channelcoder_lsp.domain.session import SessionInfo, SessionState

T = TypeVar("T")


class FileSessionStorage:
    """Keeps sessions in one folder, as ChannelCoder does (session guide, "File-Based Storage").

    Implements :class:`channelcoder_lsp.domain.storage.JournaledStorage`.

    Args:
        directory: the sessions folder; made when the first session is stored. Without it what
            ``CHANNELCODER_SESSION_DIR`` says, else ``~/.channelcoder/sessions``.
    """

    def __init__(self, directory: Path | str | None = None) -> None:
        chosen = directory or os.environ.get("CHANNELCODER_SESSION_DIR") or "~/.channelcoder/sessions"
        self.directory = Path(chosen).expanduser().absolute()

    def __repr__(self) -> str:
        return f"FileSessionStorage({str(self.directory)!r})"

    @property
    def url(self) -> str:
        """What :func:`channelcoder_lsp.storage.opening.open_storage` opens the same folder with."""
        return self.directory.as_uri()

    async def save(self, state: SessionState, name: str | None = None) -> str:
        """Store a session whole and return the path of its file.

        Args:
            state: the session.
            name: the name to store it under, which is its name from then on. Without one its own name, else
                its session id, else a new id.

        Raises:
            SessionNameError: the name can't be the name of a session.
            SessionExistsError: there is a session of a name that differs in case only.
            StorageError: it could not be stored; what was stored before is still there.
        """
        if name is None and state.metadata.name is None:
            return str(await to_thread.run_sync(lambda: save_unnamed(self.directory, state)))
        files = self._files(name if name is not None else state.metadata.name or "")
        return str(await to_thread.run_sync(lambda: save_named(files, state)))

    async def load(self, name_or_path: str) -> SessionState:
        """The whole session; by its name, or by the path of a file, which is only read.

        Raises:
            SessionNotFoundError: there is none.
            SessionNameError: that can't be a name.
            SessionCorruptError: what is stored can't be read.
        """
        if is_path(name_or_path):
            return await to_thread.run_sync(lambda: load_path(name_or_path))
        files = self._files(name_or_path)
        return await to_thread.run_sync(lambda: load(files))

    async def list(self) -> list[SessionInfo]:
        """What there is, newest first; reads the first line of each index."""
        return await self._in_thread("list the sessions", lambda: list_sessions(self.directory))

    async def create(self, state: SessionState, name: str) -> FileJournal:
        """Store a new session and open it.

        Raises:
            SessionExistsError: the name is taken.
            SessionNameError: the name can't be the name of a session.
        """
        files = self._files(name)
        await self._in_thread(f"save session {files.name!r}", lambda: create(files, state))
        return await FileJournal(files).attach()

    async def open(self, name: str) -> FileJournal:
        """Open a stored session; reads its index and the end of its journal.

        Raises:
            SessionNotFoundError: there is none.
            SessionNameError: that can't be a name.
            SessionCorruptError: what is stored can't be read; it was set aside.
        """
        return await FileJournal(self._files(name)).attach()

    async def exists(self, name: str) -> bool:
        """Whether there is a session of that name."""
        try:
            files = self._files(name)
        except SessionNameError:
            return False
        return await self._in_thread("look for a session", files.snapshot.is_file)

    async def delete(self, name: str) -> None:
        """Remove a session and everything that belongs to it.

        Raises:
            SessionNotFoundError: there is none.
        """
        files = self._files(name)
        await self._in_thread(f"remove session {files.name!r}", lambda: delete(files))

    async def rename(self, name: str, new_name: str) -> None:
        """Give a session another name.

        Journals that are open under the old name raise ``SessionNotFoundError`` from then on.

        Raises:
            SessionNotFoundError: there is none.
            SessionExistsError: the new name is taken.
            SessionNameError: the new name can't be the name of a session.
        """
        files, new = self._files(name), self._files(new_name)
        if files != new:
            await self._in_thread(f"rename session {files.name!r}", lambda: rename(files, new))

    async def watch(self) -> AsyncGenerator[str, None]:
        """The names of sessions whose files changed, as they change. Ends with its task."""
        await self._in_thread("watch the sessions", lambda: make_folder(self.directory))
        async with aclosing(changed_sessions(self.directory)) as names:
            async for name in names:
                yield name

    @property
    def active_sessions(self) -> None:
        """Each folder of this machine has its own."""

    @property
    def away(self) -> None:
        """Nothing waits: the files are here."""

    def when_away(self, tell: Callable[[], None]) -> None:
        """It never is."""

    async def close(self) -> None:
        """Nothing is held between two calls."""

    def _files(self, name: str) -> SessionFiles:
        return SessionFiles(self.directory, session_name(name))

    async def _in_thread(self, doing: str, work: Callable[[], T]) -> T:
        def explained_work() -> T:
            with explained(doing, self.directory):
                return work()

        return await to_thread.run_sync(explained_work)
