"""Folding and indexing in the background, when a journal has grown."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from channelcoder_lsp.domain.errors import SessionNotFoundError
from channelcoder_lsp.storage.file.disk import explained, stamp
from channelcoder_lsp.storage.file.folding import fold
from channelcoder_lsp.storage.file.heads import read_head
from channelcoder_lsp.storage.file.index import write_index

if TYPE_CHECKING:
    from collections.abc import Callable

    from channelcoder_lsp.storage.file.disk import Stamp
    from channelcoder_lsp.storage.file.lines import Header
    from channelcoder_lsp.storage.file.names import SessionFiles

log = logging.getLogger(__name__)

LEAST = 256 * 1024
"""Bytes: a journal that has grown by less is left alone until the session is closed."""
APART_FROM = 2 * 1024 * 1024
"""Bytes: a session of this size is folded by a process of its own. Reading and writing JSON holds Python's
lock, so a thread would bring the editor's requests to a stop, and the memory would stay with the server."""


class Tidying:
    """Keeps the journal no larger than the snapshot, and what start-up reads of it than the index.

    So what is written again and again stays in proportion to what is written once.
    """

    def __init__(self, files: SessionFiles) -> None:
        self._files = files
        self._thread: threading.Thread | None = None
        self._fold_step = self._index_step = LEAST
        self._fold_at = self._index_at = LEAST

    def begin(self, header: Header | None, snapshot: Stamp, *, indexed: int | None = None) -> None:
        """Start counting anew, with another journal.

        Args:
            header: its first line, if there is a journal.
            snapshot: the snapshot's stamp.
            indexed: how much of the journal the index has in it; what was folded in, if that isn't known.
        """
        folded = header.length + header.carried if header else 0
        index = stamp(self._files.index)
        self._fold_step = max(LEAST, snapshot.size)
        self._fold_at = self._fold_step + folded
        self._index_step = max(LEAST, index.size if index else 0)
        self._index_at = self._index_step + (folded if indexed is None else indexed)

    def appended(self, offset: int) -> None:
        """Do what is due now that the journal ends at ``offset``; returns at once."""
        if self._thread is not None and self._thread.is_alive():
            return
        if offset >= self._fold_at:
            self._fold_at = offset + self._fold_step
            self._start(self._fold)
        elif offset >= self._index_at:
            self._index_at = offset + self._index_step
            self._start(self._index)

    def wait(self) -> None:
        """Wait for what is being done."""
        if self._thread is not None:
            self._thread.join()

    def _start(self, work: Callable[[], None]) -> None:
        def logged() -> None:
            try:
                with explained(f"save session {self._files.name!r}", self._files.folder):
                    work()
            except SessionNotFoundError:
                log.info("Session %r was removed while it was being saved", self._files.name)
            except Exception:
                log.exception("Session %r could not be saved; it stays in its journal", self._files.name)

        # A daemon, since a process that ends in the middle of it loses nothing.
        self._thread = threading.Thread(target=logged, name=f"tidy {self._files.name}", daemon=True)
        self._thread.start()

    def _fold(self) -> None:
        fold_aside(self._files)

    def _index(self) -> None:
        opened = read_head(self._files, index=False)
        size = write_index(self._files, opened.head, snapshot=opened.stamp, journal=opened.inode, offset=opened.offset)
        self._index_step = max(LEAST, size)


def fold_aside(files: SessionFiles) -> None:
    """Fold the session; a large one in another process, for which this waits.

    Raises:
        SessionNotFoundError: there is no such session.
        SessionCorruptError: it can't be read.
        StorageError: it can't be written.
    """
    sizes = [found.size for path in (files.snapshot, files.journal) if (found := stamp(path))]
    if sum(sizes) >= APART_FROM and _folded_apart(files):
        return
    fold(files)


def _folded_apart(files: SessionFiles) -> bool:
    if getattr(sys, "frozen", False):  # then this is not a Python to run a module with
        return False
    module = "channelcoder_lsp.storage.file.tidying"
    try:
        done = subprocess.run(  # noqa: S603 - our own module, run by our own interpreter
            [sys.executable, "-m", module, str(files.folder), files.name],
            cwd=Path(__file__).parents[3],  # -m looks in the working folder first: not in the user's project
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            check=False,
        )
    except OSError as error:
        log.info("Session %r is folded here, since no process could be started: %s", files.name, error)
        return False
    if done.returncode:
        log.info("Session %r is folded here: %s", files.name, done.stderr.strip().rpartition("\n")[2])
    return not done.returncode


def _main(folder: str, name: str) -> None:
    import gc  # noqa: PLC0415 - only here

    from channelcoder_lsp.storage.file.names import SessionFiles  # noqa: PLC0415 - only here

    gc.disable()  # nothing here is garbage before the end
    fold(SessionFiles(Path(folder), name))


if __name__ == "__main__":
    _main(*sys.argv[1:])
