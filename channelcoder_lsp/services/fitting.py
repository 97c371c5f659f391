"""Code from an answer, indented like the code whose place it takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from channelcoder_lsp.domain.text import split_lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from channelcoder_lsp.domain.place import Range


def fitted(lines: Sequence[str], range_: Range, code: str) -> str:
    r"""``code`` as it is to stand in ``range_``: indented like its first line, whole lines staying whole.

    Args:
        lines: the document's lines without their ends.
        range_: what it replaces.
        code: the code, however indented.

    Returns:
        The text, ``\n`` between its lines.
    """
    indent = indent_of(lines[range_.start.line])
    text = fit(code, indent).removeprefix(indent[: range_.start.character])
    return f"{text}\n" if range_.end.character == 0 and range_.end > range_.start else text


def fit(code: str, indent: str) -> str:
    """``code`` with ``indent`` before its lines, in the place of the indentation that they have in common."""
    lines = split_lines(code.rstrip("\r\n"))
    common = _common_indent(lines)
    return "\n".join(indent + line[len(common) :] if line.strip() else "" for line in lines)


def indent_of(line: str) -> str:
    """The white space that a line begins with."""
    return line[: len(line) - len(line.lstrip())]


def _common_indent(lines: Sequence[str]) -> str:
    indents = [indent_of(line) for line in lines if line.strip()]
    if not indents:
        return ""
    shortest = min(indents, key=len)
    while not all(indent.startswith(shortest) for indent in indents):
        shortest = shortest[:-1]
    return shortest
