"""``session compact``, ``session limit``, ``session import`` of transcripts, and the warning of a full context."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import anyio.to_thread
import pytest

from channelcoder_lsp.offline.script import Failure, Text, Usage

if TYPE_CHECKING:
    from conftest import Shell

pytestmark = pytest.mark.timeout(300)  # each test starts several commands, and each of those Claude Code

FULL = Usage(input_tokens=850_000, output_tokens=10_000)
DEAR = Usage(input_tokens=10_000, output_tokens=10_000)


async def said_on_stderr(shell: Shell, *arguments: str) -> tuple[str, str]:
    """Both streams of a command that goes well."""

    def call() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*shell.command, *arguments], cwd=shell.project, env=shell.environment, stdin=subprocess.DEVNULL,
            capture_output=True, encoding="utf-8", timeout=120, check=True,
        )  # fmt: skip

    done = await anyio.to_thread.run_sync(call)
    return done.stdout, done.stderr


class TestCompact:
    async def test_of_the_folders_session_and_of_a_named_one(self, shell: Shell):
        """The summary is what is written; where the rest is, is said beside it."""
        await shell("run", "-c", "About sheep")
        await shell.model.script(Text(text="We talked about sheep."))
        (file,) = (shell.home / "sessions").glob("*.json")
        out, err = await said_on_stderr(shell, "session", "compact")
        assert out == "We talked about sheep.\n"
        chain = json.loads(file.read_text())["sessionChain"]
        assert err == f"Claude goes on from this summary. What was said before is Claude's session {chain[0]}.\n"
        await shell("run", "-c", "And wolves?")
        assert "| We talked about sheep." in (await shell.model.requests())[-1].prompt
        done = await shell.json("session", "compact", file.stem)
        assert done.keys() == {"summary", "previousId", "costUsd"}

    async def test_that_comes_to_nothing_ends_with_an_error(self, shell: Shell):
        await shell("session", "compact", code=4)
        await shell("session", "compact", "nope", code=4)
        await shell("run", "About sheep", "--session", "one")
        await shell.model.script(Failure(status=500))
        assert "500" in await shell("session", "compact", "one", code=1)
        await shell("run", "And wolves?", "--session", "one")
        assert await shell.asked() == ["About sheep", "And wolves?"]


class TestLimit:
    async def test_refuses_what_is_beyond_it(self, shell: Shell):
        await shell.model.script(Text(text="Dear.", usage=DEAR))
        await shell("run", "One", "--session", "dear")
        assert await shell("session", "limit", "0.2", "dear") == "dear may cost $0.20 altogether.\n"
        assert "has cost $0.24 of the $0.20" in await shell("run", "Two", "--session", "dear", code=4)
        assert await shell.asked() == ["One"]
        assert await shell("session", "limit", "none", "dear") == "dear may cost as much as it does.\n"
        await shell("run", "Two", "--session", "dear")

    async def test_is_the_folders_sessions_without_a_name(self, shell: Shell):
        await shell("session", "limit", "0.2", code=4)
        await shell("run", "-c", "One")
        assert "may cost $0.20" in await shell("session", "limit", "0.2")

    async def test_must_be_an_amount(self, shell: Shell):
        await shell("run", "One", "--session", "dear")
        for wrong in ("much", "0", "nan", "inf"):
            assert "above 0, or none" in await shell("session", "limit", wrong, "dear", code=2)


class TestNotes:
    async def test_on_how_it_was_answered_stand_beside_the_answer(self, shell: Shell):
        await shell("run", "About sheep", "--session", "one")
        for transcript in (shell.home / "claude/projects").glob("*/*.jsonl"):
            transcript.unlink()
        await shell.model.script(Text(text="Woolly."))
        out, err = await said_on_stderr(shell, "run", "And wolves?", "--session", "one")
        assert out == "Woolly.\n"
        assert err == "Claude's own copy of this conversation is gone; it was given the last 2 messages again.\n"


class TestContext:
    async def test_that_is_nearly_full_is_a_line_beside_the_answer(self, shell: Shell):
        await shell.model.script(*(Text(text="Yes.", usage=FULL) for _ in range(3)))
        out, err = await said_on_stderr(shell, "run", "One", "--session", "long")
        assert out == "Yes.\n"
        assert err.startswith("This conversation fills 86% of what Claude can take in")
        assert "channelcoder session compact" in err
        assert err.count("\n") == 1
        _, err = await said_on_stderr(shell, "run", "Two", "--session", "long")
        assert err == ""
        result = await shell.json("run", "Three", "--session", "long")
        assert (result["contextTokens"], result["contextWindow"]) == (860_000, 1_000_000)


class TestImport:
    async def test_takes_in_a_transcript_of_claude_codes(self, shell: Shell):
        await shell("run", "About sheep")
        (transcript,) = (shell.home / "claude" / "projects").glob("*/*.jsonl")
        assert await shell("session", "import", str(transcript), "--name", "sheep") == "sheep is there now.\n"
        await shell("run", "And wolves?", "--load-session", "sheep")
        assert await shell.asked() == ["About sheep", "And wolves?"]
        (shell.project / "empty.jsonl").write_text("")
        assert "no conversation" in await shell("session", "import", "empty.jsonl", code=4)
