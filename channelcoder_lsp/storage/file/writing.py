"""Changing a session's files: putting it at rest, storing it whole, removing and renaming it."""

from __future__ import annotations

import logging
import os
import shutil
import time
from contextlib import suppress
from typing import TYPE_CHECKING
from uuid import uuid4

from channelcoder_lsp.domain.errors import (
    SessionExistsError,
    SessionNotFoundError,
    StorageError,
)
from channelcoder_lsp.storage.file.disk import (
    Stamp,
    make_folder,
    read_file,
    remove,
    stamp,
    sync_folder,
    write_new,
)
from channelcoder_lsp.storage.file.index import Row, prune, write_index
from channelcoder_lsp.storage.file.lines import Header, Parsed, carried_lines
from channelcoder_lsp.storage.file.locks import FileLock
from channelcoder_lsp.storage.file.names import SessionFiles, same_name
from channelcoder_lsp.storage.file.reading import Capture, captured, read_head, read_state

if TYPE_CHECKING:
    from pathlib import Path

    from channelcoder_lsp.domain.session import SessionState

log = logging.getLogger(__name__)

_TRIES = 20
_ABANDONED = 3600.0
"""Seconds after which a temporary file has no writer any more."""


def create(files: SessionFiles, state: SessionState) -> None:
    """Store a new session.

    Raises:
        SessionExistsError: there is one of that name, or of one that differs in case only.
    """
    make_folder(files.folder)
    refuse_twin(files)
    with FileLock(files.lock) as lock:
        if files.snapshot.exists():
            raise SessionExistsError(files.name)
        _remove_all_but_lock(files)  # what a session of that name may have left when its removal was cut short
        install_whole(files, state, Header(uuid4().hex, 0, Stamp(0, 0, 0)))
        lock.close()


def store(files: SessionFiles, state: SessionState) -> None:
    """Store a session whole, in place of what there is under its name.

    Raises:
        SessionExistsError: there is one of a name that differs in case only.
        SessionCorruptError: what is there can't be read; it was not touched.
        StorageError: others kept changing it.
    """
    make_folder(files.folder)
    refuse_twin(files)
    for _ in range(_TRIES):
        if not files.snapshot.exists():
            with suppress(SessionExistsError):
                create(files, state)
                return
        with suppress(SessionNotFoundError):
            was = read_head(files, index=False)
            with FileLock(files.lock) as lock:
                unmoved = was.torn or _size(files.journal) == was.offset
                if stamp(files.snapshot) != was.stamp or not unmoved:
                    continue
                old = was.header or Header(uuid4().hex, 0, was.stamp)
                seq = max(state.channelcoder.seq, was.head.channelcoder.seq)
                state = state.model_copy(update={"channelcoder": state.channelcoder.model_copy(update={"seq": seq})})
                install_whole(files, state, Header(old.session, seq, was.stamp, edits=old.edits + 1))
                lock.close()
                return
    raise _too_busy(files)


def fold(files: SessionFiles) -> bool:
    """Put the session at rest with all its records; whether there was anything to do.

    The costly part is done without the lock, so that appending goes on meanwhile; what was appended then
    stays in the new journal.

    Raises:
        SessionNotFoundError: there is no such session.
        SessionCorruptError: it can't be read.
        StorageError: others kept changing it.
    """
    for _ in range(_TRIES):
        with captured(files) as capture:
            parsed = capture.lines()
            if capture.header is None and not parsed.problem:
                return False
            if capture.header is not None and not capture.edited:
                folded = capture.header.length + capture.header.carried
                if parsed.good <= folded and not parsed.problem:
                    return False
            state = read_state(capture, parsed)
            if _fold(capture, state, parsed):
                return True
    raise _too_busy(files)


def _fold(capture: Capture, state: SessionState, parsed: Parsed) -> bool:
    """Whether it worked: nobody else replaced the files meanwhile."""
    files, old = capture.files, capture.header
    if old is None or capture.journal is None or capture.journal_stamp is None:
        return False
    if state.metadata.name is not None:
        state.metadata.name = files.name
    carried, first = carried_lines(parsed.records)
    temporary, journal = files.temporary(), files.temporary()
    try:
        new_stamp = write_new(temporary, state.at_rest().encode())
        header = Header(
            old.session,
            state.channelcoder.seq,
            new_stamp,
            edits=old.edits + capture.edited,
            carried=len(carried),
            first=first,
        )
        start = header.line() + carried
        with FileLock(files.lock) as lock:
            if stamp(files.snapshot) != capture.stamp or _inode(files.journal) != capture.journal_stamp.inode:
                return False
            late = read_file(capture.journal, parsed.good)
            late = late[: late.rfind(b"\n") + 1]
            inode = write_new(journal, start + late).inode
            _install(files, temporary, journal)
            _remove_abandoned(files)
            lock.close()
    finally:
        remove(temporary)
        remove(journal)
    head = prune(state)
    write_index(files, head, Row.of(head, snapshot=new_stamp, journal=inode, offset=len(start)))
    return True


def delete(files: SessionFiles) -> None:
    """Remove a session and all that belongs to it.

    The snapshot goes first, so that whatever a crash leaves is no session.

    Raises:
        SessionNotFoundError: there is none.
    """
    if not files.snapshot.exists():
        raise SessionNotFoundError(files.name)
    with FileLock(files.lock) as lock:
        existed = files.snapshot.exists()
        if existed:
            files.snapshot.unlink()
            sync_folder(files.folder)
        _remove_all_but_lock(files)
        remove(files.lock)
        lock.close()
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
    with FileLock(one.lock) as first, FileLock(other.lock) as second:
        if not files.snapshot.exists():
            raise SessionNotFoundError(files.name)
        if new.snapshot.exists():
            raise SessionExistsError(new.name)
        _remove_all_but_lock(new)
        with captured(files) as capture:
            state = read_state(capture)
        header = capture.header or Header(uuid4().hex, 0, capture.stamp)
        state.metadata.name = new.name
        _link_contents(files.contents, new.contents)
        temporary = files.temporary()
        new_stamp = write_new(temporary, state.at_rest().encode())
        temporary.replace(files.snapshot)
        sync_folder(files.folder)
        files.snapshot.replace(new.snapshot)
        sync_folder(files.folder)
        fresh = Header(
            header.session,
            state.channelcoder.seq,
            new_stamp,
            edits=header.edits,
            first=state.channelcoder.seq + 1,
        )
        inode = write_new(journal := new.temporary(), fresh.line()).inode
        journal.replace(new.journal)
        sync_folder(files.folder)
        _remove_all_but_lock(files)
        remove(files.lock)
        first.close()
        second.close()
    head = prune(state)
    write_index(new, head, Row.of(head, snapshot=new_stamp, journal=inode, offset=len(fresh.line())))


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
        _install(files, temporary, journal)
    finally:
        remove(temporary)
        remove(journal)
    head = prune(state)
    write_index(files, head, Row.of(head, snapshot=new_stamp, journal=inode, offset=len(header.line())))


def _install(files: SessionFiles, snapshot: Path, journal: Path) -> None:
    snapshot.replace(files.snapshot)
    sync_folder(files.folder)
    journal.replace(files.journal)
    sync_folder(files.folder)


def _remove_all_but_lock(files: SessionFiles) -> None:
    for path in (files.journal, files.index, files.lease, files.queue, *files.temporaries()):
        remove(path)
    if files.contents.is_dir():
        shutil.rmtree(files.contents)


def _remove_abandoned(files: SessionFiles) -> None:
    for path in files.temporaries():
        with suppress(FileNotFoundError):
            if time.time() - path.stat().st_mtime > _ABANDONED:
                path.unlink()


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


def _inode(path: Path) -> int:
    found = stamp(path)
    return found.inode if found else 0


def _size(path: Path) -> int:
    found = stamp(path)
    return found.size if found else 0


def _too_busy(files: SessionFiles) -> StorageError:
    return StorageError(
        f"Session {files.name!r} was changed by others {_TRIES} times while it was being written. "
        "Nothing is lost; try again when they rest."
    )
