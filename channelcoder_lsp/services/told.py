"""What the editor told of itself by the way: what is selected, and what checkers say.

The Language Server Protocol has no request for either. Both come with questions, with requests for code actions, and
from clients that send them of their own accord. They are about the text of that moment, so each keeps its line or its
text, and is told again only where that still stands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from channelcoder_lsp.domain.place import Diagnostic, Position, Range
from channelcoder_lsp.domain.text import text_in

if TYPE_CHECKING:
    from collections.abc import Sequence

    from channelcoder_lsp.services.threads import Document

_DIAGNOSTICS = 1_000
"""How many are kept for a document, the latest told."""


class Selected(NamedTuple):
    """What was selected when the editor last said so."""

    uri: str
    range: Range
    text: str


class _Said(NamedTuple):
    diagnostic: Diagnostic
    line: str


class EditorTold:
    """Keeps what was told last."""

    def __init__(self) -> None:
        self.selected: Selected | None = None
        self._said: dict[str, list[_Said]] = {}

    def select(self, document: Document, range_: Range) -> None:
        """The person selected ``range_`` (empty: has the cursor there)."""
        self.selected = Selected(document.uri, range_, text_in(document.lines, range_))

    def diagnose(self, document: Document, found: Sequence[Diagnostic], within: Range | None = None) -> None:
        """Checkers say ``found``, and nothing else, about ``within`` (None: the whole document)."""
        kept = (
            []
            if within is None
            else [said for said in self._now(document) if not said.diagnostic.range.touches(within)]
        )
        told = [_Said(each, document.lines[each.range.start.line]) for each in found if _inside(document, each)]
        merged = [said for said in kept if said not in told] + told
        self._said[document.uri] = merged[-_DIAGNOSTICS:]

    def diagnostics(self, document: Document) -> list[Diagnostic]:
        """What checkers said about lines that still stand there, where those are now."""
        return sorted((said.diagnostic for said in self._now(document)), key=lambda each: each.range)

    def selected_now(self, document: Document) -> Range | None:
        """Where in ``document`` what was last selected is; None if it changed since or is elsewhere."""
        if self.selected is None or self.selected.uri != document.uri:
            return None
        range_, lines = self.selected.range, document.lines
        if range_.end.line < len(lines) and text_in(lines, range_) == self.selected.text:
            return range_
        return None

    def forget(self, uri: str) -> None:
        """The document was closed."""
        self._said.pop(uri, None)
        if self.selected is not None and self.selected.uri == uri:
            self.selected = None

    def _now(self, document: Document) -> list[_Said]:
        lines = document.lines
        return [moved for said in self._said.get(document.uri, ()) if (moved := _followed(said, lines)) is not None]


def _followed(said: _Said, lines: Sequence[str]) -> _Said | None:
    """``said`` where its line is now; None if the line was changed, or may be any of several."""
    start, end = said.diagnostic.range
    if start.line < len(lines) and lines[start.line] == said.line:
        return said
    at = [number for number, line in enumerate(lines) if line == said.line]
    if len(at) != 1:
        return None
    down = at[0] - start.line
    range_ = Range(Position(start.line + down, start.character), Position(end.line + down, end.character))
    return _Said(said.diagnostic.model_copy(update={"range": range_}), said.line)


def _inside(document: Document, diagnostic: Diagnostic) -> bool:
    return 0 <= diagnostic.range.start.line < len(document.lines)
