"""Sessions in a database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from channelcoder_lsp.storage.database.backend import DatabaseBackend
from channelcoder_lsp.storage.shared.leasing import LEASE_SECONDS
from channelcoder_lsp.storage.shared.storage import SharedStorage

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine


class DatabaseStorage(SharedStorage):
    """Keeps sessions in PostgreSQL or SQLite (session guide, "Database Storage").

    The tables are made on first use. All that use one database see each other's sessions, turn by turn.

    Args:
        engine: an asynchronous SQLAlchemy engine, which stays the caller's to dispose of.
        tenant: whose sessions these are; those of another tenant are never seen.
        retention: seconds after which a session is removed in which nothing was recorded; None: never. Whoever has
            one looks for such sessions when sessions are listed, opened or made, once a minute at most.
        lease_seconds: how long the right to ask in a session lasts when its holder has died.
    """

    def __init__(
        self,
        engine: AsyncEngine,
        *,
        tenant: str = "",
        retention: float | None = None,
        lease_seconds: float = LEASE_SECONDS,
    ) -> None:
        backend = DatabaseBackend(engine, tenant=tenant, retention=retention)
        super().__init__(backend, lease_seconds=lease_seconds, url=_url(engine, tenant, retention))


def _url(engine: AsyncEngine, tenant: str, retention: float | None) -> str | None:
    """What :func:`channelcoder_lsp.storage.opening.open_storage` opens the same database with, if that can be said."""
    given = {key: value for key, value in engine.url.query.items() if isinstance(value, str)}
    options = {"sslmode": given.pop("ssl", None), "tenant": tenant, "retention": retention}
    if given or engine.url.get_backend_name() not in ("sqlite", "postgresql"):
        return None
    url = engine.url.set(drivername=engine.url.get_backend_name(), query={})
    url = url.update_query_dict({key: str(value) for key, value in options.items() if value})
    return url.render_as_string(hide_password=False)
