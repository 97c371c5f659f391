"""Between the client's positions and ours.

A client counts characters in UTF-8 or UTF-16 code units or in code points, as negotiated (LSP 3.17,
"positionEncoding"); everything behind this module counts code points.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol import types as lsp

from channelcoder_lsp.domain.place import Position, Range
from channelcoder_lsp.domain.text import clamp, split_lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from channelcoder_lsp.domain.place import Anchor

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

    def anchor_range(self, anchor: Anchor) -> lsp.Range:
        """Where ``anchor`` is in a file that isn't open, as far as its own text tells.

        What stands before it on its first line isn't known; it counts as ASCII.
        """
        first = anchor.range.start
        lines = split_lines(anchor.quote if anchor.current is None else anchor.current)
        lines[0] = " " * first.character + lines[0]
        end = anchor.range.end
        inside = Range(Position(0, first.character), Position(end.line - first.line, end.character))
        counted = self.client_range(lines, inside)
        return lsp.Range(
            lsp.Position(first.line, counted.start.character), lsp.Position(end.line, counted.end.character)
        )

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
