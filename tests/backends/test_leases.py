"""The right to ask in a session, when its holder dies or stops."""

from __future__ import annotations

import signal

import pytest
from anyio import fail_after

from backends.places import PATIENCE, Place, Process
from channelcoder_lsp.domain.session import SessionState
from channelcoder_lsp.testing.samples import answered


@pytest.fixture
def brief(place):
    """A place where a lease that nobody renews lasts a second."""
    return Place(place.url, place.tenant, lease_seconds=1.0)


@pytest.fixture
async def storage(brief):
    async with brief.storage() as storage:
        await storage.save(SessionState(), "mine")
        yield storage


@pytest.fixture
async def holder(brief, storage):
    """Another process, which holds the lease."""
    process = Process("hold", brief)
    assert await process.says() == "held"
    yield process
    process.end()


async def test_a_holder_that_died_is_replaced(holder, storage):
    """After a kill -9, without anybody's help."""
    journal = await storage.open("mine")
    holder.end()
    with fail_after(PATIENCE):
        async with journal.lease():
            await journal.append(*answered(2))
    assert list((await storage.load("mine")).turns) == ["turn-2"]


async def test_a_holder_that_lost_its_lease_writes_nothing(holder, storage):
    """It was stopped for longer than its lease; when it goes on, what it records is refused."""
    journal = await storage.open("mine")
    holder.tell("stop")
    await holder.stopped()
    with fail_after(PATIENCE):
        async with journal.lease():
            await journal.append(*answered(2))
            holder.signal(signal.SIGCONT)
            holder.tell("record")
            assert await holder.says() == "LeaseLostError"
            await journal.append(*answered(3))
    holder.tell("record")
    assert await holder.says() == "LeaseLostError"
    assert list((await storage.load("mine")).turns) == ["turn-2", "turn-3"]


async def test_a_holder_that_stopped_and_was_not_missed_goes_on(holder, storage):
    """Nobody asked meanwhile: nothing was lost, and nothing is refused."""
    holder.tell("stop")
    await holder.stopped()
    holder.signal(signal.SIGCONT)
    holder.tell("record")
    assert await holder.says() == "recorded"
    assert list((await storage.load("mine")).turns) == ["turn-1"]
