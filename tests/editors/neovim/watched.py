"""Neovim in a terminal that is looked at."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from .nvim import Neovim, command, gone, processes_of
from .picture import draw
from .terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Callable

    from editors.conftest import Machine


class Watched:
    """One Neovim, its terminal, and a connection to it.

    Args:
        machine: whose it is.
        path: the file to open.
        more: further arguments of Neovim.
        connected: what drives it.
        columns: the terminal's width.
        rows: the terminal's height.
    """

    def __init__(
        self,
        machine: Machine,
        path: Path,
        *more: str,
        connected: type[Neovim] = Neovim,
        columns: int = 96,
        rows: int = 30,
    ) -> None:
        socket = machine.new_socket()
        self.terminal = Terminal(
            command(socket, *more, path.name),
            environment=machine.environment,
            folder=machine.project,
            columns=columns,
            rows=rows,
        )
        self._pictures = Path(os.environ.get("CHANNELCODER_PICTURES") or machine.home / "pictures").absolute()
        self.wait_for(path.name)
        self.neovim = connected(machine, socket, self.terminal.process)
        self.neovim.ready()

    def type(self, keys: str) -> None:
        """Press keys."""
        self.terminal.type(keys)

    def wait_for(self, wanted: str | Callable[[str], bool]) -> str:
        """What is on the screen once it has ``wanted``."""
        return self.terminal.wait_for(wanted)

    def choose(self, keys: str, title: str) -> None:
        """Press the keys that bring up a list, and the number of the line with the title."""
        self.type(keys)
        self.type(self.number(title) + "\r")

    def number(self, title: str) -> str:
        """The number of the line with the title in the list that comes up."""

        def lines(text: str) -> list[str]:
            return [line for line in text.splitlines() if line.endswith(f": {title}")]

        text = self.wait_for(lambda text: "Type number" in text and bool(lines(text)))
        return lines(text)[0].split(":")[0]

    def picture(self, name: str, title: str) -> None:
        """Take a picture of the screen."""
        self.terminal.settle()
        self._pictures.mkdir(parents=True, exist_ok=True)
        (self._pictures / f"{name}.svg").write_text(draw(self.terminal.screen, title), "utf-8")

    def quit(self) -> None:
        """Leave without saving; nothing went wrong in it and no process is left."""
        self.neovim.healthy()
        there = processes_of(self.terminal.process)
        self.type("\x1b:qa!\r")
        assert self.terminal.wait_for_end() == 0
        gone(there)

    def close(self) -> None:
        """End it in any case."""
        self.neovim.close()
        self.terminal.close()
