"""Finding a quote by its text alone, for when the text that it was taken from is not to be had."""

from __future__ import annotations

from typing import TYPE_CHECKING

from channelcoder_lsp.anchoring.lines import Lines
from channelcoder_lsp.anchoring.symbols import enclosing
from channelcoder_lsp.domain.text import split_lines

if TYPE_CHECKING:
    from collections.abc import Sequence

_FEW = 20
"""Places up to which it is worth to look at the definitions that they are in."""


def find_exact(
    text: str, quote: str, near_line: int, *, before: str = "", after: str = "", symbol: str | None = None
) -> tuple[int, int] | None:
    r"""Find the lines where ``quote`` stands word for word.

    Ends of line and trailing white space don't matter. A quote that begins or ends within a line is found
    when no whole lines match. Of several places the one whose surroundings agree best with ``before`` and
    ``after`` is taken, of those one in the same definition, and of those the one nearest to ``near_line``.

    Args:
        text: where to look.
        quote: what to look for, one line or several; a final end of line is left aside.
        near_line: where the quote was, zero-based.
        before: the lines that stood above it.
        after: the lines that stood below it.
        symbol: the definition that it was in (see ``symbol_at``).

    Returns:
        The first and the last line, zero-based, inclusive. None if the quote is blank or not there.
    """
    wanted = _trimmed(quote)
    if len(wanted) > 1 and not wanted[-1]:
        wanted.pop()
    if not any(wanted):
        return None
    lines = _trimmed(text)
    places = _whole_lines(lines, wanted) or _within_lines(lines, wanted)
    if not places:
        return None
    above, below = _told(before)[::-1], _told(after)

    def agreeing(at: int) -> int:
        return _agreeing(_told_lines(lines, at - 1, -1, len(above)), above) + _agreeing(
            _told_lines(lines, at + len(wanted), 1, len(below)), below
        )

    agreed = {at: agreeing(at) for at in places}
    most = max(agreed.values())
    alike = [at for at in places if agreed[at] == most]
    if symbol is not None and 1 < len(alike) <= _FEW:
        known = Lines(text)
        inside = [at for at in alike if ".".join(enclosing(known, at, at + len(wanted) - 1)) == symbol]
        alike = inside or alike
    best = min(alike, key=lambda at: (abs(at - near_line), at))
    return best, best + len(wanted) - 1


def _trimmed(text: str) -> list[str]:
    return [line.rstrip() for line in split_lines(text)]


def _told(text: str) -> list[str]:
    """The lines of a context, without indentation and blank ones, which are the first to change."""
    return [bare for line in split_lines(text) if (bare := line.strip())]


def _told_lines(lines: Sequence[str], at: int, step: int, count: int) -> list[str]:
    """Up to ``count`` lines with text, from ``at`` on in the direction of ``step``."""
    found: list[str] = []
    while 0 <= at < len(lines) and len(found) < count:
        if bare := lines[at].strip():
            found.append(bare)
        at += step
    return found


def _agreeing(found: Sequence[str], wanted: Sequence[str]) -> int:
    """How many lines of a context are as they were; the nearest counts most."""
    return sum(len(wanted) - step for step, line in enumerate(wanted) if found[step : step + 1] == [line])


def _whole_lines(lines: list[str], wanted: list[str]) -> list[int]:
    lead = max(range(len(wanted)), key=lambda step: len(wanted[step]))
    return [
        at - lead
        for at, line in enumerate(lines)
        if line == wanted[lead] and at >= lead and lines[at - lead : at - lead + len(wanted)] == wanted
    ]


def _within_lines(lines: list[str], wanted: list[str]) -> list[int]:
    """Where the quote begins or ends in the middle of a line."""
    if len(wanted) == 1:
        return [at for at, line in enumerate(lines) if wanted[0] in line]
    first, inner, last = wanted[0], wanted[1:-1], wanted[-1]
    return [
        at
        for at in range(len(lines) - len(wanted) + 1)
        if lines[at].endswith(first)
        and lines[at + len(wanted) - 1].startswith(last)
        and lines[at + 1 : at + len(wanted) - 1] == inner
    ]
