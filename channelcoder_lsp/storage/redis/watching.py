"""Changes to sessions, as Redis tells them."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import aclosing, asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

from redis.exceptions import RedisError

from channelcoder_lsp.domain.errors import StorageError, StorageUnreachableError
from channelcoder_lsp.services.tasks import finished

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable

    from redis.asyncio.client import PubSub

    from channelcoder_lsp.storage.redis.server import RedisServer

logger = logging.getLogger(__name__)

_RETRY_SECONDS = 2.0
_CHECK_SECONDS = 10.0
"""How often to see whether a connection that tells nothing is still there; less than one visit may take."""
_QUIET_SECONDS = 0.01
_LONGEST_SECONDS = 0.1
"""Changes that follow each other closely are told as one: until it is quiet, or at last after so long."""

_At = tuple[str, str, str]
_Seen = dict[str, _At]


async def changed_sessions(
    server: RedisServer, channel: str, look: Callable[[], Awaitable[_Seen]]
) -> AsyncGenerator[str, None]:
    """The names of sessions that changed.

    What is told while nobody listens is lost. So whenever listening begins, and whenever the client has made a lost
    connection anew, each session is looked at, and what changed meanwhile is told.
    """
    seen: _Seen = {}
    looked = False
    while True:
        try:
            async with _listening(server, channel) as subscription, aclosing(_told(server, subscription)) as told:
                async for news in told:
                    if news is None:
                        now = await look()
                        changed = _difference(seen, now) if looked else []
                        seen, looked = now, True
                    else:
                        changed = [name for name, at in news.items() if _note(seen, name, at)]
                    for name in changed:
                        yield name
        except StorageError as problem:
            logger.info("changes by others are not seen for a while: %s", problem)
        await asyncio.sleep(_RETRY_SECONDS)


@asynccontextmanager
async def _listening(server: RedisServer, channel: str) -> AsyncIterator[PubSub]:
    subscription: Any = server.client.pubsub()
    try:
        with server.visiting():
            await finished(subscription.subscribe(channel))
        yield subscription
    finally:
        with suppress(RedisError, OSError):
            await finished(subscription.aclose())


async def _told(server: RedisServer, subscription: PubSub) -> AsyncGenerator[dict[str, _At | None] | None, None]:
    """By name, how far a session is, or that the name is free. None: something may have been missed."""
    while True:
        message = await _message(server, subscription, _CHECK_SECONDS)
        if message is None:
            with server.visiting():
                await finished(subscription.ping())
            message = await _message(server, subscription, _CHECK_SECONDS)
            if message is None:
                raise StorageUnreachableError(f"Redis at {server.address} tells nothing any more.")
        news: dict[str, _At | None] = {}
        begun, until = False, time.monotonic() + _LONGEST_SECONDS
        while message is not None:
            if message["type"] == "subscribe":
                begun = True
            elif message["type"] == "message":
                name, at = _change(message["data"])
                news[name] = at
            message = await _message(server, subscription, _QUIET_SECONDS) if time.monotonic() < until else None
        if begun:
            yield None
        elif news:
            yield news


async def _message(server: RedisServer, subscription: PubSub, seconds: float) -> dict[str, Any] | None:
    with server.visiting():
        message: dict[str, Any] | None = await finished(subscription.get_message(timeout=seconds))
        return message


def _change(data: str | bytes) -> tuple[str, _At | None]:
    key, generation, seq, name = (data if isinstance(data, str) else data.decode()).split(" ", 3)
    return name, None if seq == "-" else (key, generation, seq)


def _note(seen: _Seen, name: str, at: _At | None) -> bool:
    """Whether that was not known yet."""
    before = seen.pop(name, None)
    if at is not None:
        seen[name] = at
    return before != at


def _difference(before: _Seen, now: _Seen) -> list[str]:
    return [name for name in {**before, **now} if before.get(name) != now.get(name)]
