"""Storing sessions whole: a snapshot and a journal that starts on it."""

from __future__ import annotations

import logging
import shutil
from contextlib import suppress
from typing import TYPE_CHECKING
from uuid import uuid4

from channelcoder_lsp.domain.errors import (
    SessionExistsError,
    SessionNotFoundError,
    StorageError,
)
from channelcoder_lsp.services.locks import locked
from channelcoder_lsp.storage.file.disk import (
    Stamp,
    make_folder,
    remove,
    stamp,
    sync_folder,
    write_new,
)
from channelcoder_lsp.storage.file.heads import read_head
from channelcoder_lsp.storage.file.index import write_index
from channelcoder_lsp.storage.file.lines import Header
from channelcoder_lsp.storage.names import same_name
from channelcoder_lsp.storage.pruning import prune

if TYPE_CHECKING:
    from pathlib import Path

    from channelcoder_lsp.domain.session import SessionState
    from channelcoder_lsp.storage.file.names import SessionFiles

log = logging.getLogger(__name__)

TRIES = 20
"""How often to begin again when others change the session meanwhile."""


def create(files: SessionFiles, state: SessionState) -> None:
    """Store a new session.

    Raises:
        SessionExistsError: there is one of that name, or of one that differs in case only.
    """
    make_folder(files.folder)
    refuse_twin(files)
    with locked(files.lock):
        if files.snapshot.exists():
            raise SessionExistsError(files.name)
        remove_all_but_lock(files)  # what a session of that name may have left when its removal was cut short
        install_whole(files, state, Header(uuid4().hex, 0, Stamp(0, 0, 0)))


def store(files: SessionFiles, state: SessionState) -> None:
    """Store a session whole, in place of what there is under its name.

    Raises:
        SessionExistsError: there is one of a name that differs in case only.
        SessionCorruptError: what is there can't be read; it was not touched.
        StorageError: others kept changing it.
    """
    make_folder(files.folder)
    refuse_twin(files)
    for _ in range(TRIES):
        if not files.snapshot.exists():
            with suppress(SessionExistsError):
                create(files, state)
                return
        with suppress(SessionNotFoundError):
            was = read_head(files, index=False)
            with locked(files.lock):
                unmoved = was.torn or _size(files.journal) == was.offset
                if stamp(files.snapshot) != was.stamp or not unmoved:
                    continue
                old = was.header or Header(uuid4().hex, 0, was.stamp)
                seq = max(state.channelcoder.seq, was.head.channelcoder.seq)
                state = state.model_copy(update={"channelcoder": state.channelcoder.model_copy(update={"seq": seq})})
                install_whole(files, state, Header(old.session, seq, was.stamp, edits=old.edits + 1))
                return
    raise too_busy(files)


def refuse_twin(files: SessionFiles, *, but: SessionFiles | None = None) -> None:
    """Refuse a name that only case tells from another session's.

    Raises:
        SessionExistsError: there is such a session.
    """
    allowed = {files.name, but.name if but else files.name}
    for path in files.folder.iterdir():
        if path.suffix == ".json" and path.stem not in allowed and same_name(path.stem, files.name):
            raise SessionExistsError(path.stem)


def install_whole(files: SessionFiles, state: SessionState, header: Header) -> None:
    """Put ``state`` and an empty journal in place, under the lock."""
    temporary, journal = files.temporary(), files.temporary()
    seq = state.channelcoder.seq
    try:
        new_stamp = write_new(temporary, state.at_rest().encode())
        header = Header(header.session, seq, new_stamp, edits=header.edits, first=seq + 1)
        inode = write_new(journal, header.line()).inode
        install(files, temporary, journal)
    finally:
        remove(temporary)
        remove(journal)
    head = prune(state)
    write_index(files, head, snapshot=new_stamp, journal=inode, offset=len(header.line()))


def install(files: SessionFiles, snapshot: Path, journal: Path) -> None:
    """Put two new files in place, under the lock: the snapshot first, for good."""
    snapshot.replace(files.snapshot)
    sync_folder(files.folder)
    journal.replace(files.journal)
    sync_folder(files.folder)


def remove_all_but_lock(files: SessionFiles) -> None:
    """Remove what belongs to a session that has no snapshot, under the lock."""
    for path in (files.journal, files.index, files.lease, files.queue, *files.temporaries()):
        remove(path)
    if files.contents.is_dir():
        shutil.rmtree(files.contents)


def too_busy(files: SessionFiles) -> StorageError:
    """The error to raise after ``TRIES``."""
    return StorageError(
        f"Session {files.name!r} was changed by others {TRIES} times while it was being written. "
        "Nothing is lost; try again when they rest."
    )


def _size(path: Path) -> int:
    found = stamp(path)
    return found.size if found else 0
