"""What is written to the standard output stream: nothing in it acts on a terminal."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import click

from channelcoder_lsp.services.safe_unicode import without_hidden

if TYPE_CHECKING:
    from collections.abc import Sequence

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


def say_rows(rows: Sequence[Sequence[str]]) -> None:
    """Write a table: in columns on a terminal, parted by tabs for programs."""
    clean = [[" ".join(without_hidden(cell).split()) for cell in row] for row in rows]
    if not sys.stdout.isatty():
        for row in clean:
            click.echo("\t".join(row))
        return
    from rich.console import Console  # noqa: PLC0415 - for terminals only
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(box=None, show_header=False, pad_edge=False)
    for row in clean:
        table.add_row(*(Text(cell) for cell in row))
    Console().print(table)
