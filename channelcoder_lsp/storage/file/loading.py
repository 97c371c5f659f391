"""Whole sessions, by name or by the path of a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from channelcoder_lsp.domain.errors import SessionCorruptError, SessionNotFoundError
from channelcoder_lsp.storage.file.disk import explained
from channelcoder_lsp.storage.file.names import SessionFiles
from channelcoder_lsp.storage.file.reading import captured, parse_snapshot, read_state
from channelcoder_lsp.storage.file.rescue import rescue

if TYPE_CHECKING:
    from channelcoder_lsp.domain.session import SessionState


def load(files: SessionFiles) -> SessionState:
    """The session of that name.

    Raises:
        SessionNotFoundError: there is none.
        SessionCorruptError: it can't be read; it was set aside.
        StorageError: a newer version wrote it, or the system refused to read it.
    """
    with explained(f"read session {files.name!r}", files.folder):
        try:
            with captured(files) as capture:
                return read_state(capture)
        except SessionCorruptError as error:
            raise rescue(files, error) from error


def load_path(name: str) -> SessionState:
    """The session in the file at the path ``name``, with the journal beside it if there is one.

    Nothing is written there.

    Raises:
        SessionNotFoundError: there is no such file.
        SessionCorruptError: it is not a session.
        StorageError: a newer version wrote it, or the system refused to read it.
    """
    path = Path(name).expanduser()
    with explained(f"read {path}", path.parent):
        try:
            if path.suffix != ".json":
                return parse_snapshot(path.read_bytes(), path)
            with captured(SessionFiles(path.parent, path.name.removesuffix(".json"))) as capture:
                return read_state(capture)
        except (FileNotFoundError, IsADirectoryError):
            raise SessionNotFoundError(name) from None
