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
    for name in _names(folder):
        files = SessionFiles(folder, name)
        try:
            found.append(_row(files).info(files))
        except SessionNotFoundError:
            continue  # removed meanwhile
        except (StorageError, OSError) as error:
            log.warning("Session %r is left out of the list: %s", files.name, error)
    return sorted(found, key=lambda info: info.last_active, reverse=True)


def _names(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            names = [entry.name.removesuffix(".json") for entry in entries if _is_snapshot(entry)]
    except FileNotFoundError:
        return []
    return sorted(names)


def _is_snapshot(entry: os.DirEntry[str]) -> bool:
    return entry.name.endswith(".json") and entry.name != ".json" and entry.is_file()


def _row(files: SessionFiles) -> Row:
    """What the index says if it goes to the journal's end; else what the head says."""
    row = read_row(files)
    snapshot, journal = stamp(files.snapshot), stamp(files.journal)
    if row is not None and snapshot is not None:
        end = journal.size if journal else 0
        if row.fits(snapshot, journal) and row.offset == end:
            return row
    opened = read_head(files)
    return Row.of(opened.head, snapshot=opened.stamp, journal=opened.inode, offset=opened.offset)
