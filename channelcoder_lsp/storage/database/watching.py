"""Changes to sessions, as they happen: told by PostgreSQL, looked for elsewhere."""

from __future__ import annotations

import asyncio
import logging
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, text
from sqlalchemy.exc import SQLAlchemyError

from channelcoder_lsp.storage.database.tables import sessions

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

logger = logging.getLogger(__name__)

CHANNEL = "channelcoder"
POLL_SECONDS = 0.3
_RETRY_SECONDS = 2.0
_CHECK_SECONDS = 20.0
"""How often to see whether a connection that tells nothing is still there."""

_Seen = dict[str, tuple[str, int, int]]


async def changed_sessions(engine: AsyncEngine, tenant: str) -> AsyncGenerator[str, None]:
    """The names of sessions that changed. A connection that is lost is made again, and what was missed is told."""
    seen: _Seen | None = None
    while True:
        try:
            async with engine.connect() as connection:
                await connection.execution_options(isolation_level="AUTOCOMMIT")
                changes = _told if engine.dialect.name == "postgresql" else _looked_for
                async with aclosing(changes(connection)) as told:
                    async for _ in told:
                        now = await _look(connection, tenant)
                        for name in _changed(seen, now):
                            yield name
                        seen = now
        except (SQLAlchemyError, OSError) as problem:
            logger.info("changes by others are not seen for a while: %s", type(problem).__name__)
        await asyncio.sleep(_RETRY_SECONDS)


async def _told(connection: AsyncConnection) -> AsyncGenerator[None, None]:
    """PostgreSQL's own word that something changed; at first once without."""
    news = asyncio.Event()

    def notify(*_: Any) -> None:
        news.set()

    driver: Any = (await connection.get_raw_connection()).driver_connection
    await driver.add_listener(CHANNEL, notify)
    driver.add_termination_listener(notify)
    try:
        while True:
            news.clear()
            yield
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(news.wait(), _CHECK_SECONDS)
    finally:
        driver.remove_termination_listener(notify)
        await connection.invalidate()  # nobody else gets a connection that listens


async def _looked_for(connection: AsyncConnection) -> AsyncGenerator[None, None]:
    """Whenever SQLite says that another connection changed the file; at first once without."""
    version = None
    while True:
        found = (await connection.execute(text("PRAGMA data_version"))).scalar()
        if found != version:
            version = found
            yield
        await asyncio.sleep(POLL_SECONDS)


async def _look(connection: AsyncConnection, tenant: str) -> _Seen:
    query = select(sessions.c.name, sessions.c.key, sessions.c.generation, sessions.c.seq)
    found = await connection.execute(query.where(sessions.c.tenant == tenant))
    return {name: (key, generation, seq) for name, key, generation, seq in found}


def _changed(seen: _Seen | None, now: _Seen) -> list[str]:
    if seen is None:
        return []
    return [name for name in {**seen, **now} if seen.get(name) != now.get(name)]
