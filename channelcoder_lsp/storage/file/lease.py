"""The right to ask a question in a session, for one at a time on this machine."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from anyio import sleep

from channelcoder_lsp.domain.errors import SessionNotFoundError
from channelcoder_lsp.services.locks import FileLock
from channelcoder_lsp.storage.file.disk import explained

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from channelcoder_lsp.storage.file.names import SessionFiles

_FIRST_PAUSE = 0.005
_LONGEST_PAUSE = 0.1


@asynccontextmanager
async def leased(files: SessionFiles) -> AsyncIterator[None]:
    """Hold the session's lease; see :meth:`channelcoder_lsp.domain.storage.Journal.lease`.

    Whoever waits for it holds the queue's lock, so whoever lets go of the lease and wants it back at once
    comes after.

    Raises:
        SessionNotFoundError: there is no such session (any more).
    """
    queue, lease = FileLock(files.queue), FileLock(files.lease)
    try:
        await _acquire(queue, files)
        await _acquire(lease, files)
        queue.close()
        yield
    finally:
        queue.close()
        lease.close()


async def _acquire(lock: FileLock, files: SessionFiles) -> None:
    pause = _FIRST_PAUSE
    while True:
        with explained(f"ask in session {files.name!r}", files.folder):
            if not files.snapshot.exists():
                raise SessionNotFoundError(files.name)
            if lock.try_acquire():
                return
        await sleep(pause)
        pause = min(pause * 1.5, _LONGEST_PAUSE)
