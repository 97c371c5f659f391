"""What this machine remembers of sessions that are kept elsewhere, and what waits to be delivered there.

An SQLite file in the state folder: several processes use it at once, and what was put in survives a loss of power.
"""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from anyio import to_thread

from channelcoder_lsp.domain.errors import StorageError
from channelcoder_lsp.storage.file.disk import explained, make_folder, open_private
from channelcoder_lsp.storage.shared.backend import Handle, Line, Mark, Stored

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

T = TypeVar("T")

_BUSY_SECONDS = 10.0
_TABLES = """
CREATE TABLE IF NOT EXISTS session (
    key TEXT PRIMARY KEY, name TEXT NOT NULL, generation INTEGER NOT NULL, seq INTEGER NOT NULL, head TEXT NOT NULL,
    base TEXT);
CREATE TABLE IF NOT EXISTS line (
    key TEXT NOT NULL, seq INTEGER NOT NULL, text TEXT NOT NULL, waiting INTEGER NOT NULL, PRIMARY KEY (key, seq));
CREATE TABLE IF NOT EXISTS content (
    key TEXT NOT NULL, digest TEXT NOT NULL, data BLOB NOT NULL, waiting INTEGER NOT NULL, PRIMARY KEY (key, digest));
"""

HERE = -1
"""The generation of a session as it is here while records of it wait."""


@dataclass(frozen=True)
class Waiting:
    """What is to be delivered of one session."""

    handle: Handle
    lines: Sequence[Line]
    contents: Sequence[tuple[str, bytes]]
    base: str | None
    """The session as it was made here, if it was."""
    after: Mark | None
    """What the back end was known to be at before any of this; None: nothing is known any more."""


class Drawer:
    """The file, used in threads."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._open: sqlite3.Connection | None = None

    async def remember(self, handle: Handle, stored: Stored) -> None:
        """Remember a session as the back end has it; what waits stays."""

        def work(file: sqlite3.Connection) -> None:
            file.execute("DELETE FROM line WHERE key = ? AND NOT waiting", (handle.key,))
            file.execute("DELETE FROM session WHERE name = ? AND key != ? AND base IS NULL", (handle.name, handle.key))
            file.execute(
                "INSERT INTO session (key, name, generation, seq, head) VALUES (?, ?, ?, ?, ?) ON CONFLICT (key) "
                "DO UPDATE SET name = excluded.name, generation = excluded.generation, seq = excluded.seq, "
                "head = excluded.head, base = NULL",
                (handle.key, handle.name, stored.mark.generation, stored.mark.seq, stored.text),
            )
            _put_lines(file, handle, stored.lines, waiting=False)

        await self._run(work)

    async def add(self, handle: Handle, lines: Sequence[Line]) -> None:
        """Remember records that the back end has."""
        await self._run(lambda file: _put_lines(file, handle, lines, waiting=False))

    async def forget(self, key: str) -> None:
        """Forget a session; what waits for it stays."""

        def work(file: sqlite3.Connection) -> None:
            file.execute("DELETE FROM session WHERE key = ?", (key,))
            file.execute("DELETE FROM line WHERE key = ? AND NOT waiting", (key,))
            file.execute("DELETE FROM content WHERE key = ? AND NOT waiting", (key,))

        await self._run(work)

    async def make(self, handle: Handle, stored: Stored, base: str) -> bool:
        """Make a session here, to be delivered; whether the name was free."""

        def work(file: sqlite3.Connection) -> bool:
            if file.execute("SELECT 1 FROM session WHERE name = ?", (handle.name,)).fetchone():
                return False
            row = (handle.key, handle.name, stored.mark.generation, stored.mark.seq, stored.text, base)
            file.execute("INSERT INTO session (key, name, generation, seq, head, base) VALUES (?, ?, ?, ?, ?, ?)", row)
            return True

        return await self._run(work)

    async def wait(self, handle: Handle, mark: Mark, lines: Sequence[Line]) -> Mark | None:
        """Have records wait; what the session is at here. None, when that was not ``mark``."""

        def work(file: sqlite3.Connection) -> Mark | None:
            tip = _tip(file, handle.key)
            if tip is not None and (mark.generation != tip.generation or mark.seq < tip.seq):
                return None
            _put_lines(file, handle, lines, waiting=True)
            return Mark(HERE, lines[-1].seq)

        return await self._run(work)

    async def named(self, name: str) -> Handle | None:
        """The session of a name, as far as this machine knows."""

        def work(file: sqlite3.Connection) -> Handle | None:
            found = file.execute("SELECT key FROM session WHERE name = ?", (name,)).fetchone()
            return Handle(name, found[0]) if found else None

        return await self._run(work)

    async def keyed(self, key: str) -> Handle | None:
        """The session of a key, as far as this machine knows."""

        def work(file: sqlite3.Connection) -> Handle | None:
            found = file.execute("SELECT name FROM session WHERE key = ?", (key,)).fetchone()
            return Handle(found[0], key) if found else None

        return await self._run(work)

    async def known(self) -> list[tuple[Handle, Stored]]:
        """All sessions that this machine knows."""

        def work(file: sqlite3.Connection) -> list[tuple[Handle, Stored]]:
            rows = file.execute("SELECT key, name FROM session").fetchall()
            handles = [Handle(name, key) for key, name in rows]
            return [(handle, stored) for handle in handles if (stored := _stored(file, handle.key)) is not None]

        return await self._run(work)

    async def stored(self, key: str) -> Stored | None:
        """A session's head as this machine knows it, with the records after it and those that wait."""
        return await self._run(lambda file: _stored(file, key))

    async def is_waiting(self, key: str) -> bool:
        """Whether something of a session waits."""
        return await self._run(lambda file: _is_waiting(file, key))

    async def waiting(self) -> list[Waiting]:
        """All that waits, a session each."""

        def work(file: sqlite3.Connection) -> list[Waiting]:
            keys = file.execute(
                "SELECT key FROM line WHERE waiting UNION SELECT key FROM content WHERE waiting "
                "UNION SELECT key FROM session WHERE base IS NOT NULL"
            ).fetchall()
            return [_waiting(file, key) for (key,) in keys]

        return await self._run(work)

    async def delivered(self, what: Waiting) -> None:
        """Have what was delivered wait no more."""

        def work(file: sqlite3.Connection) -> None:
            key = what.handle.key
            last = max((line.seq for line in what.lines), default=0)
            file.execute("DELETE FROM line WHERE key = ? AND waiting AND seq <= ?", (key, last))
            digests = [(key, digest) for digest, _ in what.contents]
            file.executemany("UPDATE content SET waiting = 0 WHERE key = ? AND digest = ?", digests)
            file.execute("UPDATE session SET base = NULL WHERE key = ?", (key,))

        await self._run(work)

    async def keep_content(self, key: str, digest: str, data: bytes, *, waiting: bool) -> None:
        """Keep some bytes here."""
        values = (key, digest, data, waiting)
        await self._run(lambda file: file.execute("INSERT OR IGNORE INTO content VALUES (?, ?, ?, ?)", values))

    async def content(self, key: str, digest: str) -> bytes | None:
        """What was kept here."""

        def work(file: sqlite3.Connection) -> bytes | None:
            query = "SELECT data FROM content WHERE key = ? AND digest = ?"
            found = file.execute(query, (key, digest)).fetchone()
            return bytes(found[0]) if found else None

        return await self._run(work)

    async def close(self) -> None:
        """Close the file."""

        def work() -> None:
            with self._lock:
                if self._open is not None:
                    self._open.close()
                    self._open = None

        await to_thread.run_sync(work)

    async def _run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        def visit() -> T:
            with self._lock, self._explained(), self._connected() as file:
                file.execute("BEGIN IMMEDIATE")
                try:
                    result = work(file)
                except BaseException:
                    file.execute("ROLLBACK")
                    raise
                file.execute("COMMIT")
                return result

        return await to_thread.run_sync(visit)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            with explained("keep what waits to be delivered", self._folder):
                yield
        except sqlite3.Error as problem:
            raise StorageError(
                f"What waits to be delivered can't be kept in {self._folder}: {problem}. Look at that disk."
            ) from problem

    @contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        if self._open is None:
            make_folder(self._folder)
            path = self._folder / "outbox.db"
            with closing(_descriptor(path)):
                pass
            self._open = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
            self._open.execute("PRAGMA journal_mode=WAL")
            self._open.execute("PRAGMA synchronous=FULL")
            self._open.executescript(_TABLES)
        yield self._open


class _descriptor:  # noqa: N801 - makes the file, closed to others
    def __init__(self, path: Path) -> None:
        import os  # noqa: PLC0415

        self._close = os.close
        self._number = open_private(path, os.O_RDWR | os.O_CREAT)

    def close(self) -> None:
        self._close(self._number)


def _put_lines(file: sqlite3.Connection, handle: Handle, lines: Sequence[Line], *, waiting: bool) -> None:
    rows = [(handle.key, line.seq, line.text, waiting) for line in lines]
    how = "INSERT" if waiting else "INSERT OR IGNORE"
    file.executemany(f"{how} INTO line VALUES (?, ?, ?, ?)", rows)


def _is_waiting(file: sqlite3.Connection, key: str) -> bool:
    query = (
        "SELECT 1 FROM line WHERE key = ? AND waiting UNION SELECT 1 FROM session WHERE key = ? AND base IS NOT NULL"
    )
    return file.execute(query, (key, key)).fetchone() is not None


def _tip(file: sqlite3.Connection, key: str) -> Mark | None:
    stored = _stored(file, key)
    if stored is None:
        return None
    return Mark(stored.mark.generation, max([stored.mark.seq, *(line.seq for line in stored.lines)]))


def _lines(file: sqlite3.Connection, key: str, condition: str) -> list[Line]:
    query = f"SELECT seq, text FROM line WHERE key = ? {condition} ORDER BY seq"  # noqa: S608 - two constants
    return [Line(seq, text) for seq, text in file.execute(query, (key,))]


def _stored(file: sqlite3.Connection, key: str) -> Stored | None:
    row: Any = file.execute("SELECT head, generation, seq FROM session WHERE key = ?", (key,)).fetchone()
    if row is None:
        return None
    generation = HERE if _is_waiting(file, key) else row[1]
    return Stored(row[0], Mark(generation, row[2]), _lines(file, key, ""))


def _waiting(file: sqlite3.Connection, key: str) -> Waiting:
    row: Any = file.execute("SELECT name, base, generation, seq FROM session WHERE key = ?", (key,)).fetchone()
    name, base, generation, seq = row or ("", None, 0, 0)
    query = "SELECT digest, data FROM content WHERE key = ? AND waiting"
    contents = [(digest, bytes(data)) for digest, data in file.execute(query, (key,))]
    lines = _lines(file, key, "AND waiting")
    known = [line.seq for line in _lines(file, key, "AND NOT waiting") if not lines or line.seq < lines[0].seq]
    after = Mark(generation, max([seq, *known])) if row else None
    return Waiting(Handle(name, key), lines, contents, base, after)
