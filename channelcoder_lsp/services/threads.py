"""Threads: made from a selection, and kept at their place while the documents that are open change.

All of it is in memory: a hover or a code lens never waits for the disk.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from channelcoder_lsp.anchoring import end_of_insert, shift
from channelcoder_lsp.domain.place import QUOTE_LIMIT, Anchor, AnchorState, Position, Range, Selection
from channelcoder_lsp.domain.text import clamp, split_lines, text_in, well_formed
from channelcoder_lsp.domain.thread import Thread
from channelcoder_lsp.services.places import Lost, Place, find_after

if TYPE_CHECKING:
    from collections.abc import Iterator

_CONTEXT_LINES = 3
_CONTENT_LIMIT = 5_000_000
_LINES_AT_ONCE = 5_000
"""How many replaced lines are compared while the editor waits; beyond, places are found when it is opened again."""


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
    places: dict[str, Place] = field(default_factory=dict)
    """Where the threads about it are, by thread id."""


class OpenDocuments:
    """The open documents of a project, and where in them its threads are."""

    def __init__(self) -> None:
        self._documents: dict[str, Document] = {}

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

    def edit(self, uri: str, edited: Range, inserted: str) -> None:
        """Follow one change.

        Args:
            uri: the document.
            edited: what was replaced, in the text before the change, in code points.
            inserted: what replaced it.
        """
        if (document := self._documents.get(uri)) is None:
            return
        start, end, lines = edited.start, edited.end, document.lines
        taken = text_in(lines, edited)
        covered = {
            id(place): Lost(taken, len(text_in(lines, Range(start, place.range.start))), text_in(lines, place.range))
            for place in document.places.values()
            if place.range is not None and start <= place.range.start and place.range.end <= end
        }
        new = split_lines(inserted)
        new_end = end_of_insert(start, inserted)
        new[-1] += lines[end.line][end.character :]
        new[0] = lines[start.line][: start.character] + new[0]
        old = lines[start.line : end.line + 1]
        lines[start.line : end.line + 1] = new
        document.edits += 1
        for place in document.places.values():
            if place.lost is not None and (back := place.lost.put_back(start, inserted)) is not None:
                place.range, place.lost, place.touched = back, None, True
                continue
            if place.range is None or place.range.end < start:
                continue
            place.touched = place.touched or edited.touches(place.range)
            if id(place) in covered:
                if covered[id(place)].code:
                    place.lost = covered[id(place)]
                if edited != place.range:
                    place.range = _within(old, new, place.range, start.line)
                    continue
            moved = shift(place.range, start, end, new_end)
            place.range = Range(Position(*moved[0]), Position(*moved[1]))

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


def _within(old: list[str], new: list[str], place: Range, first: int) -> Range | None:
    """Where a place is after an edit replaced it with its surroundings: a formatter, a reload from disk.

    Args:
        old: the lines that were replaced.
        new: the lines that replaced them.
        place: where it was in the document.
        first: the first of the lines in the document.
    """
    if max(len(old), len(new)) > _LINES_AT_ONCE:
        return None
    found = find_after(old, new, _down(place, -first))
    return None if found is None else _down(found, first)


def _down(place: Range, lines: int) -> Range:
    start, end = place
    return Range(Position(start.line + lines, start.character), Position(end.line + lines, end.character))


def anchor_now(thread: Thread, document: Document) -> Anchor:
    """The thread's anchor as it is to be recorded: with where it is now."""
    place = document.places.get(thread.id)
    if place is None:
        return thread.anchor
    place.settle(thread.anchor, document.lines)
    changed: dict[str, object] = {"state": place.state, "uri": document.uri, "path": document.path}
    if place.range is not None:
        changed["range"] = place.range
        edited = place.state is AnchorState.EDITED
        changed["current"] = text_in(document.lines, place.range)[:QUOTE_LIMIT] if edited else None
    return thread.anchor.model_copy(update=changed)
