"""The command as a process, behind it the real CLI and the offline model."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import anyio.to_thread
import pytest

from channelcoder_lsp.offline.process import OfflineModel

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@dataclass
class Shell:
    """A user's shell in a project folder."""

    home: Path
    model: OfflineModel

    @property
    def command(self) -> list[str]:
        return [sys.executable, "-m", "channelcoder_lsp.cli.command"]

    @property
    def project(self) -> Path:
        return self.home / "shop"

    @property
    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "HOME": str(self.home),
            "XDG_STATE_HOME": str(self.home / "state"),
            "XDG_CONFIG_HOME": str(self.home / "config"),
            "TMPDIR": str(self.home / "tmp"),
            "CHANNELCODER_SESSION_DIR": str(self.home / "sessions"),
            "CHANNELCODER_MAX_RETRIES": "0",
            "CLAUDE_CONFIG_DIR": str(self.home / "claude"),
            **self.model.environment(),
        }

    async def __call__(self, *arguments: str, given: str = "", code: int = 0, **more: str) -> Any:
        """What the command wrote on its standard output stream, or, if it is to fail, on the other one."""

        def call() -> subprocess.CompletedProcess[str]:
            return subprocess.run(
                [*self.command, *arguments],
                cwd=self.project,
                env=self.environment | more,
                input=given,
                capture_output=True,
                encoding="utf-8",
                timeout=60,
                check=False,
            )

        done = await anyio.to_thread.run_sync(call)
        assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done.stderr if code else done.stdout

    async def json(self, *arguments: str) -> Any:
        return json.loads(await self(*arguments, "--json"))

    async def json_with(self, *arguments: str, **more: str) -> Any:
        """Likewise with more variables."""
        return json.loads(await self(*arguments, "--json", **more))

    async def asked(self) -> list[str]:
        """The conversation that the model saw last."""
        request = (await self.model.requests())[-1]
        return [*request.earlier_questions, request.question]


@pytest.fixture(scope="module")
async def shared_model() -> AsyncIterator[OfflineModel]:
    async with OfflineModel(control=True, delay_ms=0) as model:
        yield model


@pytest.fixture
async def shell(shared_model: OfflineModel, tmp_path: Path) -> Shell:
    await shared_model.clear()
    (tmp_path / "shop").mkdir()
    (tmp_path / "tmp").mkdir()
    return Shell(tmp_path, shared_model)
