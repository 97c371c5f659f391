"""A session on a server, gone on with on another machine: Claude knows all of it there, what its tools found too."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import anyio
import pytest
from backends.redis import RedisServer
from conftest import Shell

from channelcoder_lsp.offline.script import Text, ToolUse

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.timeout(300)  # each test starts several commands


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    server = RedisServer(tmp_path / "redis", "--appendonly", "yes")
    server.start()
    monkeypatch.setenv("CHANNELCODER_STORAGE", server.url)
    yield server.url
    server.stop("immediate")


@pytest.fixture
def other(shell: Shell, tmp_path: Path) -> Shell:
    """Another machine: another home, and the project at another path."""
    machine = Shell(tmp_path / "elsewhere", shell.model)
    machine.project.mkdir(parents=True)
    (machine.home / "tmp").mkdir()
    return machine


def found(messages: list[dict[str, object]]) -> str:
    """What tools gave, as the model is told it."""
    blocks = [block for message in messages if isinstance(message["content"], list) for block in message["content"]]
    return json.dumps([block for block in blocks if block["type"] == "tool_result"])


async def test_claude_knows_on_the_other_machine_what_was_said_and_found(shell: Shell, other: Shell, place: str):
    """And again on the first one, which has a copy of its own that is behind by then."""
    (shell.project / "shop.py").write_text("PRICE = 4217\n")
    await shell.model.script(
        ToolUse(name="Read", input={"file_path": str(shell.project / "shop.py")}), Text(text="It is in the file.")
    )
    await shell("run", "What is the price?", "--session", "work")
    await shell("run", "And why?", "--session", "work")

    assert await other("run", "And here?", "--session", "work")
    request = (await shell.model.requests())[-1]
    assert [*request.earlier_questions, request.question] == ["What is the price?", "And why?", "And here?"]
    assert "4217" in found(request.messages)

    assert await shell("run", "And back?", "--session", "work")
    request = (await shell.model.requests())[-1]
    assert request.earlier_questions == ["What is the price?", "And why?", "And here?"]
    assert "4217" in found(request.messages)
    told = await shell.json("session", "show", "work")
    assert "gone" not in json.dumps(told)
    left = [path for machine in (shell, other) for path in (machine.home / "tmp").glob("claude-resume-*")]
    assert left == []


async def test_a_machine_that_is_killed_in_the_middle_loses_nothing_of_before(shell: Shell, other: Shell, place: str):
    """Its question has an end, with Retry; on the other machine Claude knows what it had found."""
    (shell.project / "shop.py").write_text("PRICE = 4217\n")
    await shell.model.script(
        ToolUse(name="Read", input={"file_path": str(shell.project / "shop.py")}),
        Text(text="It is in the file."),
        Text(text="Never seen", wait=True),
    )
    await shell("run", "What is the price?", "--session", "work")
    command = [*shell.command, "run", "And why?", "--session", "work"]
    with subprocess.Popen(  # noqa: ASYNC220 - it returns at once
        command, cwd=shell.project, env=shell.environment, start_new_session=True, stdin=subprocess.DEVNULL
    ) as asking:
        await shell.model.wait_for_requests(3)
        asking.kill()
    assert await other("run", "And here?", "--session", "work")
    request = (await shell.model.requests())[-1]
    assert request.earlier_questions[0] == "What is the price?"
    assert "4217" in found(request.messages)
    turns = (await other.json("session", "show", "work"))["channelcoder"]["turns"].values()
    assert [turn["state"] for turn in turns] == ["done", "failed", "done"]


async def test_on_one_machine_the_copy_that_is_there_is_gone_on_with(shell: Shell, place: str):
    """The command line goes on writing into it."""
    await shell("run", "One", "--session", "work")
    await shell("run", "Two", "--session", "work")
    (transcript,) = (shell.home / "claude" / "projects").rglob("*.jsonl")
    assert [text for text in ("One", "Two") if f'"{text}"' in transcript.read_text("utf-8")] == ["One", "Two"]
    assert await shell.asked() == ["One", "Two"]


async def test_what_is_cleared_is_kept_no_longer(shell: Shell, place: str):
    """Of Claude's copies nothing is left on the server, and what is asked afterwards is kept again."""
    from redis import Redis  # noqa: PLC0415 - an extra

    def kept() -> bytes:
        with Redis.from_url(place) as client:
            streams = [client.xrange(key) for key in client.scan_iter(_type="stream")]
        records = [fields[b"text"] for stream in streams for _, fields in stream]
        return b"".join(record for record in records if b"transcript.kept" in record)

    await shell("run", "Old", "--session", "work")
    assert b"Old" in kept()
    clear = "from channelcoder_lsp import session\nasync def main():\n    async with await session.load('work') as s:\n"
    program = f"import asyncio\n{clear}        await s.clear()\nasyncio.run(main())"
    done = await anyio.run_process([sys.executable, "-c", program], cwd=shell.project, env=shell.environment)
    assert done.returncode == 0
    assert kept() == b""
    await shell("run", "New", "--session", "work")
    assert b"New" in kept()
    assert b"Old" not in kept()


async def test_what_was_kept_with_a_gap_is_told_anew(shell: Shell, other: Shell, place: str):
    """A server that lost a part: nothing is gone on from that Claude would take for all of it."""
    from redis import Redis  # noqa: PLC0415 - an extra

    await shell("run", "One", "--session", "work")
    await shell("run", "Two", "--session", "work")
    with Redis.from_url(place) as client:
        kept = {
            (key, number): b"".join(fields.values())
            for key in client.scan_iter(_type="stream")
            for number, fields in client.xrange(key)
        }
        key, number = next(at for at, text in kept.items() if b"transcript.kept" in text and b"parentUuid" in text)
        assert client.xdel(key, number)
    assert await other("run", "Three", "--session", "work")
    request = (await shell.model.requests())[-1]
    assert "assistant" not in [message["role"] for message in request.messages], "what was said is in the question"
    assert request.earlier_questions == ["One", "Two"]
    assert "was given the last 4 messages again" in json.dumps(await other.json("session", "show", "work"))


async def test_c_goes_on_with_the_projects_session_on_every_machine(shell: Shell, other: Shell, place: str):
    """Where the folders are trusted checkouts of one project; what is chosen on one is active on the other."""
    for machine, remote in ((shell, "git@example.org:team/shop.git"), (other, "https://example.org/team/shop")):
        for arguments in (["init", "--quiet"], ["remote", "add", "origin", remote]):
            await anyio.run_process(["git", *arguments], cwd=machine.project)
        await machine("trust")
    await shell("run", "-c", "One")
    assert (await other.json("session", "list"))[0]["active"]
    assert await other("run", "-c", "Two")
    assert await other.asked() == ["One", "Two"]
    await other("run", "Else", "--session", "another")
    await other("session", "load", "another")
    assert {row["name"]: row["active"] for row in await shell.json("session", "list")}["another"]
    await shell("session", "rename", "another", "renamed")
    assert {row["name"]: row["active"] for row in await other.json("session", "list")}["renamed"]
