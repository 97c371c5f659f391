"""DatabaseStorage keeps every promise of the port, on SQLite and on PostgreSQL."""

from __future__ import annotations

from uuid import uuid4

import pytest
from sqlalchemy.ext.asyncio import create_async_engine

from channelcoder_lsp.storage.database.storage import DatabaseStorage
from channelcoder_lsp.testing import JOURNAL_PROMISES, STORAGE_PROMISES


@pytest.fixture(params=["sqlite", "postgresql"])
async def connect(request, tmp_path):
    """Makes storages on one database, each with connections of its own."""
    if request.param == "sqlite":
        url = f"sqlite+aiosqlite:///{tmp_path}/sessions.db"
    else:
        url = request.getfixturevalue("postgres").url.replace("postgresql:", "postgresql+asyncpg:")
    engines, tenant = [], uuid4().hex

    def connect() -> DatabaseStorage:
        engines.append(create_async_engine(url))
        return DatabaseStorage(engines[-1], tenant=tenant)

    yield connect
    for engine in engines:
        await engine.dispose()


@pytest.mark.parametrize("promise", [*STORAGE_PROMISES, *JOURNAL_PROMISES], ids=lambda promise: promise.__name__)
async def test_promise(promise, connect):
    await promise(connect)
