"""Claude in a container: the library, the real CLI in the container, a real engine."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from types import FunctionType
from typing import TYPE_CHECKING, Any

import anyio
import anyio.to_thread
import pytest
from container_images import BASE, CLAUDE

from channelcoder_lsp import Session, session, worktree
from channelcoder_lsp.domain.errors import ArgumentsError, ContainerError
from channelcoder_lsp.offline.script import Text, ToolUse
from channelcoder_lsp.services.compose import Question

if TYPE_CHECKING:
    from channelcoder_lsp.offline.process import OfflineModel

GUIDE = Path(__file__).parents[3] / "docs/guide.md"
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
HERE = {"image": CLAUDE, "network": "host", "engine": "podman"}


async def test_the_folder_is_at_workspace_and_the_next_turn_is_in_the_container_too(model: OfflineModel):
    Path("notes.txt").write_text("the answer is 42\n", encoding="utf-8")
    Path("more.txt").write_text("it was 41 before\n", encoding="utf-8")
    first, second = (ToolUse(name="Read", input={"file_path": f"/workspace/{name}.txt"}) for name in ("notes", "more"))
    await model.script(first, "Forty-two.", second, "Forty-one.")
    async with session("sandboxed") as s:
        result = await s.claude("What is it?", docker=HERE)
        assert (result.error, result.text) == (None, "Forty-two.")
    async with await Session.load("sandboxed") as s:
        result = await s.claude("And before?")
        assert (result.error, result.text) == (None, "Forty-one.")
    requests = await model.requests()
    assert requests[-1].earlier_questions == ["What is it?"]
    assert "the answer is 42" in str(requests[-1].messages)
    assert "it was 41 before" in str(requests[-1].messages)


async def test_the_guides_block_runs_as_it_stands(model: OfflineModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Both questions are asked in the container; here the engine's default network is the one that has the model."""
    given = Path(os.environ["CONTAINERS_CONF"]).read_text(encoding="utf-8")
    assert given.count("[containers]\n") == 1
    conf = tmp_path / "containers.conf"
    conf.write_text(given.replace("[containers]\n", '[containers]\nnetns = "host"\n'), encoding="utf-8")
    monkeypatch.setenv("CONTAINERS_CONF", str(conf))
    await anyio.run_process(["podman", "tag", CLAUDE, "security-scanner"])
    [block] = [block for block in BLOCK.findall(GUIDE.read_text(encoding="utf-8")) if "docker=" in block]
    for name, text in (("one.py", "first = 42\n"), ("two.py", "second = 43\n")):
        Path(name).write_text(text, encoding="utf-8")
    one, two = (ToolUse(name="Read", input={"file_path": f"/workspace/{name}.py"}) for name in ("one", "two"))
    await model.script(one, "Injected.", two, "Fixed.")
    await FunctionType(compile(block, str(GUIDE), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT), {})()
    last = (await model.requests())[-1]
    assert last.earlier_questions == ["Analyze security vulnerabilities"]
    assert "first = 42" in str(last.messages)
    assert "second = 43" in str(last.messages)


async def test_the_key_reaches_claude_by_name_and_is_in_no_argument(
    model: OfflineModel, monkeypatch: pytest.MonkeyPatch
):
    """What Claude's service is sent shows that the key came; what the engine was started with, that only its name."""
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-very-secret")
    monkeypatch.setenv("TOKEN", "also-secret")
    await model.script(Text(text="one two three four five six", hold_after=1))
    async with session() as s:
        chunks = s.stream("Go.", docker={**HERE, "env": ["TOKEN"]})
        async for chunk in chunks:
            if chunk.type == "content":
                break
        arguments = [line for line in processes() if "podman run" in line]
        there = json.loads(inspected("{{json .Config.Env}}"))
        await chunks.aclose()
    assert {"ANTHROPIC_API_KEY=sk-very-secret", "TOKEN=also-secret"} <= set(there)
    assert any("--env ANTHROPIC_API_KEY " in line and "--env TOKEN " in line for line in arguments)
    assert not any("secret" in line for line in arguments)
    assert "secret" not in (await s.export("json"))


async def test_a_cancelled_question_leaves_no_container(model: OfflineModel):
    await model.script(Text(text="one two three four five six", hold_after=1))
    async with session() as s:
        async for chunk in s.stream("Go.", docker=HERE):
            if chunk.type == "content":
                assert len(containers()) == 1
                break
    await none_left()


async def test_a_killed_process_leaves_no_container(model: OfflineModel):
    """Nothing of ours runs any more when the process was killed in the middle of an answer."""
    await model.script(Text(text="one two three four five six", hold_after=1))
    program = f"""
import asyncio
from channelcoder_lsp import session
async def main():
    async with session() as s:
        async for chunk in s.stream("Go.", docker={HERE!r}):
            if chunk.type == "content":
                print("answering", flush=True)
asyncio.run(main())
"""
    process = await anyio.open_process([sys.executable, "-c", program], stderr=None)
    assert process.stdout is not None
    with anyio.fail_after(120):
        assert await process.stdout.receive()
    assert len(containers()) == 1
    process.kill()
    await process.wait()
    await none_left()


@pytest.mark.usefixtures("docker")
async def test_docker_is_an_engine_too(model: OfflineModel):
    """It answers, and a cancelled question leaves no container."""
    here = {**HERE, "engine": "docker"}
    await model.script("One.", Text(text="one two three four five six", hold_after=1))
    async with session() as s:
        first = await s.claude("A?", docker=here)
        assert (first.error, first.text) == (None, "One.")
        async for chunk in s.stream("B?"):
            if chunk.type == "content":
                assert len(containers()) == 1
                break
    await none_left()


async def test_the_container_is_restricted(model: OfflineModel):
    """No capability is left, and none can be had: the kernel's own word for the process in the container."""
    await model.script(Text(text="one two three four five six", hold_after=1))
    status = ""
    async with session() as s:
        async for chunk in s.stream("Go.", docker=HERE):
            if chunk.type == "content":
                status = Path(f"/proc/{inspected('{{.State.Pid}}')}/status").read_text(encoding="utf-8")
                break
    assert "CapEff:\t0000000000000000\n" in status
    assert "NoNewPrivs:\t1\n" in status


async def test_what_listens_on_this_machine_is_not_reached_by_default(model: OfflineModel):
    """The engine's default network is another one than this machine's: `host` must be asked for."""
    async with session() as s:
        alone = await s.claude("A?", docker={"image": CLAUDE, "engine": "podman"})
        assert alone.is_error
        assert await model.requests() == []
        assert not (await s.claude("B?", docker=HERE)).is_error


async def test_what_is_mounted_is_read_only_but_for_the_folder(model: OfflineModel, tmp_path: Path):
    """And what is said to be writable; nothing of the user's own Claude Code is there."""
    for name in ("data", "more", "claude"):
        (tmp_path / name).mkdir()
    await model.script(Text(text="one two three four five six", hold_after=1))
    mounts = [f"{tmp_path / 'data'}:/data", f"{tmp_path / 'more'}:/more:rw"]
    found = {}
    async with session() as s:
        async for chunk in s.stream("Go.", docker={**HERE, "mounts": mounts}):
            if chunk.type == "content":
                found = {one["Destination"]: one for one in json.loads(inspected("{{json .Mounts}}"))}
                break
    transcripts = Path(found.pop("/claude")["Source"])
    assert transcripts.parent == tmp_path / "state/channelcoder/containers"
    assert {target: (one["Source"], one["RW"]) for target, one in found.items()} == {
        "/workspace": (str(Path.cwd()), True),
        "/data": (str(tmp_path / "data"), False),
        "/more": (str(tmp_path / "more"), True),
    }


async def test_permissions_are_not_skipped(model: OfflineModel):
    """A tool that nobody named isn't there; of one that is named, what was not named is refused."""
    made, other = (ToolUse(name="Write", input={"file_path": f"/workspace/{name}", "content": "x"}) for name in "ab")
    await model.script(made, "Done.", made, other, "Done.")
    async with session() as s:
        await s.claude("Make it.", docker=HERE)
        assert not Path("a").exists()
        await s.claude("Make them.", tools=["Edit(a)", "Write(a)"])
        assert Path("a").exists()
        assert not Path("b").exists()


async def test_secrets_of_the_folder_are_not_read(model: OfflineModel):
    Path(".env").write_text("TOKEN=hush\n", encoding="utf-8")
    Path("link").symlink_to(".env")
    for name in ("/workspace/.env", "/workspace/link", ".env"):
        await model.script(ToolUse(name="Read", input={"file_path": name}), "Done.")
        async with session() as s:
            await s.claude("Read it.", docker=HERE)
        assert "hush" not in str((await model.requests())[-1].messages)


class TestDockerfile:
    async def test_one_of_a_trusted_folder_is_built_once(self, model: OfflineModel, capfd: pytest.CaptureFixture[str]):
        Path("Dockerfile").write_text(f"FROM {CLAUDE}\nENV BUILT=yes\n", encoding="utf-8")
        await model.script("One.", "Two.")
        how = {"network": "host", "engine": "podman"}
        async with session() as s:
            assert (await s.claude("A?", docker=how, trust=True)).text == "One."
            assert "ENV BUILT=yes" in capfd.readouterr().err
            assert (await s.claude("B?", docker=how)).text == "Two."
        told = capfd.readouterr()
        assert "ENV BUILT=yes" not in told.out + told.err

    async def test_one_of_another_folder_is_not_built(self, model: OfflineModel):
        Path("Dockerfile").write_text(f"FROM {BASE}\nRUN echo never\n", encoding="utf-8")
        async with session() as s:
            with pytest.raises(ContainerError, match="not trusted"):
                await s.claude("A?", docker={"engine": "podman"})

    async def test_one_that_fails_is_told(self, model: OfflineModel):
        Path("Dockerfile").write_text(f"FROM {BASE}\nRUN /no/such/program\n", encoding="utf-8")
        async with session() as s:
            with pytest.raises(ContainerError, match="can't be built"):
                await s.claude("A?", docker={"engine": "podman"}, trust=True)


class TestWhatIsMissing:
    @pytest.mark.parametrize(
        ("docker", "told"),
        [
            ({"image": BASE, "engine": "podman"}, "has no `claude`"),
            ({**HERE, "mounts": ["/no/such/folder:/data"]}, "is not there"),
            ({"engine": "podman"}, "no Dockerfile"),
            ({**HERE, "engine": "warden"}, "no engine"),
        ],
    )
    async def test_is_told_in_a_sentence(self, model: OfflineModel, docker: dict[str, Any], told: str):
        async with session() as s:
            with pytest.raises(ContainerError, match=told):
                await s.claude("A?", docker=docker)

    async def test_no_engine_for_a_session_with_a_container(self, model: OfflineModel, monkeypatch: pytest.MonkeyPatch):
        await model.script("One.")
        async with session("boxed") as s:
            await s.claude("A?", docker={"image": CLAUDE, "network": "host"})
        monkeypatch.setenv("PATH", "/nowhere")
        async with await Session.load("boxed") as s:
            with pytest.raises(ContainerError, match="no docker or podman"):
                await s.claude("B?")


async def test_a_session_from_elsewhere_brings_no_consent_to_its_container(model: OfflineModel):
    """An image gets the login: one that only a session's file names is not started."""
    container = {"image": CLAUDE, "network": "host"}
    Path("theirs.json").write_text(
        json.dumps({"sessionChain": [], "messages": [], "metadata": {}, "channelcoder": {"container": container}}),
        encoding="utf-8",
    )
    async with await Session.load("./theirs.json") as s:
        with pytest.raises(ContainerError, match="nobody has named"):
            await s.claude("A?")


async def test_consent_is_to_one_container_in_one_folder(model: OfflineModel, tmp_path: Path):
    """Neither another folder nor what somebody writes into the session's record is agreed to with it."""
    await model.script("One.", "Two.")
    async with session("boxed") as s:
        await s.claude("A?", docker=HERE)
        with pytest.raises(ContainerError, match="nobody has named"):
            await s.claude("B?", cwd=tmp_path)
        assert (await s.claude("B?")).text == "Two."
    file = tmp_path / "sessions/boxed.json"
    file.write_text(file.read_text(encoding="utf-8").replace(CLAUDE, BASE), encoding="utf-8")
    async with await Session.load("boxed") as s:
        with pytest.raises(ContainerError, match="nobody has named"):
            await s.claude("C?")
    assert len(await model.requests()) == 2


async def test_what_has_no_place_in_a_container_is_refused(model: OfflineModel, monkeypatch: pytest.MonkeyPatch):
    """MCP servers of a file, which the container does not see; the terminal."""
    monkeypatch.setattr("channelcoder_lsp.library.interactive.is_terminal", lambda: True)
    Path("servers.json").write_text('{"mcpServers": {}}', encoding="utf-8")
    async with session() as s:
        with pytest.raises(ArgumentsError, match="mcp_config"):
            await s.claude("A?", docker=HERE, mcp_config="servers.json")
        with pytest.raises(ContainerError, match="terminal"):
            await s.interactive(docker=HERE)
    assert await model.requests() == []


async def test_the_container_is_left_again(model: OfflineModel):
    await model.script("One.", "Two.")
    async with session() as s:
        await s.claude("A?", docker=HERE)
        Path("Dockerfile").unlink(missing_ok=True)
        assert (await s.claude("B?", docker=False)).text == "Two."
        assert json.loads(await s.export("json"))["channelcoder"].get("container") is None


async def test_the_worktree_is_what_is_mounted(model: OfflineModel):
    for command in (
        ["init", "-q", "-b", "main"],
        ["-c", "user.name=Ada", "-c", "user.email=a@example.org", "commit", "-q", "--allow-empty", "-m", "one"],
    ):
        await anyio.run_process(["git", *command])
    async with worktree("feature/x") as made:
        (made.path / "only-here.txt").write_text("in the worktree\n", encoding="utf-8")
        await model.script(ToolUse(name="Read", input={"file_path": "/workspace/only-here.txt"}), "Done.")
        async with session() as s:
            await s.claude("Read.", docker=HERE, worktree="feature/x")
        assert "in the worktree" in str((await model.requests())[-1].messages)
        (made.path / "only-here.txt").unlink()


async def test_the_command_ends_with_5_and_prints_no_key(model: OfflineModel, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-very-secret")
    run = [sys.executable, "-m", "channelcoder_lsp.cli.command", "run", "A?", "-v"]
    failed = await anyio.run_process([*run, "--docker-image", BASE], check=False)
    assert (failed.returncode, b"has no `claude`" in failed.stderr) == (5, True)
    await model.script("One.")
    done = await anyio.run_process([*run, "--docker-image", CLAUDE, "--docker-network", "host"], check=False)
    assert (done.returncode, done.stdout) == (0, b"One.\n"), done.stderr
    assert b"DEBUG" in done.stderr
    assert b"sk-very-secret" not in failed.stdout + failed.stderr + done.stderr


async def test_a_question_without_the_container_is_refused(model: OfflineModel):
    """As an editor asks: the session knows of its container, and whoever asks does not start it."""
    await model.script("One.")
    async with session() as s:
        await s.claude("A?", docker=HERE)
        opened = await s._opened()
        turn = await opened.ask(Question(text="And here?"))
        async for _ in s._chunks(turn, None):
            pass
        assert "works in a container" in (opened.turn(turn.id).error or "")
    assert len(await model.requests()) == 1


def processes() -> list[str]:
    """The command lines of this machine's processes."""
    lines = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            lines.append(file.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:
            continue  # it has ended
    return lines


def containers() -> list[str]:
    told = subprocess.run(["podman", "ps", "--all", "--quiet"], check=True, capture_output=True, text=True)
    return told.stdout.split()


def inspected(what: str) -> str:
    """What the engine says of the one container that there is."""
    command = ["podman", "inspect", "--format", what, *containers()]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


async def none_left() -> None:
    """Wait until no container is there."""
    with anyio.fail_after(120):
        while await anyio.to_thread.run_sync(containers):  # noqa: ASYNC110 - the engine tells nobody
            await anyio.sleep(0.1)
