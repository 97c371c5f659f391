"""An answer on a terminal, as Markdown while it comes; and in a pipe, as it is."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from channelcoder_lsp.cli.output import say, say_json
from channelcoder_lsp.services.compaction import nearly_full
from channelcoder_lsp.services.safe_text import plain_text, safe_markdown
from channelcoder_lsp.services.safe_unicode import without_hidden

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from rich.console import Console, ConsoleOptions, RenderResult

    from channelcoder_lsp.library.results import Chunk, Result

_PER_SECOND = 8
_STATUS_CHARS = 60


async def show(chunks: AsyncIterator[Chunk], *, as_json: bool, at_once: bool) -> Result | None:
    """Show an answer while it comes.

    Args:
        chunks: what the library yields.
        as_json: write JSON: the result, or with ``at_once`` a line for each chunk.
        at_once: in a pipe, write what there is when it is there.

    Returns:
        The result.
    """
    if as_json:
        return await _as_json(chunks, each=at_once)
    if sys.stdout.isatty():
        return await _on_terminal(chunks)
    return await _plain(chunks, at_once=at_once)


def as_object(result: Result) -> dict[str, Any]:
    """The result as JSON knows it."""
    data = result.data
    return {
        "text": result.text,
        "sessionId": result.session_id,
        "turnId": result.turn_id,
        "isError": result.is_error,
        "error": result.error,
        "cancelled": result.cancelled,
        "data": data.model_dump(mode="json", by_alias=True) if hasattr(data, "model_dump") else data,
        "model": result.model,
        "usage": result.usage.model_dump(mode="json", by_alias=True),
        "costUsd": result.cost_usd,
        "notes": list(result.notes),
        "contextTokens": result.context.tokens if result.context else None,
        "contextWindow": result.context.window if result.context else None,
    }


async def _as_json(chunks: AsyncIterator[Chunk], *, each: bool) -> Result | None:
    result = None
    async for chunk in chunks:
        result = chunk.result
        if each:
            said: dict[str, Any] = {"type": chunk.type}
            said |= {"content": chunk.content} if result is None else {"result": as_object(result)}
            say_json(said, lines=True)
    if result is not None and not each:
        say_json(as_object(result))
    return result


async def _plain(chunks: AsyncIterator[Chunk], *, at_once: bool) -> Result | None:
    result, written = None, ""
    async for chunk in chunks:
        result = chunk.result
        more = chunk.content
        if at_once and chunk.type == "replace":
            # What is written can't be taken back: a text that goes on goes on, another one begins anew.
            more = more.removeprefix(written) if more.startswith(written) else f"\n{more}"
        if at_once and chunk.type in ("content", "replace"):
            say(more, newline=False)
            written = written + more if chunk.type == "content" else chunk.content
    if result is not None and not at_once:
        written = result.text
        say(written, newline=False)
    if written and not written.endswith("\n"):
        say("")
    for note in result.notes if result is not None else ():
        click.echo(without_hidden(note), err=True)
    return result


class _Tail:
    """The end of an answer, as much of it as the terminal has room for."""

    def __init__(self) -> None:
        self.text = ""
        self.status = "Claude is asked"

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        from rich.segment import Segment  # noqa: PLC0415 - loaded by now
        from rich.text import Text  # noqa: PLC0415

        lines = console.render_lines(_markdown(self.text), options, pad=False) if self.text else []
        for line in lines[-max(1, console.height - 3) :]:
            yield from line
            yield Segment.line()
        yield Text(f"· {self.status} …", style="dim")


async def _on_terminal(chunks: AsyncIterator[Chunk]) -> Result | None:
    from rich.console import Console  # noqa: PLC0415 - for terminals only
    from rich.live import Live  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    console, tail, result = Console(), _Tail(), None
    try:
        with Live(tail, console=console, refresh_per_second=_PER_SECOND, transient=True):
            async for chunk in chunks:
                result = chunk.result
                match chunk.type:
                    case "content":
                        tail.text += chunk.content
                        tail.status = "Claude answers"
                    case "replace":
                        tail.text = chunk.content
                    case _ if chunk.content:
                        tail.status = plain_text(chunk.content, max_chars=_STATUS_CHARS)
    finally:
        if text := result.text if result is not None else tail.text:
            console.print(_markdown(text))
    if result is not None:
        for note in result.notes:
            console.print(Text(without_hidden(note), style="dim"))
        console.print(Text(_cost(result), style="dim"))
    return result


def _markdown(text: str) -> Any:
    from rich.markdown import Markdown  # noqa: PLC0415 - for terminals only

    # Addresses are shown in full: a link whose text says something else can't be judged.
    return Markdown(safe_markdown(text), hyperlinks=False)


def _cost(result: Result) -> str:
    usage = result.usage
    model = without_hidden(result.model or "Claude")
    return f"{model} · {usage.input_tokens} tokens in, {usage.output_tokens} out · ${result.cost_usd:.4f}"


def warn_of_full_context(result: Result) -> None:
    """Say on the standard error stream, once for a session, that Claude's context is nearly full."""
    if result.near_limit and result.context is not None:
        click.echo(f"{nearly_full(result.context)} (channelcoder session compact)", err=True)


def complain(text: str) -> None:
    """Say on the standard error stream what went wrong with an answer."""
    click.echo(f"Error: {without_hidden(text)}", err=True)
