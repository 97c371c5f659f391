"""The list of sessions, from the first lines of their indexes."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING

from channelcoder_lsp.domain.errors import SessionNotFoundError, StorageError
from channelcoder_lsp.storage.file.disk import stamp
from channelcoder_lsp.storage.file.heads import read_head
from channelcoder_lsp.storage.file.index import Row, read_row
from channelcoder_lsp.storage.file.names import SessionFiles

if TYPE_CHECKING:
    from pathlib import Path

    from channelcoder_lsp.domain.session import SessionInfo

log = logging.getLogger(__name__)


def list_sessions(folder: Path) -> list[SessionInfo]:
    """The sessions in ``folder``, newest first. One that can't be read is left out, with a warning."""
    found = []
    names = _names(folder)
    for name in sorted(names):
        files = SessionFiles(folder, name.removesuffix(".json"))
        if not name.endswith(".json") or not files.name:
            continue
        try:
            found.append(_row(files, journal=f"{files.name}.journal" in names).info(files))
        except SessionNotFoundError:
            continue  # removed meanwhile
        except (StorageError, OSError) as error:
            log.warning("Session %r is left out of the list: %s", files.name, error)
    return sorted(found, key=lambda info: info.last_active, reverse=True)


def _names(folder: Path) -> set[str]:
    """The files there."""
    try:
        with os.scandir(folder) as entries:
            return {entry.name for entry in entries if entry.is_file()}
    except FileNotFoundError:
        return set()


def _row(files: SessionFiles, *, journal: bool) -> Row:
    """What the index says if it goes to the journal's end; else what the head says.

    Args:
        files: the session's.
        journal: whether it has one; each look at a file counts in a list of thousands.
    """
    row = read_row(files)
    snapshot, tail = stamp(files.snapshot), stamp(files.journal) if journal else None
    if row is not None and snapshot is not None:
        end = tail.size if tail else 0
        if row.fits(snapshot, tail) and row.offset == end:
            return row
    opened = read_head(files)
    return Row.of(opened.head, snapshot=opened.stamp, journal=opened.inode, offset=opened.offset)
