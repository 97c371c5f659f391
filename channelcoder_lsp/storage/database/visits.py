"""Visits of a database: a transaction each, and what can go wrong in one."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from anyio import fail_after
from sqlalchemy import URL, event
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from channelcoder_lsp.domain.errors import StorageError, StorageUnreachableError
from channelcoder_lsp.storage.database.schema import migrate

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

TIMEOUT_SECONDS = 15.0
"""What one visit of the database may take at most."""


class TakenError(StorageError):
    """A name, or something else that there can be only one of, is taken."""


class Visits:
    """Visits of one database, whose tables are made before the first one.

    Args:
        engine: the database.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._alone = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._ready = False
        self._preparing = asyncio.Lock()
        self._undoing: set[asyncio.Future[None]] = set()
        if engine.dialect.name == "sqlite":
            event.listen(engine.sync_engine, "invalidate", self._undo)
        url = engine.url
        place = URL.create(url.get_backend_name(), host=url.host, port=url.port, database=url.database)
        self.address = place.render_as_string().rstrip("/")
        """The database's URL without credentials."""

    @asynccontextmanager
    async def visit(self, *, alone: bool = False) -> AsyncIterator[AsyncConnection]:
        """A transaction.

        Args:
            alone: there will be one statement, which is a transaction by itself, without a beginning and an end.

        Raises:
            TakenError: there is one already of what there can be only one of.
            StorageUnreachableError: the database did not answer in time, or can't be used.
            StorageError: it refused.
        """
        try:
            with fail_after(TIMEOUT_SECONDS):
                await self._prepare()
                async with (self._alone if alone else self._engine).begin() as connection:
                    yield connection
        except IntegrityError as problem:
            raise TakenError from problem
        except (TimeoutError, PoolTimeoutError) as problem:
            raise StorageUnreachableError(
                f"The database at {self.address} did not answer in {TIMEOUT_SECONDS:.0f} seconds. It may be busy or "
                "unreachable."
            ) from problem
        except DataError as problem:
            raise StorageError(f"The database at {self.address} refused: {_said(problem)}.") from problem
        except (OSError, DBAPIError) as problem:
            raise StorageUnreachableError(
                f"The database at {self.address} can't be used: {_said(problem)}. Check that it runs and that "
                "you may use it."
            ) from problem
        except SQLAlchemyError as problem:
            raise StorageError(f"The database at {self.address} can't be used: {_said(problem)}.") from problem

    def _undo(self, connection: Any, _record: object, _problem: object) -> None:
        """Take back what a visit did that was cancelled, before its connection is closed: SQLite's locks would stay."""
        undoing = asyncio.ensure_future(connection.driver_connection.rollback())
        self._undoing.add(undoing)
        undoing.add_done_callback(self._undoing.discard)

    async def _prepare(self) -> None:
        if self._ready:
            return
        async with self._preparing:
            if not self._ready:
                await migrate(self._engine)
                self._ready = True


def _said(problem: Exception) -> str:
    """What went wrong, without statement and parameters, which hold what was said."""
    original = getattr(problem, "orig", None) or problem
    return (str(original).strip() or type(original).__name__).splitlines()[0].rstrip(".")
