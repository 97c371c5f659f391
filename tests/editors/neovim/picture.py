"""A terminal's screen as an SVG that needs nothing from elsewhere."""

from __future__ import annotations

from html import escape
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyte

_CELL, _ROW, _SIZE = 8.4, 18, 14
_MARGIN, _TOP = 14, 40
_FOREGROUND, _BACKGROUND = "#e0e2ea", "#14161b"
_FRAMES = {False: ("#2c2e33", "#9b9ea4"), True: ("#c4c6cd", "#4f5258")}
"""What frames a dark and a light screen: the frame, the title."""
_FONTS = "ui-monospace, 'SFMono-Regular', Menlo, Consolas, 'DejaVu Sans Mono', 'Liberation Mono', monospace"
_NAMED = {
    "black": "#07080d",
    "red": "#ffc0b9",
    "green": "#b3f6c0",
    "brown": "#fce094",
    "blue": "#a6dbff",
    "magenta": "#ffcaff",
    "cyan": "#8cf8f7",
    "white": "#eef1f8",
}


class _Style(NamedTuple):
    color: str
    background: str
    bold: bool
    italics: bool
    underscore: bool


def draw(screen: pyte.Screen, title: str) -> str:
    """The screen as it is now, in a window frame.

    Args:
        screen: what to draw; the cursor is drawn where it is.
        title: the window's title, which also says what the picture shows to those who can't see it.
    """
    width = round(screen.columns * _CELL + 2 * _MARGIN)
    height = screen.lines * _ROW + _TOP + _MARGIN
    page = _page(screen)
    frame, words = _FRAMES[_is_light(page)]
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}"',
        f' role="img" font-family="{_FONTS}" font-size="{_SIZE}">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{width}" height="{height}" rx="8" fill="{page}" stroke="{frame}"/>',
        *(f'<circle cx="{18 + 18 * n}" cy="18" r="5.5" fill="{frame}"/>' for n in range(3)),
        f'<text x="{width / 2:g}" y="23" text-anchor="middle" fill="{words}">{escape(title)}</text>',
    ]
    for row in range(screen.lines):
        parts += _row(screen, row, page)
    return "\n".join([*parts, "</svg>", ""])


def _page(screen: pyte.Screen) -> str:
    """The background of the whole: that of the corner, which nothing else covers."""
    row, column = screen.lines - 1, screen.columns - 1
    return _style(screen, row, column, screen.buffer[row][column]).background


def _is_light(color: str) -> bool:
    return sum(int(color[at : at + 2], 16) for at in (1, 3, 5)) > 3 * 128


def _row(screen: pyte.Screen, row: int, page: str) -> Iterator[str]:
    """Backgrounds first, so that no glyph is cut by its neighbour's."""
    cells = [(column, screen.buffer[row][column]) for column in range(screen.columns)]
    runs = []
    for style, group in groupby(cells, key=lambda cell: _style(screen, row, *cell)):
        columns = list(group)
        runs.append((style, columns[0][0], "".join(cell.data for _, cell in columns), len(columns)))
    for style, column, _, length in runs:
        if style.background != page:
            yield (
                f'<rect x="{_x(column)}" y="{_TOP + row * _ROW}" width="{length * _CELL:g}" height="{_ROW}"'
                f' fill="{style.background}" shape-rendering="crispEdges"/>'
            )
    for style, column, text, _ in runs:
        yield from _words(style, row, column, text)


def _words(style: _Style, row: int, column: int, text: str) -> Iterator[str]:
    """Text without the blanks at its ends, held to its cells whatever the font."""
    bare = text.strip()
    if not bare:
        return
    column += len(text) - len(text.lstrip())
    more = ' font-weight="bold"' if style.bold else ""
    more += ' font-style="italic"' if style.italics else ""
    more += ' text-decoration="underline"' if style.underscore else ""
    yield (
        f'<text x="{_x(column)}" y="{_TOP + row * _ROW + 13}" fill="{style.color}"{more} xml:space="preserve"'
        f' textLength="{len(bare) * _CELL:g}">{escape(bare, quote=False)}</text>'
    )


def _style(screen: pyte.Screen, row: int, column: int, cell: pyte.screens.Char) -> _Style:
    color, background = _color(cell.fg, _FOREGROUND), _color(cell.bg, _BACKGROUND)
    at_cursor = (row, column) == (screen.cursor.y, screen.cursor.x) and not screen.cursor.hidden
    if cell.reverse != at_cursor:
        color, background = background, color
    return _Style(color, background, cell.bold, cell.italics, cell.underscore)


def _color(name: str, default: str) -> str:
    if name == "default":
        return default
    return _NAMED.get(name.removeprefix("bright"), f"#{name}")


def _x(column: int) -> str:
    return f"{_MARGIN + column * _CELL:g}"
