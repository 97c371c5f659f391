"""Threads: made from a selection, and kept at their place while the documents that are open change.

All of it is in memory: a hover or a code lens never waits for the disk.
"""

from __future__ import annotations

import asyncio
import hashlib
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import anyio

from channelcoder_lsp.anchoring import end_of_insert, shift, symbol_at
from channelcoder_lsp.domain.place import QUOTE_LIMIT, Anchor, AnchorState, Position, Range, Selection
from channelcoder_lsp.domain.text import clamp, split_lines, text_in, well_formed
from channelcoder_lsp.domain.thread import Thread
from channelcoder_lsp.services.history import Edit, History, Snapshot, replace_text
from channelcoder_lsp.services.places import Place, Rewriting, down_by

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_CONTEXT_LINES = 3
_CONTENT_LIMIT = 5_000_000


def thread_about(selection: Selection) -> Thread:
    """A new thread about ``selection``, with all that is needed to find its place again."""
    document = well_formed(selection.document)
    lines = split_lines(document)
    span = clamp(lines, selection.range)
    content = None
    if len(document) <= _CONTENT_LIMIT:
        content = hashlib.sha256(document.encode()).hexdigest()
    anchor = Anchor(
        uri=selection.uri,
        path=selection.path,
        range=span,
        origin=span,
        quote=text_in(lines, span)[:QUOTE_LIMIT],
        before="\n".join(lines[max(0, span.start.line - _CONTEXT_LINES) : span.start.line]),
        after="\n".join(lines[span.last_line + 1 : span.last_line + 1 + _CONTEXT_LINES]),
        content=content,
        symbol=symbol_at(lines, span.start.line, span.last_line),
    )
    return Thread(anchor=anchor, language=selection.language)


@dataclass
class Document:
    """An open document, as far as threads need it."""

    uri: str
    path: str | None
    """Relative to the checkout's root, as anchors keep it."""
    lines: list[str]
    language: str = ""
    version: int | None = None
    line_end: str = "\n"
    edits: int = 0
    """How often it was changed since it was opened."""
    unsaved: bool = False
    """Whether its text may differ from the file's on disk."""
    places: dict[str, Place] = field(default_factory=dict)
    """Where the threads about it are, by thread id."""
    behind: bool = False
    """Whether so much was replaced at once that places must be looked for, which takes too long to wait for."""
    history: History | None = None
    step: list[Edit] | None = None
    """The edits of the step that is being made."""


class OpenDocuments:
    """The open documents of a project, and where in them its threads are."""

    def __init__(self) -> None:
        self._documents: dict[str, Document] = {}
        self._waiting: set[asyncio.Event] = set()
        """Those who wait for an edit."""

    async def changed(self, since: Mapping[str, int], seconds: float) -> bool:
        """Wait until documents were edited: an editor may answer before it tells what changed.

        Args:
            since: how many edits (:attr:`Document.edits`) each had, by URI; one that is not open is not waited for.
            seconds: how long at most.

        Returns:
            Whether all of them were.
        """
        news = asyncio.Event()
        self._waiting.add(news)
        try:
            with anyio.move_on_after(seconds):
                while any((open_ := self.get(uri)) and open_.edits == edits for uri, edits in since.items()):
                    await news.wait()
                    news.clear()
                return True
            return False
        finally:
            self._waiting.discard(news)

    def get(self, uri: str) -> Document | None:
        """The open document, if it is open."""
        return self._documents.get(uri)

    def __iter__(self) -> Iterator[Document]:
        return iter(list(self._documents.values()))

    def add(self, document: Document) -> None:
        """Follow a document from now on, or anew."""
        self._documents[document.uri] = document

    def remove(self, uri: str) -> Document | None:
        """Follow a document no more; what is returned knows the last places."""
        return self._documents.pop(uri, None)

    @contextmanager
    def together(self, uri: str) -> Iterator[None]:
        """What is edited within is one step: an undo takes it back as a whole."""
        document = self._documents.get(uri)
        if document is None or document.step is not None or not document.places:
            yield
            return
        history = document.history = document.history or History.begin(document.lines)
        before, sum_before = Snapshot.of(document.places), history.sum
        step = document.step = []
        try:
            yield
        finally:
            document.step = None
            if step and (back := history.took(step, before, sum_before, document.lines)) is not None:
                back.restore(document.places)

    def edit(self, uri: str, edited: Range, inserted: str) -> None:
        """Follow one change.

        Args:
            uri: the document.
            edited: what was replaced, in the text before the change, in code points.
            inserted: what replaced it.
        """
        if (document := self._documents.get(uri)) is None:
            return
        with self.together(uri):
            _edit(document, edited, inserted)
        for news in self._waiting:
            news.set()

    def replaced(self, uri: str, text: str) -> None:
        """Follow a change that replaced the whole text."""
        if (document := self._documents.get(uri)) is not None:
            last = len(document.lines) - 1
            everything = Range(Position(0, 0), Position(last, len(document.lines[last])))
            self.edit(uri, everything, text)

    def follow(self, uri: str, thread: Thread) -> None:
        """Follow a thread that was made from the document as it is now."""
        if document := self._documents.get(uri):
            document.places[thread.id] = Place(thread.anchor.range, AnchorState.EXACT)

    def forget(self, uri: str, thread_id: str) -> None:
        """Follow a thread no more."""
        if document := self._documents.get(uri):
            document.places.pop(thread_id, None)


def _edit(document: Document, edited: Range, inserted: str) -> None:
    start, end, lines = edited.start, edited.end, document.lines
    taken, put = text_in(lines, edited), "\n".join(split_lines(inserted))
    new_end = Position(*end_of_insert(start, put))
    old, new = replace_text(lines, start, end, put)
    document.edits += 1
    if document.history is not None:
        document.history.sum += sum(map(hash, new)) - sum(map(hash, old))
    if document.step is not None:
        document.step.append(Edit(start, end, new_end, taken, put))
    rewriting = Rewriting(start, taken, old, new)
    down, places = new_end.line - end.line, document.places
    for key, place in places.items():
        lost, at = place.lost, place.range
        if lost is not None and (back := lost.put_back(start, put)) is not None:
            places[key] = Place(back, place.state, touched=True)
            continue
        if at is None or at.end < start:
            continue
        if at.start.line > end.line:
            if down:
                place.range = down_by(at, down)
            continue
        if not edited.touches(at):
            place.range = _shifted(at, start, end, new_end)
            continue
        touched = places[key] = Place(at, place.state, touched=True, lost=lost)
        if start <= at.start and at.end <= end:
            touched.lost = rewriting.lost(at) or lost
            if edited != at:
                touched.range = rewriting.find(at)
                continue
        touched.range = _shifted(at, start, end, new_end)
    document.behind = document.behind or rewriting.too_much


def _shifted(place: Range, start: Position, end: Position, new_end: Position) -> Range:
    moved = shift(place, start, end, new_end)
    return Range(Position(*moved[0]), Position(*moved[1]))


def anchor_now(thread: Thread, document: Document) -> Anchor:
    """The thread's anchor as it is to be recorded: with where it is now in ``document``."""
    place = document.places.get(thread.id)
    if place is None:
        return thread.anchor
    place.settle(thread.anchor, document.lines)
    here = thread.anchor.model_copy(update={"uri": document.uri, "path": document.path})
    return anchor_at(here, place, document.lines)


def anchor_at(anchor: Anchor, place: Place, lines: Sequence[str]) -> Anchor:
    """``anchor`` as it is to be recorded when it was found at ``place`` of ``lines``, or was not."""
    changed: dict[str, object] = {"state": place.state}
    if place.range is not None:
        changed["range"] = place.range
        edited = place.state is AnchorState.EDITED
        changed["current"] = text_in(lines, place.range)[:QUOTE_LIMIT] if edited else None
    return anchor.model_copy(update=changed)
