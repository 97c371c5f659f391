"""``channelcoder worktree``: a branch in a folder of its own."""

from __future__ import annotations

from pathlib import Path

import click

from channelcoder_lsp.cli.failing import finish, verbose
from channelcoder_lsp.cli.output import json_option, say, say_json, say_rows
from channelcoder_lsp.execution.worktree import Worktrees


@click.group()
def worktree() -> None:
    """The worktrees of this repository."""


@worktree.command("list")
@json_option
@verbose
def list_(*, as_json: bool) -> None:
    """List the worktrees, the repository itself first."""
    found = finish(Worktrees().list())
    if as_json:
        say_json(
            [{"path": str(one.path), "branch": one.branch, "commit": one.commit, "main": one.main} for one in found]
        )
    else:
        say_rows([[one.branch or "(detached)", str(one.path), "" if one.there else "missing"] for one in found])


@worktree.command()
@click.argument("branch")
@click.option("--base", metavar="BRANCH|COMMIT", help="What a new branch begins with.")
@click.option("--path", type=click.Path(path_type=Path), help="Where to make it.")
@verbose
def create(branch: str, base: str | None, path: Path | None) -> None:
    """Make a worktree beside the repository; its path is printed."""
    say(str(finish(Worktrees().ensure(branch, base=base, path=path, create=True)).path))


@worktree.command()
@click.argument("which")
@click.option("--force", is_flag=True, help="Also with changes that are not committed, which are lost.")
@verbose
def remove(which: str, *, force: bool) -> None:
    """Remove a worktree, named by its branch or path; the branch stays."""
    finish(Worktrees().remove(which, force=force))
    say(f"{which} is removed.")


@worktree.command()
@click.option("--dry-run", is_flag=True, help="Only say which.")
@verbose
def cleanup(*, dry_run: bool) -> None:
    """Remove worktrees that were made here.

    None that holds uncommitted work.
    """
    for path in finish(Worktrees().cleanup(dry_run=dry_run)):
        say(str(path))
