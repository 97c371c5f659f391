"""Code as Claude reads it: every line behind its number, so that none can pass for anything but data."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

LINE_CHARS = 2_000
"""Characters of a line that are shown; minified files have lines of megabytes."""


def numbered(lines: Sequence[str], first: int, last: int, max_chars: int = LINE_CHARS, *, shift: int = 0) -> str:
    """The lines ``first`` to ``last`` (inclusive, zero-based), each cut at ``max_chars``: ``  12| total = 0``.

    ``shift`` is the number in its file of the line that comes first in ``lines``.
    """
    width = len(str(last + shift + 1))
    return "\n".join(f"{n + shift + 1:>{width}}| {lines[n][:max_chars]}" for n in range(first, last + 1))
