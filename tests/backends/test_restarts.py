"""The server is killed and started again, or its network is away, while sessions are open."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest
from anyio import create_task_group, fail_after, to_thread

from backends.places import PATIENCE, Place
from backends.proxy import proxy_to
from channelcoder_lsp.domain.errors import StorageUnreachableError
from channelcoder_lsp.domain.records import ModelChosen, TurnAsked
from channelcoder_lsp.domain.session import SessionState
from channelcoder_lsp.domain.turn import Turn
from channelcoder_lsp.testing.samples import answered


async def test_what_was_acknowledged_is_there_after_a_kill(own_server):
    """The journal that was open goes on, without being opened anew."""
    async with Place(own_server.url, uuid4().hex).storage() as storage:
        journal = await storage.create(SessionState(), "mine")
        await journal.append(*answered(1))
        await journal.keep_content("a" * 64, "text")
        own_server.stop("immediate")
        with pytest.raises(StorageUnreachableError):
            await journal.append(*answered(2))
        own_server.start()
        await journal.append(*answered(3))
        state = await storage.load("mine")
        assert list(state.turns) == list(journal.head.turns) == ["turn-1", "turn-3"]
        assert state.channelcoder.seq == 4
        assert await journal.content("a" * 64) == "text"


async def test_a_kill_in_the_middle_of_recording(own_server):
    """All that was acknowledged is there once, in order; what was not is there once or not at all."""
    acknowledged, far, again = [], asyncio.Event(), asyncio.Event()

    async def record(journal) -> None:
        number = since = 0
        while since < 20:
            number += 1
            try:
                await journal.append(TurnAsked(turn=Turn(id=f"turn-{number}", question="Why?")))
            except StorageUnreachableError:
                await asyncio.sleep(0.05)
            else:
                acknowledged.append(f"turn-{number}")
                since += again.is_set()
                if len(acknowledged) == 20:
                    far.set()

    async with Place(own_server.url, uuid4().hex).storage() as storage:
        journal = await storage.create(SessionState(), "mine")
        with fail_after(PATIENCE):
            async with create_task_group() as tasks:
                tasks.start_soon(record, journal)
                await far.wait()
                await to_thread.run_sync(own_server.stop, "immediate")
                await to_thread.run_sync(own_server.start)
                again.set()
        turns = list((await storage.load("mine")).turns)
        assert [turn for turn in turns if turn in acknowledged] == acknowledged
        assert turns == sorted(set(turns), key=lambda turn: int(turn.removeprefix("turn-")))
        assert list(journal.head.turns) == turns


async def test_a_lost_network_hides_nothing_for_good(own_server):
    """Who watches is told what changed while the connection was lost."""
    told: list[str] = []
    news = asyncio.Condition()

    async def watch(storage) -> None:
        async for name in storage.watch():
            async with news:
                told.append(name)
                news.notify_all()

    async with (
        proxy_to(own_server.port) as proxy,
        Place(own_server.url, "team").storage() as there,
        Place(proxy.url(own_server.url), "team").storage() as here,
    ):
        journal = await there.create(SessionState(), "mine")
        other = await there.create(SessionState(), "other")
        await there.create(SessionState(), "quiet")
        with fail_after(PATIENCE):
            async with create_task_group() as tasks:
                tasks.start_soon(watch, here)
                while "mine" not in told:  # it takes a moment until the watching has begun
                    await journal.append(ModelChosen(model="model"))
                    await asyncio.sleep(0.01)
                await proxy.cut()
                await other.append(ModelChosen(model="model"))
                await there.create(SessionState(), "new")
                await proxy.start()
                async with news:
                    await news.wait_for(lambda: {"other", "new"} <= set(told))
                tasks.cancel_scope.cancel()
    assert "quiet" not in told


async def test_a_network_that_is_away(own_server):
    """An error with the address; afterwards everything goes on."""
    async with proxy_to(own_server.port) as proxy, Place(proxy.url(own_server.url), "team").storage() as storage:
        journal = await storage.create(SessionState(), "mine")
        await proxy.cut()
        with pytest.raises(StorageUnreachableError, match=f"127.0.0.1:{proxy.port}"):
            await journal.append(*answered(1))
        with pytest.raises(StorageUnreachableError):
            await storage.list()
        await proxy.start()
        await journal.append(*answered(2))
        assert [row.message_count for row in await storage.list()] == [2]
