"""What waits in the outbox arrives once, whatever came through before the connection was lost."""

from __future__ import annotations

import pytest
from backends.places import arrived

from channelcoder_lsp.domain.errors import StorageUnreachableError
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
