"""``channelcoder session copy``: from one place to another."""

from __future__ import annotations

import logging
import sys
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from channelcoder_lsp.cli.completing import session_names
from channelcoder_lsp.cli.failing import SESSION, finish, verbose
from channelcoder_lsp.cli.output import json_option, say_json, say_rows
from channelcoder_lsp.library.copying import copy_sessions
from channelcoder_lsp.services.safe_unicode import without_hidden
from channelcoder_lsp.settings import load_settings
from channelcoder_lsp.storage.opening import masked

if TYPE_CHECKING:
    from collections.abc import Iterator

    from channelcoder_lsp.library.copying import Copied, Tell

_SAID = {"copied": "copied", "completed": "completed", "there": "already there", "refused": "left out"}


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...", shell_complete=session_names)
@click.option("--from", "source", metavar="URL", help="Where they are; by default where the settings say.")
@click.option("--to", "target", metavar="URL", required=True, help="Where they are copied to.")
@click.option("--as", "new_name", metavar="NAME", help="What the one session that is named is called there.")
@json_option
@click.pass_context
@verbose
def copy(
    ctx: click.Context, names: tuple[str, ...], source: str | None, target: str, new_name: str | None, *, as_json: bool
) -> None:
    """Copy sessions to another place.

    All, or those that are named; run again, it goes on where it was stopped. Each is read back and compared. A place is
    a URL as in the setting `storage`. Nothing is removed.
    """
    if new_name is not None and len(names) != 1:
        raise click.UsageError("--as is for one session. Name that one.")
    settings, _ = load_settings()
    source = source or settings.storage
    with _warnings(), _progress(shown=sys.stderr.isatty()) as tell:
        copied = finish(copy_sessions(source, target, names, new_name=new_name, tell=tell))
    if as_json:
        say_json([asdict(one) for one in copied])
    else:
        say_rows(
            [[_SAID[one.outcome], one.new_name, one.reason or f"{one.messages} messages"] for one in copied],
            none="There is no session to copy.",
        )
    if any(one.outcome == "refused" for one in copied):
        ctx.exit(SESSION)
    if settings.storage != target and not as_json:
        click.echo(
            f"Say {masked(target)} in the setting `storage`, and editors go on there: in each folder with the session "
            "that it has now, under the same name.",
            err=True,
        )


@contextmanager
def _warnings() -> Iterator[None]:
    """Say what is no session, and so is in no list: who moves wants to know."""
    logger, said = logging.getLogger("channelcoder_lsp.storage"), _Said(logging.WARNING)
    logger.addHandler(said)
    try:
        yield
    finally:
        logger.removeHandler(said)


class _Said(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        click.echo(without_hidden(record.getMessage()), err=True)


@contextmanager
def _progress(*, shown: bool) -> Iterator[Tell | None]:
    """A bar on a terminal, gone when all is done."""
    if not shown:
        yield None
        return
    from rich.console import Console  # noqa: PLC0415 - for terminals only
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn  # noqa: PLC0415

    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}", markup=False))
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)

        def tell(done: int, total: int, last: Copied | None) -> None:
            bar.update(task, completed=done, total=total, description=last.new_name if last else "")

        yield tell
