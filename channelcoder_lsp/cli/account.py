"""``channelcoder trust`` and ``channelcoder login``."""

from __future__ import annotations

import subprocess
from pathlib import Path

import click

from channelcoder_lsp.cli.failing import FAILED, MissingFileError, verbose
from channelcoder_lsp.cli.output import say
from channelcoder_lsp.library.folder import checkouts
from channelcoder_lsp.services.checkouts import Checkout


@click.command()
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@click.option("--revoke", is_flag=True, help="Trust it no more.")
@verbose
def trust(folder: Path | None, *, revoke: bool) -> None:
    """Let Claude use a folder's CLAUDE.md, its settings and its prompts, until they change."""
    if folder is not None and not folder.is_dir():
        raise MissingFileError(str(folder), "folder")
    checkout = Checkout.of(folder or Path.cwd())
    checkouts().set_trusted(checkout, trusted=not revoke)
    say(f"{checkout.root} is {'no longer trusted' if revoke else 'trusted as it is now'}.")


@click.command()
@click.pass_context
@verbose
def login(ctx: click.Context) -> None:
    """Log in to Claude, by Claude Code's own command."""
    from channelcoder_lsp.claude.cli import find_cli  # noqa: PLC0415 - on first use
    from channelcoder_lsp.settings import load_settings  # noqa: PLC0415

    cli = find_cli(load_settings()[0].cli_path, outside=Path.cwd())
    done = subprocess.run([cli.path, "auth", "login"], check=False)  # noqa: S603 - the user's own program
    ctx.exit(FAILED if done.returncode else 0)
