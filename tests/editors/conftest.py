"""A user's machine with a project on it, and the offline model behind the real CLI."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal

from channelcoder_lsp.offline.process import OfflineModel

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from channelcoder_lsp.offline.script import RecordedRequest, Reply

T = TypeVar("T")

_SECONDS = 90.0
"""How long a question may take to come to the model from the editors of a busy machine."""
SHOP = (Path(__file__).parents[2] / "channelcoder_lsp/cli/sample_project/shop.py").read_text("utf-8")


@dataclass
class Model:
    """The offline model for tests that aren't asynchronous: the editors' clients are not."""

    model: OfflineModel
    portal: BlockingPortal

    def script(self, *replies: Reply | str) -> None:
        self._wait(partial(self.model.script, *replies))

    def requests(self, count: int = 0, *, ended: bool = False) -> list[RecordedRequest]:
        """The questions it was asked, once there are ``count`` of them."""
        return self._wait(partial(self.model.wait_for_requests, count, ended=ended, seconds=_SECONDS))

    def release(self) -> None:
        self._wait(self.model.release)

    def clear(self) -> None:
        self._wait(self.model.clear)

    def _wait(self, call: Callable[[], Awaitable[T]]) -> T:
        return self.portal.call(call)


@dataclass
class Machine:
    """A user's home with a project in it, and what leads the server to the model."""

    home: Path
    model: Model
    offline: bool = False
    """Whether the server starts an offline model of its own, as users have it."""
    more_environment: dict[str, str] = field(default_factory=dict)
    sockets: int = 0

    @property
    def project(self) -> Path:
        """A folder that editors take for a project."""
        folder = self.home / "shop"
        (folder / ".git").mkdir(parents=True, exist_ok=True)
        return folder

    @property
    def environment(self) -> dict[str, str]:
        """All of an editor's environment: nothing of the real user's is in it."""
        folders = ("state", "cache", "config", "data", "run")
        for name in folders:
            (self.home / name).mkdir(mode=0o700, exist_ok=True)
        leads = {"CHANNELCODER_OFFLINE": "1"} if self.offline else self.model.model.environment()
        return {
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.defpath]),
            "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
            "LANG": "C.UTF-8",
            "HOME": str(self.home),
            **{f"XDG_{name.upper()}_{'DIR' if name == 'run' else 'HOME'}": str(self.home / name) for name in folders},
            "CHANNELCODER_SESSION_DIR": str(self.home / "sessions"),
            "CHANNELCODER_MAX_RETRIES": "0",
            "CLAUDE_CONFIG_DIR": str(self.home / "claude"),
            **leads,
            **self.more_environment,
        }

    def new_socket(self) -> Path:
        """Where an editor can listen."""
        self.sockets += 1
        return self.home / f"{self.sockets}.sock"

    def write(self, name: str, text: str) -> Path:
        """A file of the project."""
        path = self.project / name
        path.write_text(text, "utf-8")
        return path


@pytest.fixture(scope="session")
def running_model() -> Iterator[Model]:
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(OfflineModel(control=True, delay_ms=0)) as model,
    ):
        yield Model(model, portal)


@pytest.fixture
def model(running_model: Model) -> Iterator[Model]:
    """The offline model with nothing queued, and nothing held when the test is over."""
    running_model.clear()
    yield running_model
    running_model.clear()


@pytest.fixture
def machine(tmp_path: Path, model: Model) -> Machine:
    """A machine where nothing was asked yet."""
    return Machine(tmp_path, model)
