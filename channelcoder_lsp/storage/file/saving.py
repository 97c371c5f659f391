"""Whole sessions, stored under their name or, without one, under a session id."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING
from uuid import uuid4

from channelcoder_lsp.domain.errors import SessionCorruptError, SessionNameError, StorageError
from channelcoder_lsp.storage.file import moving, writing
from channelcoder_lsp.storage.file.disk import explained
from channelcoder_lsp.storage.file.heads import read_head
from channelcoder_lsp.storage.file.names import SessionFiles
from channelcoder_lsp.storage.file.rescue import rescue
from channelcoder_lsp.storage.names import same_name, session_name

if TYPE_CHECKING:
    from pathlib import Path

    from channelcoder_lsp.domain.session import SessionState

log = logging.getLogger(__name__)


def create(files: SessionFiles, state: SessionState) -> None:
    """Store a new session; if it has a name, that is ``files``'.

    Raises:
        SessionExistsError: there is one of that name, or of one that differs in case only.
    """
    writing.create(files, _named(state, files) if state.metadata.name is not None else state)


def rename(files: SessionFiles, new: SessionFiles) -> None:
    """Give a session another name.

    Raises:
        SessionNotFoundError: there is none.
        SessionExistsError: the new name is taken.
        SessionCorruptError: it can't be read; it was set aside.
    """
    try:
        if same_name(files.name, new.name) and _same_file(files, new):
            between = SessionFiles(files.folder, uuid4().hex)
            moving.rename(files, between)
            moving.rename(between, new)
        else:
            moving.rename(files, new)
    except SessionCorruptError as error:
        raise rescue(files, error) from error


def save_named(files: SessionFiles, state: SessionState) -> Path:
    """Store ``state`` under a name, which is its name from then on; no copy is left under a session id.

    Raises:
        SessionExistsError: there is a session of a name that differs in case only.
        StorageError: it could not be stored.
    """
    named = _named(state, files)
    with explained(f"save session {files.name!r}", files.folder):
        old = _stored_unnamed(files.folder, state)
        if old is None or old == files:
            return _store(files, named)
        if not files.snapshot.exists():
            moving.rename(old, files)
            return _store(files, named)
        path = _store(files, named)
        moving.delete(old)
        return path


def save_unnamed(folder: Path, state: SessionState) -> Path:
    """Store ``state`` under the session id that it was stored under before, else under its current one.

    Raises:
        StorageError: it could not be stored.
    """
    with explained("save the session", folder):
        files = _stored_unnamed(folder, state) or _files(folder, state.current_session_id or "")
        return _store(files or SessionFiles(folder, uuid4().hex), state)


def _same_file(files: SessionFiles, new: SessionFiles) -> bool:
    """Whether the file system takes the two names, which only case tells apart, for one."""
    return new.snapshot.exists() and files.snapshot.samefile(new.snapshot)


def _named(state: SessionState, files: SessionFiles) -> SessionState:
    return state.model_copy(update={"metadata": state.metadata.model_copy(update={"name": files.name})})


def _store(files: SessionFiles, state: SessionState) -> Path:
    try:
        writing.store(files, state)
    except SessionCorruptError as error:
        rescue(files, error)
        writing.store(files, state)
    return files.snapshot


def _stored_unnamed(folder: Path, state: SessionState) -> SessionFiles | None:
    """Where the session was stored while it had no name, if it was.

    That is under one of its session ids. Another session may have gone through the same (a fork), so the
    moment it was made must fit too.
    """
    for session_id in state.session_chain:
        files = _files(folder, session_id)
        if files is None or not files.snapshot.exists():
            continue
        try:
            head = read_head(files, index=False).head
        except StorageError as error:
            log.warning("Session %r is left as it is: %s", files.name, error)
            continue
        start = state.session_chain[: len(head.session_chain)]
        made = state.metadata.created
        if head.metadata.name is None and head.metadata.created == made and head.session_chain == start:
            return files
    return None


def _files(folder: Path, session_id: str) -> SessionFiles | None:
    try:
        return SessionFiles(folder, session_name(session_id))
    except SessionNameError:
        return None
