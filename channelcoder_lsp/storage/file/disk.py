"""Writing files so that a crash, a full disk or another process leaves the old or the new, never a half."""

from __future__ import annotations

import errno
import os
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, NamedTuple

from channelcoder_lsp.domain.errors import StorageError, StorageNotWritableError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

if sys.platform == "darwin":
    import fcntl

NOT_WRITABLE = (errno.EACCES, errno.EPERM, errno.EROFS)
FILE_MODE = 0o600
FOLDER_MODE = 0o700


class Stamp(NamedTuple):
    """What changes when a file is written or replaced."""

    size: int
    mtime_ns: int
    inode: int

    @classmethod
    def of(cls, stat: os.stat_result) -> Stamp:
        """The stamp in ``stat``."""
        return cls(stat.st_size, stat.st_mtime_ns, stat.st_ino)


def stamp(path: Path) -> Stamp | None:
    """The stamp of the file at ``path``, or None without one."""
    try:
        return Stamp.of(path.stat())
    except FileNotFoundError:
        return None


@contextmanager
def explained(doing: str, folder: Path) -> Iterator[None]:
    """Turn an ``OSError`` into a sentence that says what failed, where, and what to do.

    Args:
        doing: what is being done, such as ``"save the session 'x'"``.
        folder: the sessions folder.

    Raises:
        StorageNotWritableError: writing is not allowed there.
        StorageError: anything else that the system refused.
    """
    try:
        yield
    except OSError as error:
        why = error.strerror or str(error)
        if error.errno in NOT_WRITABLE:
            raise StorageNotWritableError(
                f"Could not {doing}: {folder} can't be written ({why}). Give yourself write access to it, or "
                "set CHANNELCODER_SESSION_DIR to a folder that you may write."
            ) from error
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageError(
                f"Could not {doing}: no space is left for {folder} ({why}). Free some, or set "
                "CHANNELCODER_SESSION_DIR to a folder on another disk."
            ) from error
        if error.errno in (errno.ENOTDIR, errno.EEXIST):
            raise StorageNotWritableError(
                f"Could not {doing}: {folder} is not a folder ({why}). Remove what is in its place, or set "
                "CHANNELCODER_SESSION_DIR to a folder."
            ) from error
        raise StorageError(
            f"Could not {doing} in {folder}: {why}. Look at the state of that disk, then try again."
        ) from error


def make_folder(folder: Path) -> None:
    """Make ``folder`` and those above it that are missing, for the user alone."""
    missing = []
    while not folder.is_dir():
        missing.append(folder)
        folder = folder.parent
    for path in reversed(missing):
        with suppress(FileExistsError):
            path.mkdir(mode=FOLDER_MODE)
            sync_folder(path.parent)
        if not path.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path))


def open_private(path: Path, flags: int) -> int:
    """Open a file, closed to others when it is new, and to programs that are started meanwhile."""
    return os.open(path, flags | getattr(os, "O_BINARY", 0), FILE_MODE)


def read_file(descriptor: int, start: int = 0, end: int | None = None) -> bytes:
    """The bytes from ``start`` to ``end`` (else to the end of the file), fewer if the file ends before."""
    parts = []
    os.lseek(descriptor, start, os.SEEK_SET)
    while end is None or start < end:
        part = os.read(descriptor, 1 << 20 if end is None else min(end - start, 1 << 20))
        if not part:
            break
        parts.append(part)
        start += len(part)
    return b"".join(parts)


def write_all(descriptor: int, data: bytes) -> None:
    """Write all of ``data``, whatever portions the system takes it in."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def sync(descriptor: int) -> None:
    """Wait until what was written is on the disk itself."""
    if sys.platform == "darwin":  # where fsync stops at the disk's own cache
        with suppress(OSError):
            fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
            return
    os.fsync(descriptor)


def sync_folder(folder: Path) -> None:
    """Wait until new, renamed and removed names in ``folder`` are on the disk."""
    if os.name == "nt":  # has no such thing
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_new(path: Path, data: bytes, *, durable: bool = True) -> Stamp:
    """Write a new file whole, or leave none."""
    descriptor = open_private(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    try:
        try:
            write_all(descriptor, data)
            if durable:
                sync(descriptor)
            return Stamp.of(os.fstat(descriptor))
        finally:
            os.close(descriptor)
    except BaseException:
        remove(path)
        raise


def remove(path: Path) -> None:
    """Remove a file if it is there."""
    with suppress(FileNotFoundError):
        path.unlink()


def copy_aside(path: Path, aside: Path) -> None:
    """Give the file a second name, by a link where the file system has them."""
    try:
        os.link(path, aside)
    except OSError:
        write_new(aside, path.read_bytes())
