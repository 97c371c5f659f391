"""Texts of files as they were when a question was asked: each once, compressed, named by its SHA-256."""

from __future__ import annotations

import logging
import os
import re
import time
import zlib
from typing import TYPE_CHECKING
from uuid import uuid4

from channelcoder_lsp.domain.errors import SessionNotFoundError, StorageError
from channelcoder_lsp.services.locks import locked
from channelcoder_lsp.storage.file.disk import make_folder, remove, sync_folder, write_new

if TYPE_CHECKING:
    from collections.abc import Iterable

    from channelcoder_lsp.storage.file.names import SessionFiles

log = logging.getLogger(__name__)

GRACE_SECONDS = 3600.0
"""How long a text stays after it was last wanted, though nothing points at it."""
_DIGEST = re.compile("[0-9a-f]{64}")
_MENTIONED = re.compile(b'"([0-9a-f]{64})"')


def keep(files: SessionFiles, digest: str, text: str) -> None:
    """Keep ``text``, unless it is kept already.

    Raises:
        SessionNotFoundError: there is no such session.
        StorageError: ``digest`` is not a SHA-256 in lower case.
    """
    path = files.contents / _checked(digest)
    if not files.snapshot.exists():
        raise SessionNotFoundError(files.name)
    with locked(files.lock):
        if path.exists():
            os.utime(path)  # it may be dropped only some time after it was last wanted
            return
    make_folder(files.contents)
    temporary = files.contents / f"tmp-{uuid4().hex}"
    try:
        write_new(temporary, zlib.compress(text.encode("utf-8", "surrogatepass")))
        temporary.replace(path)
    finally:
        remove(temporary)
    sync_folder(files.contents)


def kept(files: SessionFiles, digest: str) -> str | None:
    """The text, or None if it was not kept or can't be read any more."""
    path = files.contents / _checked(digest)
    try:
        return zlib.decompress(path.read_bytes()).decode("utf-8", "surrogatepass")
    except FileNotFoundError:
        return None
    except (zlib.error, UnicodeDecodeError):
        aside = path.with_name(f"{digest}.corrupt-{uuid4().hex}")
        path.replace(aside)
        log.warning("A kept text could not be read; it was set aside as %s", aside)
        return None


def drop_unused(files: SessionFiles, stored: Iterable[bytes]) -> None:
    """Drop the texts that the session mentions nowhere; call it with the lock held.

    One that was kept a moment ago stays: what points at it may not be recorded yet. What was left of a text whose
    writer died goes too.

    Args:
        files: the session.
        stored: all of the session's JSON. A digest counts wherever it stands as a whole string, so what a newer
            version points at is safe.
    """
    if not files.contents.is_dir():
        return
    mentioned = {found.decode() for data in stored for found in _MENTIONED.findall(data)}
    old = time.time() - GRACE_SECONDS
    for path in files.contents.iterdir():
        kept_text = _DIGEST.fullmatch(path.name) and path.name not in mentioned
        if (kept_text or path.name.startswith("tmp-")) and path.stat().st_mtime < old:
            remove(path)


def _checked(digest: str) -> str:
    if not _DIGEST.fullmatch(digest):
        raise StorageError(f"{digest!r} is not a SHA-256 in lower-case hexadecimal digits.")
    return digest
