"""Small charts side by side, as SVG that is the same for the same figures."""

from __future__ import annotations

import math
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

WIDTH, HEIGHT = 360, 230
LEFT, TOP, RIGHT, BOTTOM = 44, 34, 20, 34
COLORS = ("#0072b2", "#009e73", "#e69f00", "#d55e00", "#cc79a7")
"""Told apart also by those who see no red or no green (Okabe and Ito)."""
GRAY = "#808080"
"""Seen on white and on black."""


@dataclass(frozen=True)
class Line:
    """A line of a chart.

    Args:
        name: what it shows.
        values: a value for each size of the panel; all are above 0.
    """

    name: str
    values: Sequence[float]


@dataclass(frozen=True)
class Panel:
    """A chart with sizes along its bottom; both axes are logarithmic.

    Args:
        title: what there is more of, from left to right.
        sizes: how much of it.
        lines: what is shown of each size.
    """

    title: str
    sizes: Sequence[int]
    lines: Sequence[Line]


def draw(values: str, panels: Sequence[Panel]) -> str:
    """Two panels in a row, with the same scale and one legend.

    Args:
        values: what the values are.
        panels: the charts; all have the same lines.
    """
    most = max(value for panel in panels for line in panel.lines for value in line.values)
    least = min(value for panel in panels for line in panel.lines for value in line.values)
    low, high = 2.0 ** math.floor(math.log2(least)), 2.0 ** math.ceil(math.log2(max(most, 2.0)))
    rows = (len(panels) + 1) // 2
    width, height = 2 * WIDTH, rows * HEIGHT + 30
    size = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    font = f'font-family="sans-serif" font-size="11" fill="{GRAY}"'
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" {size} {font}>', f"<title>{escape(values)}</title>"]
    for number, panel in enumerate(panels):
        parts.append(f'<g transform="translate({number % 2 * WIDTH} {number // 2 * HEIGHT})">')
        parts += _panel(panel, low, high)
        parts.append("</g>")
    for number, line in enumerate(panels[0].lines):
        x, y = LEFT + number * 120, rows * HEIGHT + 14
        parts.append(f'<path d="M{x} {y - 4}h18" stroke="{COLORS[number]}" stroke-width="2.5"/>')
        parts.append(f'<text x="{x + 24}" y="{y}">{escape(line.name)}</text>')
    return "\n".join([*parts, "</svg>", ""])


def _panel(panel: Panel, low: float, high: float) -> Iterator[str]:
    first, last = math.log(panel.sizes[0]), math.log(panel.sizes[-1])

    def x(size: float) -> float:
        return LEFT + (math.log(size) - first) / (last - first) * (WIDTH - LEFT - RIGHT)

    def y(value: float) -> float:
        return HEIGHT - BOTTOM - math.log(value / low) / math.log(high / low) * (HEIGHT - TOP - BOTTOM)

    yield f'<text x="{LEFT}" y="18" font-size="13">{escape(panel.title)}</text>'
    tick = low
    while tick <= high:
        yield f'<path d="M{LEFT} {y(tick):.1f}H{WIDTH - RIGHT}" stroke="{GRAY}" stroke-opacity="0.3"/>'
        yield f'<text x="{LEFT - 6}" y="{y(tick) + 4:.1f}" text-anchor="end">{tick:g}x</text>'
        tick *= 2
    for size in panel.sizes:
        yield f'<text x="{x(size):.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{size:,}</text>'
    for line, color in zip(panel.lines, COLORS, strict=False):
        points = [(x(size), y(value)) for size, value in zip(panel.sizes, line.values, strict=True)]
        path = " ".join(f"{left:.1f},{top:.1f}" for left, top in points)
        yield f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="2"/>'
        for left, top in points:
            yield f'<circle cx="{left:.1f}" cy="{top:.1f}" r="3" fill="{color}"/>'
