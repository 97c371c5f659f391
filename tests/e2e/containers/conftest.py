"""Containers as a person has them: Podman, the real CLI in an image, the offline model on the loopback address."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import container_images as images
import pytest

from channelcoder_lsp.offline.process import OfflineModel

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Podman with the images of the tests, and a storage of its own."""
    work = tmp_path_factory.mktemp("engine")
    conf, storage = work / "containers.conf", work / "storage.conf"
    conf.write_text(images.ENGINE_CONF, encoding="utf-8")
    storage.write_text(
        f'[storage]\ndriver = "overlay"\ngraphroot = "{work / "images"}"\nrunroot = "{work / "run"}"\n',
        encoding="utf-8",
    )
    before = {name: os.environ.get(name) for name in ("CONTAINERS_CONF", "CONTAINERS_STORAGE_CONF")}
    os.environ |= {"CONTAINERS_CONF": str(conf), "CONTAINERS_STORAGE_CONF": str(storage)}
    images.make(work)
    yield
    subprocess.run(["podman", "system", "reset", "--force"], check=True, capture_output=True)
    for name, value in before.items():
        if value is None:
            del os.environ[name]
        else:
            os.environ[name] = value


@pytest.fixture(scope="module")
async def shared_model() -> AsyncIterator[OfflineModel]:
    async with OfflineModel(control=True, delay_ms=0) as model:
        yield model


@pytest.fixture
async def model(
    engine: None, shared_model: OfflineModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> OfflineModel:
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
