"""The right to ask a question in a session, for one at a time among machines.

A lease ends by itself when its holder does not renew it: a machine that died, or lost the network, is replaced. Each
lease has a fence, a number above all earlier ones. What is recorded under a lease carries it, so that a holder that was
stopped for longer than its lease can't write when it wakes up.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING
from uuid import uuid4

from channelcoder_lsp.domain.errors import ChannelCoderError, StorageError
from channelcoder_lsp.services.tasks import end, whole

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from channelcoder_lsp.storage.shared.backend import Backend, Handle

logger = logging.getLogger(__name__)

LEASE_SECONDS = 15.0
_FIRST_PAUSE = 0.01
_LONGEST_PAUSE = 0.5


@asynccontextmanager
async def leased(backend: Backend, handle: Handle, seconds: float = LEASE_SECONDS) -> AsyncIterator[int]:
    """Hold a session's lease; the fence.

    Raises:
        SessionNotFoundError: there is no such session (any more).
        StorageError: the back end is away.
    """
    fence = await _acquired(backend, handle, seconds)
    renewing = asyncio.create_task(_renew(backend, handle, fence, seconds))
    try:
        yield fence
    finally:
        try:
            await end([renewing])
        finally:
            await _release(backend, handle, fence)


async def _acquired(backend: Backend, handle: Handle, seconds: float) -> int:
    holder, pause = uuid4().hex, _FIRST_PAUSE
    asking = None
    try:
        while True:
            # A lease that is given in the moment in which the wait is given up must not be lost from sight.
            asking = asyncio.ensure_future(backend.acquire(handle, holder, seconds))
            fence = await asyncio.shield(asking)
            if fence is not None:
                return fence
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, _LONGEST_PAUSE)
    except asyncio.CancelledError:
        await _withdraw(backend, handle, holder, asking)
        raise


@whole
async def _withdraw(backend: Backend, handle: Handle, holder: str, asking: asyncio.Future[int | None] | None) -> None:
    with suppress(ChannelCoderError):
        fence = await asking if asking is not None else None
        if fence is not None:
            await _release(backend, handle, fence)
        else:
            await backend.give_up(handle, holder)


async def _renew(backend: Backend, handle: Handle, fence: int, seconds: float) -> None:
    while True:
        await asyncio.sleep(seconds / 3)
        try:
            if not await backend.renew(handle, fence, seconds):
                logger.warning("the lease of session %r was lost: what is recorded under it is refused", handle.name)
                return
        except StorageError as problem:
            logger.info("the lease of session %r could not be renewed yet: %s", handle.name, problem)


@whole
async def _release(backend: Backend, handle: Handle, fence: int) -> None:
    try:
        await backend.release(handle, fence)
    except ChannelCoderError as problem:
        logger.info("the lease of session %r ends by itself: %s", handle.name, problem)
