"""``channelcoder prompts``: the prompts that can be asked with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from channelcoder_lsp.cli.failing import finish, verbose
from channelcoder_lsp.cli.output import json_option, say, say_json, say_rows
from channelcoder_lsp.domain.errors import PromptError
from channelcoder_lsp.library.folder import checkouts, project
from channelcoder_lsp.services.prompt_library import PromptLibrary
from channelcoder_lsp.settings import config_file

if TYPE_CHECKING:
    from collections.abc import Mapping

    from channelcoder_lsp.prompts import Prompt


@click.group()
def prompts() -> None:
    """The prompts that there are: built-in ones, your own, and those of a trusted project."""


@prompts.command("list")
@json_option
@verbose
def list_(*, as_json: bool) -> None:
    """List the prompts, in the order of the editor's menu."""
    found = _all()
    if as_json:
        say_json(
            [{"name": one.name, "title": one.title, "path": str(one.path or "") or None} for one in found.values()]
        )
    else:
        say_rows([[one.name, one.title, str(one.path or "built-in")] for one in found.values()])


@prompts.command()
@click.argument("name")
@verbose
def show(name: str) -> None:
    """Show what a prompt says."""
    found = _all()
    if name not in found:
        raise PromptError(f"There is no prompt {name!r}. There are: {', '.join(found)}.")
    say(found[name].body)


def _all() -> Mapping[str, Prompt]:
    library = PromptLibrary(config_file().parent / "prompts", checkouts(), lambda said: click.echo(said, err=True))
    here = project()
    finish(library.reload([here]))
    return library.of(here)
