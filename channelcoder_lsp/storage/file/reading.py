"""Reading a session as it is at one moment, whoever is changing it meanwhile.

The journal is opened before the snapshot, and whoever changes both changes the snapshot first: so what is
read together has every record in one of the two at least, and one that is in both counts once.
"""

from __future__ import annotations

import heapq
import json
import logging
import os
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import ValidationError

from channelcoder_lsp.domain.errors import SessionCorruptError, SessionNotFoundError, StorageError
from channelcoder_lsp.domain.ledger import Ledger
from channelcoder_lsp.domain.model import well_formed
from channelcoder_lsp.domain.records import SessionCleared
from channelcoder_lsp.domain.session import Message, SessionState
from channelcoder_lsp.storage.file.disk import Stamp, read_file
from channelcoder_lsp.storage.file.index import read_row
from channelcoder_lsp.storage.file.lines import Header, Parsed, parse_lines
from channelcoder_lsp.storage.file.recall import fill, remembered

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from channelcoder_lsp.domain.records import Record
    from channelcoder_lsp.services.locks import FileLock
    from channelcoder_lsp.storage.file.names import SessionFiles

log = logging.getLogger(__name__)

_FOREIGN_WRITE = 1.0
"""Seconds in which ChannelCoder, which writes in place, has surely finished a file it has begun."""


@dataclass
class Capture:
    """A session's two files, opened at one moment."""

    files: SessionFiles
    snapshot: int
    """A descriptor."""
    stamp: Stamp
    journal: int | None
    """A descriptor, or None without a journal."""
    journal_stamp: Stamp | None
    header: Header | None
    """None without a journal, or when its first line can't be read."""

    @property
    def journal_size(self) -> int:
        """The bytes of the journal that count."""
        return self.journal_stamp.size if self.journal_stamp else 0

    @property
    def edited(self) -> bool:
        """Whether the snapshot is another than the one that the journal was started on."""
        return self.header is not None and self.header.snapshot != self.stamp

    def lines(self) -> Parsed:
        """The journal's records, folded in already or not.

        Raises:
            SessionCorruptError: its first line can't be read.
            StorageError: a newer version wrote it.
        """
        if self.journal is None:
            return Parsed([], 0)
        if self.header is None:
            return Parsed([], 0, problem="its first line is not a journal's")
        parsed = parse_lines(read_file(self.journal, self.header.length, self.journal_size))
        parsed.good += self.header.length
        return parsed


@contextmanager
def captured(files: SessionFiles, lock: FileLock | None = None) -> Iterator[Capture]:
    """Open a session's files for reading.

    Args:
        files: the session's.
        lock: the session's, to be held for that moment, so that nothing is seen that a writer may take back
            (an append that fails halfway).

    Raises:
        SessionNotFoundError: there is no such session.
    """
    if lock is not None and not files.snapshot.exists():  # or a lock would be made for it
        raise SessionNotFoundError(files.name)
    with ExitStack() as held:
        with _held(lock):
            journal = _open(files.journal, held)
            journal_stamp = Stamp.of(os.fstat(journal)) if journal is not None else None
            snapshot = _open(files.snapshot, held)
        if snapshot is None:
            raise SessionNotFoundError(files.name)
        header = Header.parse(_first_line(journal)) if journal is not None else None
        yield Capture(files, snapshot, Stamp.of(os.fstat(snapshot)), journal, journal_stamp, header)


@contextmanager
def _held(lock: FileLock | None) -> Iterator[None]:
    try:
        if lock is not None:
            lock.acquire()
    except OSError as error:
        log.info("The sessions folder can be read only: %s", error)
        lock = None
    try:
        yield
    finally:
        if lock is not None:
            lock.release()


def read_snapshot(capture: Capture) -> SessionState:
    """The snapshot alone, read again while ChannelCoder is in the middle of writing it.

    Raises:
        SessionCorruptError: it is not a session.
        StorageError: a newer version wrote it.
    """
    deadline = time.monotonic() + _FOREIGN_WRITE
    while True:
        data = read_file(capture.snapshot)
        try:
            return parse_snapshot(data, capture.files.snapshot)
        except SessionCorruptError:
            age = time.time() - os.fstat(capture.snapshot).st_mtime
            if abs(age) > _FOREIGN_WRITE or time.monotonic() > deadline:
                raise
        time.sleep(0.02)
        capture.stamp = Stamp.of(os.fstat(capture.snapshot))


def parse_snapshot(data: bytes, path: Path) -> SessionState:
    """The session in a file's bytes.

    Raises:
        SessionCorruptError: it is not a session.
        StorageError: a newer version wrote it.
    """
    data = data.removeprefix(b"\xef\xbb\xbf")
    try:
        try:
            state = SessionState.model_validate_json(data)
        except ValidationError as error:
            if error.errors(include_url=False)[0]["type"] != "json_invalid":
                raise
            state = SessionState.model_validate(_lenient(data, error))
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        if problem["loc"] == ("channelcoder", "version") and isinstance(problem["input"], int):
            raise StorageError(f"A newer version of channelcoder-lsp has written {path}. Update this one.") from error
        where = ".".join(str(part) for part in problem["loc"])
        raise SessionCorruptError(
            f"{path} is not a session: {f'{where}: ' if where else ''}{problem['msg']}."
        ) from error
    if "messages" not in state.model_fields_set:
        raise SessionCorruptError(f"{path} is not a session: it has no messages.")
    return state


def _lenient(data: bytes, error: ValidationError) -> object:
    """JSON with halves of surrogate pairs in it, as JavaScript writes them and pydantic doesn't take them."""
    try:
        return well_formed(json.loads(data))
    except ValueError:
        raise error from None


def read_state(capture: Capture, parsed: Parsed | None = None) -> SessionState:
    """The whole session.

    Raises:
        SessionCorruptError: the snapshot or the journal can't be read.
        StorageError: a newer version wrote one of them.
    """
    parsed = parsed or capture.lines()
    if parsed.problem:
        raise SessionCorruptError(f"{capture.files.journal} can't be read: {parsed.problem}.")
    state = read_snapshot(capture)
    header = capture.header
    if header is not None and "channelcoder" not in state.model_fields_set:
        # ChannelCoder cleared the session: what was folded in before is gone, where it belongs is not.
        row = read_row(capture.files)
        state.channelcoder = Ledger(seq=header.seq, checkout=row.checkout if row else None)
    elif header is not None and header.first > state.channelcoder.seq + 1:
        _fill_hole(state, header, capture.files)
    merge(state, parsed.records, edited=capture.edited)
    return state


def _fill_hole(state: SessionState, header: Header, files: SessionFiles) -> None:
    """Bring back what ChannelCoder undid by writing back a copy that is older than the journal reaches."""
    head = remembered(files)
    missing = f"records {state.channelcoder.seq + 1} to {header.first - 1}"
    if head is None or head.channelcoder.seq < header.first - 1:
        log.warning("An old copy of session %r was written back; %s are not in it", files.name, missing)
        return
    log.warning("An old copy of session %r was written back; %s are recalled", files.name, missing)
    fill(state, head)


def merge(state: SessionState, records: list[Record], *, edited: bool) -> None:
    """Apply ``records``.

    Args:
        state: what they are applied to.
        records: those that it has are left out.
        edited: whether ChannelCoder may have added messages meanwhile: then those at the end which are of no
            turn are put among the new ones by time.
    """
    messages = state.messages
    theirs: list[Message] = []
    while edited and messages and messages[-1].turn_id is None:
        theirs.append(messages.pop())
    theirs.reverse()
    state.message_count = start = len(messages)
    for record in records:
        if isinstance(record, SessionCleared) and record.seq > state.channelcoder.seq:
            start, theirs = 0, [message for message in theirs if message.timestamp > record.at]
        state.apply(record)
    if theirs:
        messages[start:] = heapq.merge(theirs, messages[start:], key=lambda message: message.timestamp)
        state.message_count = len(messages)


def _open(path: Path, held: ExitStack) -> int | None:
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    except FileNotFoundError:
        return None
    held.callback(os.close, descriptor)
    return descriptor


def _first_line(descriptor: int) -> bytes:
    data = read_file(descriptor, 0, 4096)
    return data[: data.find(b"\n") + 1]
