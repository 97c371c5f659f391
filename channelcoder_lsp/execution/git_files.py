"""Which files of a working tree differ from what Git knows of them, found without Git.

Git would run the repository's own filters to compare (``clean``, ``process``), even in ``git status``. Here a file
is the same when it has the size and the time that the index has of it, and otherwise when its bytes have the hash.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

from channelcoder_lsp.domain.errors import RepositoryError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

COMPARED_BYTES = 5_000_000
"""A file larger than this that has another time than the index says counts as changed unread."""

_ENTRY = re.compile(rb"(\d{6}) ([0-9a-f]{40,64}) [0-3]\t([^\0]+)\0((?:  [^\n]*\n)*)")
_TIME = re.compile(rb"  mtime: (\d+):\d+\n")
_SIZE = re.compile(rb"  size: (\d+)")
_TREE_ENTRY = re.compile(rb"(\d{6}) ([a-z]+) ([0-9a-f]{40,64})\t(.+)", re.DOTALL)
_SHA1_DIGITS = 40
_SIZE_BITS = 0xFFFFFFFF
"""The index keeps this much of a size."""


@dataclass(frozen=True)
class Indexed:
    """A file as the index has it."""

    digest: str
    modified: int | None
    """When it was last written, in seconds; None where Git doesn't say."""
    size: int | None


def parse_index(output: bytes) -> dict[str, Indexed]:
    """The regular files of ``git ls-files --stage --debug -z``, by path.

    What ``--debug`` adds is not promised to stay: without it, files are compared by their bytes.

    Raises:
        RepositoryError: it isn't such an output.
    """
    files: dict[str, Indexed] = {}
    at = 0
    while at < len(output):
        entry = _ENTRY.match(output, at)
        if entry is None:
            raise RepositoryError("Git's list of files can't be read. Another version of Git may help.")
        at = entry.end()
        mode, digest, path, more = entry.groups()
        if mode.startswith(b"100"):
            time, size = _TIME.search(more), _SIZE.search(more)
            files[os.fsdecode(path)] = Indexed(
                digest.decode(),
                int(time[1]) if time else None,
                int(size[1]) if size else None,
            )
    return files


def parse_tree(output: bytes) -> Iterator[tuple[str, str]]:
    """The regular files of ``git ls-tree -z``: their paths and digests."""
    for line in output.split(b"\0"):
        entry = _TREE_ENTRY.fullmatch(line)
        if entry is not None and entry[1].startswith(b"100") and entry[2] == b"blob":
            yield os.fsdecode(entry[4]), entry[3].decode()


def names(output: bytes) -> list[str]:
    """The names in an output with ``-z``; folders, which end in a slash, are left out."""
    return [os.fsdecode(name) for name in output.split(b"\0") if name and not name.endswith(b"/")]


def differing(folder: Path, index: Mapping[str, Indexed], commit: Mapping[str, str], written: float) -> Iterator[str]:
    """The files of the index that are there and may differ from a commit.

    Args:
        folder: what the paths are relative to.
        index: the index.
        commit: the digests of the commit's files.
        written: when the index was written; a file as young may have changed since without another time.
    """
    for path, known in index.items():
        found = regular(folder / path)
        if found is None:
            continue
        if commit.get(path) != known.digest or not _same(folder / path, found, known, written):
            yield path


def present(folder: Path, paths: Iterable[str]) -> list[str]:
    """Those of ``paths`` that are regular files, and not through a link to somewhere outside of ``folder``."""
    root = folder.resolve()
    return [path for path in paths if regular(folder / path) and (folder / path).parent.resolve().is_relative_to(root)]


def moved(folder: Path, index: Mapping[str, Indexed], new: Iterable[str]) -> dict[str, str]:
    """Files of the index that are gone, and the new ones that have their bytes."""
    gone: dict[str, list[str]] = {}
    sizes = set()
    for path, known in index.items():
        if not os.path.lexists(folder / path):
            gone.setdefault(known.digest, []).append(path)
            sizes.add(known.size)
    found: dict[str, str] = {}
    for path in new if gone else ():
        there = regular(folder / path)
        if there is None or not 0 < there.st_size <= COMPARED_BYTES or there.st_size not in sizes:
            continue
        digits = len(next(iter(gone)))
        if old := gone.get(digest_of(folder / path, there, digits) or ""):
            found[old.pop()] = path
    return found


def regular(path: Path) -> os.stat_result | None:
    """What the system knows of a file, if there is one of that name: no link, no folder, no pipe."""
    try:
        found = path.lstat()
    except (OSError, ValueError):
        return None
    return found if stat.S_ISREG(found.st_mode) else None


def digest_of(path: Path, found: os.stat_result, digits: int) -> str | None:
    """The digest that Git gives a file's bytes, or None when they can't be read."""
    made = hashlib.new("sha1" if digits == _SHA1_DIGITS else "sha256", usedforsecurity=False)
    made.update(b"blob %d\0" % found.st_size)
    try:
        made.update(path.read_bytes())
    except OSError:
        return None
    return made.hexdigest()


def _same(path: Path, found: os.stat_result, known: Indexed, written: float) -> bool:
    if known.size is not None and known.size == found.st_size & _SIZE_BITS:
        seconds = found.st_mtime_ns // 1_000_000_000
        if known.modified == seconds and seconds < int(written):
            return True
    if found.st_size > COMPARED_BYTES:
        return False
    return digest_of(path, found, len(known.digest)) == known.digest
