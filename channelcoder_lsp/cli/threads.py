"""``channelcoder thread``: the questions that hang on places in the code."""

from __future__ import annotations

import click

from channelcoder_lsp.cli.completing import session_names
from channelcoder_lsp.cli.failing import finish, verbose
from channelcoder_lsp.cli.folder import state_of
from channelcoder_lsp.cli.output import json_option, say_json, say_rows
from channelcoder_lsp.domain.errors import SessionError
from channelcoder_lsp.library.folder import active_name, project


@click.group()
def thread() -> None:
    """The questions that hang on places in the code."""


@thread.command("list")
@click.option("--session", "name", metavar="NAME", shell_complete=session_names, help="Of this session.")
@json_option
@verbose
def list_(name: str | None, *, as_json: bool) -> None:
    """List the threads of a session.

    Where each was asked, and the first question.
    """
    name = name or finish(active_name(here := project()))
    if name is None:
        raise SessionError(f"No session is active in {here.root}. Name one with --session.")
    state = finish(state_of(name))
    rows = [
        {
            "id": one.id,
            "status": one.status.value,
            "uri": one.anchor.uri,
            "question": next((state.turns[id_].question for id_ in one.turn_ids if id_ in state.turns), ""),
        }
        for one in state.threads.values()
    ]
    if as_json:
        say_json(rows)
    else:
        say_rows([[row["status"], row["uri"], row["question"]] for row in rows], none="It has no threads.")
