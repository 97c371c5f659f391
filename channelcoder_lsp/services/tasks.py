"""Ending tasks."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

logger = logging.getLogger(__name__)

_AGAIN_SECONDS = 1.0


async def end(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel tasks, and wait until they have ended.

    They are told again when they go on: a library that is cancelled in the moment of its own timeout may take the one
    for the other (before Python 3.12 ``asyncio.wait_for`` does).
    """
    left = set(tasks)
    while left:
        for task in left:
            task.cancel()
        done, left = await asyncio.wait(left, timeout=_AGAIN_SECONDS)
        for task in done:
            if not task.cancelled() and (problem := task.exception()) is not None:
                logger.debug("%s ended with %r", task.get_name(), problem)
