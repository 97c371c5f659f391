"""Locks between processes on files, which end with their holder.

The one place that knows how each system does it. A lock is held by an open file, so two opened by one
process exclude each other too.
"""

from __future__ import annotations

import os
import sys
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import anyio

from channelcoder_lsp.domain.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import TracebackType

    from typing_extensions import Self

if sys.platform == "win32":
    import msvcrt

    def _try_lock(descriptor: int) -> bool:
        os.lseek(descriptor, 0, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _unlock(descriptor: int) -> None:
        os.lseek(descriptor, 0, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _try_lock(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _unlock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_UN)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock named by ``path``, once.

    Raises:
        StorageError: somebody held it for all of ``PATIENCE``.
    """
    lock = FileLock(path)
    try:
        lock.acquire()
        yield
    finally:
        lock.close()


PATIENCE = 30.0
"""Seconds to wait for a lock that is only ever held for moments."""


class FileLock:
    """An exclusive lock named by a file, which is made when it is missing.

    Kept open between two uses, so that using it again costs little. Not for use by two threads at once.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def try_acquire(self) -> bool:
        """Take the lock if nobody has it; whether that worked. Never waits."""
        while True:
            if self._descriptor is None:
                self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
            if not _try_lock(self._descriptor):
                return False
            if self._is_the_file():
                return True
            self.close()  # somebody removed the file meanwhile: a lock on it excludes nobody

    def acquire(self) -> None:
        """Take the lock, waiting for it.

        Raises:
            StorageError: somebody held it for all of ``PATIENCE``.
        """
        for pause in self._pauses():
            time.sleep(pause)

    async def wait(self) -> None:
        """Take the lock, waiting for it without a thread: when this is cancelled, nobody goes on to take it.

        Raises:
            StorageError: somebody held it for all of ``PATIENCE``.
        """
        for pause in self._pauses():
            await anyio.sleep(pause)

    def _pauses(self) -> Iterator[float]:
        """How long to wait, in seconds, each time that somebody has it."""
        pause = 0.0005
        deadline = time.monotonic() + PATIENCE
        while not self.try_acquire():
            if time.monotonic() > deadline:
                raise StorageError(
                    f"{self._path} has been locked by another process for {PATIENCE:.0f} seconds. End the "
                    "ChannelCoder process that hangs, then try again."
                )
            yield pause
            pause = min(pause * 1.5, 0.01)

    def release(self) -> None:
        """Let go of the lock, if it is held."""
        if self._descriptor is not None:
            _unlock(self._descriptor)

    def close(self) -> None:
        """Let go of the lock and the file."""
        if self._descriptor is not None:
            descriptor, self._descriptor = self._descriptor, None
            os.close(descriptor)

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.release()

    def __del__(self) -> None:
        with suppress(OSError):
            self.close()

    def _is_the_file(self) -> bool:
        if self._descriptor is None:
            return False
        try:
            return os.path.samestat(os.fstat(self._descriptor), self._path.stat())
        except FileNotFoundError:
            return False
