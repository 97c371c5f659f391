"""Sessions by name, and the projects in which they are active."""

from __future__ import annotations

from typing import TYPE_CHECKING

from channelcoder_lsp.library.all_sessions import opened
from channelcoder_lsp.library.folder import active_name, active_session, checkouts, choose, project
from channelcoder_lsp.services import archive

if TYPE_CHECKING:
    from channelcoder_lsp.domain.session import SessionState

__all__ = ["active_name", "active_session", "checkouts", "choose", "project", "state_of"]


async def state_of(name: str) -> SessionState:
    """A stored session, whole.

    Raises:
        SessionNotFoundError: there is none.
        StorageError: it can't be read.
    """
    async with opened(None) as sessions:
        return await sessions.load(name)


async def forked(name: str, new_name: str) -> None:
    """Make a copy of a session that goes its own way.

    Raises:
        SessionNotFoundError, SessionExistsError, SessionNameError: as they say.
    """
    async with opened(None) as sessions:
        await archive.fork(sessions, name, new_name)
