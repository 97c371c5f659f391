"""A question that is ended from outside: Ctrl-C, signals, a terminal that is closed, a killed process."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import anyio.to_thread
import psutil
import pytest
from pseudoterminal import PATIENCE, in_terminal

from channelcoder_lsp.offline.script import Text

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from conftest import Shell
    from pseudoterminal import Terminal

SLOW = Text(text="one two three", words_per_chunk=1, hold_after=2)


@asynccontextmanager
async def answering(shell: Shell, *arguments: str) -> AsyncIterator[tuple[Terminal, list[psutil.Process]]]:
    """A terminal in which a question is being answered, and the processes that were started for it."""
    await shell.model.script(SLOW)
    command = [*shell.command, "run", "Slow?", "--session", "work", *arguments]
    async with in_terminal(command, shell.project, shell.environment) as terminal:
        await terminal.shows("one two")
        started = psutil.Process(terminal.process.pid).children(recursive=True)
        assert started
        yield terminal, started


async def gone(processes: list[psutil.Process]) -> None:
    """Wait until they have ended."""
    _, left = await anyio.to_thread.run_sync(lambda: psutil.wait_procs(processes, timeout=PATIENCE))
    assert not left


def send(number: signal.Signals) -> Callable[[Terminal], None]:
    return lambda terminal: os.kill(terminal.process.pid, number)


@pytest.mark.parametrize(
    ("end", "code"),
    [
        pytest.param(lambda terminal: terminal.type("\x03"), 130, id="Ctrl-C"),
        pytest.param(send(signal.SIGTERM), 143, id="SIGTERM"),
        pytest.param(send(signal.SIGHUP), 129, id="SIGHUP"),
        pytest.param(lambda terminal: terminal.hang_up(), 129, id="the terminal is closed"),
    ],
)
async def test_it_ends_in_order(shell: Shell, end: Callable[[Terminal], None], code: int):
    """What had come is kept, with what it cost; and nothing is left running."""
    async with answering(shell) as (terminal, started):
        end(terminal)
        assert await terminal.ends() == code
        await gone(started)
    state = json.loads(await shell("session", "show", "work", "--json"))
    (turn,) = state["channelcoder"]["turns"].values()
    assert [(one["role"], one["content"].strip()) for one in state["messages"]] == [
        ("user", "Slow?"),
        ("assistant", "one two"),
    ]
    # Claude Code says it when it is interrupted; one that heard of the signal, too, would end without a word.
    assert (turn["state"], turn["costUsd"] > 0) == ("cancelled", True)


async def test_ctrl_c_leaves_the_terminal_as_it_was_and_a_session_to_go_on_with(shell: Shell):
    async with answering(shell) as (terminal, _):
        terminal.type("\x03")
        await terminal.ends()
        assert terminal.settings == terminal.before
        await terminal.shows(lambda _: terminal.written.rfind(b"\x1b[?25h") > terminal.written.rfind(b"\x1b[?25l"))
    await shell.model.clear()
    await shell("run", "Two", "--session", "work")
    assert await shell.asked() == ["Slow?", "Two"]


async def test_the_offline_model_ends_too(shell: Shell):
    """It is not Ctrl-C that ends it, or the answer would be one of an address that nobody listens on."""
    command = [*shell.command, "run", "Explain all of it", "--session", "work", "--offline"]
    async with in_terminal(command, shell.project, shell.environment) as terminal:
        await terminal.shows("This is the offline model")
        started = psutil.Process(terminal.process.pid).children(recursive=True)
        terminal.type("\x03")
        await terminal.ends()
        await gone(started)


async def test_timeout_sends_it_twice(shell: Shell):
    """The command of that name sends SIGTERM to us and then to our group: that is no reason to hurry."""
    async with answering(shell) as (terminal, started):
        for _ in range(2):
            os.killpg(terminal.process.pid, signal.SIGTERM)
        assert await terminal.ends() == 143
        await gone(started)
    state = json.loads(await shell("session", "show", "work", "--json"))
    assert state["messages"][-1]["content"].strip() == "one two"


async def test_nohup_keeps_it_going(shell: Shell):
    """A signal that whoever starts us has ignored stays so."""
    await shell.model.script(SLOW)
    process = await asyncio.create_subprocess_exec(
        "nohup", *shell.command, "run", "Slow?",
        cwd=shell.project, env=shell.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    await shell.model.wait_for_requests(1)
    process.send_signal(signal.SIGHUP)
    await shell.model.release()
    said, _ = await asyncio.wait_for(process.communicate(), PATIENCE)
    assert (process.returncode, said) == (0, b"one two three\n")


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the kernel does not tell a child")
async def test_killed_it_leaves_no_claude_that_goes_on_answering(shell: Shell):
    async with answering(shell) as (terminal, started):
        terminal.process.kill()
        await gone(started)
    (request,) = await shell.model.wait_for_requests(1, ended=True)
    assert request.question == "Slow?"
