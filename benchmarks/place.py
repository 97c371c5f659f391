"""A home, a project and an environment of their own, so that nothing of the user's is used or touched."""

from __future__ import annotations

import os
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.wire import Wire

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[1]
OURS = (sys.executable, "-m", "channelcoder_lsp.cli.lsp")
BARE = (sys.executable, "-m", "benchmarks.bare_server")


@dataclass(eq=False)
class Place:
    """One user's machine.

    Args:
        home: where everything is.
        more: variables for the server, over ours.
    """

    home: Path
    more: dict[str, str] = field(default_factory=dict)

    @property
    def project(self) -> Path:
        """The workspace folder."""
        folder = self.home / "shop"
        folder.mkdir(exist_ok=True)
        return folder

    @property
    def sessions(self) -> Path:
        """The sessions folder."""
        return self.home / "sessions"

    @property
    def state(self) -> Path:
        """The product's state folder."""
        return self.home / "state" / "channelcoder"

    @property
    def environment(self) -> dict[str, str]:
        """The environment of a server here."""
        outer = {name: value for name, value in os.environ.items() if not name.startswith("CHANNELCODER_")}
        path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
        return {
            **outer,
            "PYTHONPATH": path,
            "HOME": str(self.home),
            "XDG_STATE_HOME": str(self.home / "state"),
            "XDG_CACHE_HOME": str(self.home / "cache"),
            "XDG_CONFIG_HOME": str(self.home / "config"),
            "XDG_RUNTIME_DIR": str(self.home / "run"),
            "CHANNELCODER_SESSION_DIR": str(self.sessions),
            "CHANNELCODER_MAX_RETRIES": "0",
            "CLAUDE_CONFIG_DIR": str(self.home / "claude"),
            **self.more,
        }

    def server(self, command: tuple[str, ...] = OURS) -> Wire:
        """A server in this place."""
        return Wire(command, self.environment, self.project)


@contextmanager
def new_place() -> Iterator[Place]:
    """A place that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="channelcoder-bench-", ignore_cleanup_errors=True) as folder:
        yield Place(Path(folder))
