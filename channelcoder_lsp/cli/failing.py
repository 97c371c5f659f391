"""How a command fails: with a sentence and an exit code; with a traceback when one is asked for."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click

from channelcoder_lsp.domain.errors import (
    ArgumentsError,
    ChannelCoderError,
    ContainerError,
    PromptError,
    SessionError,
    SettingsError,
    StorageError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

T = TypeVar("T")

FAILED = 1
ARGUMENTS = 2
NO_FILE = 3
SESSION = 4
CONTAINER = 5
INTERRUPTED = 130


@dataclass
class State:
    """What the whole command shares: click's ``ctx.obj``."""

    verbose: bool = False


class MissingFileError(click.ClickException):
    """A file or folder that was named is not there."""

    exit_code = NO_FILE

    def __init__(self, path: str, what: str = "file") -> None:
        super().__init__(f"There is no {what} {path}. Check the path.")


def code_of(problem: Exception) -> int | None:
    """The exit code for an error of ours, of the storage or of the system; None for click's own, which has one.

    What is no error of ours is a bug: it ends with 1, and is told in one sentence, too.
    """
    match problem:
        case click.ClickException() | click.Abort() | click.exceptions.Exit() | BrokenPipeError():
            return None
        case ArgumentsError() | SettingsError() | PromptError():
            return ARGUMENTS
        case SessionError() | StorageError():
            return SESSION
        case ContainerError():
            return CONTAINER
        case FileNotFoundError():
            return NO_FILE
        case _:
            return FAILED


def tell(problem: Exception, state: State) -> None:
    """Say on the standard error stream what failed."""
    from channelcoder_lsp.services.safe_unicode import without_hidden  # noqa: PLC0415 - only now

    if state.verbose:
        traceback.print_exception(type(problem), problem, problem.__traceback__)
    text = str(problem)
    if not isinstance(problem, ChannelCoderError):
        text = f"{type(problem).__name__}: {text}. Run it again with -v to see where."
    click.echo(f"Error: {without_hidden(text)}", err=True)


def verbose(command: Callable[..., Any]) -> Callable[..., Any]:
    """The option ``-v``."""
    return click.option(
        "-v", "--verbose", is_flag=True, expose_value=False, callback=_be_verbose, help="Log, and show tracebacks."
    )(command)


def _be_verbose(ctx: click.Context, _parameter: click.Parameter, given: bool) -> None:  # noqa: FBT001 - click's
    if given:
        ctx.ensure_object(State).verbose = True
        logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
        logging.getLogger("channelcoder_lsp").setLevel(logging.DEBUG)


def finish(work: Coroutine[Any, Any, T], *, by: Sequence[signal.Signals] | None = None) -> T:
    """Run ``work`` to its end. A signal that would end us cancels it, so that it ends in order.

    A second Ctrl-C ends us at once. Other signals come twice for one reason (``timeout`` sends them to us and to our
    group, a shell and the system both tell that the terminal was closed), so that says nothing more.

    Args:
        work: what is to be done.
        by: the signals; None: Ctrl-C, SIGTERM, and that the terminal was closed.

    Raises:
        KeyboardInterrupt: it was interrupted.
        click.exceptions.Exit: another signal came; the exit code says which.
    """
    logging.getLogger("channelcoder_lsp").addHandler(logging.NullHandler())

    async def watched() -> T:
        loop, task = asyncio.get_running_loop(), asyncio.ensure_future(work)
        came: list[int] = []

        def end(number: int) -> None:
            came.append(number)
            if signal.SIGINT in came:
                loop.remove_signal_handler(signal.SIGINT)
            if len(came) == 1:
                task.cancel()

        for number in _ending() if by is None else by:
            # Who starts us with a signal ignored (nohup) wants it ignored.
            if sys.platform != "win32" and signal.getsignal(number) != signal.SIG_IGN:
                loop.add_signal_handler(number, end, number)
        try:
            return await task
        except (asyncio.CancelledError, OSError):  # a terminal that was closed can't be written to
            if not came:
                raise
            if came[0] == signal.SIGINT:
                raise KeyboardInterrupt from None
            raise click.exceptions.Exit(_SIGNALLED + came[0]) from None

    return asyncio.run(watched())


_SIGNALLED = 128


def _ending() -> Sequence[signal.Signals]:
    return () if sys.platform == "win32" else (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
