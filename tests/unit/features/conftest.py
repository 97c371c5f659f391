from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from services.desk import Desk, ScriptedAgent, soon

from channelcoder_lsp.storage import FileSessionStorage

from .editor import Editor, capabilities, make_face

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path


@pytest.fixture
async def agent() -> ScriptedAgent:
    return ScriptedAgent()


@pytest.fixture
async def desk(tmp_path: Path, agent: ScriptedAgent) -> AsyncIterator[Desk]:
    desk = Desk(tmp_path, FileSessionStorage(tmp_path / "sessions"), agent)
    yield desk
    await desk.close()


@pytest.fixture
async def start(desk: Desk) -> AsyncIterator[Callable[..., Awaitable[Editor]]]:
    """Starts an editor on the project: ``encoding`` and what ``capabilities`` takes may be given."""
    editors: list[Editor] = []

    async def start_one(*, encoding: str = "utf-16", **more: Any) -> Editor:
        editor = Editor(capabilities(**more), encoding=encoding)
        await make_face(desk, editor)
        editors.append(editor)
        return editor

    yield start_one
    for editor in editors:
        await soon(editor.face.projects.close())


@pytest.fixture
async def editor(start: Callable[..., Awaitable[Editor]]) -> Editor:
    return await start()
