"""Between the client's positions and ours.

A client counts characters in UTF-8 or UTF-16 code units or in code points, as negotiated (LSP 3.17,
"positionEncoding"); everything behind this module counts code points.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol import types as lsp

from channelcoder_lsp.domain.place import Position, Range
from channelcoder_lsp.domain.text import clamp

if TYPE_CHECKING:
    from collections.abc import Sequence

_CODECS = {"utf-8": ("utf-8", 1), "utf-16": ("utf-16-le", 2)}


class PositionCodec:
    """Converts positions for one client.

    Args:
        encoding: ``utf-8``, ``utf-16`` or ``utf-32``.
    """

    def __init__(self, encoding: str) -> None:
        self._codec = _CODECS.get(encoding)

    def position(self, lines: Sequence[str], position: lsp.Position) -> Position:
        """The client's ``position`` in ``lines`` (without ends), in code points; past an end is that end."""
        if position.line >= len(lines):
            return Position(len(lines) - 1, len(lines[-1]))
        line = lines[max(0, position.line)]
        return Position(max(0, position.line), self._code_points(line, max(0, position.character)))

    def range(self, lines: Sequence[str], range_: lsp.Range) -> Range:
        """The client's ``range_``, start before end."""
        start, end = self.position(lines, range_.start), self.position(lines, range_.end)
        return clamp(lines, Range(start, end))

    def client_position(self, lines: Sequence[str], position: Position) -> lsp.Position:
        """``position`` as the client counts."""
        if position.line >= len(lines):
            return lsp.Position(position.line, 0)
        return lsp.Position(position.line, self._units(lines[position.line][: position.character]))

    def client_range(self, lines: Sequence[str], range_: Range) -> lsp.Range:
        """``range_`` as the client counts."""
        return lsp.Range(self.client_position(lines, range_.start), self.client_position(lines, range_.end))

    def _code_points(self, line: str, units: int) -> int:
        if self._codec is None or line.isascii():
            return min(units, len(line))
        count = 0
        for index, char in enumerate(line):
            count += self._units(char)
            if count > units:
                return index
        return len(line)

    def _units(self, text: str) -> int:
        if self._codec is None or text.isascii():
            return len(text)
        name, width = self._codec
        return len(text.encode(name, "surrogatepass")) // width


def range_as_json(range_: lsp.Range) -> dict[str, dict[str, int]]:
    """``range_`` as it stands in a command's arguments."""
    return {
        "start": {"line": range_.start.line, "character": range_.start.character},
        "end": {"line": range_.end.line, "character": range_.end.character},
    }
