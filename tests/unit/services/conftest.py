from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from channelcoder_lsp.storage import FileSessionStorage

from .desk import Desk, Editor, ScriptedAgent

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path


@pytest.fixture
async def agent() -> ScriptedAgent:
    return ScriptedAgent()


@pytest.fixture
async def open_desk(tmp_path: Path, agent: ScriptedAgent) -> AsyncIterator[Callable[[], Desk]]:
    """Opens desks on one storage: each as if it were a process of its own."""
    desks: list[Desk] = []

    def open_one() -> Desk:
        desks.append(Desk(tmp_path, FileSessionStorage(tmp_path / "sessions"), agent))
        return desks[-1]

    yield open_one
    for desk in desks:
        await desk.close()


@pytest.fixture
async def desk(open_desk: Callable[[], Desk]) -> Desk:
    return open_desk()


@pytest.fixture
async def open_editor(open_desk: Callable[[], Desk]) -> AsyncIterator[Callable[[], Editor]]:
    editors: list[Editor] = []

    def open_one() -> Editor:
        editors.append(Editor(open_desk()))
        return editors[-1]

    yield open_one
    for editor in editors:
        await editor.close()


@pytest.fixture
async def editor(open_editor: Callable[[], Editor]) -> Editor:
    return open_editor()
