"""Who asks: what is recorded of it, and who gets to see it."""

from __future__ import annotations

import getpass
import json
from typing import TYPE_CHECKING

import pytest
from anyio import run_process

from channelcoder_lsp.domain.records import TurnAsked
from channelcoder_lsp.domain.session import SessionState
from channelcoder_lsp.domain.turn import Turn
from channelcoder_lsp.execution.git import GitRepository
from channelcoder_lsp.services.archive import export
from channelcoder_lsp.services.authors import author
from channelcoder_lsp.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

SERVER = "postgresql://there/team/mine"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of a user whom Git has no name for."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


async def asks(folder: Path, location: str = SERVER, **settings: object) -> str | None:
    return await author(Settings(**settings), lambda: GitRepository(folder), location=location)


class TestRecorded:
    async def test_is_what_git_calls_the_user_in_the_folder(self, folder: Path):
        await run_process(["git", "init", "--quiet", "."], cwd=folder)
        await run_process(["git", "config", "user.name", "Ada Lovelace"], cwd=folder)
        assert await asks(folder) == "Ada Lovelace"

    async def test_is_else_the_users_name_of_the_system(self, folder: Path):
        assert await asks(folder) == getpass.getuser()

    @pytest.mark.parametrize("location", ["/home/me/sessions/mine.json", "sqlite:////home/me/sessions.db/mine"])
    async def test_is_nobody_in_a_session_of_this_machine(self, folder: Path, location: str):
        assert await asks(folder, location) is None

    @pytest.mark.parametrize("location", ["/home/me/sessions/mine.json", SERVER])
    async def test_is_what_the_setting_says(self, folder: Path, location: str):
        assert await asks(folder, location, author="Ada") == "Ada"

    async def test_is_nobody_if_the_settings_say_so(self, folder: Path):
        assert await asks(folder, record_author=False) is None
        assert await asks(folder, author="Ada", record_author=False) is None


def test_is_in_the_message_beside_the_guides_keys():
    """Whoever reads the stored session sees it; the guide's own form is without."""
    state = SessionState()
    state.apply(TurnAsked(turn=Turn(question="Why?", author="Ada [x](javascript:1)")))
    assert json.loads(export(state, "json"))["messages"][0]["author"] == "Ada [x](javascript:1)"
    assert "author" not in json.loads(export(state, "guide"))["messages"][0]
    assert "## Ada" in export(state, "markdown")
    assert "](javascript:" not in export(state, "markdown")
    unnamed = SessionState()
    unnamed.apply(TurnAsked(turn=Turn(question="Why?")))
    assert "## You · " in export(unnamed, "markdown")
