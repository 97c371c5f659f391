"""``channelcoder session``: the sessions that are kept."""

from __future__ import annotations

import math
import os
import re
import sys
from datetime import timedelta
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

import click

from channelcoder_lsp.cli.completing import session_names
from channelcoder_lsp.cli.copying import copy
from channelcoder_lsp.cli.failing import FAILED, MissingFileError, finish, verbose
from channelcoder_lsp.cli.folder import active_name, active_session, choose, forked, project, state_of
from channelcoder_lsp.cli.output import json_option, say, say_json, say_rows
from channelcoder_lsp.domain.errors import SessionError, SessionNotFoundError, dollars
from channelcoder_lsp.library.all_sessions import AllSessions
from channelcoder_lsp.services import archive
from channelcoder_lsp.services.safe_text import safe_markdown

if TYPE_CHECKING:
    from channelcoder_lsp.domain.session import SessionState
    from channelcoder_lsp.library.results import Compacted
    from channelcoder_lsp.services.archive import Format

_name = click.argument("name", shell_complete=session_names)
_name_or_active = click.argument("name", required=False, shell_complete=session_names)
_AGE = re.compile(r"(\d+)([hdw])")
_HOURS = {"h": 1, "d": 24, "w": 168}


@click.group()
def session() -> None:
    """The sessions that are kept."""


session.add_command(copy)


@session.command("list")
@json_option
@verbose
def list_(*, as_json: bool) -> None:
    """List all sessions, the newest first.

    The one that is active here is marked.
    """
    infos = finish(AllSessions.list())
    active = finish(active_name(project()))
    if as_json:
        say_json([info.model_dump(mode="json", by_alias=True) | {"active": info.name == active} for info in infos])
        return
    say_rows(
        [
            [
                info.name,
                "active" if info.name == active else "",
                f"{info.message_count} messages",
                f"{info.last_active:%Y-%m-%d %H:%M}",
                info.first_question or "",
            ]
            for info in infos
        ],
        none="There is no session yet. `channelcoder run -c` begins one.",
    )


@session.command()
@_name_or_active
@json_option
@verbose
def show(name: str | None, *, as_json: bool) -> None:
    """Show what was said in a session.

    Without a name, in the one that is active here.
    """
    state = finish(_shown(name))
    say(archive.export(state, "json" if as_json else "markdown"), newline=False)


@session.command()
@_name
@verbose
def load(name: str) -> None:
    """Make a session this folder's active one.

    Editors go on with it. NAME may also be the path of a session's file: a copy of that is made.
    """
    if {"/", os.sep} & set(name) and not Path(name).is_file():
        raise MissingFileError(name)

    async def loaded() -> str:
        from channelcoder_lsp.library.session import Session  # noqa: PLC0415 - on first use

        async with await Session.load(name) as one:
            return one.name or name

    found = finish(loaded())
    here = project()
    finish(choose(here, found))
    say(f"{found} is the session of {here.root} now.")


@session.command()
@click.argument("name")
@verbose
def save(name: str) -> None:
    """Keep the session that is active here under a name."""

    async def saved() -> None:
        old = await _active()
        async with await active_session(project()) as one:
            old = one.name or old
        await AllSessions.rename(old, name)

    finish(saved())
    say(f"The session is {name} now.")


@session.command()
@_name
@click.argument("new_name")
@verbose
def rename(name: str, new_name: str) -> None:
    """Give a session another name."""
    finish(AllSessions.rename(name, new_name))
    say(f"{name} is {new_name} now.")


@session.command()
@_name
@click.argument("new_name")
@verbose
def fork(name: str, new_name: str) -> None:
    """Copy a session, to go on in two ways."""
    finish(forked(name, new_name))
    say(f"{new_name} is a copy of {name} that goes its own way: `channelcoder run --session {quote(new_name)}`.")


@session.command()
@_name
@click.option("-y", "--yes", is_flag=True, help="Don't ask.")
@click.pass_context
@verbose
def remove(ctx: click.Context, name: str, *, yes: bool) -> None:
    """Remove a session and everything that belongs to it."""
    if not finish(AllSessions.exists(name)):
        raise SessionNotFoundError(name)
    if not yes:
        _ask(ctx, f"the session {name}")
    finish(AllSessions.remove(name))
    say(f"{name} is removed.")


@session.command()
@_name_or_active
@click.option("--format", "form", type=click.Choice(["markdown", "json", "guide"]), default="markdown")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="The file, which must not be there yet.")
@verbose
def export(name: str | None, form: Format, output: Path | None) -> None:
    """Write out a session, or write it into a file.

    Without a name, the one that is active here. As Markdown, as JSON with everything, or as JSON with the guide's keys
    alone.
    """
    text = archive.export(finish(_shown(name)), form)
    if output is None:
        say(text, newline=not text.endswith("\n"))
        return
    try:
        with output.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as problem:
        raise click.UsageError(f"{output} is there already. Choose another name.") from problem


@session.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--name", help="What it is called from now on.")
@verbose
def import_(file: Path, name: str | None) -> None:
    """Take in a session from a file.

    From a session's JSON, or a transcript of Claude Code (.jsonl); the file is left as it is.
    """
    if not file.is_file():
        raise MissingFileError(str(file))

    async def imported() -> str:
        from channelcoder_lsp.library.session import Session  # noqa: PLC0415 - on first use

        async with await Session.import_(file, name) as one:
            return one.name or ""

    say(f"{finish(imported())} is there now.")


@session.command()
@_name_or_active
@click.option("--model", help="Who summarises.")
@json_option
@verbose
def compact(name: str | None, *, model: str | None, as_json: bool) -> None:
    """Have Claude go on from a summary.

    All that was said stays in the session.
    """

    async def compacted() -> Compacted:
        from channelcoder_lsp.claude.sdk import load_without_servers  # noqa: PLC0415 - on first use
        from channelcoder_lsp.library.session import Session  # noqa: PLC0415

        load_without_servers()
        async with await Session.load(name or await _active()) as one:
            return await one.compact(model=model)

    done = finish(compacted())
    if as_json:
        say_json({"summary": done.summary, "previousId": done.previous_id, "costUsd": done.cost_usd})
        return
    say(safe_markdown(done.summary))
    before = f" What was said before is Claude's session {done.previous_id}." if done.previous_id else ""
    click.echo(f"Claude goes on from this summary.{before}", err=True)


@session.command()
@click.argument("usd")
@_name_or_active
@verbose
def limit(usd: str, name: str | None) -> None:
    """Say what a session may cost altogether.

    In US dollars, or none; what is beyond it is refused.
    """
    try:
        amount = None if usd == "none" else float(usd)
    except ValueError:
        amount = 0
    if amount is not None and not 0 < amount < math.inf:
        raise click.UsageError(f"{usd}: it must be an amount in US dollars above 0, or none.")

    async def limited() -> str:
        from channelcoder_lsp.library.session import Session  # noqa: PLC0415 - on first use

        async with await Session.load(name or await _active()) as one:
            await one.limit(amount)
            return one.name or ""

    said = finish(limited())
    say(f"{said} may cost as much as it does." if amount is None else f"{said} may cost {dollars(amount)} altogether.")


@session.command()
@click.argument("text")
@json_option
@verbose
def search(text: str, *, as_json: bool) -> None:
    """Find a text in all messages of all sessions."""
    hits = finish(AllSessions.search(text))
    if as_json:
        say_json([{"session": hit.session, "role": hit.message.role, "excerpt": hit.excerpt} for hit in hits])
    else:
        say_rows([[hit.session, hit.message.role, hit.excerpt] for hit in hits], none="Nothing is found.")


@session.command()
@click.option("--older-than", required=True, metavar="AGE", help="Such as 12h, 30d or 8w.")
@click.option("-y", "--yes", is_flag=True, help="Don't ask.")
@json_option
@click.pass_context
@verbose
def prune(ctx: click.Context, older_than: str, *, yes: bool, as_json: bool) -> None:
    """Remove sessions that are old.

    Those in which nothing was said for so long, but none that is active in a folder.
    """
    age = _AGE.fullmatch(older_than)
    if age is None:
        raise click.UsageError(f"--older-than {older_than}: it must be a number and h, d or w, such as 30d.")
    if not yes:
        _ask(ctx, f"all sessions older than {older_than}")
    hours = timedelta(hours=int(age[1]) * _HOURS[age[2]])
    removed = finish(AllSessions.prune(hours))
    if as_json:
        say_json(removed)
    else:
        say("\n".join(f"{name} is removed." for name in removed) or "There is none so old.")


def _ask(ctx: click.Context, what: str) -> None:
    """Go on if a person agrees that ``what`` is removed; else the command ends here.

    Raises:
        click.UsageError: there is nobody to ask.
    """
    if not sys.stdin.isatty():
        raise click.UsageError(f"Nobody can be asked whether to remove {what}. Say --yes.")
    if not click.confirm(f"Remove {what} for good?", err=True):
        click.echo("Nothing is removed.", err=True)
        ctx.exit(FAILED)


async def _shown(name: str | None) -> SessionState:
    return await state_of(name or await _active())


async def _active() -> str:
    name = await active_name(here := project())
    if name is None:
        raise SessionError(f"No session is active in {here.root}. Name one, or ask with -c to begin one.")
    return name
