"""The real agent and the real CLI against the offline model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
import pytest
from agent_bench import SECONDS, Bench, bench_in, finished

from channelcoder_lsp.domain.agent import ConnectionRequest
from channelcoder_lsp.offline.process import OfflineModel

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from channelcoder_lsp.claude.connection import ClaudeConnection


@pytest.fixture(scope="module")
async def offline_model() -> AsyncIterator[OfflineModel]:
    async with OfflineModel(control=True, delay_ms=0) as model:
        yield model


@pytest.fixture
async def model(offline_model: OfflineModel) -> AsyncIterator[OfflineModel]:
    """The offline model, with nothing queued and nothing recorded."""
    await offline_model.clear()
    yield offline_model
    await offline_model.clear()


@pytest.fixture
def bench(model: OfflineModel, tmp_path: Path) -> Bench:
    return bench_in(tmp_path, model)


@pytest.fixture(scope="module")
async def warm_connection(
    offline_model: OfflineModel, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[ClaudeConnection]:
    bench = bench_in(tmp_path_factory.mktemp("warm"), offline_model)
    async with bench.agent().connect(ConnectionRequest(cwd=bench.project, model="a-model")) as connection:
        yield connection


@pytest.fixture
async def warm(model: OfflineModel, warm_connection: ClaudeConnection) -> AsyncIterator[ClaudeConnection]:
    """A connection that the tests of a module share, each of which must leave it fit for the next question."""
    yield warm_connection
    await model.clear()
    with anyio.fail_after(SECONDS):
        assert (await finished(warm_connection, "And now?")).error is None
