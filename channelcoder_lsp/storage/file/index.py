"""The index of a session: what lists and start-up need of it, derived from snapshot and journal.

Two lines of JSON: the row of the list, and the head. It counts only while its stamps fit the files, and it
may be missing or wrong at any time; then it is made again.
"""

from __future__ import annotations

import logging
import zlib
from contextlib import suppress
from typing import TYPE_CHECKING

from pydantic import ValidationError

from channelcoder_lsp.domain.model import Model, Timestamp
from channelcoder_lsp.domain.session import SessionHead, SessionInfo
from channelcoder_lsp.storage.file.disk import Stamp, remove, write_new

if TYPE_CHECKING:
    from channelcoder_lsp.storage.file.names import SessionFiles

log = logging.getLogger(__name__)

VERSION = 1


class Row(Model):
    """The first line: what the list shows, and what the index was made from."""

    index: int = VERSION
    snapshot: Stamp
    journal: int = 0
    """The journal's inode, 0 without one."""
    offset: int = 0
    """How much of the journal is taken in."""
    size: int = 0
    """The bytes of the second line, with its end."""
    checksum: int = 0
    created: Timestamp
    last_active: Timestamp
    message_count: int
    cost_usd: float = 0.0
    first_question: str | None = None
    checkout: str | None = None
    seq: int = 0

    @classmethod
    def of(cls, head: SessionHead, *, snapshot: Stamp, journal: int, offset: int) -> Row:
        """The row of a session."""
        ledger = head.channelcoder
        return cls(
            snapshot=snapshot,
            journal=journal,
            offset=offset,
            created=head.metadata.created,
            last_active=head.metadata.last_active,
            message_count=head.message_count,
            cost_usd=ledger.totals.cost_usd,
            first_question=ledger.first_question,
            checkout=ledger.checkout,
            seq=ledger.seq,
        )

    def info(self, files: SessionFiles) -> SessionInfo:
        """The row for the user."""
        return SessionInfo(
            name=files.name,
            path=str(files.snapshot),
            created=self.created,
            last_active=self.last_active,
            message_count=self.message_count,
            cost_usd=self.cost_usd,
            first_question=self.first_question,
            checkout=self.checkout,
        )

    def fits(self, snapshot: Stamp, journal: Stamp | None) -> bool:
        """Whether the index was made from this snapshot and from the start of this journal."""
        if self.snapshot != snapshot:
            return False
        if self.journal == 0:
            return True
        return journal is not None and self.journal == journal.inode and self.offset <= journal.size


def write_index(files: SessionFiles, head: SessionHead, *, snapshot: Stamp, journal: int, offset: int) -> int:
    """Write the index and return its size. Only worth a line in the log when it can't be written.

    Args:
        files: the session's.
        head: its head, pruned.
        snapshot: the snapshot that it was made from.
        journal: the inode of the journal that it was made from, 0 without one.
        offset: the part of the journal that is in it.
    """
    second = head.to_json().encode() + b"\n"
    row = Row.of(head, snapshot=snapshot, journal=journal, offset=offset)
    row = row.model_copy(update={"size": len(second), "checksum": zlib.crc32(second)})
    first = row.to_json().encode() + b"\n"
    temporary = files.temporary()
    try:
        write_new(temporary, first + second, durable=False)
        temporary.replace(files.index)
    except OSError as error:
        log.info("The index of session %r could not be written to %s: %s", files.name, files.folder, error)
        with suppress(OSError):
            remove(temporary)
    return len(first) + len(second)


def read_row(files: SessionFiles) -> Row | None:
    """The first line of the index; None when there is none that can be read."""
    try:
        with files.index.open("rb") as file:
            return _row(files, file.readline())
    except FileNotFoundError:
        return None
    except OSError as error:
        log.info("The index of session %r can't be read: %s", files.name, error)
        return None


def read_index(files: SessionFiles) -> tuple[Row, bytes] | None:
    """Both lines of the index, the second not yet parsed; None when there is none that can be read."""
    try:
        data = files.index.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        log.info("The index of session %r can't be read: %s", files.name, error)
        return None
    first, _, second = data.partition(b"\n")
    row = _row(files, first + b"\n")
    if row is None or row.size != len(second) or row.checksum != zlib.crc32(second):
        return None
    return row, second


def parse_head(row: Row, second: bytes) -> SessionHead:
    """The head that the second line holds.

    Raises:
        pydantic.ValidationError: it is none.
    """
    head = SessionHead.model_validate_json(second)
    head.message_count = row.message_count
    return head


def _row(files: SessionFiles, line: bytes) -> Row | None:
    try:
        row = Row.model_validate_json(line)
    except ValidationError as error:
        log.info("The index of session %r is made again, since it can't be read: %s", files.name, error)
        return None
    return row if row.index == VERSION else None
