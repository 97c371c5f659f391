"""``channelcoder demo``, ``lsp`` and ``completion``: programs that have options of their own, and shells."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from channelcoder_lsp.cli.output import say

_PASSED_ON = {"ignore_unknown_options": True, "help_option_names": []}


@click.command(context_settings=_PASSED_ON)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
def demo(ctx: click.Context, arguments: tuple[str, ...]) -> None:
    """Show what this is about, without an editor."""
    from channelcoder_lsp.cli.demo import main  # noqa: PLC0415 - on first use

    ctx.exit(main(arguments))


@click.command(context_settings=_PASSED_ON)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
def lsp(ctx: click.Context, arguments: tuple[str, ...]) -> None:
    """The language server that editors start."""
    from channelcoder_lsp.cli.lsp import main  # noqa: PLC0415 - on first use

    ctx.exit(main(arguments))


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the completion script for a shell."""
    made = get_completion_class(shell)
    if made is None:  # pragma: no cover - click knows the three
        raise click.UsageError(f"There is no completion for {shell}.")
    say(made(ctx.find_root().command, {}, "channelcoder", "_CHANNELCODER_COMPLETE").source())
