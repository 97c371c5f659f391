"""Texts of files as they were when a question was asked: each once, compressed, named by its SHA-256."""

from __future__ import annotations

import logging
import re
import zlib
from typing import TYPE_CHECKING
from uuid import uuid4

from channelcoder_lsp.domain.errors import SessionNotFoundError, StorageError
from channelcoder_lsp.storage.file.disk import make_folder, remove, sync_folder, write_new

if TYPE_CHECKING:
    from channelcoder_lsp.storage.file.names import SessionFiles

log = logging.getLogger(__name__)

_DIGEST = re.compile("[0-9a-f]{64}")


def keep(files: SessionFiles, digest: str, text: str) -> None:
    """Keep ``text``, unless it is kept already.

    Raises:
        SessionNotFoundError: there is no such session.
        StorageError: ``digest`` is not a SHA-256 in lower case.
    """
    path = files.contents / _checked(digest)
    if path.exists():
        return
    if not files.snapshot.exists():
        raise SessionNotFoundError(files.name)
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


def _checked(digest: str) -> str:
    if not _DIGEST.fullmatch(digest):
        raise StorageError(f"{digest!r} is not a SHA-256 in lower-case hexadecimal digits.")
    return digest
