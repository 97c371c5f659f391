"""``run --detached`` and ``logs``: processes that go on when the command has ended."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import anyio.to_thread
import psutil
import pytest

from channelcoder_lsp.offline.script import Failure, Text

if TYPE_CHECKING:
    from conftest import Shell

pytestmark = pytest.mark.timeout(300)  # several processes, one after the other


async def state_of(shell: Shell, pid: int) -> str:
    return next(run["state"] for run in await shell.json("logs") if run["pid"] == pid)


async def said(shell: Shell, name: str) -> list[str]:
    state = json.loads(await shell("session", "show", name, "--json"))
    return [message["content"] for message in state["messages"]]


class TestDetached:
    async def test_returns_at_once_and_goes_on_alone(self, shell: Shell):
        """Its turn is in the session when it is done; the next question goes on with it."""
        await shell.model.script(Text(text="The answer.", wait=True))
        run = await shell.json("run", "One", "--detached", "--session", "work", "--log", "work.log")
        assert run == {"pid": run["pid"], "log": str(shell.project / "work.log"), "session": "work"}
        await shell.model.wait_for_requests(1)
        # The command that began it has ended; it runs in a process group and session of its own.
        assert os.getsid(run["pid"]) == run["pid"]
        assert await state_of(shell, run["pid"]) == "running"
        assert (shell.project / "work.log").read_text() == ""
        await shell.model.release()
        assert await shell("logs", "-f", "work") == "The answer.\n"
        assert await state_of(shell, run["pid"]) == "done"
        assert await said(shell, "work") == ["One", "The answer."]
        await shell("run", "Two", "--session", "work")
        assert await shell.asked() == ["One", "Two"]

    async def test_goes_on_with_a_session_that_there_is(self, shell: Shell):
        await shell("run", "One", "--session", "work")
        await shell("run", "-p", "Two", "--load-session", "work", "--detached")
        await shell("logs", "-f", "work")
        assert await shell.asked() == ["One", "Two"]
        assert len(await said(shell, "work")) == 4

    async def test_asks_in_the_session_of_the_folder(self, shell: Shell):
        await shell("run", "-c", "One", "--detached")
        (run,) = await shell.json("logs")
        await shell("logs", "-f", str(run["pid"]))
        await shell("run", "-c", "Two")
        assert await shell.asked() == ["One", "Two"]

    async def test_leaves_no_session_without_one_and_names_its_log(self, shell: Shell):
        told = await shell("run", "Hi", "--detached")
        pid, log = told.removeprefix("pid ").strip().split(", log ")
        assert "offline model" in await shell("logs", "-f", pid)
        assert "offline model" in Path(log).read_text()
        assert stat.S_IMODE(Path(log).stat().st_mode) == 0o600
        assert await shell.json("session", "list") == []

    async def test_with_stream_writes_the_answer_as_it_comes(self, shell: Shell):
        await shell.model.script(Text(text="one two three", words_per_chunk=1, hold_after=2))
        await shell("run", "Hi", "--detached", "--stream", "--log", "x.log", "--session", "work")
        with subprocess.Popen(  # noqa: ASYNC220 - it returns at once
            [*shell.command, "logs", "-f", "work"], cwd=shell.project, env=shell.environment, stdout=subprocess.PIPE
        ) as following:
            assert following.stdout is not None
            assert await anyio.to_thread.run_sync(following.stdout.read, 7) == b"one two"
            await shell.model.release()
            assert await anyio.to_thread.run_sync(following.stdout.read) == b" three\n"
            assert await anyio.to_thread.run_sync(following.wait) == 0

    async def test_takes_prompt_files_values_and_options_along(self, shell: Shell):
        (shell.project / "ask.md").write_text("---\ninput:\n  n: number\n---\nCount to {n}")
        await shell("run", "ask.md", "-d", "n=3", "--detached", "--session", "work", "-s", "You are a lighthouse.")
        await shell("logs", "-f", "work")
        (request,) = await shell.model.requests()
        assert request.question.strip() == "Count to 3"
        assert "You are a lighthouse." in request.system

    async def test_adds_to_a_log_that_is_there(self, shell: Shell):
        await shell.model.script(Text(text="First."), Text(text="Second."))
        for number in ("one", "two"):
            await shell("run", "Hi", "--detached", "--log", "x.log", "--session", number)
            await shell("logs", "-f", number)
        assert (shell.project / "x.log").read_text() == "First.\nSecond.\n"


class TestFailures:
    async def test_of_the_service_are_in_the_log(self, shell: Shell):
        await shell.model.script(Failure(status=401))
        await shell("run", "Hi", "--detached", "--session", "work")
        await shell("logs", "-f", "work", code=1)
        (run,) = await shell.json("logs")
        assert run["state"] == "failed"
        assert "Error: " in Path(run["log"]).read_text()
        assert "Error: " in await shell("logs", "work")
        assert (await said(shell, "work"))[0] == "Hi"

    async def test_of_the_arguments_are_told_at_once(self, shell: Shell):
        await shell("run", "nope.md", "--detached", code=3)
        await shell("run", "Hi", "--detached", "--load-session", "nope", code=4)
        await shell("run", "Hi", "--detached", "--log", "nowhere/x.log", code=2)
        await shell("run", "Hi", "--detached", "--dry-run", code=2)
        assert await shell.json("logs") == []

    async def test_ended_from_outside_keeps_what_had_come(self, shell: Shell):
        await shell.model.script(Text(text="one two three", words_per_chunk=1, hold_after=2))
        run = await shell.json("run", "Hi", "--detached", "--stream", "--session", "work")
        with anyio.fail_after(60):
            while not Path(run["log"]).read_text().startswith("one two"):  # noqa: ASYNC110 - nobody tells
                await anyio.sleep(0.05)
        os.kill(run["pid"], signal.SIGTERM)
        await shell("logs", "-f", "work", code=1)
        assert "Error: It was ended before" in await shell("logs", "work")
        question, answer = await said(shell, "work")
        assert (question, answer.split()[:2]) == ("Hi", ["one", "two"])

    async def test_killed_is_told_as_such(self, shell: Shell):
        await shell.model.script(Text(text="Never seen", wait=True))
        run = await shell.json("run", "Hi", "--detached", "--session", "work")
        await shell.model.wait_for_requests(1)
        process = psutil.Process(run["pid"])
        children = process.children(recursive=True)
        process.kill()
        for child in children:
            with suppress(psutil.NoSuchProcess):
                child.kill()
        await shell("logs", "-f", "work", code=1)
        assert await state_of(shell, run["pid"]) == "killed"


class TestLogs:
    async def test_that_are_not_there_are_named(self, shell: Shell):
        assert "'nope'" in await shell("logs", "nope", code=4)
        assert await shell("logs") == ""
        await shell("run", "Hi", "--detached", "--log", "x.log", "--session", "work")
        await shell("logs", "-f", "work")
        (shell.project / "x.log").unlink()
        assert "x.log" in await shell("logs", "work", code=3)

    async def test_are_listed_with_what_runs_first(self, shell: Shell):
        await shell.model.script(Text(text="Late.", wait=True, when="Slow?"))
        await shell("run", "Slow?", "--detached", "--session", "slow")
        await shell("run", "Quick?", "--detached", "--session", "quick")
        await shell("logs", "-f", "quick")
        rows = [line.split("\t") for line in (await shell("logs")).splitlines()]
        assert [(row[0], row[2], row[5]) for row in rows] == [("running", "slow", "Slow?"), ("done", "quick", "Quick?")]
        await shell.model.release()
        await shell("logs", "-f", "slow")
