"""The part of a journal that works on the files: one object for each open journal, used by threads."""

from __future__ import annotations

import logging
import os
import threading
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING
from uuid import uuid4

from channelcoder_lsp.domain.errors import (
    SessionCorruptError,
    SessionNotFoundError,
    StorageError,
)
from channelcoder_lsp.domain.records import Record
from channelcoder_lsp.domain.session import SessionHead
from channelcoder_lsp.storage.file.disk import (
    Stamp,
    explained,
    open_private,
    read_file,
    stamp,
    sync,
    sync_folder,
    write_all,
    write_new,
)
from channelcoder_lsp.storage.file.index import Row, write_index
from channelcoder_lsp.storage.file.lines import Header, dump_lines, parse_lines
from channelcoder_lsp.storage.file.locks import FileLock
from channelcoder_lsp.storage.file.reading import Opened, read_head
from channelcoder_lsp.storage.file.writing import fold

if TYPE_CHECKING:
    from collections.abc import Sequence

    from channelcoder_lsp.storage.file.names import SessionFiles

log = logging.getLogger(__name__)

FOLD_FROM = 256 * 1024
"""Bytes: a smaller journal isn't worth folding before the session is closed."""

News = Record | SessionHead


class JournalFile:
    """A session's journal, open for appending.

    What happened to the session (by this object or by others) comes out of :attr:`news` in order: records to
    apply, or a new head in place of all before.
    """

    def __init__(self, files: SessionFiles) -> None:
        self.files = files
        self.news: deque[News] = deque()
        self._mutex = threading.Lock()
        self._lock = FileLock(files.lock)
        self._descriptor: int | None = None
        self._header: Header | None = None
        self._stamp: Stamp | None = None
        self._inode = 0
        self._offset = 0
        self._seq = 0
        self._index_offset = 0
        self._index_size = 0
        self._tidying: threading.Thread | None = None
        self._closed = False

    def attach(self) -> None:
        """Read the head, which becomes the first of the news.

        Raises:
            SessionNotFoundError: there is no such session.
            SessionCorruptError: it can't be read.
        """
        with self._mutex, explained(f"open session {self.files.name!r}", self.files.folder):
            self._attach()

    def append(self, records: Sequence[Record], *, durable: bool) -> None:
        """Give ``records`` their numbers and write them behind everybody else's."""
        doing = f"record in session {self.files.name!r}"
        with self._mutex, explained(doing, self.files.folder):
            self._usable()
            if not self.files.snapshot.exists():
                raise SessionNotFoundError(self.files.name)
            with self._lock:
                known = self._catch_up()
                numbered = [
                    record.model_copy(update={"seq": self._seq + place}, deep=True)
                    for place, record in enumerate(records, start=1)
                ]
                self._write(dump_lines(numbered), durable=durable)
                self._seq += len(numbered)
            for record, copy in zip(records, numbered, strict=True):
                record.seq = copy.seq
            if known:
                self.news.extend(numbered)
            else:
                self._attach()
            self._tidy_when_due()

    def refresh(self) -> None:
        """Take in what others wrote."""
        doing = f"read session {self.files.name!r}"
        with self._mutex, explained(doing, self.files.folder):
            self._usable()
            if self._unchanged():
                return
            if not self.files.snapshot.exists():
                raise SessionNotFoundError(self.files.name)
            with self._lock:
                known = self._catch_up()
            if not known:
                self._attach()

    def fold(self) -> None:
        """Put the session at rest."""
        with explained(f"save session {self.files.name!r}", self.files.folder):
            self._wait_for_tidying()
            self._usable()
            fold(self.files)

    def close(self) -> None:
        """Put the session at rest, if it still is there and can be, and let go of all files."""
        self._wait_for_tidying()
        with self._mutex:
            if self._closed:
                return
            self._closed = True
            try:
                with explained(f"save session {self.files.name!r}", self.files.folder):
                    fold(self.files)
            except SessionNotFoundError:
                log.info("Session %r was removed while it was open", self.files.name)
            except StorageError as error:
                log.warning("What was recorded stays in the journal until it can be saved: %s", error)
            finally:
                self._let_go()
                self._lock.close()

    def _usable(self) -> None:
        if self._closed:
            raise StorageError(
                f"The journal of session {self.files.name!r} is closed. Open the session again."
            )

    def _attach(self) -> None:
        opened = read_head(self.files)
        self._take(opened)
        if opened.torn:
            with self._lock:
                self._catch_up()

    def _take(self, opened: Opened) -> None:
        self._let_go()
        if opened.inode:
            self._descriptor = open_private(self.files.journal, os.O_RDWR | os.O_APPEND)
        self._header, self._stamp = opened.header, opened.stamp
        self._inode, self._offset = opened.inode, opened.offset
        self._index_offset, self._index_size = opened.index_offset, opened.index_size
        self._seq = opened.head.channelcoder.seq
        self.news.clear()
        self.news.append(opened.head)

    def _unchanged(self) -> bool:
        journal = stamp(self.files.journal)
        same_journal = (
            (journal.inode, journal.size) == (self._inode, self._offset) if journal else not self._inode
        )
        return same_journal and stamp(self.files.snapshot) == self._stamp

    def _catch_up(self) -> bool:
        """Read to the end of the journal, under the lock; whether the head can follow by records alone.

        Afterwards the descriptor, the offset and the last number are those of the journal's end in any case.
        """
        known = True
        snapshot = stamp(self.files.snapshot)
        if snapshot is None:
            raise SessionNotFoundError(self.files.name)
        journal = stamp(self.files.journal)
        if journal is None:
            self._begin(snapshot)
            known = self._inode == 0
        elif journal.inode != self._inode or self._descriptor is None:
            known = self._follow()
        elif journal.size < self._offset:
            known = False
            self._offset = self._header.length if self._header else 0
        self._read_end()
        if snapshot != self._stamp:
            if self._header is None or self._header.snapshot != snapshot:
                known = False
            self._stamp = snapshot
        return known

    def _begin(self, snapshot: Stamp) -> None:
        """Start the journal of a session that has none."""
        session = self._header.session if self._header else uuid4().hex
        edits = self._header.edits + 1 if self._header else 0
        header = Header(session, self._seq, snapshot, edits=edits, first=self._seq + 1)
        temporary = self.files.temporary()
        write_new(temporary, header.line())
        temporary.replace(self.files.journal)
        sync_folder(self.files.folder)
        self._follow()

    def _follow(self) -> bool:
        """Go over to the journal that now bears the name; whether its records go on where we were."""
        self._let_go()
        self._descriptor = open_private(self.files.journal, os.O_RDWR | os.O_APPEND)
        header = Header.parse(read_file(self._descriptor, 0, 4096))
        if header is None:
            raise SessionCorruptError(
                f"{self.files.journal} can't be read: its first line is not a journal's."
            )
        old, self._header = self._header, header
        if old is not None and old.session != header.session:
            raise SessionNotFoundError(self.files.name)
        self._inode = os.fstat(self._descriptor).st_ino
        self._offset = header.length
        self._index_offset = header.length + header.carried
        if header.seq <= self._seq:
            self._offset += header.carried
        return (old is None or old.edits == header.edits) and header.first <= self._seq + 1

    def _read_end(self) -> None:
        if self._descriptor is None:
            return
        data = read_file(self._descriptor, self._offset)
        if not data:
            return
        parsed = parse_lines(data, after=self._seq)
        if parsed.problem:
            raise SessionCorruptError(f"{self.files.journal} can't be read: {parsed.problem}.")
        self._offset += parsed.good
        if parsed.torn:
            log.warning(
                "%s ends in half a line, whose writer died; it is dropped (%d bytes)",
                self.files.journal,
                len(data) - parsed.good,
            )
            os.ftruncate(self._descriptor, self._offset)
        if parsed.records:
            self._seq = parsed.records[-1].seq
            self.news.extend(parsed.records)

    def _write(self, data: bytes, *, durable: bool) -> None:
        if self._descriptor is None:
            raise StorageError(f"The journal of session {self.files.name!r} is not open.")
        try:
            write_all(self._descriptor, data)
            if durable:
                sync(self._descriptor)
        except BaseException:
            with suppress(OSError):
                os.ftruncate(self._descriptor, self._offset)
            raise
        self._offset += len(data)

    def _let_go(self) -> None:
        if self._descriptor is not None:
            descriptor, self._descriptor = self._descriptor, None
            os.close(descriptor)

    def _tidy_when_due(self) -> None:
        if self._header is None or self._stamp is None or (self._tidying and self._tidying.is_alive()):
            return
        unfolded = self._offset - self._header.length - self._header.carried
        if unfolded >= max(FOLD_FROM, self._stamp.size):
            work = self._fold_now
        elif self._offset - self._index_offset >= max(FOLD_FROM, self._index_size):
            work = self._index_now
        else:
            return
        self._index_offset = self._offset
        self._tidying = threading.Thread(target=work, name=f"tidy {self.files.name}", daemon=True)
        self._tidying.start()

    def _fold_now(self) -> None:
        try:
            with explained(f"save session {self.files.name!r}", self.files.folder):
                fold(self.files)
        except SessionNotFoundError:
            log.info("Session %r was removed while it was being saved", self.files.name)
        except Exception:
            log.exception("Session %r could not be saved; it stays in its journal", self.files.name)

    def _index_now(self) -> None:
        try:
            opened = read_head(self.files, index=False)
            row = Row.of(opened.head, snapshot=opened.stamp, journal=opened.inode, offset=opened.offset)
            self._index_size = write_index(self.files, opened.head, row)
        except Exception:
            log.exception("The index of session %r could not be brought up to date", self.files.name)

    def _wait_for_tidying(self) -> None:
        if (thread := self._tidying) is not None:
            thread.join()
