"""``channelcoder interactive``: the real Claude Code in a real terminal, and what was said there in the session."""

from __future__ import annotations

import json
import os
import shlex
import signal
import sys
from typing import TYPE_CHECKING, Any

import anyio
import psutil
import pytest
from pseudoterminal import in_terminal

from channelcoder_lsp.offline.script import Text

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from conftest import Shell
    from pseudoterminal import Terminal

pytestmark = pytest.mark.timeout(300)  # several starts of Claude Code, each in a terminal of its own

PROMPT = "\N{HEAVY RIGHT-POINTING ANGLE QUOTATION MARK ORNAMENT}"
READY = "manual mode on"
"""What Claude Code shows below its prompt when it takes questions."""


@pytest.fixture
def known(shell: Shell) -> Shell:
    """A shell whose Claude Code has been introduced to its person and to the folder."""
    key = shell.model.environment()["ANTHROPIC_API_KEY"]
    (shell.home / "claude").mkdir()
    (shell.home / "claude/.claude.json").write_text(
        json.dumps(
            {
                "hasCompletedOnboarding": True,
                "customApiKeyResponses": {"approved": [key[-20:]], "rejected": []},
                "projects": {str(shell.project): {"hasTrustDialogAccepted": True}},
            }
        )
    )
    return shell


def interactive(shell: Shell, *arguments: str) -> AbstractAsyncContextManager[Terminal]:
    return in_terminal([*shell.command, "interactive", *arguments], shell.project, shell.environment)


async def say(terminal: Terminal, text: str) -> None:
    terminal.type(text)
    await terminal.shows(f"{PROMPT} {text}")
    terminal.type("\r")


async def leave(terminal: Terminal) -> int:
    await say(terminal, "/exit")
    return await terminal.ends()


async def ask(shell: Shell, terminal: Terminal, question: str) -> None:
    """Ask, and wait for the whole answer."""
    await shell.model.script(Text(text=f"The answer to {question}.", when=question))
    await terminal.shows(READY)
    await say(terminal, question)
    await terminal.shows(f"● The answer to {question}.")
    # The line below the answer is written when the turn is over.
    await terminal.shows(lambda text: "done" in text.partition(f"The answer to {question}.")[2])


async def said(shell: Shell, name: str) -> list[tuple[str, str]]:
    state = json.loads(await shell("session", "show", name, "--json"))
    return [(message["role"], message["content"]) for message in state["messages"]]


async def in_transcript(shell: Shell, text: str) -> None:
    """Wait until Claude Code has written it down, which it does in its own time."""
    with anyio.fail_after(60):
        while not any(  # noqa: ASYNC110 - nobody tells when a file is written
            text in transcript.read_text() for transcript in (shell.home / "claude/projects").rglob("*.jsonl")
        ):
            await anyio.sleep(0.05)


def of(*questions: str) -> list[tuple[str, str]]:
    return [message for text in questions for message in (("user", text), ("assistant", f"The answer to {text}."))]


class TestInteractive:
    async def test_goes_on_with_the_session_and_leaves_what_was_said_in_it(self, known: Shell):
        """Session guide, "CLI Examples": twice in a row, with questions of ``run`` between; no turn is doubled."""
        await known.model.script(Text(text="The answer to One."))
        await known("run", "One", "--session", "work")
        async with interactive(known, "--load-session", "work") as terminal:
            await terminal.shows("● The answer to One.")  # the conversation so far
            await ask(known, terminal, "Two")
            assert await leave(terminal) == 0
            assert terminal.settings == terminal.before
            await terminal.shows("1 turn in work.")
        await known.model.script(Text(text="The answer to Three."))
        await known("run", "Three", "--session", "work")
        async with interactive(known, "--session", "work") as terminal:
            await ask(known, terminal, "Four")
            await ask(known, terminal, "Five")
            assert await leave(terminal) == 0
        async with interactive(known, "--session", "work") as terminal:
            await terminal.shows(READY)
            assert await leave(terminal) == 0
            await terminal.shows("Nothing was asked.")
        assert await said(known, "work") == of("One", "Two", "Three", "Four", "Five")
        await known("run", "Six", "--session", "work")
        assert await known.asked() == ["One", "Two", "Three", "Four", "Five", "Six"]

    async def test_begins_a_session_with_a_question_and_what_it_is_given(self, known: Shell):
        await known.model.script(Text(text="The answer to One."))
        async with interactive(
            known, "One", "--session", "new", "-s", "You are a lighthouse.", "--append-system", "Rhyme.",
            "--model", "claude-haiku-4-5", "--disallowed-tools", "Grep", "-t", "Bash(echo:*)",
        ) as terminal:  # fmt: skip
            await terminal.shows("● The answer to One.")
            await terminal.shows(READY)
            assert await leave(terminal) == 0
        (request,) = await known.model.requests(kind="question")
        assert "You are a lighthouse." in request.system
        assert "Rhyme." in request.system
        assert request.model == "claude-haiku-4-5"
        assert "Grep" not in request.tool_names
        assert {"Bash", "Read"} <= set(request.tool_names)
        assert await said(known, "new") == of("One")
        (row,) = await known.json("session", "list")
        assert row["costUsd"] > 0

    async def test_of_the_folder_is_the_one_that_editors_use(self, known: Shell):
        async with interactive(known, "-c") as terminal:
            await ask(known, terminal, "One")
            assert await leave(terminal) == 0
        (row,) = await known.json("session", "list")
        assert row["active"]
        await known("run", "-c", "Two")
        assert await known.asked() == ["One", "Two"]

    async def test_leaves_no_session_without_one(self, known: Shell):
        async with interactive(known) as terminal:
            await ask(known, terminal, "One")
            assert await leave(terminal) == 0
            await terminal.shows("1 turn in Claude Code's own transcript alone.")
        assert await known.json("session", "list") == []

    async def test_follows_where_clear_leads(self, known: Shell):
        """What was said before and after is in the session, which goes on with the new conversation."""
        async with interactive(known, "--session", "work") as terminal:
            await ask(known, terminal, "One")
            await say(terminal, "/clear")
            await terminal.shows(lambda text: "The answer to One." not in text)
            await ask(known, terminal, "Two")
            assert await leave(terminal) == 0
        assert await said(known, "work") == of("One", "Two")
        state = json.loads(await known("session", "show", "work", "--json"))
        assert len(state["sessionChain"]) == 2
        await known("run", "Three", "--session", "work")
        assert await known.asked() == ["Two", "Three"]

    async def test_reminds_a_claude_whose_transcript_is_gone(self, known: Shell):
        await known.model.script(Text(text="The answer to One."))
        await known("run", "One", "--session", "work")
        for transcript in (known.home / "claude/projects").rglob("*.jsonl"):
            transcript.unlink()
        async with interactive(known, "--session", "work") as terminal:
            await ask(known, terminal, "Two")
            assert await leave(terminal) == 0
        assert "The answer to One." in (await known.model.requests(kind="question"))[-1].system
        assert await said(known, "work") == of("One", "Two")

    async def test_goes_on_from_the_summary_of_a_compacted_session(self, known: Shell):
        """What was asked there belongs to the new Claude session, which later questions go on with."""
        await known("run", "Remember the number 7.", "--session", "work")
        await known.model.script(Text(text="A number was agreed on."))
        await known("session", "compact", "work")
        async with interactive(known, "--session", "work") as terminal:
            await ask(known, terminal, "Two")
            assert await leave(terminal) == 0
        request = (await known.model.requests())[-1]
        assert "| A number was agreed on." in request.system
        assert "Remember the number 7." not in request.system
        await known("run", "Three", "--session", "work")
        assert await known.asked() == ["Two", "Three"]

    async def test_asks_the_offline_model_without_an_introduction(self, shell: Shell):
        async with interactive(shell, "--offline", "--session", "work") as terminal:
            await terminal.shows(READY)
            await say(terminal, "One")
            await terminal.shows("● This is the offline model")
            await terminal.shows("done")
            assert await leave(terminal) == 0
        assert [role for role, _ in await said(shell, "work")] == ["user", "assistant"]
        (row,) = await shell.json("session", "list")
        assert row["costUsd"] == 0

    async def test_from_a_program_gives_what_was_said(self, known: Shell):
        """Session guide, "Session Methods": ``await s.interactive(prompt, options)``."""
        program = """
import asyncio
from channelcoder_lsp import interactive, session

async def main():
    async with session(name="work") as s:
        talk = await s.interactive("One", append_system="Rhyme.")
        print("RESULT", talk.code, [turn.text for turn in talk.turns], [one.content for one in s.messages()])
    talk = await interactive()
    print("ALONE", talk.code, len(talk.turns))

asyncio.run(main())
"""
        await known.model.script(Text(text="The answer to One."))
        async with in_terminal([sys.executable, "-c", program], known.project, known.environment) as terminal:
            await terminal.shows("● The answer to One.")
            await terminal.shows(READY)
            await say(terminal, "/exit")
            await terminal.shows("RESULT 0 ['The answer to One.'] ['One', 'The answer to One.']")
            await ask(known, terminal, "Two")
            assert await leave(terminal) == 0
            await terminal.shows("ALONE 0 1")
        assert await said(known, "work") == of("One")

    async def test_needs_a_terminal(self, shell: Shell):
        assert "terminal" in await shell("interactive", "Hi", code=2)
        assert "terminal" in await shell("interactive", "--session", "new", code=2)
        assert await shell.json("session", "list") == []


class TestAnUntrustedFolder:
    async def test_runs_nothing_of_its_own_and_says_so(self, known: Shell):
        """What a repository brings along: hooks, servers, instructions."""
        owned = known.home / "owned"
        hook = {"hooks": [{"type": "command", "command": f"touch {owned}"}]}
        settings = {"hooks": {"SessionStart": [hook], "UserPromptSubmit": [hook]}, "apiKeyHelper": f"touch {owned}"}
        (known.project / ".claude").mkdir()
        (known.project / ".claude/settings.json").write_text(json.dumps(settings))
        server = {"mcpServers": {"thief": {"command": "touch", "args": [str(owned)]}}}
        (known.project / ".mcp.json").write_text(json.dumps(server))
        (known.project / "CLAUDE.md").write_text("Mention the sea.")
        async with interactive(known, "--session", "work") as terminal:
            await ask(known, terminal, "One")
            assert await leave(terminal) == 0
        (request,) = await known.model.requests()
        assert "Mention the sea." not in json.dumps(request.messages)
        assert "Bash" not in request.tool_names
        assert not owned.exists()
        assert b"is not trusted" in terminal.written

    async def test_uses_its_instructions_when_it_is_trusted(self, known: Shell):
        (known.project / "CLAUDE.md").write_text("Mention the sea.")
        async with interactive(known, "--session", "work", "--trust") as terminal:
            await ask(known, terminal, "One")
            assert await leave(terminal) == 0
        (request,) = await known.model.requests()
        assert "Mention the sea." in json.dumps(request.messages)
        assert "Bash" in request.tool_names
        assert b"is not trusted" not in terminal.written


class TestSignals:
    async def test_ctrl_c_is_claude_code_s(self, known: Shell):
        """It ends the answer, not the command; what had come is kept."""
        await known.model.script(Text(text="one\n\ntwo\n\nthree", words_per_chunk=1, hold_after=2))
        async with interactive(known, "--session", "work") as terminal:
            await terminal.shows(READY)
            await say(terminal, "Slow?")
            await terminal.shows("one")
            terminal.type("\x03")
            await terminal.shows("Interrupted")
            await ask(known, terminal, "Next")
            assert await leave(terminal) == 0
        messages = await said(known, "work")
        assert [text for role, text in messages if role == "user"] == ["Slow?", "Next"]

    async def test_ctrl_z_gives_the_shell_back_until_fg(self, known: Shell):
        environment = known.environment | {"PS1": "SHELL> "}
        async with in_terminal(["/bin/bash", "--norc", "--noprofile", "-i"], known.project, environment) as terminal:
            await terminal.shows("SHELL>")
            terminal.type(f"{shlex.join([*known.command, 'interactive', '--session', 'work'])}\r")
            await ask(known, terminal, "One")
            terminal.type("\x1a")
            await terminal.shows(lambda text: "Stopped" in text and "SHELL>" in text.partition("Stopped")[2])
            terminal.type("fg\r")
            await terminal.shows(lambda text: "Stopped" not in text and READY in text)
            await ask(known, terminal, "Two")
            await say(terminal, "/exit")
            await terminal.shows("2 turns in work.")
        assert await said(known, "work") == of("One", "Two")

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
    async def test_that_would_end_the_command_end_claude_code(self, known: Shell, number: signal.Signals):
        async with interactive(known, "--session", "work") as terminal:
            await ask(known, terminal, "One")
            claude = _claude(terminal)
            os.kill(terminal.process.pid, number)
            await terminal.ends()
            assert not claude.is_running()
            assert terminal.settings == terminal.before
        assert await said(known, "work") == of("One")

    async def test_killing_claude_code_leaves_the_words_and_the_terminal(self, known: Shell):
        async with interactive(known, "--session", "work") as terminal:
            await ask(known, terminal, "One")
            await in_transcript(known, "The answer to One.")
            _claude(terminal).kill()
            assert await terminal.ends() == 1
            assert terminal.settings == terminal.before
            assert b"\x1b[?2004l" in terminal.written[-200:]  # pasted text is no longer marked
        assert await said(known, "work") == of("One")
        await known("run", "Two", "--session", "work")
        assert await known.asked() == ["One", "Two"]


def _claude(terminal: Terminal) -> Any:
    """The process of Claude Code in the terminal."""
    (claude,) = [child for child in psutil.Process(terminal.process.pid).children() if "claude" in child.name()]
    return claude
