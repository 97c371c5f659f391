"""What is written to the standard output stream: nothing in it acts on a terminal."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import click

from channelcoder_lsp.services.safe_unicode import without_hidden

if TYPE_CHECKING:
    from collections.abc import Sequence

_FOLDED = 20  # columns of the terminal; a narrower text can't be read

json_option = click.option("--json", "as_json", is_flag=True, help="Write JSON.")


def say(text: str, *, newline: bool = True) -> None:
    """Write a text without what hides or acts."""
    click.echo(without_hidden(text), nl=newline)


def say_json(value: Any, *, lines: bool = False) -> None:
    """Write a value as JSON.

    Args:
        value: what JSON knows.
        lines: in one line.
    """
    # JSON leaves C1 controls as they are, and a terminal obeys them.
    click.echo(json.dumps(value, ensure_ascii=sys.stdout.isatty(), indent=None if lines else 2))


def say_rows(rows: Sequence[Sequence[str]], *, none: str = "") -> None:
    """Write a table: in columns on a terminal, parted by tabs for programs.

    Only the last column is folded, and nothing is cut: names and paths are there to be copied. On a terminal that is
    too narrow for columns each row is a line of its own.

    Args:
        rows: as many cells in each.
        none: what is said on a terminal when there are no rows.
    """
    clean = [[" ".join(without_hidden(cell).split()) for cell in row] for row in rows]
    if not sys.stdout.isatty():
        for row in clean:
            click.echo("\t".join(row))
        return
    if not clean:
        if none:
            click.echo(none, err=True)
        return
    from rich.cells import cell_len  # noqa: PLC0415 - for terminals only
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    console = Console()
    *widths, last = [max(map(cell_len, column)) for column in zip(*clean, strict=True)]
    if console.width < sum(widths) + 2 * len(widths) + min(last, _FOLDED):
        for row in clean:
            click.echo("  ".join(filter(None, row)))
        return
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    for _ in widths:
        table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for row in clean:
        table.add_row(*(Text(cell) for cell in row))
    console.print(table)
