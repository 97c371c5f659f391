"""Sessions by name, and the projects in which they are active."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from channelcoder_lsp.library.all_sessions import opened
from channelcoder_lsp.library.folder import active_session, checkouts, project
from channelcoder_lsp.services import archive
from channelcoder_lsp.services.checkouts import Checkout

if TYPE_CHECKING:
    from channelcoder_lsp.domain.session import SessionState

__all__ = ["active_session", "checkout_of", "checkouts", "project", "renamed", "state_of"]


async def state_of(name: str) -> SessionState:
    """A stored session, whole.

    Raises:
        SessionNotFoundError: there is none.
        StorageError: it can't be read.
    """
    async with opened(None) as sessions:
        return await sessions.load(name)


async def renamed(name: str, new_name: str) -> None:
    """Give a session another name; where it is active, it stays so.

    Raises:
        SessionNotFoundError, SessionExistsError, SessionNameError: as they say.
    """
    at = await checkout_of(name)
    async with opened(None) as sessions:
        await sessions.rename(name, new_name)
    if at is not None and checkouts().active_session(at) == name:
        checkouts().set_active_session(at, new_name)


async def forked(name: str, new_name: str) -> None:
    """Make a copy of a session that goes its own way.

    Raises:
        SessionNotFoundError, SessionExistsError, SessionNameError: as they say.
    """
    async with opened(None) as sessions:
        await archive.fork(sessions, name, new_name)


async def checkout_of(name: str) -> Checkout | None:
    """The project that a session belongs to, if it is known.

    Raises:
        SessionNotFoundError: there is no such session.
    """
    async with opened(None) as sessions:
        journal = await sessions.open(name)
        try:
            root = journal.head.channelcoder.checkout
        finally:
            await journal.close()
    return Checkout.of(Path(root)) if root else None
