"""The active sessions of projects on a back end: the records of one more session for each project, listed nowhere.

So a choice waits in the outbox while the back end is away, and is seen by whoever watches, as all records.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING
from uuid import uuid4

from channelcoder_lsp.domain.errors import SessionExistsError, SessionNotFoundError
from channelcoder_lsp.domain.records import ActiveChosen
from channelcoder_lsp.domain.session import SessionState
from channelcoder_lsp.storage.shared.backend import Handle
from channelcoder_lsp.storage.shared.journal import SharedJournal
from channelcoder_lsp.storage.shared.lines import head_of, whole_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from channelcoder_lsp.storage.shared.backend import Backend

_PREFIX = "projects/"
"""See :func:`~channelcoder_lsp.storage.shared.backend.is_listed`."""


class SharedActive:
    """Which session is active where (:class:`~channelcoder_lsp.domain.storage.ActiveSessions`).

    Args:
        backend: where that is.
    """

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._tell: Callable[[], None] = lambda: None

    async def active(self, project: str) -> str | None:
        """The name of a project's active session."""
        handle = await self._backend.find(_name(project))
        if handle is None:
            return None
        try:
            return head_of(await self._backend.head(handle), handle).channelcoder.active
        except SessionNotFoundError:  # it is dropped where sessions are kept for a time
            return None

    async def choose(self, project: str, name: str) -> None:
        """Make the session ``name`` the active one."""
        handle = await self._backend.find(_name(project)) or await self._made(_name(project))
        journal = SharedJournal(self._backend, handle, await self._backend.head(handle))
        await journal.append(ActiveChosen(session=name))

    def when_chosen(self, tell: Callable[[], None]) -> None:
        """Have ``tell`` called when somebody chose."""
        self._tell = tell

    def changed(self, name: str) -> None:
        """Something was recorded under ``name``, which no session has."""
        if name.startswith(_PREFIX):
            self._tell()

    async def _made(self, name: str) -> Handle:
        handle = Handle(name, uuid4().hex)
        try:
            await self._backend.create(handle, whole_of(SessionState(), name, self._backend.address))
        except SessionExistsError:  # somebody was faster
            return await self._backend.find(name) or handle
        return handle


def _name(project: str) -> str:
    return _PREFIX + sha256(project.encode("utf-8", "surrogatepass")).hexdigest()[:32]
