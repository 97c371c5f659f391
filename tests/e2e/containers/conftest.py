"""Containers as a person has them: Podman, the real CLI in an image, the offline model on the loopback address."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import container_images as images
import psutil
import pytest

from channelcoder_lsp.offline.process import OfflineModel

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator


@pytest.fixture(scope="session")
def engine() -> Iterator[None]:
    """Podman with the images of the tests; nothing of what it keeps is shared with the machine's own."""
    work = Path(tempfile.mkdtemp(prefix="channelcoder-engine-"))
    conf, storage = work / "containers.conf", work / "storage.conf"
    conf.write_text(images.engine_conf(work), encoding="utf-8")
    storage.write_text(images.storage_conf(work), encoding="utf-8")
    before = {name: os.environ.get(name) for name in ("CONTAINERS_CONF", "CONTAINERS_STORAGE_CONF")}
    os.environ |= {"CONTAINERS_CONF": str(conf), "CONTAINERS_STORAGE_CONF": str(storage)}
    try:
        images.make(work)
        yield
    finally:
        # What removes the last container outlives the question, and would write where everything is removed.
        psutil.wait_procs(processes(storage), timeout=90)
        subprocess.run(["podman", "system", "reset", "--force"], check=True, capture_output=True)
        shutil.rmtree(work)
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def processes(storage: Path) -> list[psutil.Process]:
    """Those that work with the engine of the tests."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.environ().get("CONTAINERS_STORAGE_CONF") == str(storage):
                found.append(process)
    return found


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
        "DOCKER_HOST": f"unix://{tmp_path}/none",  # this machine's own Docker, if there is one, has not the images
    }.items():
        monkeypatch.setenv(name, value)
    project = tmp_path / "project"
    project.mkdir()
    monkeypatch.chdir(project)
    return shared_model


@pytest.fixture
async def docker(model: OfflineModel, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """What the command ``docker`` talks to: Podman, which answers as Docker does."""
    with tempfile.TemporaryDirectory() as folder:  # a socket's path must be short
        address = f"unix://{folder}/docker.sock"
        monkeypatch.setenv("DOCKER_HOST", address)
        service = await anyio.open_process(["podman", "system", "service", "--time=0", address], stdout=None)
        try:
            with anyio.fail_after(120):
                while not Path(folder, "docker.sock").exists():  # noqa: ASYNC110 - the engine tells nobody
                    await anyio.sleep(0.05)
            yield
        finally:
            service.terminate()
            await service.wait()
