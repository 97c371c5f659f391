"""Following what others record ends when it is told to, at whatever moment; what fails unheard fails the test."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest

from backends.places import PATIENCE
from channelcoder_lsp.domain.records import ModelChosen
from channelcoder_lsp.domain.session import SessionState
from channelcoder_lsp.storage.opening import open_storage


@pytest.mark.parametrize(("server", "moments"), [("redis_server", 250), ("postgres_server", 60)])
async def test_a_watch_that_is_cancelled_at_any_moment_ends(server, moments, request):
    """Redis' client loses a cancellation that comes while it connects, subscribes or times out; we don't."""
    url = request.getfixturevalue(server).url
    for moment in range(moments):
        backend = open_storage(url)._backend

        async def watch(backend=backend):
            async for _ in backend.watch():
                pass

        task = asyncio.create_task(watch())
        for turn in range(moment // 4 * (250 // moments)):
            await asyncio.sleep(0 if (moment + turn) % 2 else 0.0005)
        task.cancel()
        await asyncio.wait({task}, timeout=PATIENCE)
        assert task.cancelled(), moment
        await backend.close()


@pytest.mark.parametrize("server", ["redis_server", "postgres_server"])
async def test_a_watch_that_one_leaves_has_ended_when_it_is_closed(server, request):
    """PostgreSQL's client takes it badly when a connection is let go of while something still talks over it."""
    url = request.getfixturevalue(server).url
    for turn in range(3):
        storage = open_storage(url)
        journal = await storage.create(SessionState(), f"watched {turn}")
        async with aclosing(storage.watch()) as names:
            first = asyncio.create_task(names.__anext__())
            while not first.done():  # it may take a moment until the watching has begun
                await journal.append(ModelChosen(model="model"))
        assert first.result() == f"watched {turn}"
        await storage._backend.close()
