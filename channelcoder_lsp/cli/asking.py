"""``channelcoder run`` and ``channelcoder stream``."""

from __future__ import annotations

import json
import os
import signal
import sys
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from channelcoder_lsp.cli.answer import complain, show, warn_of_full_context
from channelcoder_lsp.cli.completing import session_names
from channelcoder_lsp.cli.failing import FAILED, INTERRUPTED, MissingFileError, finish, verbose
from channelcoder_lsp.cli.output import json_option, say, say_json

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from channelcoder_lsp.library.asking import Options
    from channelcoder_lsp.library.session import Session

_OPTIONS = (
    click.argument("words", nargs=-1),
    click.option("-p", "--prompt", "text", help="The question."),
    click.option("--session", "name", metavar="NAME", help="Ask in this session; it is made if there is none.",
                 shell_complete=session_names),
    click.option("--load-session", "load", metavar="NAME", help="Ask in this session, which must be there.",
                 shell_complete=session_names),
    click.option("-c", "--continue", "go_on", is_flag=True, help="Ask in the session that editors use here."),
    click.option("-r", "--resume", metavar="ID", help="Go on with the Claude session of this id."),
    click.option("-d", "--data", multiple=True, metavar="KEY=VALUE", help="A value to fill in; may be JSON."),
    click.option("-s", "--system", metavar="TEXT|FILE", help="The system prompt."),
    click.option("--append-system", metavar="TEXT", help="Added to the system prompt."),
    click.option("-t", "--tools", multiple=True, help="Tools that need no consent, parted by commas or blanks."),
    click.option("--disallowed-tools", multiple=True, help="Tools that Claude does not get."),
    click.option("--mcp-config", metavar="FILE", help="MCP servers."),
    click.option("--model", help="The model."),
    click.option("--worktree", metavar="BRANCH", help="Work in the worktree of this branch; made if there is none."),
    click.option("--docker/--no-docker", default=None, help="Work in a container: of the trusted folder's Dockerfile."),
    click.option("--docker-image", metavar="IMAGE", help="Work in a container of this image."),
    click.option("--docker-network", metavar="NAME", help="Its network, as the engine names it: none, host..."),
    click.option("--cwd", type=click.Path(path_type=Path), help="The folder to work in."),
    click.option("--trust", is_flag=True, help="Use this folder's instructions and settings, this once."),
    click.option("--offline", is_flag=True, help="Ask the built-in offline model, not Claude."),
    verbose,
)  # fmt: skip
_UNATTENDED = (
    click.option("--permission-tool", metavar="MCP_TOOL", help="The MCP tool that decides about other uses of tools."),
    click.option("--max-turns", type=click.IntRange(1), help="Steps that Claude may take."),
    click.option("--max-budget-usd", type=click.FloatRange(0, min_open=True), help="What it may cost."),
    click.option("--timeout", type=click.FloatRange(0, min_open=True), metavar="SECONDS", help="Then it is cancelled."),
    click.option("--dry-run", is_flag=True, help="Only show what would be sent."),
    json_option,
)
_APART = (
    click.option("--stream", "at_once", is_flag=True, help="Write the answer as it comes, into a pipe or log, too."),
    click.option("--detached", is_flag=True, help="Ask in the background; print its process and log."),
    click.option("--log", type=click.Path(path_type=Path, dir_okay=False), help="The log of --detached."),
)


def _options(*groups: Sequence[Callable[..., Any]]) -> Callable[..., Any]:
    def with_options(command: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed([option for group in groups for option in group]):
            command = option(command)
        return command

    return with_options


@click.command()
@_options(_OPTIONS, _UNATTENDED, _APART)
@click.pass_context
def run(ctx: click.Context, /, **given: Any) -> None:
    """Ask, and show the answer.

    The question is words, a prompt file (.md), or what is piped in (-). Alone it leaves no session.
    """
    if given["log"] is not None and not given["detached"]:
        raise click.UsageError("--log is where --detached writes. Say --detached, or redirect the output.")
    if given["detached"]:
        _check(given)
        ctx.exit(finish(_begun(prompt_of(given["words"], given["text"]), options_of(given), given)))
    ctx.exit(_ask(given, at_once=given["at_once"]))


@click.command()
@_options(_OPTIONS, _UNATTENDED)
@click.pass_context
def stream(ctx: click.Context, /, **given: Any) -> None:
    """Ask, and write the answer as it comes: into a pipe, too; with --json a line for each piece."""
    ctx.exit(_ask(given, at_once=True))


@click.command()
@_options(_OPTIONS)
@click.pass_context
def interactive(ctx: click.Context, /, **given: Any) -> None:
    """Hand the terminal to Claude Code itself, in a session: what is said there is in the session afterwards.

    With words, -p or a prompt file it begins with that question.
    """
    _check(given)
    asked = given["words"] or given["text"] is not None
    prompt = prompt_of(given["words"], given["text"]) if asked else None
    # What else would end us is passed on to Claude Code.
    ctx.exit(finish(_talked(prompt, options_of(given), given), by=[signal.SIGINT]))


async def _begun(prompt: str | Path, options: Options, given: dict[str, Any]) -> int:
    how = {"log_file": given["log"], "stream": given["at_once"], **options}
    if given["load"] or given["name"] or given["go_on"]:
        async with await _session(given) as session:
            run = await session.detached(prompt, **how)
    else:
        from channelcoder_lsp.library.functions import detached  # noqa: PLC0415 - on first use

        run = await detached(prompt, resume=given["resume"], **how)
    if given["as_json"]:
        say_json({"pid": run.pid, "log": str(run.log), "session": run.session})
    else:
        say(f"pid {run.pid}, log {run.log}")
    return 0


async def _talked(prompt: str | Path | None, options: Options, given: dict[str, Any]) -> int:
    from channelcoder_lsp.library.folder import checkouts  # noqa: PLC0415 - on first use
    from channelcoder_lsp.services.checkouts import Checkout  # noqa: PLC0415

    async with await _session(given) as session:
        if not (given["trust"] or given["offline"] or checkouts().is_trusted(Checkout.of(session.cwd))):
            told = "is not trusted: its settings are left out, and there is no Bash unless -t names it."
            click.echo(f"{session.cwd} {told} `channelcoder trust` trusts it.", err=True)
        talk = await session.interactive(prompt, **options)
        kept = f"in {session.name}" if session.name else "in Claude Code's own transcript alone"
    turns = "1 turn" if len(talk.turns) == 1 else f"{len(talk.turns)} turns"
    click.echo(f"{turns} {kept}." if talk.turns else "Nothing was asked.", err=True)
    return FAILED if talk.code else 0


def _check(given: dict[str, Any]) -> None:
    """What holds for all ways to ask; ``--offline`` holds from here on.

    Raises:
        click.UsageError: more than one session is named.
        MissingFileError: the folder is not there.
    """
    chosen = [option for option in ("name", "load", "go_on", "resume") if given[option]]
    if len(chosen) > 1:
        raise click.UsageError("Only one of --session, --load-session, --continue and --resume can be used.")
    if given["cwd"] is not None and not given["cwd"].is_dir():
        raise MissingFileError(str(given["cwd"]), "folder")
    if given["offline"]:
        os.environ["CHANNELCODER_OFFLINE"] = "1"  # this process asks once, and its settings are read after this


def _ask(given: dict[str, Any], *, at_once: bool) -> int:
    _check(given)
    prompt = prompt_of(given["words"], given["text"])
    return finish(_asked(prompt, options_of(given), given, at_once=at_once))


async def _asked(prompt: str | Path, options: Options, given: dict[str, Any], *, at_once: bool) -> int:
    session = await _session(given)
    async with session, aclosing(cast("Any", session.stream(prompt, **options))) as chunks:
        if given["dry_run"]:
            async for chunk in chunks:
                sent = chunk.result.prompt
                say_json({"prompt": sent}) if given["as_json"] else say(sent)
            return 0
        result = await show(chunks, as_json=given["as_json"], at_once=at_once)
    if result is not None:
        warn_of_full_context(result)
    if result is None or result.is_error:
        complain((result.error if result else None) or "Claude gave no answer. Ask again.")
        return FAILED
    if result.cancelled:
        complain("The question was cancelled before its answer was complete.")
        return INTERRUPTED
    return 0


async def _session(given: dict[str, Any]) -> Session:
    """The session to ask in; one that is not kept if none was named."""
    from channelcoder_lsp.claude.sdk import load_without_servers  # noqa: PLC0415 - on first use
    from channelcoder_lsp.library.functions import once  # noqa: PLC0415 - the library takes a while to load
    from channelcoder_lsp.library.session import Session  # noqa: PLC0415

    if not (given.get("dry_run") or given.get("detached")):
        load_without_servers()
    if given["load"]:
        return await Session.load(given["load"])
    if given["name"]:
        if await Session.exists(given["name"]):
            return await Session.load(given["name"])
        return Session(given["name"], cwd=given["cwd"])
    if given["go_on"] and not given.get("dry_run"):
        from channelcoder_lsp.library.folder import active_session, project  # noqa: PLC0415

        return await active_session(project(given["cwd"]))
    return once(given["resume"], given["cwd"])


def prompt_of(words: Sequence[str], text: str | None) -> str | Path:
    """What is asked: the words, a prompt file, or the standard input stream.

    Raises:
        MissingFileError: one word that ends with ``.md`` names no file.
        click.UsageError: there is no question, or there are two.
    """
    if text is not None and words:
        raise click.UsageError("The question is given twice: as words and with -p.")
    if len(words) == 1 and _is_file_name(words[0], ".md"):
        if not Path(words[0]).is_file():
            raise MissingFileError(words[0])
        return Path(words[0])
    asked = text if text is not None else " ".join(words)
    if asked == "-" or (not asked and text is None and not sys.stdin.isatty()):
        asked = sys.stdin.read()
    if not asked.strip():
        raise click.UsageError("There is no question. Give it as words, with -p, as a .md file or in a pipe.")
    # The library takes a text that is the name of a prompt file for that file; here it was said that it is a text.
    return f"{asked}\n" if asked.endswith(".md") else asked


def options_of(given: dict[str, Any]) -> Options:
    """The library's options.

    Raises:
        MissingFileError: the file with MCP servers or with the system prompt is not there.
        click.UsageError: a value has no key.
    """
    if given["mcp_config"] and not Path(given["mcp_config"]).is_file():
        raise MissingFileError(given["mcp_config"])
    if given["system"] and _is_file_name(given["system"], ".md", ".txt") and not Path(given["system"]).is_file():
        raise MissingFileError(given["system"])
    kept = ("system", "append_system", "mcp_config", "permission_tool", "max_turns", "max_budget_usd", "model",
            "worktree", "cwd", "timeout", "dry_run", "trust")  # fmt: skip
    options = {name: given[name] for name in kept if given.get(name) not in (None, False)}
    for name in ("tools", "disallowed_tools"):
        if given[name]:
            options[name] = [tool for several in given[name] for tool in split_tools(several)]
    chosen = {name: given[f"docker_{name}"] for name in ("image", "network") if given[f"docker_{name}"]}
    if chosen and given["docker"] is False:
        raise click.UsageError("--no-docker leaves the container that the other option names. Leave one of them out.")
    if chosen or given["docker"] is not None:
        options["docker"] = chosen or given["docker"]
    if given["data"]:
        options["data"] = dict(_value(one) for one in given["data"])
    return cast("Options", options)


def _is_file_name(given: str, *endings: str) -> bool:
    return given.endswith(endings) and len(given.split()) == 1


def split_tools(several: str) -> list[str]:
    """Tools parted by commas or blanks, those within parentheses left alone: ``Read,Bash(git log:*)``."""
    found, depth = [""], 0
    for char in several:
        depth += (char == "(") - (char == ")")
        if char in ", " and depth <= 0:
            found.append("")
        else:
            found[-1] += char
    return [tool.strip() for tool in found if tool.strip()]


def _value(given: str) -> tuple[str, Any]:
    key, sign, value = given.partition("=")
    if not sign or not key:
        raise click.UsageError(f"-d {given}: it must be KEY=VALUE.")
    try:
        return key, json.loads(value)
    except ValueError:
        return key, value
