"""Whatever is done to a session on a server may be cancelled in any of its waits: the next one can use it all."""

from __future__ import annotations

from contextlib import asynccontextmanager, suppress

import anyio
import pytest
from cancelling import WAYS, each_wait

from backends.places import PATIENCE, Place
from channelcoder_lsp.domain.errors import SessionExistsError
from channelcoder_lsp.domain.session import SessionState
from channelcoder_lsp.storage.shared.outbox import Outbox
from channelcoder_lsp.storage.shared.storage import SharedStorage
from channelcoder_lsp.testing.samples import answered

DIGEST = "5" * 64
LEASE_SECONDS = 10 * PATIENCE
"""A lease that isn't let go of is a failure, and not one that ends by itself."""


@asynccontextmanager
async def directly(storage, folder):
    yield storage


@asynccontextmanager
async def with_an_outbox(storage, folder):
    outbox = Outbox(storage._backend, folder)
    yield SharedStorage(outbox)
    await outbox.close()


async def asked_and_answered(journal):
    async with journal.lease():
        await journal.append(*answered(2))
        await journal.keep_content(DIGEST, "some text")
        await journal.refresh()
        await journal.fold()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("through", [directly, with_an_outbox])
async def test_a_question_under_the_lease(place, tmp_path, way, through):
    """What was recorded is there once, on all machines alike; the lease is free, and the next question is recorded."""
    place = Place(place.url, place.tenant, LEASE_SECONDS)
    async with place.storage() as storage, through(storage, tmp_path / "here") as here, place.storage() as there:
        async for cut in each_wait(way, least=5):
            name = f"session-{cut.at}"
            journal = await here.create(SessionState(), name)
            await journal.append(*answered(1))
            await cut.into(asked_and_answered(journal))
            with anyio.fail_after(PATIENCE):
                async with journal.lease():
                    await journal.append(*answered(3))
            other = await there.open(name)
            with anyio.fail_after(PATIENCE):
                async with other.lease():
                    await other.refresh()
            assert list(journal.head.turns) == list(other.head.turns)
            assert list(journal.head.turns) in (["turn-1", "turn-2", "turn-3"], ["turn-1", "turn-3"])
            assert journal.head.message_count == other.head.message_count == 2 * len(other.head.turns)
            assert (await there.load(name)).message_count == other.head.message_count
            await journal.close()
            await other.close()


async def test_a_session_that_is_made_renamed_and_removed(place):
    """It has the one name or the other, or is gone, and each of the names can be used again."""

    async def whole_life(storage):
        journal = await storage.create(SessionState(), "old")
        await journal.append(*answered(1))
        await journal.close()
        await storage.rename("old", "new")
        await storage.delete("new")

    async for cut in each_wait("request", least=5):
        at = Place(place.url, f"{place.tenant}-{cut.at}")
        async with at.storage() as here, at.storage() as there:
            assert await here.list() == []  # it is connected by now
            await cut.into(whole_life(here))
            left = [info.name for info in await there.list()]
            assert left in ([], ["old"], ["new"])
            for each in left:
                assert list((await there.load(each)).turns) in ([], ["turn-1"])
            for name in ("old", "new"):
                with suppress(SessionExistsError):  # what was on its way may have come through only now
                    await (await here.create(SessionState(), name)).close()
                await here.delete(name)
            assert await there.list() == []
