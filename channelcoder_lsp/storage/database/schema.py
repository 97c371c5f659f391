"""Bringing a database's tables to what this version works with."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from anyio import to_thread
from sqlalchemy import inspect, text
from sqlalchemy.exc import DBAPIError

from channelcoder_lsp.domain.errors import StorageError

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from sqlalchemy.ext.asyncio import AsyncEngine

REVISION = "0002"
"""The last migration."""
VERSION_TABLE = "channelcoder_version"
_LOCK = 0x6368616E
"""What PostgreSQL's advisory lock is known by."""
_TRIES = 3
_ONE_IN_A_PROCESS = threading.Lock()
"""Alembic's migrations work on what its module ``op`` is at the moment."""


async def migrate(engine: AsyncEngine) -> None:
    """Make or change the tables, unless they are as they should be.

    Raises:
        StorageError: a newer version has changed them.
    """
    for attempt in range(_TRIES):
        try:
            if engine.dialect.name == "sqlite":
                async with engine.connect() as connection:
                    # So that who reads doesn't wait for who writes; it stays so in the file.
                    await connection.execute(text("PRAGMA journal_mode=WAL"))
            async with engine.begin() as connection:
                current = await connection.run_sync(_revision) == REVISION
            if not current:
                await _change(engine)
        except DBAPIError:
            # Two that start at once may both make the tables: whoever is second finds them made.
            if attempt == _TRIES - 1:
                raise
            await asyncio.sleep(0.1 * (attempt + 1))
        else:
            return


async def _change(engine: AsyncEngine) -> None:
    await to_thread.run_sync(_ONE_IN_A_PROCESS.acquire)
    try:
        async with engine.begin() as connection:
            await connection.run_sync(_migrate)
    finally:
        _ONE_IN_A_PROCESS.release()


def _migrate(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    found = _revision(connection)
    if found == REVISION:
        return
    from alembic import command  # noqa: PLC0415 - only where there is something to do
    from alembic.config import Config  # noqa: PLC0415
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if found is not None and found not in known:
        raise StorageError(
            "A newer version of channelcoder-lsp has changed the tables of this database. Update this one."
        )
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    found = connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()  # noqa: S608 - a constant
    return str(found) if found is not None else None
