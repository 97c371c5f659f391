"""The real server over stdio, behind it the real CLI and the offline model."""

from __future__ import annotations

import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from channelcoder_lsp.cli.editor import Editor, capabilities
from channelcoder_lsp.offline.process import OfflineModel

from .checking import CheckedEditor

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

SOURCE = '''"""A module."""

import os


def total(items):
    result = 0
    for item in items:
        result = result + item
    return result


def slow(numbers):
    return [n for n in numbers if n in list(numbers)]
'''
TOTAL = (5, 0), (9, 17)
SLOW = (12, 0), (13, 53)


@dataclass
class Machine:
    """One user's machine: a home, a project, and editors on it."""

    home: Path
    model: OfflineModel
    editors: list[Editor] = field(default_factory=list)
    more_environment: dict[str, str] = field(default_factory=dict)
    before: tuple[str, ...] = ()
    """The beginning of the command line that starts a server: a program that runs it."""

    @property
    def project(self) -> Path:
        folder = self.home / "shop"
        folder.mkdir(exist_ok=True)
        return folder

    @property
    def sessions(self) -> Path:
        return self.home / "sessions"

    @property
    def environment(self) -> dict[str, str]:
        return {
            "HOME": str(self.home),
            "XDG_STATE_HOME": str(self.home / "state"),
            "XDG_CACHE_HOME": str(self.home / "cache"),
            "XDG_CONFIG_HOME": str(self.home / "config"),
            "XDG_RUNTIME_DIR": str(self.home / "run"),
            "CHANNELCODER_SESSION_DIR": str(self.sessions),
            "CHANNELCODER_MAX_RETRIES": "0",
            "CLAUDE_CONFIG_DIR": str(self.home / "claude"),
            **self.model.environment(),
            **self.more_environment,
        }

    def write(self, name: str, text: str = SOURCE) -> Path:
        path = self.project / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
        return path

    def editor(self, *arguments: str, folders: list[Path] | None = None, **options: Any) -> Editor:
        options.setdefault("client", capabilities(turns=True, input=True))
        editor = CheckedEditor(
            [*self.before, sys.executable, "-m", "channelcoder_lsp.cli.lsp", *arguments],
            folders=[self.project] if folders is None else folders,
            environment=self.environment,
            **options,
        )
        self.editors.append(editor)
        return editor

    @asynccontextmanager
    async def opened(
        self, name: str = "shop.py", text: str = SOURCE, **options: Any
    ) -> AsyncIterator[tuple[Editor, str]]:
        """An editor with one file open in it."""
        path = self.write(name, text)
        async with self.editor(**options) as editor:
            yield editor, editor.open(path)


async def ask(editor: Editor, uri: str, span: Any = TOTAL, question: str | None = "What is this?", **more: Any) -> Any:
    """Ask about a range; what the command returned."""
    start, end = span
    argument = {
        "uri": uri,
        "range": {
            "start": {"line": start[0], "character": start[1]},
            "end": {"line": end[0], "character": end[1]},
        },
        **({} if question is None else {"question": question}),
        **more,
    }
    return await editor.execute("channelcoder.ask", argument)


async def answered(editor: Editor, uri: str, span: Any = TOTAL, question: str | None = "What is this?", **more: Any):
    """Ask about a range and wait for the end; the turn's id and its last notification."""
    asked = await ask(editor, uri, span, question, **more)
    return asked, await editor.finished(asked["turnId"])


def titles(actions: list[dict[str, Any]]) -> list[str]:
    return [action["title"] for action in actions]


def action(actions: list[dict[str, Any]], start: str) -> dict[str, Any]:
    """The one action whose title begins so."""
    found = [action for action in actions if action["title"].startswith(start)]
    assert len(found) == 1, titles(actions)
    return found[0]


@pytest.fixture(scope="session")
async def shared_model() -> AsyncIterator[OfflineModel]:
    async with OfflineModel(control=True, delay_ms=0) as model:
        yield model


@pytest.fixture
async def machine(tmp_path: Path, shared_model: OfflineModel) -> AsyncIterator[Machine]:
    await shared_model.clear()
    machine = Machine(tmp_path, shared_model)
    yield machine
    await shared_model.clear()
    for editor in machine.editors:
        if editor.running:
            editor.kill()
            await editor.wait()


@pytest.fixture
def no_process_left() -> Iterator[None]:
    """Fail when a process that began during the test outlives it."""
    before = {child.pid for child in psutil.Process().children(recursive=True)}
    yield
    left = [child for child in psutil.Process().children(recursive=True) if child.pid not in before]
    _, alive = psutil.wait_procs(left, timeout=10)
    assert not [process.name() for process in alive]
