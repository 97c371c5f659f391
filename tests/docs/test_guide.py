"""Every block of Python in docs/guide.md and README.md runs as it stands, with the real CLI behind it.

The one that needs an engine for containers is run in tests/e2e/containers.
"""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
from pathlib import Path
from types import FunctionType

import pytest

from channelcoder_lsp.offline.process import OfflineModel

PAGE = Path(__file__).parents[2] / "docs/guide.md"
README = PAGE.parents[1] / "README.md"
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
SECTION = re.compile(r"^## (.*)$", re.MULTILINE)


async def run(source: str, names: dict[str, object]) -> None:
    """Run ``source`` with top-level ``await``."""
    code = compile(source, str(PAGE), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    if code.co_flags & inspect.CO_COROUTINE:
        await FunctionType(code, names)()
    else:
        exec(code, names)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository, and the folder that the blocks run in."""
    folder = tmp_path / "shop"
    folder.mkdir()
    for command in (
        ["init", "-q", "-b", "main"],
        ["-c", "user.name=Ada", "-c", "user.email=a@example.org", "commit", "-q", "--allow-empty", "-m", "one"],
    ):
        subprocess.run(["git", *command], cwd=folder, check=True)
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.usefixtures("project")
async def test_every_block_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    async with OfflineModel(delay_ms=0) as model:
        for name, value in {
            **model.environment(),
            "HOME": str(tmp_path),
            "XDG_STATE_HOME": str(tmp_path / "state"),
            "XDG_CONFIG_HOME": str(tmp_path / "config"),
            "CLAUDE_CONFIG_DIR": str(tmp_path / "claude"),
            "CHANNELCODER_SESSION_DIR": str(tmp_path / "sessions"),
        }.items():
            monkeypatch.setenv(name, value)
        names: dict[str, object] = {}
        guide = PAGE.read_text(encoding="utf-8")
        blocks = [block for block in BLOCK.findall(guide) if "docker=" not in block]
        readme = BLOCK.findall(README.read_text(encoding="utf-8"))
        assert readme
        for source in [*blocks, *readme]:
            await run(source, names)
    assert len(blocks) >= len(SECTION.findall(guide)) - 2
    assert (tmp_path / "sessions/learning-typescript.json").is_file()
    assert (tmp_path / "shop-feature-payments").is_dir()
    assert not (tmp_path / "shop-feature-login").exists()
