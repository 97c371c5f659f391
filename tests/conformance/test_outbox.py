"""A storage with an outbox before it keeps every promise, while the back end is there and while it is away."""

from __future__ import annotations

import pytest
from sqlalchemy.ext.asyncio import create_async_engine

from channelcoder_lsp.storage.database.backend import DatabaseBackend
from channelcoder_lsp.storage.shared.outbox import Outbox
from channelcoder_lsp.storage.shared.storage import SharedStorage
from channelcoder_lsp.testing import JOURNAL_PROMISES, STORAGE_PROMISES


@pytest.mark.parametrize("promise", [*STORAGE_PROMISES, *JOURNAL_PROMISES], ids=lambda promise: promise.__name__)
async def test_promise(promise, tmp_path):
    storages = []

    def connect() -> SharedStorage:
        engine = create_async_engine(f"sqlite+aiosqlite:///{tmp_path}/sessions.db")
        storages.append(SharedStorage(Outbox(DatabaseBackend(engine, owned=True), tmp_path / "outbox", patience=60)))
        return storages[-1]

    try:
        await promise(connect)
    finally:
        for storage in storages:
            await storage.close()
