"""Where sessions are kept, as one text says it: ``open_storage(url)``."""

from __future__ import annotations

import getpass
import os
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, quote, unquote, urlsplit
from urllib.request import url2pathname

from channelcoder_lsp.domain.errors import ArgumentsError, StorageError
from channelcoder_lsp.storage.file.storage import FileSessionStorage
from channelcoder_lsp.storage.keyring import from_keyring

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from channelcoder_lsp.domain.storage import JournaledStorage
    from channelcoder_lsp.storage.shared.backend import Backend

SCHEMES = {
    "file": "",
    "sqlite": "database",
    "postgresql": "database",
    "redis": "redis",
    "rediss": "redis",
    "s3": "s3",
}
"""What a URL may begin with, and the extra that it needs."""

PASSWORD_VARIABLE = "CHANNELCODER_STORAGE_PASSWORD"  # noqa: S105 - where it is looked for
"""The variable with the password of the place that the setting ``storage`` names."""
_WITH_PASSWORDS = ("postgresql", "redis", "rediss", "redis+unix")
_FOLDER_CHARS = 16


def open_storage(
    url: str = "file:",
    *,
    directory: Path | str | None = None,
    outbox: Path | None = None,
    password: str | None = None,
) -> JournaledStorage:
    """The storage that a URL names. Nothing is connected to before the first use.

    Args:
        url: ``file:`` for files in ``directory``, ``file:///a/folder``, ``sqlite:///sessions.db`` (a fourth slash
            for an absolute path), ``postgresql://user@host/database``, ``redis://host/0``, ``rediss://`` (over TLS),
            ``redis+unix:///a/socket`` or ``s3://bucket/prefix``. ``?tenant=NAME`` parts the sessions of several
            teams that use one server.
        directory: where ``file:`` keeps sessions; None: see :class:`FileSessionStorage`.
        outbox: a folder of this machine in which what is recorded waits while the back end is away, so that one can go
            on; None: what is to be recorded then fails.
        password: the server's, for a URL without one; None: as its client finds one, or as the system's keyring has it.

    Raises:
        ArgumentsError: the URL can't be understood.
        StorageError: a package is missing; the message has the command that installs it.
    """
    try:
        parts = urlsplit(url)
        scheme = parts.scheme.partition("+")[0]
    except ValueError as problem:
        raise ArgumentsError(f"{masked(url)} names no storage: {problem}.") from problem
    if scheme not in SCHEMES:
        raise ArgumentsError(
            f"{masked(url)} names no storage: it must begin with {', '.join(f'{each}:' for each in SCHEMES)}."
        )
    if scheme == "file":
        return _files(parts, directory)
    whole = with_password(url, password)
    backend = _backend(SCHEMES[scheme], whole, _kept_password(whole))
    if outbox is not None:
        folder = outbox_folder(url, outbox)
        backend = import_module("channelcoder_lsp.storage.shared.outbox").Outbox(backend, folder)
    storage: JournaledStorage = import_module("channelcoder_lsp.storage.shared.storage").SharedStorage(
        backend, url=whole
    )
    return storage


def with_password(url: str, password: str | None) -> str:
    """The URL with a password in it, if it is one of a server and has none."""
    parts = urlsplit(url)
    if not password or parts.password or parts.scheme not in _WITH_PASSWORDS:
        return url
    user, at, place = parts.netloc.rpartition("@")
    if not at and parts.scheme == "postgresql":
        # Whom the server takes somebody for who doesn't say: there is no password without a user.
        user = quote(os.environ.get("PGUSER") or getpass.getuser(), safe="")
    # Joined by hand: a URL that has nothing but a path keeps its slashes.
    rest = url.partition(":")[2].removeprefix("//").removeprefix(parts.netloc)
    return f"{parts.scheme}://{user.partition(':')[0]}:{quote(password, safe='')}@{place}{rest}"


def outbox_folder(url: str, outbox: Path) -> Path:
    """The folder in ``outbox`` for one place: what waits for one must not arrive at another."""
    return outbox / sha256(f"{masked(url)}?{urlsplit(url).query}".encode()).hexdigest()[:_FOLDER_CHARS]


def masked(url: str) -> str:
    """The URL with the password, and whatever follows the path, left out: fit for logs and messages."""
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "the given URL"
    user = f"{parts.username}@" if parts.username else ""
    location = f"//{user}{parts.hostname or ''}{port}" if parts.netloc or url.startswith(f"{parts.scheme}://") else ""
    return f"{parts.scheme}:{location}{parts.path}" if parts.scheme else parts.path


def _files(parts: SplitResult, directory: Path | str | None) -> FileSessionStorage:
    if parts.netloc not in ("", "localhost") or parts.query:
        raise ArgumentsError(f"{masked(parts.geturl())} names no folder of this machine: write file:///the/folder.")
    if not parts.path:
        return FileSessionStorage(directory)
    return FileSessionStorage(Path(url2pathname(parts.path)) if "%" in parts.path else Path(unquote(parts.path)))


def _kept_password(url: str) -> Callable[[], Awaitable[str | None]] | None:
    """What asks the keyring, for a URL without a password of a server that takes one."""
    parts = urlsplit(url)
    return from_keyring(masked(url)) if parts.password is None and parts.scheme in _WITH_PASSWORDS else None


def _backend(extra: str, url: str, password: Callable[[], Awaitable[str | None]] | None) -> Backend:
    kept = {} if password is None else {"password": password}
    try:
        backend: Backend = import_module(f"channelcoder_lsp.storage.{extra}.opening").open_backend(url, **kept)
    except ImportError as problem:
        raise StorageError(
            f"For {masked(url)} the package {problem.name} is needed. Install it: "
            f"pip install 'channelcoder-lsp[{extra}]'."
        ) from problem
    return backend
