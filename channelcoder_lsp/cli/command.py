"""``channelcoder``: the command. A subcommand is imported when it is called: a cold start is waited for."""

from __future__ import annotations

import logging
import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

import click

from channelcoder_lsp.cli.failing import FAILED, INTERRUPTED, State, code_of, tell
from channelcoder_lsp.version import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence

_WHERE = {
    "run": ("asking", "Ask, and show the answer."),
    "stream": ("asking", "Ask, and write the answer as it comes."),
    "interactive": ("asking", "Hand the terminal to Claude Code, in a session."),
    "logs": ("logs", "The runs in the background, and what they have written."),
    "session": ("sessions", "The sessions that are kept."),
    "thread": ("threads", "The questions that hang on places in the code."),
    "worktree": ("worktrees", "The worktrees of this repository."),
    "prompts": ("prompt_files", "The prompts that there are."),
    "trust": ("account", "Let Claude use this folder's instructions and settings."),
    "login": ("account", "Log in to Claude."),
    "doctor": ("doctor", "Say what is wrong with the installation, and what helps."),
    "demo": ("programs", "Show what this is about, without an editor."),
    "lsp": ("programs", "The language server that editors start."),
    "completion": ("programs", "Print the completion script for a shell."),
}


class _Commands(click.Group):
    """The subcommands, by name; their modules are imported on use."""

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        # What click compares a misspelt name with; it takes the commands themselves from get_command.
        self.commands = cast("dict[str, click.Command]", dict.fromkeys(_WHERE))

    def list_commands(self, _ctx: click.Context) -> list[str]:
        return list(_WHERE)

    def get_command(self, _ctx: click.Context, name: str) -> click.Command | None:
        if name not in _WHERE:
            return None
        module = import_module(f"channelcoder_lsp.cli.{_WHERE[name][0]}")
        return cast("click.Command", getattr(module, name))

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in _WHERE.items()])

    def invoke(self, ctx: click.Context) -> Any:
        state = ctx.ensure_object(State)
        try:
            return super().invoke(ctx)
        except Exception as problem:
            code = code_of(problem)
            if code is None:
                raise
            tell(problem, state)
            ctx.exit(code)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="channelcoder")
def channelcoder() -> None:
    """Ask Claude about code, in sessions that belong to the project and that editors share."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the process's exit code.

    Args:
        arguments: what follows the command's name; None: the process's own. Then the process ends here: taking down
            Python with all that was loaded would take a fifth of the time of a short command.

    Returns:
        0 done; 1 failed; 2 arguments that do not fit; 3 a file that is not there; 4 a session; 130 interrupted; 128 and
        its number: another signal.
    """
    code = _code(arguments)
    try:
        sys.stdout.flush()
    except OSError:
        # Who read our output has gone; what Python still wants to write at its end has nowhere to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = code or FAILED
    if arguments is None:
        logging.shutdown()
        os._exit(code)
    return code


def _code(arguments: Sequence[str] | None) -> int:
    try:
        result = channelcoder.main(args=arguments, prog_name="channelcoder", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as problem:
        problem.show()
        return problem.exit_code
    except click.ClickException as problem:
        problem.show()
        return problem.exit_code
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except BrokenPipeError:
        return FAILED
    return result if isinstance(result, int) else 0


if __name__ == "__main__":
    sys.exit(main())
