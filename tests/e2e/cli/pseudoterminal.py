"""A person's terminal: a command that runs in it, what it shows, what is typed."""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

import pyte

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence
    from pathlib import Path

PATIENCE = 90.0
COLUMNS, LINES = 100, 40
_TAKES_THE_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""


class Terminal:
    """A terminal with a command in it, which leads a session of its own as a shell does."""

    def __init__(self, arguments: Sequence[str], cwd: Path, environment: dict[str, str]) -> None:
        self._ours, self._theirs = pty.openpty()
        fcntl.ioctl(self._theirs, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
        self.before = termios.tcgetattr(self._theirs)
        self._screen = pyte.Screen(COLUMNS, LINES)
        self._stream = pyte.ByteStream(self._screen)
        self.written = b""
        self._news = asyncio.Event()
        self.process = subprocess.Popen(
            [sys.executable, "-c", _TAKES_THE_TERMINAL, *arguments],
            cwd=cwd,
            env=environment | {"TERM": "xterm-256color"},
            stdin=self._theirs,
            stdout=self._theirs,
            stderr=self._theirs,
            start_new_session=True,
        )
        asyncio.get_running_loop().add_reader(self._ours, self._read)

    @property
    def settings(self) -> list:
        """How the terminal is set now."""
        return termios.tcgetattr(self._theirs)

    @property
    def text(self) -> str:
        return "\n".join(line.rstrip().replace("\xa0", " ") for line in self._screen.display)

    def type(self, text: str) -> None:
        os.write(self._ours, text.encode())

    async def shows(self, wanted: str | Callable[[str], bool]) -> None:
        """Wait until the screen has it."""
        there = wanted if callable(wanted) else lambda text: wanted in text
        try:
            async with asyncio_timeout(PATIENCE):
                while not there(self.text):
                    self._news.clear()
                    await self._news.wait()
        except asyncio.TimeoutError:
            raise AssertionError(f"{wanted!r} never came. The screen:\n{self.text}") from None

    async def ends(self) -> int:
        """Wait for the command's end; its exit code."""
        return await asyncio.wait_for(asyncio.to_thread(self.process.wait), PATIENCE)

    def hang_up(self) -> None:
        """Close the terminal, as a window is closed."""
        if self._ours >= 0:
            asyncio.get_running_loop().remove_reader(self._ours)
            os.close(self._theirs)
            os.close(self._ours)
            self._ours = self._theirs = -1

    def close(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.hang_up()

    def _read(self) -> None:
        with suppress(OSError):
            data = os.read(self._ours, 65536)
            self.written += data
            self._stream.feed(data)
        self._news.set()


@asynccontextmanager
async def asyncio_timeout(seconds: float) -> AsyncIterator[None]:
    """``asyncio.timeout`` for Python 3.10."""
    task = asyncio.current_task()
    assert task is not None
    late = False

    def cancel() -> None:
        nonlocal late
        late = True
        task.cancel()

    handle = asyncio.get_running_loop().call_later(seconds, cancel)
    try:
        yield
    except asyncio.CancelledError:
        if late:
            raise asyncio.TimeoutError from None
        raise
    finally:
        handle.cancel()


@asynccontextmanager
async def in_terminal(arguments: Sequence[str], cwd: Path, environment: dict[str, str]) -> AsyncIterator[Terminal]:
    terminal = Terminal(arguments, cwd, environment)
    try:
        yield terminal
    finally:
        terminal.close()
