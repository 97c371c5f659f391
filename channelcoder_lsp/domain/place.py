"""Where something is: positions, ranges, selections and anchors.

All positions here count Unicode code points, zero-based, the end exclusive. The LSP face converts from and
to the encoding that was negotiated with the client.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from pydantic import Field

from channelcoder_lsp.domain.model import Model


class Position(NamedTuple):
    """A place between two characters: ``line`` and ``character``, both zero-based, in code points."""

    line: int
    character: int


class Range(NamedTuple):
    """From ``start`` up to, not including, ``end``."""

    start: Position
    end: Position

    @property
    def empty(self) -> bool:
        """Whether there is nothing in it."""
        return self.start == self.end

    @property
    def last_line(self) -> int:
        """The last line that has a character in the range (a range that ends at column 0 stops above)."""
        if self.end.character == 0 and self.end.line > self.start.line:
            return self.end.line - 1
        return self.end.line

    def touches(self, other: Range) -> bool:
        """Whether the two share a character or an end (an empty range touches what it lies in)."""
        return self.start <= other.end and other.start <= self.end


class AnchorState(str, Enum):
    """How sure we are that an anchor points where it should."""

    EXACT = "exact"
    """The text stands where it stood."""
    MOVED = "moved"
    """The same text, elsewhere in the file."""
    EDITED = "edited"
    """The code was changed since the question."""
    ORPHANED = "orphaned"
    """The code can't be found any more; the anchor is shown in lists, never at a guessed place."""


class Anchor(Model):
    """Where a thread points, and what is needed to find that place again (design decision 12)."""

    uri: str
    """As the editor names the document."""
    path: str | None = None
    """Relative to the checkout's root with forward slashes, if the document is a file in it."""
    range: Range
    state: AnchorState = AnchorState.EXACT
    quote: str = ""
    """The exact text when the question was asked, cut at ``QUOTE_LIMIT`` characters."""
    current: str | None = None
    """The text in ``range`` when that was last recorded, if it was no longer ``quote``; cut like it."""
    before: str = ""
    """Some lines before it."""
    after: str = ""
    """Some lines after it."""
    symbol: str | None = None
    """The definition that it was in when the question was asked, outermost name first: ``Cart.total``."""
    origin: Range | None = None
    """Where it was in the text that ``content`` names."""
    content: str | None = None
    """SHA-256 of the file's text when the question was asked; the text itself is in the storage."""
    former_paths: list[str] = Field(default_factory=list)
    """What ``path`` was before the file was renamed, the latest first: on another branch it has that name still."""

    def moved_to(self, path: str, uri: str) -> Anchor:
        """The anchor when its file is named ``path`` (and ``uri``) from now on."""
        former = [self.path] if self.path is not None else []
        former += [name for name in self.former_paths if name not in (self.path, path)]
        return self.model_copy(update={"path": path, "uri": uri, "former_paths": former[:FORMER_LIMIT]})


FORMER_LIMIT = 10
"""Former names of a file that an anchor keeps."""
QUOTE_LIMIT = 20_000
"""Characters of code that an anchor keeps by itself; the file's whole text is kept once, by ``content``."""


class Severity(str, Enum):
    """A diagnostic's severity, by LSP's names."""

    ERROR = "error"
    WARNING = "warning"
    INFORMATION = "information"
    HINT = "hint"


class Diagnostic(Model):
    """What a checker said about the selected code; it is handed to Claude with the selection."""

    range: Range
    message: str
    severity: Severity = Severity.ERROR
    source: str | None = None
    code: str | None = None


class Selection(Model):
    """What is being asked about, from the buffer as it is in the editor.

    An empty ``range`` means the whole line it lies on.
    """

    uri: str
    path: str | None = None
    """Relative to the checkout's root with forward slashes, or the absolute path outside of it."""
    language: str = ""
    """The LSP language id."""
    version: int | None = None
    """The document's version in the editor."""
    range: Range
    text: str
    """The text of the range."""
    document: str
    """The whole text of the document."""
    diagnostics: list[Diagnostic] = Field(default_factory=list)
