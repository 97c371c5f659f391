"""Following what others record ends when it is told to, at whatever moment."""

from __future__ import annotations

import asyncio

from backends.places import PATIENCE
from channelcoder_lsp.storage.redis.opening import open_backend

_MOMENTS = 250


async def test_a_watch_of_redis_that_is_cancelled_at_any_moment_ends(redis_server):
    """Redis' client loses a cancellation that comes while it connects, subscribes or times out; we don't."""
    for moment in range(_MOMENTS):
        backend = open_backend(redis_server.url)

        async def watch(backend=backend):
            async for _ in backend.watch():
                pass

        task = asyncio.create_task(watch())
        for turn in range(moment // 4):
            await asyncio.sleep(0 if (moment + turn) % 2 else 0.0005)
        task.cancel()
        await asyncio.wait({task}, timeout=PATIENCE)
        assert task.cancelled(), moment
        await backend.close()
