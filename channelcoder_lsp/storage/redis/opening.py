"""A Redis server by its URL."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from redis import CredentialProvider
from redis.asyncio import ConnectionPool, Redis, SSLConnection, UnixDomainSocketConnection

from channelcoder_lsp.domain.address import is_this_machine
from channelcoder_lsp.domain.errors import ArgumentsError
from channelcoder_lsp.storage.redis.backend import RedisBackend
from channelcoder_lsp.storage.shared.retention import retention_seconds

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

_CONNECT_SECONDS = 5
_ANSWER_SECONDS = 10
_PORT = 6379
_YES_OR_NO = {"yes": True, "no": False}


def open_backend(url: str, password: Callable[[], Awaitable[str | None]] | None = None) -> RedisBackend:
    """The back end; see :func:`channelcoder_lsp.storage.opening.open_storage`.

    ``redis://user@host:port/db``, ``rediss://`` of the same form, ``redis+unix:///the/socket?db=1``. A server on
    another machine is talked to over TLS, with its certificate checked, unless ``tls=no`` is given; ``tls_ca`` names
    the file of the authority that signed it. ``retention`` is the number of seconds after which a session is removed
    that nobody changed.

    Args:
        url: the server's.
        password: looks the user's up.

    Raises:
        ArgumentsError: something in the URL does not fit.
    """
    try:
        parts = urlsplit(url)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        tenant, retention = query.pop("tenant", ""), retention_seconds(query.pop("retention", None))
        settings = _settings(parts, query)
    except ValueError as problem:
        raise ArgumentsError("The storage's URL can't be read: write redis://user@host:6379/0.") from problem
    if query:
        raise ArgumentsError(f"The storage's URL has {', '.join(sorted(query))} in it, which is not known.")
    user = unquote(parts.username) if parts.username else None
    who: Mapping[str, Any] = {"username": user, "password": unquote(parts.password) if parts.password else None}
    if password is not None:
        who = {"credential_provider": _Credentials(user, password)}
    pool = ConnectionPool(
        **who,
        socket_connect_timeout=_CONNECT_SECONDS,
        socket_timeout=_ANSWER_SECONDS,
        **settings,
    )
    return RedisBackend(Redis.from_pool(pool), tenant=tenant, retention=retention, owned=True)


class _Credentials(CredentialProvider):
    """Looked up anew for each connection."""

    def __init__(self, user: str | None, password: Callable[[], Awaitable[str | None]]) -> None:
        self._user = user
        self._password = password

    def get_credentials(self) -> tuple[str] | tuple[str, str]:
        raise NotImplementedError("the connections are asyncio's")

    async def get_credentials_async(self) -> tuple[str] | tuple[str, str]:
        """User and password, as AUTH takes them; where there is none, nothing, and it isn't sent."""
        password = await self._password()
        if password is None:
            return ()  # type: ignore[return-value] # what the client takes, too
        return (password,) if self._user is None else (self._user, password)


def _settings(parts: SplitResult, query: dict[str, str]) -> Mapping[str, Any]:
    """Where the server is, and how to reach it; takes what it knows out of ``query``."""
    database = query.pop("db", "")
    if parts.scheme == "redis+unix":
        return {"connection_class": UnixDomainSocketConnection, "path": unquote(parts.path), "db": int(database or 0)}
    host = parts.hostname or "localhost"
    place = {"host": host, "port": parts.port or _PORT, "db": int(parts.path.strip("/") or database or 0)}
    authority = query.pop("tls_ca", None)
    wanted = query.pop("tls", "yes" if parts.scheme == "rediss" or authority or not is_this_machine(host) else "no")
    if wanted not in _YES_OR_NO:
        raise ArgumentsError(f"tls={wanted} in the storage's URL is not known: write tls=yes or tls=no.")
    if not _YES_OR_NO[wanted]:
        if parts.scheme == "rediss":
            raise ArgumentsError("rediss: means TLS, and tls=no means none: write redis: for a server without it.")
        return place
    if authority is not None and not Path(authority).is_file():
        raise ArgumentsError(f"tls_ca={authority} can't be read: there is no such file.")
    return {**place, "connection_class": SSLConnection, "ssl_ca_certs": authority, "ssl_check_hostname": True}
