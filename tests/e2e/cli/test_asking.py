"""``channelcoder run`` and ``stream``."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import anyio
import anyio.to_thread

from channelcoder_lsp.offline.script import Failure, Text

if TYPE_CHECKING:
    from conftest import Shell


class TestTheQuestion:
    async def test_is_words_or_an_option_or_a_pipe(self, shell: Shell):
        await shell("run", "Explain", "this")
        assert await shell.asked() == ["Explain this"]
        await shell("run", "-p", "Explain that")
        assert await shell.asked() == ["Explain that"]
        await shell("run", given="Explain ünïcode")
        assert await shell.asked() == ["Explain ünïcode"]
        await shell("run", "-", given="Explain the rest")
        assert await shell.asked() == ["Explain the rest"]

    async def test_is_a_prompt_file_with_values(self, shell: Shell):
        (shell.project / "ask.md").write_text("---\ninput:\n  n: number\n---\nCount {what} to {n}")
        await shell("run", "ask.md", "-d", "n=3", "-d", "what=sheep")
        assert (await shell.asked())[-1].strip() == "Count sheep to 3"

    async def test_is_shown_and_not_sent_by_dry_run(self, shell: Shell):
        assert await shell("run", "Hi {who}", "-d", "who=you", "--dry-run") == "Hi you\n"
        assert await shell.model.requests() == []


class TestTheAnswer:
    async def test_is_plain_in_a_pipe_and_nothing_in_it_acts(self, shell: Shell):
        await shell.model.script(Text(text="**Red** \x1b[31mbold\x1b]0;title\x07 \u202eend"), Text(text="a\x1b[2Jb"))
        said = await shell("run", "Hi")
        assert said.startswith("**Red**")
        streamed = await shell("stream", "Hi")
        assert not set("\x1b\x07\u202e") & set(said + streamed)

    async def test_is_an_object_with_json(self, shell: Shell):
        await shell.model.script(Text(text="Yes."))
        result = await shell.json("run", "Hi")
        assert (result["text"], result["isError"], result["costUsd"] > 0) == ("Yes.", False, True)
        lines = [json.loads(line) for line in (await shell("stream", "Hi", "--json")).splitlines()]
        assert lines[-1]["result"]["text"] == "".join(line["content"] for line in lines if line["type"] == "content")

    async def test_of_the_built_in_model_costs_nothing(self, shell: Shell):
        assert (await shell.json("run", "Hi", "--offline"))["costUsd"] == 0

    async def test_is_rendered_on_a_terminal(self, shell: Shell):
        await shell.model.script(Text(text="# Title\n\nSome **bold** words \x1b]0;owned\x07"))
        code, said = await on_terminal(shell, "run", "Hi")
        assert code == 0
        assert "**" not in said
        assert "\x1b[1mbold\x1b[0m" in said
        assert "\x1b]0;" not in said
        assert "$" in said

    async def test_has_no_colours_with_no_color(self, shell: Shell):
        _, said = await on_terminal(shell, "run", "`code`", NO_COLOR="1")
        assert "\x1b[3" not in said

    async def test_comes_without_what_only_servers_of_our_own_need(self, shell: Shell):
        """Importing that takes longer than Claude Code does to start."""
        program = """
import sys
from channelcoder_lsp.cli.command import main
code = main(["run", "Hi"])
print(sorted({"mcp", "jsonschema", "claude_agent_sdk"} & sys.modules.keys()), code)
"""
        await shell.model.script(Text(text="Yes."))
        asked = [sys.executable, "-c", program]
        done = await anyio.run_process(asked, cwd=shell.project, env=shell.environment, stdin=subprocess.DEVNULL)
        assert done.stdout.decode().splitlines() == ["Yes.", "['claude_agent_sdk'] 0"]


class TestTheSession:
    async def test_is_none_by_default(self, shell: Shell):
        await shell("run", "Hi")
        assert await shell.json("session", "list") == []

    async def test_is_started_then_gone_on_with(self, shell: Shell):
        """Session guide, "CLI Session Usage"; the original starts over."""
        await shell("run", "One", "--session", "work")
        await shell("run", "Two", "--session", "work")
        await shell("run", "-p", "Three", "--load-session", "work")
        await shell("run", "-p", "Four", "--session", "work")
        assert await shell.asked() == ["One", "Two", "Three", "Four"]

    async def test_is_gone_on_with_after_a_stream(self, shell: Shell):
        """The original never records the session id of a stream."""
        await shell("stream", "One", "--session", "work")
        await shell("stream", "Two", "--session", "work")
        assert await shell.asked() == ["One", "Two"]

    async def test_of_the_folder_is_gone_on_with(self, shell: Shell):
        await shell("run", "-c", "One")
        await shell("run", "-c", "Two")
        assert await shell.asked() == ["One", "Two"]
        (row,) = await shell.json("session", "list")
        assert row["active"]

    async def test_of_claude_is_resumed(self, shell: Shell):
        first = await shell.json("run", "One")
        await shell("run", "Two", "-r", first["sessionId"])
        assert await shell.asked() == ["One", "Two"]

    async def test_of_claude_that_is_not_there_is_not_taken_for_a_new_one(self, shell: Shell):
        """The answer would know nothing of it, and not say so."""
        for unknown in ("00000000-0000-4000-8000-000000000000", "nope"):
            assert unknown in await shell("run", "Two", "-r", unknown, code=4)
        assert await shell.model.requests() == []


class TestFailures:
    async def test_of_the_service_are_never_a_success(self, shell: Shell):
        await shell.model.script(Failure(status=401))
        said = await shell("run", "Hi", code=1)
        assert said.startswith("Error: ")
        assert said.count("\n") == 1

    async def test_of_the_login_is_told_soon_and_keeps_the_question(self, shell: Shell):
        """The original tries for three minutes, ends with 0 and saves an empty session."""
        await shell.model.script(Failure(status=401, times="always"))
        assert "(401)" in await shell("run", "One", "--session", "work", code=1, CHANNELCODER_MAX_RETRIES="2")
        assert len(await shell.model.requests()) <= 3
        assert "One" in await shell("session", "show", "work")

    async def test_of_the_arguments_end_with_2(self, shell: Shell):
        await shell("run", code=2)
        await shell("run", "Hi", "-d", "novalue", code=2)
        await shell("run", "Hi", "-c", "-r", "x", code=2)
        await shell("run", "Hi", "--nothing", code=2)
        await shell("nothing", code=2)

    async def test_of_files_end_with_3(self, shell: Shell):
        assert "nope.md" in await shell("run", "nope.md", code=3)
        await shell("run", "Hi", "--mcp-config", "nope.json", code=3)

    async def test_of_sessions_end_with_4(self, shell: Shell):
        assert "'nope'" in await shell("run", "Hi", "--load-session", "nope", code=4)
        await shell("run", "Hi", "--session", "../out", code=4)
        (shell.project / "on.md").write_text("---\nsession:\n  required: true\n---\nGo on")
        await shell("run", "on.md", code=4)
        await shell("run", "on.md", "--session", "new", code=4)
        assert await shell.json("session", "list") == []

    async def test_interrupted_ends_with_130_and_the_session_goes_on(self, shell: Shell):
        await shell.model.script(Text(text="Never seen", wait=True))
        with subprocess.Popen(  # noqa: ASYNC220 - it returns at once
            [*shell.command, "run", "One", "--session", "work"],
            cwd=shell.project,
            env=shell.environment,
            start_new_session=True,
            stdin=subprocess.DEVNULL,
        ) as asking:
            await shell.model.wait_for_requests(1)
            os.killpg(asking.pid, signal.SIGINT)
            assert await anyio.to_thread.run_sync(asking.wait) == 130
        await shell.model.clear()
        await shell("run", "Two", "--session", "work")
        assert (await shell.asked())[-1].endswith("Two")


async def on_terminal(shell: Shell, *arguments: str, **more: str) -> tuple[int, str]:
    """The exit code, and what was written on a terminal."""

    def call() -> tuple[int, str]:
        ours, theirs = pty.openpty()
        with subprocess.Popen(
            [*shell.command, *arguments],
            cwd=shell.project,
            env=shell.environment | {"TERM": "xterm-256color", "COLUMNS": "80"} | more,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
        ) as process:
            os.close(theirs)
            said = b""
            try:
                while piece := os.read(ours, 65536):
                    said += piece
            except OSError:  # its end of the terminal is closed
                pass
            os.close(ours)
            return process.wait(), said.decode()

    return await anyio.to_thread.run_sync(call)
