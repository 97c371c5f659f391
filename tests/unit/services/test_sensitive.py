"""What of a question a person is asked about before it is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from channelcoder_lsp.domain.deny_list import DenyList, DenyRules
from channelcoder_lsp.domain.place import Position, Range, Selection
from channelcoder_lsp.domain.uri import uri_of
from channelcoder_lsp.services.compose import Question
from channelcoder_lsp.services.sensitive import sensitive

if TYPE_CHECKING:
    from pathlib import Path

    from .desk import Desk


def selection(path: Path) -> Selection:
    span = Range(Position(0, 0), Position(0, 1))
    return Selection(uri=uri_of(path), range=span, text="x", document="x = 1\n")


def told(root: Path, name: str, *patterns: str) -> list[str]:
    deny_list = DenyList(root, [DenyRules(patterns, root)])
    return sensitive(selection(root / name), "1| x = 1", deny_list=deny_list)


@pytest.mark.parametrize("name", [".env", "deep/notes.md", "secrets/a.py"])
def test_a_file_that_is_kept_from_claude(tmp_path, name):
    said = f"lines of {name.split('/')[-1]}, whose name says that it holds secrets or which a rule denies"
    assert told(tmp_path, name, "notes.md", "/secrets/**") == [said]
    assert told(tmp_path, "a.py", "notes.md", "/secrets/**") == []


def test_a_link_to_one(tmp_path):
    (tmp_path / ".env").write_text("COLOUR=blue")
    (tmp_path / "secrets").mkdir()
    (tmp_path / "innocent.txt").symlink_to(".env")
    (tmp_path / "harmless").symlink_to("secrets")
    assert told(tmp_path, "innocent.txt") != []
    assert told(tmp_path, "harmless/a.py", "/secrets") != []


async def test_it_is_what_settings_and_rules_say_now(desk: Desk):
    """Nobody is asked about a text that a program gives."""
    session = await desk.session()
    asked = Question("Why?", selection=selection(desk.folder / "notes.md"))
    assert (await session.ask(asked)).sensitive == []
    desk.set(denied_files=["notes.md"])
    assert len((await session.ask(asked)).sensitive) == 1
    assert (await session.ask(Question("KEY = 'AKIA" + "QW3RTY4UIOP5ASDF'"))).sensitive == []
