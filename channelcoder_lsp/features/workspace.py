"""The workspace: folders, settings, renamed files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lsprotocol import types as lsp

from channelcoder_lsp.domain.errors import ChannelCoderError
from channelcoder_lsp.domain.uri import path_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from channelcoder_lsp.features.client import Client
    from channelcoder_lsp.features.face import Face

SECTION = "channelcoder"


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


async def renamed(face: Face, files: Sequence[lsp.FileRename]) -> None:
    """Files or folders were renamed in the editor: their threads go with them."""
    for file in files:
        old, new = path_of(file.old_uri), path_of(file.new_uri)
        if old is not None and new is not None:
            await face.projects.of(file.old_uri).renamed_files(old, new)
