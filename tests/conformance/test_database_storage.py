"""DatabaseStorage keeps every promise of the port, on SQLite and on PostgreSQL."""

from __future__ import annotations

import pytest
from sqlalchemy.ext.asyncio import create_async_engine

from channelcoder_lsp.storage.database.storage import DatabaseStorage
from channelcoder_lsp.testing import JOURNAL_PROMISES, STORAGE_PROMISES


@pytest.fixture
async def connect(tmp_path):
    engines = []

    def connect() -> DatabaseStorage:
        engines.append(create_async_engine(f"sqlite+aiosqlite:///{tmp_path}/sessions.db"))
        return DatabaseStorage(engines[-1])

    yield connect
    for engine in engines:
        await engine.dispose()


@pytest.mark.parametrize("promise", [*STORAGE_PROMISES, *JOURNAL_PROMISES], ids=lambda promise: promise.__name__)
async def test_promise(promise, connect):
    await promise(connect)
