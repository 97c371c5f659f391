"""A database by its URL."""

from __future__ import annotations

import os
import ssl
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import URL, event, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import create_async_engine

from channelcoder_lsp.domain.address import is_this_machine
from channelcoder_lsp.domain.errors import ArgumentsError
from channelcoder_lsp.storage.database.backend import DatabaseBackend
from channelcoder_lsp.storage.shared.retention import retention_seconds

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

_DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg"}
_CONNECT_SECONDS = 5
_POOL_SECONDS = 10
_IDLE_SECONDS = 10


def open_backend(url: str, password: Callable[[], Awaitable[str | None]] | None = None) -> DatabaseBackend:
    """The back end; see :func:`channelcoder_lsp.storage.opening.open_storage`.

    A PostgreSQL server on another machine is talked to over TLS, with its certificate checked, unless ``sslmode`` says
    otherwise; ``sslrootcert`` names the file of the authority that signed it. ``retention`` is the number of seconds
    after which a session is removed in which nothing was recorded.

    Args:
        url: the database's.
        password: looks the user's up, unless ``PGPASSWORD`` or a password file is there for the driver to find.

    Raises:
        ArgumentsError: something in the URL does not fit.
    """
    try:
        given = make_url(url)
    except (ArgumentError, ValueError) as problem:
        raise ArgumentsError("The storage's URL can't be read: write postgresql://user@host/database.") from problem
    query = {key: value if isinstance(value, str) else value[-1] for key, value in given.query.items()}
    tenant, retention = query.pop("tenant", ""), retention_seconds(query.pop("retention", None))
    backend = given.get_backend_name()
    driver = _DRIVERS[backend]
    import_module(driver.partition("+")[2])  # missing, it is missed here, where it is told how to install it
    options: dict[str, Any] = {}
    if backend == "postgresql":
        options = {
            "connect_args": {
                "ssl": _tls(given, query),
                "timeout": _CONNECT_SECONDS,
                **({} if password is None or _is_found_by_the_driver() else {"password": password}),
            },
            "pool_pre_ping": True,
            "pool_timeout": _POOL_SECONDS,
        }
    elif not given.database or given.database == ":memory:":
        raise ArgumentsError("Sessions in SQLite need a file: write sqlite:////the/folder/sessions.db.")
    if query:
        raise ArgumentsError(f"The storage's URL has {', '.join(sorted(query))} in it, which is not known.")
    engine = create_async_engine(given.set(drivername=driver, query={}), **options)
    if backend == "postgresql":
        event.listen(engine.sync_engine, "connect", _bound)
    return DatabaseBackend(engine, tenant=tenant, retention=retention, owned=True)


def _is_found_by_the_driver() -> bool:
    file = os.environ.get("PGPASSFILE")
    return bool(os.environ.get("PGPASSWORD")) or (Path(file) if file else Path.home() / ".pgpass").is_file()


def _bound(connection: Any, _record: object) -> None:
    """Have the server end a transaction whose client was lost in the middle, before others wait long for its locks."""
    cursor = connection.cursor()
    cursor.execute(f"SET idle_in_transaction_session_timeout = '{_IDLE_SECONDS}s'")
    cursor.close()


def _tls(url: URL, query: dict[str, str]) -> ssl.SSLContext | str:
    mode = query.pop("sslmode", "disable" if _is_here(url.host) else "verify-full")
    authority = query.pop("sslrootcert", None)
    if mode not in ("verify-full", "verify-ca"):
        return mode
    try:
        context = ssl.create_default_context(cafile=authority)
    except OSError as problem:
        raise ArgumentsError(f"sslrootcert={authority} can't be read: {problem.strerror}.") from problem
    context.check_hostname = mode == "verify-full"
    return context


def _is_here(host: str | None) -> bool:
    return not host or host.startswith("/") or is_this_machine(host)
