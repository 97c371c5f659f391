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
from channelcoder_lsp.services.places import Place, find_again

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

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
        new = split_lines(inserted)
        new_end = end_of_insert(start, inserted)
        new[-1] += lines[end.line][end.character :]
        new[0] = lines[start.line][: start.character] + new[0]
        lines[start.line : end.line + 1] = new
        for place in document.places.values():
            if place.range is None or place.range.end < start:
                continue
            place.touched = place.touched or edited.touches(place.range)
            moved = shift(place.range, start, end, new_end)
            place.range = Range(Position(*moved[0]), Position(*moved[1]))

    def replaced(self, uri: str, lines: list[str], threads: Mapping[str, Thread]) -> None:
        """The whole text was replaced: find every place again by its quote."""
        if (document := self._documents.get(uri)) is None:
            return
        document.lines = lines
        for thread_id in document.places:
            if thread := threads.get(thread_id):
                document.places[thread_id] = find_again(thread.anchor, lines, None)

    def follow(self, uri: str, thread: Thread) -> None:
        """Follow a thread that was made from the document as it is now."""
        if document := self._documents.get(uri):
            document.places[thread.id] = Place(thread.anchor.range, AnchorState.EXACT)

    def forget(self, uri: str, thread_id: str) -> None:
        """Follow a thread no more."""
        if document := self._documents.get(uri):
            document.places.pop(thread_id, None)


def anchor_now(thread: Thread, document: Document) -> Anchor:
    """The thread's anchor as it is to be recorded: with where it is now."""
    place = document.places.get(thread.id)
    if place is None:
        return thread.anchor
    place.settle(thread.anchor, document.lines)
    changed: dict[str, object] = {"state": place.state, "uri": document.uri, "path": document.path}
    if place.range is not None:
        changed["range"] = place.range
    return thread.anchor.model_copy(update=changed)
