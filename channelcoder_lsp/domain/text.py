"""Lines, as LSP counts them."""

from __future__ import annotations

from collections.abc import Sequence

from channelcoder_lsp.domain.place import Position, Range


def split_lines(text: str) -> list[str]:
    r"""The lines of ``text`` without their ends; ``\n``, ``\r\n`` and ``\r`` end one (LSP, "Text Documents").

    ``str.splitlines`` would also split at form feeds and U+2028, which no editor's protocol counts. There is
    always one line at least, and an end of line at the end of the text opens an empty last line.
    """
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text.split("\n")


def well_formed(text: str) -> str:
    """``text`` as it can be stored: halves of surrogate pairs are joined, one without its other half becomes U+FFFD.

    JSON carries what UTF-8 can't: editors send such texts, and a stream may be cut in the middle of a character.
    """
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def clamp(lines: Sequence[str], range_: Range) -> Range:
    """``range_`` within ``lines`` (without ends), start before end: editors name places past the end."""

    def inside(position: Position) -> Position:
        if position.line < 0:
            return Position(0, 0)
        if position.line >= len(lines):
            return Position(len(lines) - 1, len(lines[-1]))
        return Position(position.line, max(0, min(position.character, len(lines[position.line]))))

    start, end = inside(Position(*range_.start)), inside(Position(*range_.end))
    return Range(min(start, end), max(start, end))


def text_in(lines: Sequence[str], range_: Range) -> str:
    r"""The text of ``range_`` in ``lines`` (without ends), its lines joined by ``\n``."""
    start, end = range_.start, range_.end
    if start.line == end.line:
        return lines[start.line][start.character : end.character]
    middle = lines[start.line + 1 : end.line]
    return "\n".join([lines[start.line][start.character :], *middle, lines[end.line][: end.character]])
