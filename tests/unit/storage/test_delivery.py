"""What waits in the outbox arrives once, whatever came through before the connection was lost."""

from __future__ import annotations

import asyncio

import pytest
from anyio import fail_after
from backends.places import PATIENCE, arrived, kept_away

from channelcoder_lsp.domain.errors import StorageError, StorageUnreachableError
from channelcoder_lsp.domain.records import ModelChosen
from channelcoder_lsp.domain.session import SessionState
from channelcoder_lsp.storage.database.opening import open_backend
from channelcoder_lsp.storage.shared.outbox import Outbox
from channelcoder_lsp.storage.shared.storage import SharedStorage
from channelcoder_lsp.testing.samples import answered


@pytest.fixture
async def url(tmp_path):
    return f"sqlite:///{tmp_path}/sessions.db"


@pytest.fixture
async def outbox(url, tmp_path):
    outbox = Outbox(open_backend(url), tmp_path / "outbox")
    yield outbox
    await outbox.close()


async def test_a_record_that_came_through_unheard_is_not_recorded_again(url, outbox):
    """Its acknowledgement was lost, then others went on, so that the head lies beyond it: what they chose stays."""
    mine = await SharedStorage(outbox).create(SessionState(), "mine")
    inner = outbox._inner
    append = inner.append

    async def unheard(*arguments) -> None:
        await append(*arguments)
        raise StorageUnreachableError("The connection was lost.")

    inner.append = unheard
    await mine.append(ModelChosen(model="mine"))
    assert await outbox.waiting() == 1
    inner.append = append
    others = SharedStorage(open_backend(url))
    other = await others.open("mine")
    assert other.head.channelcoder.model == "mine"
    await other.append(*answered(1), ModelChosen(model="theirs"))
    await other.fold()
    await mine.append(*answered(2))
    await arrived(outbox)
    state = await others.load("mine")
    assert state.channelcoder.model == "theirs"
    assert list(state.turns) == ["turn-1", "turn-2"]
    assert state.channelcoder.seq == 6
    await other.close()
    await others.close()


async def test_what_is_refused_keeps_nothing_else_from_arriving(url, outbox):
    """It arrives when it is taken after all; the transcripts of its session come after it."""
    storage = SharedStorage(outbox)
    made = [await storage.create(SessionState(), name) for name in ("shop", "till")]
    one, two = sorted(made, key=lambda journal: journal._handle.key)  # the order in which they are delivered
    inner = outbox._inner
    append = inner.append
    with kept_away(outbox):
        assert await storage.exists(one.name)
        await one.append(*answered(1))
        await one.transcripts.add("claude-1", "", ["1"])
        await two.append(*answered(2))

        async def refused(handle, *arguments):
            if handle.name == one.name:
                raise StorageError("It is refused.")
            return await append(handle, *arguments)

        inner.append = refused
    others = SharedStorage(open_backend(url))
    with fail_after(PATIENCE):
        while not (await others.load(two.name)).turns:  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.05)
    assert not (await others.load(one.name)).turns
    assert [row.name for row in await others._backend.rows() if "/" in row.name] == []
    inner.append = append
    await arrived(outbox)
    assert list((await others.load(one.name)).turns) == ["turn-1"]
    assert await (await others.open(one.name)).transcripts.lines("claude-1") == {"": ["1"]}
    await others.close()


async def test_whoever_watches_is_told_of_what_arrived(outbox):
    """An editor on the same machine shows what waited, though the server tells of others' changes alone."""
    storage = SharedStorage(outbox)
    journal = await storage.create(SessionState(), "mine")
    with kept_away(outbox):
        assert await storage.exists("mine")
        await journal.append(*answered(1))
        told = asyncio.create_task(anext(outbox._delivery.arrived()))
    with fail_after(PATIENCE):
        assert await told == "mine"
