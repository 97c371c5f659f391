"""A session's head: from its index, or from all of it."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import ValidationError

from channelcoder_lsp.services.locks import FileLock
from channelcoder_lsp.storage.file.disk import Stamp, read_file
from channelcoder_lsp.storage.file.index import parse_head, read_index, write_index
from channelcoder_lsp.storage.file.lines import Header, Parsed, parse_lines
from channelcoder_lsp.storage.file.reading import Capture, captured, read_state
from channelcoder_lsp.storage.pruning import prune

if TYPE_CHECKING:
    from channelcoder_lsp.domain.session import SessionHead
    from channelcoder_lsp.storage.file.names import SessionFiles

log = logging.getLogger(__name__)


@dataclass
class Opened:
    """A session's head, and up to where the files are in it."""

    head: SessionHead
    stamp: Stamp
    header: Header | None
    inode: int
    """The journal's, 0 without one."""
    offset: int
    """The end of what was read of the journal."""
    torn: bool
    """Whether a line without its end follows."""
    indexed: int
    """How much of the journal the index has in it."""


def read_head(files: SessionFiles, *, index: bool = True, lock: FileLock | None = None) -> Opened:
    """A session's head: from the index and the journal's end when the index fits, else from everything.

    Args:
        files: the session's.
        index: whether to write the index when it did not fit.
        lock: see :func:`captured`.

    Raises:
        SessionNotFoundError: there is no such session.
        SessionCorruptError: the snapshot or the journal can't be read.
        StorageError: a newer version wrote one of them.
    """
    if index and lock is None and files.lock.exists():
        lock = FileLock(files.lock)
    with captured(files, lock) as capture:
        inode = capture.journal_stamp.inode if capture.journal_stamp else 0
        if (opened := _from_index(capture)) is not None:
            return opened
        parsed = capture.lines()
        state = read_state(capture, parsed)
        head = prune(state)
        if index:
            write_index(files, head, snapshot=capture.stamp, journal=inode, offset=parsed.good)
        return Opened(head, capture.stamp, capture.header, inode, parsed.good, parsed.torn, indexed=parsed.good)


def _from_index(capture: Capture) -> Opened | None:
    found = read_index(capture.files)
    if found is None or (capture.journal is not None and capture.header is None):
        return None
    row, second = found
    if not row.fits(capture.stamp, capture.journal_stamp):
        return None
    try:
        head = parse_head(row, second)
    except ValidationError as error:
        log.info("The index of session %r is made again: %s", capture.files.name, error)
        return None
    parsed, start = Parsed([], 0), row.offset
    if capture.journal is not None and capture.header is not None:
        start = max(row.offset, capture.header.length)
        parsed = parse_lines(read_file(capture.journal, start, capture.journal_size))
        if parsed.problem:
            return None
    for record in parsed.records:
        head.apply(record)
    inode = capture.journal_stamp.inode if capture.journal_stamp else 0
    end = start + parsed.good
    return Opened(head, capture.stamp, capture.header, inode, end, parsed.torn, indexed=row.offset)
