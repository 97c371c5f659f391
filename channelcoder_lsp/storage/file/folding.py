"""Putting a session at rest: its journal becomes part of its snapshot."""

from __future__ import annotations

import logging
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from channelcoder_lsp.services.locks import FileLock, locked
from channelcoder_lsp.storage.file.contents import drop_unused
from channelcoder_lsp.storage.file.disk import read_file, remove, stamp, write_new
from channelcoder_lsp.storage.file.index import write_index
from channelcoder_lsp.storage.file.lines import Carried, Header, Parsed, carried_lines
from channelcoder_lsp.storage.file.reading import Capture, captured, read_state
from channelcoder_lsp.storage.file.writing import TRIES, install, too_busy
from channelcoder_lsp.storage.pruning import prune

if TYPE_CHECKING:
    from pathlib import Path

    from channelcoder_lsp.domain.session import SessionState
    from channelcoder_lsp.storage.file.names import SessionFiles

log = logging.getLogger(__name__)

_ABANDONED = 3600.0
"""Seconds after which a temporary file has no writer any more."""


def fold(files: SessionFiles) -> bool:
    """Put the session at rest with all its records; whether there was anything to do.

    The costly part is done without the lock, so that appending goes on meanwhile; what was appended then
    stays in the new journal.

    Raises:
        SessionNotFoundError: there is no such session.
        SessionCorruptError: it can't be read.
        StorageError: others kept changing it.
    """
    for _ in range(TRIES):
        with captured(files, FileLock(files.lock)) as capture:
            parsed = capture.lines()
            if capture.header is None and not parsed.problem:
                return False
            if capture.header is not None and not capture.edited:
                folded = capture.header.length + capture.header.carried
                if parsed.good <= folded and not parsed.problem:
                    return False
            carried = carried_lines(parsed.records)  # before applying them, which changes what is in them
            state = read_state(capture, parsed)
            if _fold(capture, state, parsed, carried):
                return True
    raise too_busy(files)


def _fold(capture: Capture, state: SessionState, parsed: Parsed, carried: Carried) -> bool:
    """Whether it worked: nobody else replaced the files meanwhile."""
    files, old = capture.files, capture.header
    if old is None or capture.journal is None or capture.journal_stamp is None:
        return False
    if state.metadata.name is not None:
        state.metadata.name = files.name
    if (lean := state.metadata.model_extra) and "messageCount" in lean:
        lean["messageCount"] = len(state.messages)
    temporary, journal = files.temporary(), files.temporary()
    try:
        at_rest = state.at_rest().encode()
        new_stamp = write_new(temporary, at_rest)
        header = Header(
            old.session,
            state.channelcoder.seq,
            new_stamp,
            edits=old.edits + capture.edited,
            carried=len(carried.lines),
            first=carried.first or state.channelcoder.seq + 1,
        )
        start = header.line() + carried.lines
        with locked(files.lock):
            if stamp(files.snapshot) != capture.stamp or _inode(files.journal) != capture.journal_stamp.inode:
                return False
            late = read_file(capture.journal, parsed.good)
            late = late[: late.rfind(b"\n") + 1]
            inode = write_new(journal, start + late).inode
            install(files, temporary, journal)
            _remove_abandoned(files)
            _drop_unused(files, at_rest, late)
    finally:
        remove(temporary)
        remove(journal)
    head = prune(state)
    write_index(files, head, snapshot=new_stamp, journal=inode, offset=len(start))
    return True


def _drop_unused(files: SessionFiles, *stored: bytes) -> None:
    try:
        drop_unused(files, stored)
    except OSError as error:  # the session is at rest; the texts only take room
        log.warning("Texts that session %r needs no more could not be removed: %s", files.name, error)


def _inode(path: Path) -> int:
    found = stamp(path)
    return found.inode if found else 0


def _remove_abandoned(files: SessionFiles) -> None:
    for path in files.temporaries():
        with suppress(FileNotFoundError):
            if time.time() - path.stat().st_mtime > _ABANDONED:
                path.unlink()
