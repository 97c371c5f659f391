"""The threads of a project in its open documents: placed when one is opened, recorded when it is saved or closed."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import anyio.to_thread

from channelcoder_lsp.domain.errors import SessionNotFoundError, StorageError
from channelcoder_lsp.domain.place import Anchor, AnchorState, Range
from channelcoder_lsp.domain.thread import Thread, ThreadStatus
from channelcoder_lsp.domain.uri import uri_of
from channelcoder_lsp.services.places import Place, find_all, unmoved
from channelcoder_lsp.services.threads import Document, OpenDocuments, anchor_now

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from channelcoder_lsp.domain.turn import Turn
    from channelcoder_lsp.services.session import Session

logger = logging.getLogger(__name__)

_PLACING_TRIES = 3


@dataclass(frozen=True)
class ThreadHere:
    """A thread at a place of an open document."""

    session: Session
    thread: Thread
    turns: list[Turn]
    place: Place

    @property
    def range(self) -> Range:
        """Where it is; only for a place that was found."""
        if self.place.range is None:
            raise ValueError(f"{self.thread.id} is orphaned")
        return self.place.range


class PlacedThreads:
    """The open documents of a project and where in them its threads are.

    Args:
        root: the project's folder.
        session: its active session, if one is open.
    """

    def __init__(self, root: Path, session: Callable[[], Session | None]) -> None:
        self._root = root
        self.documents = OpenDocuments()
        self._session = session

    def document_of(self, thread: Thread) -> Document | None:
        """The open document that the thread is about."""
        return next((document for document in self.documents if _is_about(thread, document)), None)

    def not_open(self, threads: Iterable[Thread]) -> list[Thread]:
        """Those of ``threads`` whose document is not open."""
        uris = {document.uri for document in self.documents}
        paths = {document.path for document in self.documents if document.path is not None}
        return [thread for thread in threads if thread.anchor.uri not in uris and thread.anchor.path not in paths]

    def anchor_of(self, thread: Thread) -> Anchor:
        """Where the thread is now: in the open document, else as it was last recorded.

        It may have been recorded by another machine, where the project has another path.
        """
        if (document := self.document_of(thread)) is not None:
            return anchor_now(thread, document)
        anchor = thread.anchor
        if anchor.path is None or not anchor.uri.startswith("file:") or Path(anchor.path).is_absolute():
            return anchor
        return anchor.model_copy(update={"uri": uri_of(self._root / anchor.path)})

    async def opened(self, document: Document) -> None:
        """A document was opened and is followed already: find the places of its threads again."""
        if not document.places:
            await self._place_threads(document)

    async def saved(self, uri: str) -> None:
        """A document was saved: record where its threads are now, and look again for those that were not found."""
        session = self._session()
        if session is not None and (document := self.documents.get(uri)):
            await self._record_places(session, document)
            await self._place_threads(document, lost=True)

    async def catch_up(self, document: Document) -> None:
        """So much of a document was replaced at once that places were lost: look for them, beside the message loop."""
        if document.behind:
            document.behind = False
            await self._place_threads(document, lost=True)

    async def closed(self, uri: str) -> None:
        """A document was closed: record where its threads are."""
        session, document = self._session(), self.documents.remove(uri)
        if session is not None and document is not None:
            await self._record_places(session, document)

    async def place_new(self) -> None:
        """Place the threads that have no place yet: of a session just opened, or recorded by another process.

        Those that went to another file have no place any more where they were.
        """
        session = self._session()
        for document in self.documents:
            for thread_id in list(document.places):
                thread = session.head.threads.get(thread_id) if session is not None else None
                if thread is not None and not _is_about(thread, document):
                    del document.places[thread_id]
            await self._place_threads(document)

    def threads_in(self, uri: str, span: Range | None = None) -> list[ThreadHere]:
        """The open threads of a document that have a place in it, in the order of their places.

        Args:
            uri: the document.
            span: only those on its lines: hovering beside the code counts.
        """
        session, document = self._session(), self.documents.get(uri)
        if session is None or document is None:
            return []
        threads, here = session.head.threads, []
        places = list(document.places.items())
        if span is not None:
            # A hover pays for the threads at its place, hardly for the others in the file.
            first, last = span.start.line, span.end.line
            places = [
                (thread_id, place)
                for thread_id, place in places
                if place.touched or ((at := place.range) and at.start.line <= last and first <= at.end.line)
            ]
        for thread_id, place in places:
            thread = threads.get(thread_id)
            if thread is None or thread.status is not ThreadStatus.OPEN:
                continue
            place.settle(thread.anchor, document.lines)
            if place.range is None or place.state is AnchorState.ORPHANED:
                continue
            if span is None or _on_lines(place.range, span):
                here.append(ThreadHere(session, thread, session.turns_of(thread), place))
        return sorted(here, key=lambda found: (found.range, found.thread.created))

    def threads_at(self, uri: str, span: Range) -> list[ThreadHere]:
        """The threads on the lines of ``span``, the innermost first."""
        found = self.threads_in(uri, span)
        return sorted(found, key=lambda here: here.range.end.line - here.range.start.line)

    async def record(self, session: Session) -> None:
        """Record where the threads of ``session`` are in all open documents."""
        for document in self.documents:
            await self._record_places(session, document)

    async def _place_threads(self, document: Document, *, lost: bool = False) -> None:
        """Find the places of the threads about ``document`` that have none yet, or with ``lost`` no longer have one."""
        session = self._session()
        if session is None:
            return
        wanted = [
            thread
            for thread in session.head.threads.values()
            if _wanted(document.places.get(thread.id), lost=lost) and _is_about(thread, document)
        ]
        if not wanted:
            return
        anchors = {thread.id: thread.anchor for thread in wanted}
        texts = await kept_texts(session, wanted, document.lines)
        for _ in range(_PLACING_TRIES):
            edits, lines = document.edits, list(document.lines)
            places = await anyio.to_thread.run_sync(find_all, anchors, lines, texts)
            if document.edits == edits:
                break
        else:  # somebody types all the time
            places = find_all(anchors, document.lines, texts)
        for thread_id, place in places.items():
            if _wanted(document.places.get(thread_id), lost=lost):
                document.places[thread_id] = place

    async def _record_places(self, session: Session, document: Document) -> None:
        anchors: dict[str, Anchor] = {}
        for thread_id in list(document.places):
            thread = session.head.threads.get(thread_id)
            if thread is None or not _is_about(thread, document):  # its file was renamed meanwhile
                continue
            anchor = anchor_now(thread, document)
            if anchor.state is AnchorState.ORPHANED and thread.anchor.uri != document.uri:
                continue  # it may well be in its own document: another cell of the notebook
            anchors[thread_id] = anchor
        try:
            await session.keep_anchors(anchors)
        except (StorageError, SessionNotFoundError) as problem:
            logger.warning("the places of %d threads could not be recorded: %s", len(anchors), problem)


async def kept_texts(session: Session, threads: Iterable[Thread], lines: Sequence[str]) -> dict[str, str]:
    """The kept texts that are needed to find ``threads`` in ``lines``, by their digest."""
    texts: dict[str, str] = {}
    for thread in threads:
        digest = thread.anchor.content
        if digest and digest not in texts and unmoved(thread.anchor, lines) is None:
            text = await session.text_when_asked(thread)
            if text is not None:
                texts[digest] = text
    return texts


def _wanted(place: Place | None, *, lost: bool) -> bool:
    return place is None or (lost and place.state is AnchorState.ORPHANED) or (lost and place.range is None)


def _is_about(thread: Thread, document: Document) -> bool:
    anchor = thread.anchor
    return anchor.uri == document.uri or (anchor.path is not None and anchor.path == document.path)


def _on_lines(range_: Range, span: Range) -> bool:
    """Whether ``span`` has a place on a line of ``range_``."""
    return range_.start.line <= span.end.line and span.start.line <= range_.last_line
