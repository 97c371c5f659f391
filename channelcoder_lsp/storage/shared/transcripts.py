"""Transcripts on a back end: the records of one more session, which is listed nowhere, beside each session.

So they wait in the outbox while the back end is away, arrive in order, and are there once, as all records.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from contextlib import suppress
from hashlib import md5
from typing import TYPE_CHECKING

from channelcoder_lsp.domain.errors import SessionExistsError, SessionNotFoundError, StorageUnreachableError
from channelcoder_lsp.domain.records import TranscriptKept
from channelcoder_lsp.domain.session import SessionState
from channelcoder_lsp.storage.shared.backend import Handle
from channelcoder_lsp.storage.shared.journal import SharedJournal
from channelcoder_lsp.storage.shared.lines import record_of, whole_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from channelcoder_lsp.storage.shared.backend import Backend

_PREFIX = "transcripts/"
"""See :func:`~channelcoder_lsp.storage.shared.backend.is_listed`."""


def session_of(name: str) -> str | None:
    """The key of the session whose transcripts are stored under ``name``; None for what is no transcripts."""
    return name.removeprefix(_PREFIX) if name.startswith(_PREFIX) else None


class SharedTranscripts:
    """The transcripts of one session (:class:`~channelcoder_lsp.domain.transcripts.Transcripts`).

    Args:
        backend: where they are.
        handle: the session.
    """

    def __init__(self, backend: Backend, handle: Handle) -> None:
        self._backend = backend
        self._session = handle
        # Every machine makes the same one, also while the back end is away.
        key = md5(f"{_PREFIX}{handle.key}".encode(), usedforsecurity=False).hexdigest()
        self._handle = Handle(f"{_PREFIX}{handle.key}", key)
        self._journal: SharedJournal | None = None
        self._one_at_a_time = asyncio.Lock()

    async def add(self, session_id: str, subpath: str, lines: Sequence[str]) -> None:
        """Keep some more lines."""
        record = TranscriptKept(session_id=session_id, subpath=subpath, lines=list(lines))
        async with self._one_at_a_time:
            try:
                self._journal = self._journal or await self._opened()
                await self._journal.append(record)
            except SessionNotFoundError:  # they were removed since, by whoever cleared the session
                self._journal = await self._opened()
                await self._journal.append(record)

    async def lines(self, session_id: str) -> Mapping[str, Sequence[str]]:
        """All lines of a Claude session's transcripts, by subpath."""
        found: dict[str, list[str]] = defaultdict(list)
        with suppress(SessionNotFoundError):
            for line in (await self._backend.whole(self._handle)).lines:
                record = record_of(line, self._handle)
                if isinstance(record, TranscriptKept) and record.session_id == session_id:
                    found[record.subpath] += record.lines
        return found

    async def delete(self) -> None:
        """Remove all of them."""
        self._journal = None
        with suppress(SessionNotFoundError):
            await self._backend.delete(self._handle)

    async def _opened(self) -> SharedJournal:
        try:
            stored = await self._backend.head(self._handle)
        except (SessionNotFoundError, StorageUnreachableError):
            await self._backend.head(self._session)  # of one that is gone there is nothing to keep
            with suppress(SessionExistsError):
                state = SessionState()
                whole = whole_of(state, self._handle.name, self._backend.address)
                await self._backend.create(self._handle, whole)
            stored = await self._backend.head(self._handle)
        return SharedJournal(self._backend, self._handle, stored)
