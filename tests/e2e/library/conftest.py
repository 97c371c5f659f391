"""The library as programs use it: the real CLI, the offline model, files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from channelcoder_lsp.offline.process import OfflineModel

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture(scope="module")
async def shared_model() -> AsyncIterator[OfflineModel]:
    async with OfflineModel(control=True, delay_ms=0) as model:
        yield model


@pytest.fixture
async def model(shared_model: OfflineModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> OfflineModel:
    """The offline model, and an environment that leads to it and to folders of the test's own."""
    await shared_model.clear()
    for name, value in {
        **shared_model.environment(),
        "HOME": str(tmp_path),
        "XDG_STATE_HOME": str(tmp_path / "state"),
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "CLAUDE_CONFIG_DIR": str(tmp_path / "claude"),
        "CHANNELCODER_SESSION_DIR": str(tmp_path / "sessions"),
        "CHANNELCODER_MAX_RETRIES": "0",
    }.items():
        monkeypatch.setenv(name, value)
    project = tmp_path / "project"
    project.mkdir()
    monkeypatch.chdir(project)
    return shared_model
