"""Removing and renaming sessions."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING
from uuid import uuid4

from channelcoder_lsp.domain.errors import SessionExistsError, SessionNotFoundError
from channelcoder_lsp.services.locks import locked
from channelcoder_lsp.storage.file.disk import make_folder, remove, sync_folder, write_new
from channelcoder_lsp.storage.file.index import write_index
from channelcoder_lsp.storage.file.lines import Header
from channelcoder_lsp.storage.file.reading import captured, read_state
from channelcoder_lsp.storage.file.writing import refuse_twin, remove_all_but_lock
from channelcoder_lsp.storage.pruning import prune

if TYPE_CHECKING:
    from pathlib import Path

    from channelcoder_lsp.domain.session import SessionState
    from channelcoder_lsp.storage.file.names import SessionFiles


def delete(files: SessionFiles) -> None:
    """Remove a session and all that belongs to it.

    The snapshot goes first, so that whatever a crash leaves is no session.

    Raises:
        SessionNotFoundError: there is none.
    """
    if not files.snapshot.exists():
        raise SessionNotFoundError(files.name)
    with locked(files.lock):
        existed = files.snapshot.exists()
        if existed:
            files.snapshot.unlink()
            sync_folder(files.folder)
        remove_all_but_lock(files)
        remove(files.lock)
    if not existed:
        raise SessionNotFoundError(files.name)


def rename(files: SessionFiles, new: SessionFiles) -> None:
    """Give a session another name.

    At each moment the whole session lies under one of the two names, its kept texts too.

    Raises:
        SessionNotFoundError: there is none.
        SessionExistsError: the new name is taken.
    """
    if not files.snapshot.exists():
        raise SessionNotFoundError(files.name)
    refuse_twin(new, but=files)
    one, other = sorted((files, new), key=lambda each: each.name)
    with locked(one.lock), locked(other.lock):
        if not files.snapshot.exists():
            raise SessionNotFoundError(files.name)
        if new.snapshot.exists():
            raise SessionExistsError(new.name)
        remove_all_but_lock(new)
        with captured(files) as capture:
            state = read_state(capture)
        state.metadata.name = new.name
        _link_contents(files.contents, new.contents)
        _move(files, new, state, capture.header)
        remove_all_but_lock(files)
        remove(files.lock)


def _move(files: SessionFiles, new: SessionFiles, state: SessionState, old: Header | None) -> None:
    """Put the session at rest under its old name, whence the new name takes it in one step."""
    temporary, journal = files.temporary(), new.temporary()
    seq = state.channelcoder.seq
    try:
        stamp = write_new(temporary, state.at_rest().encode())
        header = Header(old.session if old else uuid4().hex, seq, stamp, first=seq + 1)
        inode = write_new(journal, header.line()).inode
        temporary.replace(files.snapshot)
        sync_folder(files.folder)
        files.snapshot.replace(new.snapshot)
        sync_folder(files.folder)
        journal.replace(new.journal)
        sync_folder(files.folder)
    finally:
        remove(temporary)
        remove(journal)
    head = prune(state)
    write_index(new, head, snapshot=stamp, journal=inode, offset=len(header.line()))


def _link_contents(old: Path, new: Path) -> None:
    if not old.is_dir():
        return
    make_folder(new)
    for path in old.iterdir():
        try:
            os.link(path, new / path.name)
        except FileExistsError:
            continue
        except OSError:
            shutil.copy2(path, new / path.name)
    sync_folder(new)
