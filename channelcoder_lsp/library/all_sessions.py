"""What can be done to the sessions of a storage without opening one (session guide, "Static methods")."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from channelcoder_lsp.library.folder import checkouts, follow
from channelcoder_lsp.library.runtime import Runtime
from channelcoder_lsp.services import archive
from channelcoder_lsp.services.tasks import whole
from channelcoder_lsp.storage.adapted import AdaptedStorage

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from datetime import timedelta

    from channelcoder_lsp.domain.session import SessionInfo
    from channelcoder_lsp.domain.storage import JournaledStorage, SessionStorage


class AllSessions:
    """The part of :class:`~channelcoder_lsp.library.session.Session` that is about all of them."""

    @staticmethod
    async def list(storage: SessionStorage | None = None) -> list[SessionInfo]:
        """What there is, newest first, without reading any history."""
        async with opened(storage) as sessions:
            return await sessions.list()

    @staticmethod
    async def remove(name: str, storage: SessionStorage | None = None) -> None:
        """Remove a session and everything that belongs to it.

        Raises:
            SessionNotFoundError: there is none.
            StorageError: it can't be removed.
        """
        async with opened(storage) as sessions:
            await sessions.delete(name)

    @staticmethod
    @whole
    async def rename(name: str, new_name: str, storage: SessionStorage | None = None) -> None:
        """Give a session another name; where it is active, it stays so.

        Raises:
            SessionNotFoundError, SessionExistsError, SessionNameError: as they say.
            StorageError: it can't be renamed.
        """
        async with opened(storage) as sessions:
            await sessions.rename(name, new_name)
        if storage is None:
            await follow(name, new_name)

    @staticmethod
    async def exists(name: str, storage: SessionStorage | None = None) -> bool:
        """Whether there is a session of that name."""
        async with opened(storage) as sessions:
            return await sessions.exists(name)

    @staticmethod
    async def prune(older_than: timedelta, storage: SessionStorage | None = None) -> Sequence[str]:
        """Remove the sessions in which nothing was said for longer; their names (session guide, "Session Hygiene").

        The session that is active in a folder, which editors go on with, stays, however old.

        Raises:
            StorageError: one can't be removed.
        """
        async with opened(storage) as sessions:
            return await archive.prune(sessions, older_than, keep=checkouts().active_sessions())

    @staticmethod
    async def search(text: str, storage: SessionStorage | None = None) -> Sequence[archive.Hit]:
        """Every message of every session that has ``text`` in it, whatever the case."""
        async with opened(storage) as sessions:
            return [hit async for hit in archive.search(sessions, text)]


def journaled(storage: SessionStorage, *, auto_save: bool) -> JournaledStorage:
    """``storage`` as one that records turn by turn.

    Args:
        storage: it, or one with the guide's three methods alone.
        auto_save: whether anything is stored before it is saved on purpose.
    """
    if auto_save and hasattr(storage, "create") and hasattr(storage, "open"):
        return storage  # type: ignore[return-value] # it has the methods
    return AdaptedStorage(storage, auto_save=auto_save)


@asynccontextmanager
async def opened(storage: SessionStorage | None) -> AsyncIterator[JournaledStorage]:
    """The storage that was given, or for a moment the one that the settings name."""
    if storage is not None:
        yield journaled(storage, auto_save=True)
        return
    sessions = Runtime().configuration.storage()
    try:
        yield sessions
    finally:
        await sessions.close()
