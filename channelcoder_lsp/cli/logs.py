"""``channelcoder logs``: the runs in the background."""

from __future__ import annotations

import asyncio
import codecs
from typing import TYPE_CHECKING

import click

from channelcoder_lsp.cli.failing import FAILED, MissingFileError, finish, verbose
from channelcoder_lsp.cli.output import json_option, say, say_json, say_rows
from channelcoder_lsp.domain.errors import SessionError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from channelcoder_lsp.execution.background import Detached

_POLL_SECONDS = 0.2


def _which(_ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    from channelcoder_lsp.library.detached import detached_runs  # noqa: PLC0415 - only while completing

    names = [name for run in detached_runs() for name in (run.session, str(run.pid)) if name]
    return [name for name in dict.fromkeys(names) if name.startswith(incomplete)]


@click.command()
@click.argument("which", metavar="[NAME|PID]", required=False, shell_complete=_which)
@click.option("-f", "--follow", is_flag=True, help="Go on until the run ends.")
@json_option
@click.pass_context
@verbose
def logs(ctx: click.Context, which: str | None, *, follow: bool, as_json: bool) -> None:
    """Show what a run in the background has written; without a name, list the runs.

    A run is named by its session, of which the last run is meant, or by its process id. With -f the command ends as the
    run does: with 1 if it failed.
    """
    from channelcoder_lsp.library.detached import detached_runs  # noqa: PLC0415 - on first use

    runs = detached_runs()
    if which is None:
        _list(runs, as_json=as_json)
        return
    run = next((run for run in runs if which in (run.session, str(run.pid))), None)
    if run is None:
        raise SessionError(
            f"There is no run in the background of the name or process {which!r}. `channelcoder logs` lists them."
        )
    if as_json:
        say_json(_as_object(run))
        return
    if not run.log.is_file():
        raise MissingFileError(str(run.log))
    ctx.exit(finish(_show(run, follow=follow)))


async def _show(run: Detached, *, follow: bool) -> int:
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    with run.log.open("rb") as log:
        while True:
            # Looked at before it is read: what was written up to its end is read then.
            run = run.now()
            text = decoder.decode(log.read(), final=not (follow and run.running))
            if text:
                say(text, newline=False)
            if not follow or not run.running:
                break
            await asyncio.sleep(_POLL_SECONDS)
    return FAILED if follow and run.code != 0 else 0


def _list(runs: Sequence[Detached], *, as_json: bool) -> None:
    ordered = sorted(runs, key=lambda run: not run.running)
    if as_json:
        say_json([_as_object(run) for run in ordered])
        return
    say_rows(
        [
            [_state(run), str(run.pid), run.session or "", f"{run.started:%Y-%m-%d %H:%M}", str(run.log), run.question]
            for run in ordered
        ],
        none="There is no run in the background. `channelcoder run --detached` begins one.",
    )


def _state(run: Detached) -> str:
    if run.running:
        return "running"
    return {0: "done", None: "killed"}.get(run.code, "failed")


def _as_object(run: Detached) -> dict[str, object]:
    return {
        "pid": run.pid,
        "state": _state(run),
        "session": run.session,
        "started": run.started.isoformat(),
        "log": str(run.log),
        "question": run.question,
    }
