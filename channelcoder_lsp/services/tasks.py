"""Ending tasks, and ending what may not end half-way."""

from __future__ import annotations

import asyncio
import logging
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Iterable

    from typing_extensions import ParamSpec

    P = ParamSpec("P")

logger = logging.getLogger(__name__)

T = TypeVar("T")

_AGAIN_SECONDS = 1.0


async def end(tasks: Iterable[asyncio.Future[Any]]) -> None:
    """Cancel tasks, and wait until they have ended, also when this is cancelled meanwhile.

    They are told again when they go on: a library that is cancelled in the moment of its own timeout may take the one
    for the other (before Python 3.12 ``asyncio.wait_for`` does).
    """
    from anyio import CancelScope  # noqa: PLC0415 - who is only being imported doesn't pay for it

    left = set(tasks)
    cancelled: asyncio.CancelledError | None = None
    while left:
        for task in left:
            task.cancel()
        try:
            # anyio cancels at every turn of the loop whatever is in a scope whose time is over.
            with CancelScope(shield=True):
                done, left = await asyncio.wait(left, timeout=_AGAIN_SECONDS)
        except asyncio.CancelledError as problem:
            # Left alone they would go on without anybody who ends them.
            cancelled = problem
            continue
        for task in done:
            if not task.cancelled() and (failure := task.exception()) is not None:
                logger.debug("%s ended with %r", task, failure)
    if cancelled is not None:
        raise cancelled


async def finished(work: Awaitable[T]) -> T:
    """What ``work`` comes to; when this is cancelled, it is cancelled for sure.

    For libraries that lose a cancellation now and then; see :func:`end`.
    """
    task: asyncio.Future[T] = asyncio.ensure_future(work)
    try:
        await asyncio.wait({task})
    except asyncio.CancelledError:
        await end([task])
        raise
    return task.result()


def whole(work: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, Coroutine[Any, Any, T]]:
    """Make of an ``async def`` one that is done to its end: whoever is cancelled while awaiting it is so afterwards.

    For what would leave something behind that nobody closes, or that is neither the old nor the new.
    """

    @wraps(work)
    async def done(*args: P.args, **kwargs: P.kwargs) -> T:
        from anyio import CancelScope  # noqa: PLC0415 - as above

        task = asyncio.ensure_future(work(*args, **kwargs))
        cancelled: asyncio.CancelledError | None = None
        while not task.done():
            try:
                with CancelScope(shield=True):
                    await asyncio.wait({task})
            except asyncio.CancelledError as problem:
                cancelled = problem
        if cancelled is None:
            return task.result()
        if not task.cancelled() and (failure := task.exception()) is not None:
            logger.warning("%s was cancelled, and failed: %s", work.__qualname__, failure)
        raise cancelled

    return done
