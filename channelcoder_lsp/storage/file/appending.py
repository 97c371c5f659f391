"""The part of a journal that works on the files: one object for each open journal, used by threads."""

from __future__ import annotations

import logging
import os
import threading
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING
from uuid import uuid4

from channelcoder_lsp.domain.errors import SessionCorruptError, SessionNotFoundError, StorageError
from channelcoder_lsp.services.locks import FileLock
from channelcoder_lsp.storage.file.disk import (
    NOT_WRITABLE,
    explained,
    open_private,
    read_file,
    stamp,
    sync,
    sync_folder,
    write_all,
    write_new,
)
from channelcoder_lsp.storage.file.heads import read_head
from channelcoder_lsp.storage.file.lines import Header, dump_lines, parse_lines
from channelcoder_lsp.storage.file.rescue import rescue
from channelcoder_lsp.storage.file.tidying import Tidying, fold_aside

if TYPE_CHECKING:
    from collections.abc import Sequence

    from channelcoder_lsp.domain.records import Record
    from channelcoder_lsp.domain.session import SessionHead
    from channelcoder_lsp.storage.file.disk import Stamp
    from channelcoder_lsp.storage.file.names import SessionFiles

log = logging.getLogger(__name__)

_NONE = -1
"""The inode of no file."""


class JournalFile:
    """A session's journal, open for appending.

    What happened to the session (by this object or by others) comes out of :attr:`news` in order: records to
    apply, or a new head in place of all before.
    """

    def __init__(self, files: SessionFiles) -> None:
        self.files = files
        self.news: deque[Record | SessionHead] = deque()
        self._mutex = threading.Lock()
        self._lock = FileLock(files.lock)
        self._tidying = Tidying(files)
        self._closed = False
        self._stale = False
        """Whether the head can't follow by records alone and must be read again."""
        self._descriptor: int | None = None
        self._header: Header | None = None
        self._snapshot: Stamp | None = None
        self._inode = 0
        self._offset = 0
        """The end of the journal, as far as it was taken in."""
        self._seq = 0
        """The number of the last record there."""

    def __del__(self) -> None:
        with suppress(OSError):
            self._let_go()

    def attach(self) -> None:
        """Read the head, which becomes the first of the news.

        Raises:
            SessionNotFoundError: there is no such session.
            SessionCorruptError: it can't be read; it was set aside.
        """
        with self._mutex, explained(f"open session {self.files.name!r}", self.files.folder):
            try:
                self._read_head()
            except SessionCorruptError as error:
                raise rescue(self.files, error) from error

    def append(self, records: Sequence[Record], *, durable: bool) -> None:
        """Give ``records`` their numbers and write them behind everybody else's.

        Raises:
            SessionNotFoundError: the session is gone.
            StorageError: nothing was written.
        """
        with self._mutex, explained(f"record in session {self.files.name!r}", self.files.folder):
            self._usable()
            try:
                self._append(records, durable=durable)
            except SessionCorruptError as error:
                self._mend(error)
                self._append(records, durable=durable)
            self._follow_up()
            self._tidying.appended(self._offset)

    def refresh(self) -> None:
        """Take in what others wrote.

        Raises:
            SessionNotFoundError: the session is gone.
        """
        with self._mutex, explained(f"read session {self.files.name!r}", self.files.folder):
            self._usable()
            if self._unchanged():
                return
            try:
                with self._lock:
                    self._catch_up()
                if self._stale:
                    self._read_head()
            except SessionCorruptError as error:
                self._mend(error)
            except OSError as error:
                if error.errno not in NOT_WRITABLE:
                    raise
                self._read_head()

    def fold(self) -> None:
        """Put the session at rest.

        Raises:
            SessionNotFoundError: the session is gone.
            StorageError: it could not be written; all is in the journal.
        """
        with self._mutex:
            self._usable()
        with explained(f"save session {self.files.name!r}", self.files.folder):
            self._tidying.wait()
            try:
                fold_aside(self.files)
            except SessionCorruptError as error:
                raise rescue(self.files, error) from error

    def close(self) -> None:
        """Put the session at rest, if it is still there and can be, and let go of all files."""
        with self._mutex:
            if self._closed:
                return
            self._closed = True
            try:
                with explained(f"save session {self.files.name!r}", self.files.folder):
                    self._tidying.wait()
                    fold_aside(self.files)
            except SessionNotFoundError:
                log.info("Session %r was removed while it was open", self.files.name)
            except SessionCorruptError as error:
                rescue(self.files, error)
            except StorageError as error:
                log.warning("What was recorded stays in the journal until it can be saved: %s", error)
            finally:
                self._let_go()
                self._lock.close()

    def _usable(self) -> None:
        if self._closed:
            raise StorageError(f"The journal of session {self.files.name!r} is closed. Open the session again.")

    def _read_head(self) -> None:
        opened = read_head(self.files, lock=self._lock)
        self._let_go()
        self._header, self._snapshot = opened.header, opened.stamp
        self._inode = opened.inode if self._holds(opened.header) else _NONE
        self._offset = opened.offset
        self._seq = opened.head.channelcoder.seq
        self._stale = False
        self._tidying.begin(opened.header, opened.stamp, indexed=opened.indexed)
        self.news.clear()
        self.news.append(opened.head)
        if opened.torn:
            log.warning("%s ends in half a line, whose writer died; it is dropped", self.files.journal)

    def _holds(self, header: Header | None) -> bool:
        """Open the journal that begins with ``header``; whether it still bears the name.

        It stays open: a file that was folded away and is not open anywhere gives its inode to the next one, and what
        others wrote since would be taken for what is known.
        """
        try:
            return header is None or Header.parse(read_file(self._open(), 0, 4096)) == header
        except FileNotFoundError:
            return False
        except OSError as error:
            if error.errno not in NOT_WRITABLE:
                raise
            return True

    def _unchanged(self) -> bool:
        journal = stamp(self.files.journal)
        here = (journal.inode, journal.size) if journal else (0, self._offset)
        snapshot = stamp(self.files.snapshot)
        if snapshot is None:
            raise SessionNotFoundError(self.files.name)
        return here == (self._inode, self._offset) and snapshot == self._snapshot and not self._stale

    def _append(self, records: Sequence[Record], *, durable: bool) -> None:
        if not self.files.snapshot.exists():  # or its lock would be made anew
            raise SessionNotFoundError(self.files.name)
        with self._lock:
            self._catch_up()
            numbered = [
                record.model_copy(update={"seq": self._seq + place}, deep=True)
                for place, record in enumerate(records, start=1)
            ]
            self._write(dump_lines(numbered), durable=durable)
        for record, copy in zip(records, numbered, strict=True):
            record.seq = self._seq = copy.seq
        self.news.extend(numbered)

    def _write(self, data: bytes, *, durable: bool) -> None:
        descriptor = self._open()
        try:
            write_all(descriptor, data)
            if durable:
                sync(descriptor)
        except BaseException:
            with suppress(OSError):
                os.ftruncate(descriptor, self._offset)
            raise
        self._offset += len(data)

    def _follow_up(self) -> None:
        """Read the head again if need be. The records are written: a failure here is not theirs."""
        if not self._stale:
            return
        try:
            try:
                self._read_head()
            except SessionCorruptError as error:
                self._mend(error)
        except (StorageError, OSError) as error:
            log.warning("Session %r is read again later: %s", self.files.name, error)

    def _mend(self, error: SessionCorruptError) -> None:
        rescue(self.files, error)
        self._read_head()

    def _catch_up(self) -> None:
        """Read to the end of the journal, under the lock.

        Afterwards this object is at the journal's end, and the news are complete or ``_stale`` says so.
        """
        snapshot, journal = stamp(self.files.snapshot), stamp(self.files.journal)
        if snapshot is None:
            raise SessionNotFoundError(self.files.name)
        if journal is None:
            self._stale = self._stale or self._header is not None or snapshot != self._snapshot
            self._begin(snapshot)
        elif journal.inode != self._inode:
            self._change_over()
        elif journal.size < self._offset:  # a person's or a backup's doing
            self._stale = True
            self._offset = self._header.length if self._header else 0
            self._seq = self._header.seq if self._header else 0
        self._read_end()
        if self._header is not None:  # what was folded in may not be in the journal any more
            self._seq = max(self._seq, self._header.seq)
        if snapshot != self._snapshot:
            # Else it is what a fold left, which has nothing in it that we don't know.
            if self._header is None or self._header.snapshot != snapshot:
                self._stale = True
            self._snapshot = snapshot

    def _begin(self, snapshot: Stamp) -> None:
        """Start the journal of a session that has none."""
        old = self._header or Header(uuid4().hex, 0, snapshot, edits=-1)
        header = Header(old.session, self._seq, snapshot, edits=old.edits + 1, first=self._seq + 1)
        temporary = self.files.temporary()
        write_new(temporary, header.line())
        temporary.replace(self.files.journal)
        sync_folder(self.files.folder)
        self._change_over()

    def _change_over(self) -> None:
        """Go over to the journal that now bears the name, as others folded the one we had."""
        self._let_go()
        descriptor = self._open()
        header = Header.parse(read_file(descriptor, 0, 4096))
        if header is None:
            raise SessionCorruptError(f"{self.files.journal} can't be read: its first line is not a journal's.")
        if self._header is not None and self._header.session != header.session:
            raise SessionNotFoundError(self.files.name)
        old, self._header = self._header, header
        if old is None:
            self._stale = self._stale or header.snapshot != self._snapshot
        else:
            self._stale = self._stale or old.edits != header.edits
        self._stale = self._stale or header.first > self._seq + 1
        self._inode = os.fstat(descriptor).st_ino
        self._offset = header.length + (header.carried if header.seq <= self._seq else 0)
        if (snapshot := stamp(self.files.snapshot)) is not None:
            self._tidying.begin(header, snapshot)

    def _read_end(self) -> None:
        """Take in the records behind ``_offset``, and cut off half a line whose writer died."""
        if self._inode == 0:
            return
        descriptor = self._open()
        data = read_file(descriptor, self._offset)
        if not data:
            return
        parsed = parse_lines(data, after=self._seq)
        if parsed.problem:
            raise SessionCorruptError(f"{self.files.journal} can't be read: {parsed.problem}.")
        self._offset += parsed.good
        if parsed.torn:
            log.warning("%s ended in half a line, whose writer died; it is dropped", self.files.journal)
            os.ftruncate(descriptor, self._offset)
        if parsed.records:
            self._seq = parsed.records[-1].seq
            self.news.extend(parsed.records)

    def _open(self) -> int:
        if self._descriptor is None:
            self._descriptor = open_private(self.files.journal, os.O_RDWR | os.O_APPEND)
        return self._descriptor

    def _let_go(self) -> None:
        if self._descriptor is not None:
            descriptor, self._descriptor = self._descriptor, None
            os.close(descriptor)
