"""A program in a terminal: keys go in, and one waits until its screen shows something."""

from __future__ import annotations

import codecs
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
from typing import TYPE_CHECKING

import pyte

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

SECONDS = 90.0
"""How long something may take to come on the screen of a busy machine."""
QUIET_SECONDS = 0.5
"""How long nothing is drawn when all is drawn."""

# What pyte would take for text or for another sequence: control strings, private and colon-separated parameters.
_UNKNOWN = re.compile(
    r"\x1b[P_^X].*?\x1b\\"
    r"|\x1b\[[<=>][\d;:]*[ -/]*[@-~]"
    r"|\x1b\[[\d;]*:[\d;:]*[ -/]*[@-~]",
    re.DOTALL,
)
_UNFINISHED = re.compile(r"\x1b(?:[P_^X](?:[^\x1b]|\x1b(?!\\))*|\[[^@-~]*)?$")


class Terminal:
    """A terminal with a program in it.

    Args:
        command: the program and its arguments.
        environment: all of its environment, but for what names the terminal.
        folder: where it starts.
        columns: the terminal's width.
        rows: its height.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        environment: Mapping[str, str],
        folder: Path,
        columns: int = 100,
        rows: int = 30,
    ) -> None:
        self.screen = pyte.Screen(columns, rows)
        self._stream = pyte.Stream(self.screen)
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest = ""
        self._master, inside = pty.openpty()
        fcntl.ioctl(inside, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.process = subprocess.Popen(
            command,
            stdin=inside,
            stdout=inside,
            stderr=inside,
            cwd=folder,
            env={**environment, "TERM": "xterm-256color", "COLORTERM": "truecolor"},
            start_new_session=True,
        )
        os.close(inside)

    @property
    def text(self) -> str:
        """What is on the screen."""
        return "\n".join(line.rstrip() for line in self.screen.display)

    def type(self, keys: str) -> None:
        """Press keys, given as what they send."""
        os.write(self._master, keys.encode())

    def wait_for(self, wanted: str | Callable[[str], bool]) -> str:
        """The screen's text as soon as it has ``wanted`` in it, or ``wanted`` says that it is there."""
        end = time.monotonic() + SECONDS
        while not (wanted in self.text if isinstance(wanted, str) else wanted(self.text)):
            if not self._read(end - time.monotonic()):
                what = repr(wanted) if isinstance(wanted, str) else "what is waited for"
                raise AssertionError(f"{what} does not come on the screen:\n{self.text}")
        return self.text

    def settle(self) -> None:
        """Wait until nothing is drawn any more."""
        while self._read(QUIET_SECONDS):
            pass

    def wait_for_end(self) -> int:
        """The program's exit code."""
        while self._read(SECONDS):
            pass
        return self.process.wait(SECONDS)

    def close(self) -> None:
        """Take the terminal away; a program that is still there is killed."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self._master)

    def _read(self, seconds: float) -> bool:
        """Take in what the program writes; False when that is nothing, for so long or for ever."""
        if not select.select([self._master], [], [], max(0.0, seconds))[0]:
            return False
        try:
            data = os.read(self._master, 65536)
        except OSError:  # how Linux says that the other end is closed
            return False
        text = _UNKNOWN.sub("", self._rest + self._decoder.decode(data))
        unfinished = _UNFINISHED.search(text)
        whole = unfinished.start() if unfinished else len(text)
        self._rest = text[whole:]
        self._stream.feed(text[:whole])
        return bool(data)
