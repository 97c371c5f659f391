"""A program that has the terminal to itself until it ends, and the terminal as it was afterwards."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

logger = logging.getLogger(__name__)

_CONTINUING_SECONDS = 0.1
"""So long at most it takes until all who are continued at once are at work."""

_LEFT_BEHIND = (
    b"\x1b[?1049l\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?1004l\x1b[?2004l"
    b"\x1b[<u\x1b[>4;0m\x1b[?25h\x1b[0m\r\n"
)
"""Ends what a program that was killed may have left: the other screen, mouse, focus and paste reports, key modes, a
hidden cursor, colours."""


def is_terminal() -> bool:
    """Whether standard input and output are a terminal."""
    return sys.stdin is not None and sys.stdin.isatty() and sys.stdout.isatty()


async def hand_over(arguments: Sequence[str], *, cwd: Path, environment: Mapping[str, str]) -> int:
    """Run a program on our terminal, and wait for its end.

    What is typed, Ctrl-C included, is the program's. A SIGTERM or SIGHUP that is meant for us is passed on to it, and
    we go on once it has ended. When it is stopped (Ctrl-Z), so are we, and ``fg`` continues both. Is the caller
    cancelled, the program is ended. Handlers that the event loop had for these signals are off it afterwards; those set
    with :mod:`signal` are as before.

    Args:
        arguments: the program and what it is given.
        cwd: where it runs.
        environment: its variables, all of them.

    Returns:
        Its exit code; the negative number of the signal that ended it.

    Raises:
        OSError: it can't be started.
    """
    with _kept_terminal() as mend, _passed_on() as pass_on:
        child = subprocess.Popen(arguments, cwd=cwd, env=dict(environment))  # noqa: S603, ASYNC220 - at once; a thread waits
        pass_on.append(child)
        waiting = asyncio.ensure_future(asyncio.to_thread(_wait, child))
        try:
            code = await asyncio.shield(waiting)
        except asyncio.CancelledError:
            child.terminate()
            code = await waiting
            raise
        finally:
            if waiting.done() and not waiting.cancelled() and child.returncode and child.returncode < 0:
                mend()
    return code


def _wait(child: subprocess.Popen[bytes]) -> int:
    """Wait for the end of ``child``; stop when it is stopped."""
    if sys.platform == "win32":
        return child.wait()
    while True:
        _, status = os.waitpid(child.pid, os.WUNTRACED)
        if os.WIFSTOPPED(status):
            # A program that stops all who share the terminal stopped us, too: this is news of then, and both go on now.
            time.sleep(_CONTINUING_SECONDS)
            if _is_stopped(child.pid):
                # The shell waits for us: it takes the terminal back when we are stopped, too.
                os.kill(os.getpid(), signal.SIGSTOP)
                with suppress(ProcessLookupError):
                    os.kill(child.pid, signal.SIGCONT)
            continue
        child.returncode = os.waitstatus_to_exitcode(status)
        return child.returncode


def _is_stopped(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_STOPPED
    except psutil.NoSuchProcess:
        return False


@contextmanager
def _passed_on() -> Iterator[list[subprocess.Popen[bytes]]]:
    """Signals that would end us go to the child that is put into the list; those of the keyboard it gets anyway."""
    children: list[subprocess.Popen[bytes]] = []
    if sys.platform == "win32":
        yield children
        return
    loop = asyncio.get_running_loop()

    def pass_on(number: int) -> None:
        for child in children:
            if child.returncode is None:
                with suppress(ProcessLookupError):
                    os.kill(child.pid, number)

    taken = []
    try:
        for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGHUP):
            before = signal.getsignal(number)
            if number in (signal.SIGINT, signal.SIGQUIT):
                loop.add_signal_handler(number, _nothing)
            else:
                loop.add_signal_handler(number, pass_on, number)
            taken.append((number, before))
    except (ValueError, RuntimeError) as problem:  # not in the main thread: whoever is there handles signals
        logger.debug("signals are not passed on: %s", problem)
    try:
        yield children
    finally:
        for number, before in taken:
            loop.remove_signal_handler(number)
            signal.signal(number, before)


def _nothing() -> None:
    """A signal of the keyboard: the child has it, too."""


@contextmanager
def _kept_terminal() -> Iterator[_Mend]:
    """The terminal's settings are the same afterwards, also when a program was killed that had changed them."""
    if sys.platform == "win32" or not is_terminal():
        yield lambda: None
        return
    import termios  # noqa: PLC0415 - not on Windows

    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)

    def mend() -> None:
        with suppress(OSError):
            os.write(sys.stdout.fileno(), _LEFT_BEHIND)

    try:
        yield mend
    finally:
        # A terminal that was closed meanwhile has nothing to be set back.
        with suppress(termios.error):
            termios.tcsetattr(terminal, termios.TCSADRAIN, before)


if TYPE_CHECKING:
    from collections.abc import Callable

    _Mend = Callable[[], None]
