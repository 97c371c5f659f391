"""The threads in files that aren't open: where they are after a pull, a checkout, a formatter, a rename outside."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

import anyio.to_thread

from channelcoder_lsp.domain.errors import RepositoryError, SessionNotFoundError, StorageError
from channelcoder_lsp.domain.place import Anchor, AnchorState
from channelcoder_lsp.domain.text import split_lines
from channelcoder_lsp.domain.uri import uri_of
from channelcoder_lsp.services.events import SessionMoved
from channelcoder_lsp.services.placed import kept_texts
from channelcoder_lsp.services.places import Place, find_all
from channelcoder_lsp.services.threads import anchor_at

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
    from pathlib import Path

    from channelcoder_lsp.domain.repository import Repository
    from channelcoder_lsp.domain.thread import Thread
    from channelcoder_lsp.services.events import Listener
    from channelcoder_lsp.services.placed import PlacedThreads
    from channelcoder_lsp.services.session import Session
    from channelcoder_lsp.services.threads import Document

logger = logging.getLogger(__name__)

_TOGETHER_SECONDS = 0.1
"""How long changes are gathered: a checkout reports one file after the other."""
_FILE_LIMIT = 5_000_000


class _Stamp(NamedTuple):
    """What changes when a file does."""

    size: int
    mtime_ns: int
    inode: int


class ThreadsOnDisk:
    """Keeps the recorded places of a project's threads true while their files are closed, and follows renames.

    All of it happens beside the message loop: a file is looked at in a thread, and read only when it changed
    since it was last looked at. A thread whose file is gone goes with it where that can be known (a former name
    of the file, a rename that version control tells of, a document with the very text), and is never taken from
    a file that still is there.

    Args:
        root: the folder.
        placed: the open documents.
        session: the active session, if one is open.
        repository: the folder's repository.
        tell: told when places changed.
    """

    def __init__(
        self,
        root: Path,
        placed: PlacedThreads,
        session: Callable[[], Session | None],
        repository: Callable[[], Repository],
        tell: Listener,
    ) -> None:
        self._root = root
        self._placed = placed
        self._session = session
        self._repository = repository
        self._tell = tell
        self._seen: dict[str, _Stamp | None] = {}
        """What each file with threads was when it was last looked at; None: it was not there."""
        self._seen_in: Session | None = None
        self._missing = False
        """Whether a file with threads was not there."""
        self._news = True
        """Whether something happened since version control was asked for renames."""
        self._asked_for: frozenset[str] = frozenset()
        self._known_renames: Mapping[str, str] = {}
        self._opened: list[Document] = []
        self._looking = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._waiting = False
        """Whether changes are being gathered."""

    def look_soon(self) -> None:
        """Look in a moment: another session is active, files changed, a document was opened or closed."""
        self._news = True
        if not self._waiting:
            self._waiting = True
            task = asyncio.create_task(self._look_later(), name=f"look at files in {self._root}")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def document_opened(self, document: Document) -> None:
        """A document was opened: threads whose file is gone may be about it."""
        if document.path is not None:
            self._opened.append(document)
            self.look_soon()

    def files_changed(self, paths: Collection[str]) -> None:
        """Files or folders came, went or changed; those without threads cost next to nothing.

        Args:
            paths: relative to the root with forward slashes, as anchors keep them.
        """
        if (session := self._session()) is None:
            return
        known: set[str] = set()
        for thread in session.head.threads.values():
            for path in _paths(thread.anchor):
                known.add(path)
                at = path.rfind("/")
                while at > 0 and path[:at] not in known:
                    known.add(path[:at])
                    at = path.rfind("/", 0, at)
        if self._missing or not known.isdisjoint(paths):
            self.look_soon()

    async def up_to_date(self) -> None:
        """Look now, and return when the recorded places are true, as far as they can be recorded."""
        async with self._looking:
            try:
                await self._look()
            except (StorageError, SessionNotFoundError) as problem:
                logger.warning("places of threads in %s could not be recorded: %s", self._root, problem)

    async def close(self) -> None:
        """End what is under way."""
        for task in list(self._tasks):
            task.cancel()
            await asyncio.wait({task})
        self._waiting = False

    async def _look_later(self) -> None:
        await asyncio.sleep(_TOGETHER_SECONDS)
        self._waiting = False
        try:
            await self.up_to_date()
        except Exception:
            logger.exception("looking for the threads of %s in their files", self._root)

    async def _look(self) -> None:
        if (session := self._session()) is None:
            return
        if self._seen_in is not session:
            self._seen_in = session
            self._seen.clear()
        by_path: dict[str, list[Thread]] = {}
        for thread in session.head.threads.values():
            if (path := _file(thread.anchor)) is not None:
                by_path.setdefault(path, []).append(thread)
        opened, self._opened = self._opened, []
        stamps = await anyio.to_thread.run_sync(self._stamps, list(by_path))
        missing = {path: by_path[path] for path, stamp in stamps.items() if stamp is None}
        self._missing = bool(missing)
        moved = await self._follow_renames(session, missing, opened)
        changed = set(moved)
        closed: dict[str, list[Thread]] = {}
        for thread in self._placed.not_open(session.head.threads.values()):
            if (path := _file(thread.anchor)) is not None:
                closed.setdefault(path, []).append(thread)
        for path, threads in closed.items():
            if path in moved or path not in self._seen or self._seen[path] != stamps.get(path):
                changed |= await self._find_again(session, path, threads)
        self._seen = {path: stamp for path, stamp in stamps.items() if path in closed}
        if changed:
            await self._placed.place_new()
            self._tell(SessionMoved(session))

    def _stamps(self, paths: Iterable[str]) -> dict[str, _Stamp | None]:
        return {path: _stamp(self._root / path) for path in paths}

    async def _follow_renames(
        self, session: Session, missing: Mapping[str, Sequence[Thread]], opened: Sequence[Document]
    ) -> set[str]:
        """Move the threads of files that are gone to where the files are now; the new paths."""
        if not missing:
            return set()
        renamed = await self._renames(missing.keys())
        threads = [thread for those in missing.values() for thread in those]
        names = [[*thread.anchor.former_paths, renamed.get(thread.anchor.path or "")] for thread in threads]
        found = await anyio.to_thread.run_sync(lambda: [self._first_file(those) for those in names])
        texts = {_digest(document): document.path for document in opened}
        closed = {thread.id for thread in self._placed.not_open(threads)}
        anchors: dict[str, Anchor] = {}
        for thread, there in zip(threads, found, strict=True):
            new = there
            if new is None and thread.id in closed and thread.anchor.quote.strip():
                new = texts.get(thread.anchor.content or "")
            if new is not None and new != thread.anchor.path:
                anchors[thread.id] = thread.anchor.moved_to(new, uri_of(self._root / new))
        await session.keep_anchors(anchors)
        return {anchor.path for anchor in anchors.values() if anchor.path is not None}

    async def _renames(self, missing: Collection[str]) -> Mapping[str, str]:
        """The renames that version control knows; it is asked again when there is reason to."""
        if self._news or not self._asked_for.issuperset(missing):
            self._news, self._asked_for = False, frozenset(missing)
            try:
                self._known_renames = await self._repository().renames()
            except RepositoryError as problem:
                logger.debug("no renames are known: %s", problem)
                self._known_renames, self._asked_for = {}, frozenset()
        return self._known_renames

    def _first_file(self, paths: Iterable[str | None]) -> str | None:
        return next((path for path in paths if path is not None and _stamp(self._root / path) is not None), None)

    async def _find_again(self, session: Session, path: str, threads: Sequence[Thread]) -> set[str]:
        """Record where threads of a closed file are in it now; the path if that changed anything."""
        try:
            lines = await anyio.to_thread.run_sync(_read, self._root / path)
        except FileNotFoundError:
            lines = None
        except (OSError, ValueError) as problem:
            logger.info("%s can't be read, so its threads stay where they were: %s", path, problem)
            return set()
        places: Mapping[str, Place]
        if lines is None:
            places = {thread.id: Place(None, AnchorState.ORPHANED) for thread in threads}
        else:
            anchors = {thread.id: thread.anchor for thread in threads}
            texts = await kept_texts(session, threads, lines)
            places = await anyio.to_thread.run_sync(find_all, anchors, lines, texts)
        # Some may have been opened, removed or renamed meanwhile.
        now = [here for thread in threads if (here := session.head.threads.get(thread.id)) is not None]
        found = {
            thread.id: anchor_at(thread.anchor, places[thread.id], lines or [])
            for thread in self._placed.not_open(now)
            if thread.anchor.path == path
        }
        return {path} if await session.keep_anchors(found) else set()


def _paths(anchor: Anchor) -> Iterable[str]:
    return [path for path in (_file(anchor), *anchor.former_paths) if path is not None]


def _file(anchor: Anchor) -> str | None:
    """The path of the file that is the anchor's document itself; None for a notebook's cell, or no file."""
    return anchor.path if anchor.uri.startswith("file:") else None


def _stamp(path: Path) -> _Stamp | None:
    with suppress(OSError, ValueError):
        if path.is_file():
            stat = path.stat()
            return _Stamp(stat.st_size, stat.st_mtime_ns, stat.st_ino)
    return None


def _read(path: Path) -> list[str]:
    if path.stat().st_size > _FILE_LIMIT:
        raise ValueError(f"it is larger than {_FILE_LIMIT} bytes")
    return split_lines(path.read_bytes().decode("utf-8-sig"))


def _digest(document: Document) -> str:
    return hashlib.sha256("\n".join(document.lines).encode("utf-8", "surrogatepass")).hexdigest()
