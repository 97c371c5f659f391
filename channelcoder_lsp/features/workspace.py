"""The workspace: folders, settings, renamed files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from lsprotocol import types as lsp

from channelcoder_lsp.domain.errors import ChannelCoderError
from channelcoder_lsp.domain.uri import path_of, uri_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from channelcoder_lsp.features.client import Client
    from channelcoder_lsp.features.face import Face

SECTION = "channelcoder"
EVERY_FILE = "**/*"
_FEW = 100


async def take_settings(client: Client, take: Callable[[dict[str, Any]], list[str]], pushed: object = None) -> None:
    """Take the editor's settings: asked for where that can be done, else as they were pushed.

    Args:
        client: the editor.
        take: takes the settings and returns what is wrong with them, one sentence each.
        pushed: what came with ``initialize`` or ``didChangeConfiguration``.
    """
    values = await client.configuration(SECTION)
    if values is None and isinstance(pushed, dict):
        section = pushed.get(SECTION, pushed)
        values = section if isinstance(section, dict) else None
    for problem in take(values or {}):
        client.say(problem, lsp.MessageType.Warning)


async def add_folders(face: Face, folders: Sequence[lsp.WorkspaceFolder]) -> None:
    """Folders were opened."""
    for folder in folders:
        if (path := path_of(folder.uri)) is None:
            continue
        try:
            await face.projects.add(path)
        except ChannelCoderError as problem:
            face.client.say(problem.message, lsp.MessageType.Error)
    await face.reload_prompts()


async def remove_folders(face: Face, folders: Sequence[lsp.WorkspaceFolder]) -> None:
    """Folders were closed."""
    for folder in folders:
        if (path := path_of(folder.uri)) is not None:
            await face.projects.remove(path)
    face.client.refresh()


def files_changed(face: Face, changes: Sequence[lsp.FileEvent]) -> None:
    """Files changed on disk, thousands at once when a branch was switched: those with threads are looked at."""
    uris = [change.uri for change in changes]
    for project in face.projects:
        root = f"{uri_of(project.checkout.root)}/"
        paths = {unquote(uri[len(root) :]) for uri in uris if uri.startswith(root)}
        # Written otherwise (a link, a drive's letter) or elsewhere; to tell which costs more than to look.
        others = [uri for uri in uris if not uri.startswith(root)]
        if len(others) > _FEW:
            project.on_disk.look_soon()
            continue
        project.on_disk.files_changed(
            paths.union(path for uri in others if (path := project.relative(uri)) is not None)
        )


async def renamed(face: Face, files: Sequence[lsp.FileRename]) -> None:
    """Files or folders were renamed in the editor: their threads go with them."""
    for file in files:
        old, new = path_of(file.old_uri), path_of(file.new_uri)
        if old is not None and new is not None:
            await face.projects.of(file.old_uri).renamed_files(old, new)
