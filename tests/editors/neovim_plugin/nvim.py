"""Neovim with the plugin and nothing else, driven through its API."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

from editors.neovim.nvim import LISTENING, Neovim, command

if TYPE_CHECKING:
    from editors.conftest import Machine

PLUGIN = Path(__file__).parents[3] / "editors" / "nvim"
_HANDS = Path(__file__).with_name("hands.lua").read_text("utf-8")


def arguments(options: dict[str, Any] | None = None) -> list[str]:
    """What Neovim is started with to have the plugin and nothing else."""
    given = f"lua vim.g.channelcoder = vim.json.decode([=[{json.dumps(options or {})}]=])"
    return ["--clean", "--cmd", f"set runtimepath^={PLUGIN}", "--cmd", given]


def headless(machine: Machine, path: Path, *more: str, options: dict[str, Any] | None = None) -> Plugin:
    """Start Neovim without a screen on a file, with the plugin and its ``options``."""
    socket = machine.new_socket()
    process = subprocess.Popen(
        command(socket, "--headless", *arguments(options), "--cmd", LISTENING, *more, path),
        env=machine.environment,
        cwd=machine.project,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    with process.stdout:
        assert process.stdout.readline() == b"listening\n"
    nvim = Plugin(machine, socket, process)
    nvim.lua(_HANDS)
    return nvim


class Plugin(Neovim):
    """One running Neovim with the plugin."""

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """It."""
        return self._process

    def run(self, given: str, *, typed: str | None = None, choice: str | None = None) -> None:
        """Run ``:ChannelCoder`` and what is ``given`` after it; a range may go before, with a comma."""
        self.lua("seen.typed, seen.choice = ...", typed, choice)
        self.api.command(given if "ChannelCoder" in given else f"ChannelCoder {given}")

    def settled(self) -> None:
        """Wait until the server answers."""
        self.wait(
            """
            local client = require('channelcoder.client').here()
            return client and require('channelcoder.client').wait_for(client, 'channelcoder.prompts')
            """
        )

    def idle(self) -> None:
        """Wait until nothing is being asked."""
        self.wait("return not require('channelcoder.turns').doing()")

    def window(self, *parts: str) -> dict[str, Any]:
        """The plugin's window, once its text has all of the ``parts``."""
        found: dict[str, Any] = self.wait(
            """
            local window = seen.window()
            for _, part in ipairs({ ... }) do
              if not (window and window.text:find(part, 1, true)) then return end
            end
            return window
            """,
            *parts,
        )
        return found

    def marks(self, *expected: tuple[int, str, str]) -> None:
        """Wait until the threads of the current buffer show so: line, sign, what stands behind the line."""
        wanted = [list(mark) for mark in expected]
        self.wait("return vim.deep_equal(seen.marks(), ...)", wanted)

    def said(self, part: str) -> str:
        """The sentence that has the ``part`` in it, once it was said."""
        found: str = self.wait(
            """
            for _, message in ipairs(seen.said) do
              if message[1]:find(..., 1, true) then return message[1] end
            end
            """,
            part,
        )
        return found

    def completes(self, line: str, word: str) -> None:
        """Wait until the word is among what completes a command line: names come from the server."""
        self.wait(
            """
            local line, word = ...
            return vim.list_contains(vim.fn.getcompletion(line, 'cmdline'), word)
            """,
            line,
            word,
        )

    def ask_about(self, first: int, last: int, question: str) -> dict[str, Any]:
        """Ask about lines, and close the window once the answer is there; what it showed at last."""
        self.run(f"{first},{last}ChannelCoder ask {question}")
        self.wait("local window = seen.window() return window and window.title:find('answered')")
        self.wait("return seen.window().text:find('*claude', 1, true) or seen.window().text:find('$', 1, true)")
        window = self.window(question)
        self.api.input("q")
        self.wait("return seen.window() == nil")
        return window

    def state(self) -> str:
        seen = self.lua("return vim.inspect({ said = seen.said, window = seen.window(), marks = seen.marks() })")
        return f"{seen}\n--- buffer\n{self.text}\n--- log\n" + "\n".join(self.log)
