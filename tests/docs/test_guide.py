"""Every block of Python, and every command, in docs/guide.md runs as it stands, with the real CLI behind it.

So does every block of Python in README.md.

The one that needs an engine for containers is run in tests/e2e/containers.
"""

from __future__ import annotations

import ast
import inspect
import re
import shlex
import subprocess
import sys
from pathlib import Path
from types import FunctionType
from typing import TYPE_CHECKING

import anyio
import anyio.to_thread
import pytest

from channelcoder_lsp.offline.process import OfflineModel

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

PAGE = Path(__file__).parents[2] / "docs/guide.md"
README = PAGE.parents[1] / "README.md"
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
PROMPT_FILE = re.compile(r"^`(\S+\.md)`:\n\n```markdown\n(.*?)^```", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"^channelcoder (.*)$", re.MULTILINE)
SECTION = re.compile(r"^## (.*)$", re.MULTILINE)


async def run(source: str, names: dict[str, object]) -> None:
    """Run ``source`` with top-level ``await``."""
    code = compile(source, str(PAGE), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    if code.co_flags & inspect.CO_COROUTINE:
        await FunctionType(code, names)()
    elif "asyncio.run(" in source:  # it brings an event loop of its own
        await anyio.to_thread.run_sync(exec, code, names)
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


@pytest.fixture
async def guide(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[str]:
    """The page, its prompt files in the folder, and an environment that leads to the offline model."""
    page = PAGE.read_text(encoding="utf-8")
    for name, text in PROMPT_FILE.findall(page):
        (project / name).write_text(text, encoding="utf-8")
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
        yield page


async def test_every_block_runs(guide: str, tmp_path: Path):
    names: dict[str, object] = {}
    blocks = [block for block in BLOCK.findall(guide) if "docker=" not in block]
    readme = BLOCK.findall(README.read_text(encoding="utf-8"))
    assert readme
    for source in [*blocks, *readme]:
        await run(source, names)
    assert len(blocks) >= len(SECTION.findall(guide)) - 2
    assert (tmp_path / "sessions/learning-typescript.json").is_file()
    assert (tmp_path / "shop-feature-payments").is_dir()
    assert not (tmp_path / "shop-feature-login").exists()
    assert not (tmp_path / "shop-feature-search").exists()


async def test_every_command_runs(guide: str):
    """But the one that needs a terminal, which is tested in one."""
    commands = [command for command in COMMAND.findall(guide) if not command.startswith("interactive")]
    said = ""
    for command in commands:
        arguments = [sys.executable, "-m", "channelcoder_lsp.cli.command", *shlex.split(command)]
        done = await anyio.run_process(arguments, stdin=subprocess.DEVNULL)
        said += done.stdout.decode()
    assert "I was given 3 earlier questions of this session" in said
    assert said.endswith("my-project is removed.\n")


def test_the_table_names_sections_that_there_are():
    page = PAGE.read_text(encoding="utf-8")
    sections = {f"#{title.lower().replace(' ', '-')}" for title in SECTION.findall(page)}
    assert set(re.findall(r"\]\((#[^)]*)\)", page)) <= sections
