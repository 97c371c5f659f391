"""The editor tells of files that change on disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from lsprotocol import types as lsp

from channelcoder_lsp.domain.place import AnchorState, Position, Range, Selection
from channelcoder_lsp.domain.uri import uri_of
from channelcoder_lsp.features import text_sync, workspace
from channelcoder_lsp.services.compose import Question

from .editor import CODE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from channelcoder_lsp.features.face import Face
    from channelcoder_lsp.services.project import Project

    from .editor import Editor

NAME = "läden/a b.py"
TOTAL = Range(Position(3, 0), Position(5, 17))


@pytest.fixture
def face(editor: Editor) -> Face:
    return editor.face


@pytest.fixture
async def path(face: Face, editor: Editor) -> Path:
    """A file with a thread in it, closed again."""
    path = project(face).checkout.root / NAME
    path.parent.mkdir()
    path.write_text(CODE, "utf-8")
    uri = await editor.open(path, CODE)
    selection = Selection(uri=uri, path=NAME, range=TOTAL, text="", document=CODE)
    await project(face).ask(Question("What is it?", selection=selection))
    await text_sync.closed(face, uri)
    await project(face).on_disk.up_to_date()
    await project(face).on_disk.close()
    return path


def project(face: Face) -> Project:
    return next(iter(face.projects))


def state(face: Face) -> AnchorState:
    (thread,) = project(face).session.head.threads.values()
    return thread.anchor.state


def told(face: Face, *uris: str) -> bool:
    """Tell of changes; whether anything is going to be looked at."""
    workspace.files_changed(face, [lsp.FileEvent(uri, lsp.FileChangeType.Changed) for uri in uris])
    return project(face).on_disk._waiting


WAYS: dict[str, Callable[[Path], str]] = {
    "as we write it": uri_of,
    "with more escapes": lambda path: uri_of(path).replace("shop", "%73hop"),
    "through a link": lambda path: uri_of(path).replace("/shop/", "/link/"),
    "its folder": lambda path: uri_of(path.parent),
}


@pytest.mark.parametrize("way", WAYS)
async def test_a_file_with_threads_is_looked_at_however_it_is_named(face: Face, path: Path, way: str):
    root = project(face).checkout.root
    (root.parent / "link").symlink_to(root, target_is_directory=True)
    path.write_text("\n" + CODE, "utf-8")
    assert told(face, uri_of(root / "other.py"), WAYS[way](path))
    await project(face).on_disk.up_to_date()
    assert state(face) is AnchorState.MOVED


async def test_files_without_threads_are_not(face: Face, path: Path):
    root = project(face).checkout.root
    assert not told(face, *(uri_of(root / f"{number}.py") for number in range(1000)), "untitled:one", "file://")
    assert told(face, *(f"file:///elsewhere/{number}.py" for number in range(1000)))  # to look is cheaper than to ask


async def test_whatever_comes_is_looked_at_while_a_file_with_threads_is_missing(face: Face, path: Path):
    """It may be that file, under another name."""
    path.unlink()
    await project(face).on_disk.up_to_date()
    assert state(face) is AnchorState.ORPHANED
    assert told(face, uri_of(project(face).checkout.root / "new.py"))
