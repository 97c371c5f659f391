"""RedisStorage keeps every promise of the port, on a server and on a cluster's node, whatever the client decodes."""

from __future__ import annotations

from uuid import uuid4

import pytest
from redis.asyncio import Redis

from channelcoder_lsp.storage.redis.storage import RedisStorage
from channelcoder_lsp.testing import JOURNAL_PROMISES, STORAGE_PROMISES


@pytest.fixture(params=["server", "cluster"])
async def connect(request):
    """Makes storages on one server, each with connections of its own."""
    server = request.getfixturevalue("redis_server" if request.param == "server" else "redis_cluster")
    clients, tenant = [], uuid4().hex

    def connect() -> RedisStorage:
        clients.append(Redis.from_url(server.url, decode_responses=request.param == "cluster"))
        return RedisStorage(clients[-1], tenant=tenant)

    yield connect
    for client in clients:
        await client.aclose()


@pytest.mark.parametrize("promise", [*STORAGE_PROMISES, *JOURNAL_PROMISES], ids=lambda promise: promise.__name__)
async def test_promise(promise, connect):
    await promise(connect)
