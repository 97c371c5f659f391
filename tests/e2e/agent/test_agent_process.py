"""The CLI as a process: it dies, hangs, is missing or too old, and nothing of it is left behind."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import TYPE_CHECKING
from uuid import uuid4

import anyio
import anyio.lowlevel
import psutil
import pytest
from agent_bench import QUICK, finished, heard, is_running, shown, until

from channelcoder_lsp.claude.process import Patience
from channelcoder_lsp.domain.agent import ConnectionRequest, TextDelta
from channelcoder_lsp.domain.errors import (
    AgentError,
    AgentGoneError,
    CliNotFoundError,
    CliTooOldError,
    ConversationLostError,
)
from channelcoder_lsp.offline.script import Text

if TYPE_CHECKING:
    from pathlib import Path


def program(path: Path, script: str) -> Path:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


async def refused(agent, **request) -> AgentError:
    """The error with which a connection is refused."""
    with pytest.raises(AgentError) as caught:
        async with agent.connect(ConnectionRequest(**request)):
            pytest.fail("it connected")
    return caught.value


async def test_killed_in_mid_answer_and_resumed(bench):
    """The reader gets what had come, then the error; a fresh connection knows what was asked before."""
    seen = []
    async with bench.connected() as connection:
        await finished(connection, "The first question?")
        await bench.model.script(Text(text="one two three", words_per_chunk=1, hold_after=1))
        events = connection.ask("The question that was cut off?")
        seen.append(await anext(events))
        os.kill(connection.pid, signal.SIGKILL)
        with pytest.raises(AgentGoneError) as caught:
            await anext(events)
        with pytest.raises(AgentGoneError):
            await finished(connection, "Anybody there?")
        assert connection.pid is None
        await connection.interrupt()

    assert seen == [TextDelta("one ")]
    assert caught.value.message.endswith("complete: killed by SIGKILL. Ask again.")
    async with bench.connected(resume=connection.session_id) as again:
        await finished(again, "And now?")
    assert "The first question?" in (await bench.model.requests())[-1].earlier_questions


async def test_killed_between_two_questions(bench):
    """The next question fails at once, with the error that says to ask again."""
    async with bench.connected() as connection:
        await finished(connection, "First?")
        os.kill(connection.pid, signal.SIGKILL)
        with anyio.fail_after(5), pytest.raises(AgentGoneError):
            await heard(connection, "Second?")


async def test_a_hanging_cli_is_killed(bench):
    """A process that does not react to anything is ended in bounded time."""
    await bench.model.script(Text(text="one two", words_per_chunk=1, hold_after=1))
    async with bench.connected(agent=bench.agent(patience=QUICK)) as connection:
        await anext(connection.ask("Why?"))
        pid = connection.pid
        os.kill(pid, signal.SIGSTOP)
        closing = asyncio.create_task(connection.close())
        await asyncio.wait([closing], timeout=8)
        assert closing.done()

    assert not is_running(pid)


async def test_an_interrupt_does_not_outlast_the_cli(bench):
    """Whoever interrupts a CLI that is being ended does not wait for an answer that can't come any more."""
    async with bench.connected(agent=bench.agent(patience=Patience(interrupt=3600, exit=0.1))) as connection:
        os.kill(connection.pid, signal.SIGSTOP)
        interrupting = asyncio.create_task(connection._cli.interrupt(unless=asyncio.Event()))
        await anyio.lowlevel.checkpoint()
        await connection._cli.stop()
        await asyncio.wait([interrupting], timeout=60)
        assert interrupting.done()


@pytest.mark.skipif(os.name != "posix", reason="there are no such sessions")
async def test_it_hears_of_no_signal_that_is_meant_for_us(bench):
    """Ctrl-C reaches all who share a terminal's session and group."""
    async with bench.connected() as connection:
        assert os.getsid(connection.pid) == os.getpgid(connection.pid) == connection.pid
        variables = psutil.Process(connection.pid).environ()
        assert not {"CHANNELCODER_PYTHON", "CHANNELCODER_PROGRAM", "CHANNELCODER_CLAUDE"} & variables.keys()


async def test_a_cli_that_never_answers_can_be_left(bench, tmp_path):
    """Whoever waits for a connection may be cancelled, more than once: the process is ended first."""
    started = tmp_path / "started"
    cli = program(
        tmp_path / "claude",
        'if [ "$1" = --version ]; then echo "2.9.0 (Claude Code)"; exit; fi\n'
        f"echo $$ > {started}.new; mv {started}.new {started}; exec tail -f /dev/null",
    )
    connecting = bench.agent(cli_path=cli).connect(ConnectionRequest(cwd=bench.project))
    task = asyncio.create_task(connecting.__aenter__())
    await until(started.exists)
    pid = int(started.read_text())
    task.cancel()
    await anyio.lowlevel.checkpoint()
    task.cancel()
    await asyncio.wait([task], timeout=8)

    assert task.cancelled()
    assert not is_running(pid)


async def test_nothing_is_left_after_a_quiet_end(bench):
    async with bench.connected() as connection:
        await finished(connection, "Why?")
        pid = connection.pid
        assert is_running(pid)
    assert not is_running(pid)


async def test_an_error_of_the_holder_comes_out_as_it_is(bench):
    """An exception in the body of the context is not wrapped, and the CLI is ended."""
    pids = []

    async def fail() -> None:
        async with bench.connected() as connection:
            pids.append(connection.pid)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert not is_running(pids[0])


async def test_two_connections_side_by_side(bench):
    """Each has its own conversation."""
    async with bench.connected() as first, bench.connected() as second:
        events = {}

        async def ask(connection, question):
            events[question] = await heard(connection, question)

        async with anyio.create_task_group() as group:
            group.start_soon(ask, first, "The left one?")
            group.start_soon(ask, second, "The right one?")

    assert first.session_id != second.session_id
    assert "> The left one?" in shown(events["The left one?"])
    assert "> The right one?" in shown(events["The right one?"])


class TestConnecting:
    async def test_a_new_session_gets_the_id_that_was_chosen(self, bench):
        session_id = str(uuid4())
        async with bench.connected(session_id=session_id) as connection:
            assert connection.session_id == session_id
            assert (await finished(connection, "Why?")).session_id == session_id
        assert list((bench.config / "projects").glob(f"*/{session_id}.jsonl"))

    async def test_a_conversation_that_is_gone(self, bench):
        """The caller learns that Claude's side is lost, and can replay its own record."""
        error = await refused(bench.agent(), cwd=bench.project, resume=str(uuid4()))
        assert isinstance(error, ConversationLostError)

    @pytest.mark.parametrize("resume", ["", "  ", "The title of another conversation", "../x", "--help"])
    async def test_what_is_not_an_id_is_not_looked_for(self, bench, tmp_path, resume):
        """The CLI would match it against titles, or start a new session without a word: it is not started."""
        cli = program(tmp_path / "claude", f"touch {tmp_path}/started")
        error = await refused(bench.agent(cli_path=cli), cwd=bench.project, resume=resume)
        assert isinstance(error, ConversationLostError)
        assert not (tmp_path / "started").exists()

    async def test_a_session_id_that_is_not_a_uuid(self, bench):
        error = await refused(bench.agent(), cwd=bench.project, session_id="mine")
        assert "'mine'" in error.message

    async def test_a_session_id_that_is_taken(self, bench):
        """Starting anew under an id that has a conversation is refused, and not silently merged."""
        async with bench.connected() as connection:
            await finished(connection, "Why?")
        error = await refused(bench.agent(), cwd=bench.project, session_id=connection.session_id)
        assert f"{connection.session_id} is already in use" in error.message

    async def test_a_folder_that_is_gone(self, bench):
        error = await refused(bench.agent(), cwd=bench.project / "gone")
        assert str(bench.project / "gone") in error.message
        assert not error.retryable

    async def test_a_cli_that_is_not_there(self, bench, tmp_path):
        error = await refused(bench.agent(cli_path=tmp_path / "claude"), cwd=bench.project)
        assert isinstance(error, CliNotFoundError)
        assert "channelcoder.cliPath" in error.message

    async def test_a_cli_that_is_too_old(self, bench, tmp_path):
        cli = program(tmp_path / "claude", "echo '2.0.14 (Claude Code)'")
        error = await refused(bench.agent(cli_path=cli), cwd=bench.project)
        assert isinstance(error, CliTooOldError)
        assert "2.0.14" in error.message

    async def test_a_cli_that_does_not_know_our_options(self, bench, tmp_path):
        cli = program(
            tmp_path / "claude",
            'if [ "$1" = --version ]; then echo "2.9.0 (Claude Code)"; exit; fi\n'
            "echo \"error: unknown option '--restricted'\" >&2; exit 1",
        )
        assert isinstance(await refused(bench.agent(cli_path=cli), cwd=bench.project), CliTooOldError)

    async def test_a_cli_that_falls_over(self, bench, tmp_path):
        """Its last words are in the message."""
        cli = program(
            tmp_path / "claude",
            'if [ "$1" = --version ]; then echo "2.9.0 (Claude Code)"; exit; fi\n'
            "echo 'libfoo.so.3: cannot open shared object file' >&2; exit 127",
        )
        error = await refused(bench.agent(cli_path=cli), cwd=bench.project)
        assert "libfoo.so.3: cannot open shared object file" in error.message


async def test_what_an_outer_claude_session_left_in_the_environment_is_not_handed_down(bench, monkeypatch):
    """An editor that was started from within Claude Code does not make our CLI part of that session."""
    monkeypatch.setenv("CLAUDECODE", "1")
    monkeypatch.setenv("CLAUDE_CODE_SSE_PORT", "12345")
    monkeypatch.setenv("CLAUDE_CODE_ENTRYPOINT", "cli")
    async with bench.connected(agent=bench.agent(max_retries=1, stream_idle_seconds=7)) as connection:
        environ = psutil.Process(connection.pid).environ()

    assert "CLAUDECODE" not in environ
    assert environ["CLAUDE_CODE_SSE_PORT"] == ""
    assert environ["CLAUDE_CODE_ENTRYPOINT"] == "sdk-py"
    assert environ["CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC"] == "1"
    assert environ["CLAUDE_CODE_MAX_RETRIES"] == "1"
    assert environ["CLAUDE_BYTE_STREAM_IDLE_TIMEOUT_MS"] == "7000"
