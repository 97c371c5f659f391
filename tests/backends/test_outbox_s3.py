"""A bucket goes away in the middle: what is recorded meanwhile waits here, and arrives once it is back."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import psutil
import pytest
from anyio import fail_after

from backends.places import PATIENCE
from channelcoder_lsp.domain.session import SessionState
from channelcoder_lsp.storage.s3.opening import open_backend
from channelcoder_lsp.storage.shared.outbox import Outbox
from channelcoder_lsp.storage.shared.storage import SharedStorage
from channelcoder_lsp.testing.samples import answered


@pytest.fixture
def outbox(own_s3, tmp_path):
    return Outbox(open_backend(f"{own_s3.url}&tenant={uuid4().hex}"), tmp_path / "outbox")


async def delivered(outbox) -> None:
    with fail_after(PATIENCE):
        while outbox.away is not None or await outbox.waiting():  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.05)


async def test_stopped_and_frozen(own_s3, outbox):
    """In order and once, without anybody asking for it; the editor goes on with the same journal."""
    storage = SharedStorage(outbox)
    journal = await storage.create(SessionState(), "mine")
    await journal.append(*answered(1))
    await delivered(outbox)  # a server that has just been started takes its time
    own_s3.stop("immediate")
    await journal.append(*answered(2))
    assert await outbox.waiting() == 2
    own_s3.start()
    await delivered(outbox)
    await journal.append(*answered(3))
    await delivered(outbox)
    server = psutil.Process(own_s3.pid)
    server.suspend()
    try:
        await journal.append(*answered(4))
        assert await outbox.waiting() == 2
    finally:
        server.resume()
    await delivered(outbox)
    state = await storage.load("mine")
    assert list(state.turns) == list(journal.head.turns) == ["turn-1", "turn-2", "turn-3", "turn-4"]
    assert len(state.messages) == 8
    await journal.close()
    await storage.close()
