"""S3Storage keeps every promise of the port, on a server that keeps to conditional writes."""

from __future__ import annotations

from uuid import uuid4

import pytest
from backends.s3 import client_for

from channelcoder_lsp.storage.s3.storage import S3Storage
from channelcoder_lsp.testing import JOURNAL_PROMISES, STORAGE_PROMISES


@pytest.fixture
async def connect(s3_server):
    """Makes storages on one server, each with connections of its own."""
    tenant, made = uuid4().hex, []

    def connect() -> S3Storage:
        made.append(S3Storage(client_for(s3_server.url)[0], tenant=tenant))
        return made[-1]

    yield connect
    for storage in made:
        await storage.close()


@pytest.mark.parametrize("promise", [*STORAGE_PROMISES, *JOURNAL_PROMISES], ids=lambda promise: promise.__name__)
async def test_promise(promise, connect):
    await promise(connect)
