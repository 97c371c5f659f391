"""Sessions in Redis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from channelcoder_lsp.storage.redis.backend import RedisBackend
from channelcoder_lsp.storage.shared.leasing import LEASE_SECONDS
from channelcoder_lsp.storage.shared.storage import SharedStorage

if TYPE_CHECKING:
    from redis.asyncio import Redis

_PORT = 6379


class RedisStorage(SharedStorage):
    """Keeps sessions in Redis 6.2 or later, or in Valkey (session guide, "Redis Storage Example").

    All that use one server see each other's sessions, turn by turn. Each change is one step of the server's.

    What is recorded is as safe as the server keeps it. With ``appendonly yes`` and ``appendfsync always`` it is on the
    disk before it is acknowledged. With ``appendfsync everysec``, which is what most servers have, it outlives a crash
    of the server, but the last second is lost when its machine loses power; without ``appendonly``, everything since
    the last snapshot. A replica that takes over may lack the last writes as well. Whatever was lost so, the sessions
    that are open go on from what is there. ``maxmemory-policy`` should be ``noeviction``: any other one lets the
    server drop sessions when its memory is used up.

    All keys of one tenant are in one slot: a cluster could hold several tenants, each on one node. The client for
    clusters is not taken yet.

    Args:
        client: an asynchronous client, which stays the caller's to close.
        tenant: whose sessions these are; those of another tenant are never seen. To keep others out, too, let an
            access control list give each tenant's users ``~{channelcoder:TENANT}:* &{channelcoder:TENANT}:*`` alone
            (the name percent-encoded).
        retention: seconds after which a session is removed that nobody changed; None: never. Who changes a session
            last decides for it.
        lease_seconds: how long the right to ask in a session lasts when its holder has died.
    """

    def __init__(
        self,
        client: Redis,
        *,
        tenant: str = "",
        retention: float | None = None,
        lease_seconds: float = LEASE_SECONDS,
    ) -> None:
        backend = RedisBackend(client, tenant=tenant, retention=retention)
        super().__init__(backend, lease_seconds=lease_seconds, url=_url(client, tenant, retention))


def _url(client: Redis, tenant: str, retention: float | None) -> str | None:
    """What :func:`channelcoder_lsp.storage.opening.open_storage` opens the same server with, if that can be said."""
    settings: dict[str, Any] = client.connection_pool.connection_kwargs
    secure = "SSL" in client.connection_pool.connection_class.__name__
    host, path = settings.get("host"), settings.get("path")
    if not (host or path) or settings.get("credential_provider") or (secure and settings.get("ssl_certfile")):
        return None
    user, password = (quote(settings.get(part) or "", safe="") for part in ("username", "password"))
    who = f"{user}:{password}@" if password else f"{user}@" if user else ""
    options = {"tenant": tenant, "retention": retention, "tls_ca": settings.get("ssl_ca_certs") if secure else None}
    if path:
        where = f"redis+unix://{who}{quote(path)}"
        options["db"] = settings.get("db")
    else:
        where = f"redis://{who}{f'[{host}]' if ':' in str(host) else host}:{settings.get('port', _PORT)}"
        where = f"{where}/{settings.get('db') or 0}"
        options["tls"] = "yes" if secure else "no"
    query = urlencode({key: value for key, value in options.items() if value})
    return f"{where}?{query}" if query else where
