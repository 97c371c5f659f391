"""How the server starts and ends, and what survives when it, the CLI or the editor dies."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys

import psutil
import pytest

from channelcoder_lsp.offline.script import Text

from .conftest import Machine, action, answered, ask

pytestmark = pytest.mark.usefixtures("no_process_left")

HALF = Text(text="one two three four five six seven eight nine ten eleven twelve", hold_after=2)


async def streaming(editor, uri, machine: Machine) -> dict:
    """Ask, and return when some text of the answer has come."""
    await machine.model.script(HALF)
    asked = await ask(editor, uri)
    await editor.wait_for(lambda m: m["method"] == "channelcoder/turn" and m["params"]["text"])
    return asked


def states(machine: Machine) -> dict[str, dict]:
    """The sessions at rest, by name."""
    return {file.stem: json.loads(file.read_text()) for file in machine.sessions.glob("*.json")}


class TestEnding:
    async def test_exit_ends_with_zero_and_everything_at_rest(self, machine: Machine):
        async with machine.opened() as (editor, uri):
            await answered(editor, uri)
            assert await editor.quit() == 0
        (state,) = states(machine).values()
        assert [message["role"] for message in state["messages"]] == ["user", "assistant"]

    async def test_end_of_input_ends_the_server_and_its_cli(self, machine: Machine):
        """An editor that dies closes the server's input; what was answered is at rest."""
        async with machine.opened() as (editor, uri):
            await answered(editor, uri)
            server = psutil.Process(editor.pid)
            children = server.children(recursive=True)
            assert children
            editor.hang_up()
            await editor.wait()
            _gone, alive = psutil.wait_procs(children, timeout=10)
            assert not alive
        (state,) = states(machine).values()
        assert len(state["messages"]) == 2

    async def test_end_of_input_while_an_answer_streams_keeps_what_had_come(self, machine: Machine):
        async with machine.opened() as (editor, uri):
            await streaming(editor, uri, machine)
            editor.hang_up()
            await editor.wait()
        (state,) = states(machine).values()
        assert state["messages"][0]["content"] == "What is this?"
        assert state["messages"][1]["content"].startswith("one two three")

    async def test_shutdown_while_an_answer_streams_keeps_what_had_come(self, machine: Machine):
        async with machine.opened() as (editor, uri):
            await streaming(editor, uri, machine)
        (state,) = states(machine).values()
        assert state["messages"][1]["content"].startswith("one two three")

    async def test_shutdown_that_is_not_waited_for_keeps_what_had_come(self, machine: Machine):
        """Neovim's :qa says shutdown and is gone."""
        async with machine.opened() as (editor, uri):
            await streaming(editor, uri, machine)
            unanswered = editor.send_request("shutdown", None)
            editor.notify("exit", None)
            editor.hang_up()
            assert await editor.wait() == 0
            assert unanswered.exception() is not None or unanswered.result() is None
        (state,) = states(machine).values()
        assert state["messages"][1]["content"].startswith("one two three")
        (turn,) = state["channelcoder"]["turns"].values()
        assert turn["state"] == "cancelled"

    async def test_the_end_of_the_editors_process_ends_the_server_though_its_input_stays_open(self, machine: Machine):
        """A child of the editor may hold the pipe: the process id that came with initialize tells."""
        path = machine.write("shop.py")
        parent = await asyncio.create_subprocess_exec(sys.executable, "-c", "input()", stdin=asyncio.subprocess.PIPE)
        editor = machine.editor()
        editor.process_id = parent.pid
        await editor.start()
        await answered(editor, editor.open(path))
        children = psutil.Process(editor.pid).children(recursive=True)
        parent.kill()
        await parent.wait()
        await editor.wait()
        _, alive = psutil.wait_procs(children, timeout=10)
        assert not alive
        (state,) = states(machine).values()
        assert len(state["messages"]) == 2


class TestDying:
    async def test_a_killed_server_loses_no_question_and_no_text_that_was_written_down(self, machine: Machine):
        """Kill -9 in mid-stream: the question is there after a restart, failed, with Retry."""
        async with machine.opened() as (editor, uri):
            asked = await streaming(editor, uri, machine)
            children = psutil.Process(editor.pid).children(recursive=True)
            editor.kill()
            await editor.wait()
            for child in children:
                child.send_signal(signal.SIGKILL)
            psutil.wait_procs(children, timeout=10)
        async with machine.opened() as (editor, uri):
            seen = 0
            while "**Failed:**" not in (hover := await editor.hover(uri, 6) or ""):
                refresh = await editor.wait_for(lambda m: m["method"] == "workspace/codeLens/refresh", after=seen)
                seen = editor.received.index(refresh, seen) + 1
            assert "> What is this?" in hover
            actions = await editor.code_actions(uri, (6, 0), (6, 0))
            again = await editor.choose(action(actions, "Retry: What is this?"))
            assert (await editor.finished(again["turnId"]))["state"] == "done"
            assert again["turnId"] != asked["turnId"]

    async def test_a_killed_cli_fails_the_turn_and_the_next_question_works(self, machine: Machine):
        async with machine.opened() as (editor, uri):
            asked = await streaming(editor, uri, machine)
            for child in psutil.Process(editor.pid).children(recursive=True):
                if "claude" in child.name():
                    child.kill()
            over = await editor.finished(asked["turnId"])
            assert over["state"] == "failed"
            assert "one two three" in (await editor.hover(uri, 6) or "")
            _, over = await answered(editor, uri, question="Still there?")
            assert over["state"] == "done"


class TestIdle:
    async def test_the_cli_is_closed_after_the_idle_time_and_started_again(self, machine: Machine):
        async with machine.opened(settings={"idleSeconds": 1}) as (editor, uri):
            await answered(editor, uri)
            clis = [c for c in psutil.Process(editor.pid).children(recursive=True) if "claude" in c.name()]
            _, alive = await asyncio.to_thread(psutil.wait_procs, clis, 15)
            assert clis
            assert not alive
            asked, _ = await answered(editor, uri, question="Again?")
            shown = await editor.execute("channelcoder.turn.show", {"turnId": asked["turnId"]})
            assert "1. What is this?" in shown["markdown"]


class TestTcp:
    async def start(self, machine: Machine, address: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "channelcoder_lsp.cli.lsp",
            "--tcp",
            address,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**os.environ, **machine.environment},
        )

    async def test_serves_one_client_on_a_loopback_port(self, machine: Machine):
        process = await self.start(machine, "127.0.0.1:0")
        line = (await process.stdout.readline()).decode()
        assert line.startswith("listening on 127.0.0.1:")
        reader, writer = await asyncio.open_connection("127.0.0.1", int(line.rsplit(":")[-1]))
        body = json.dumps(
            {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"capabilities": {}, "processId": None}}
        ).encode()
        writer.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
        assert (await reader.readline()).startswith(b"Content-Length:")
        writer.close()
        await asyncio.wait_for(process.wait(), 30)

    async def test_a_web_page_can_not_post_commands(self, machine: Machine):
        process = await self.start(machine, "127.0.0.1:0")
        port = int((await process.stdout.readline()).decode().rsplit(":")[-1])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        body = b'{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"capabilities":{},"processId":null}}'
        writer.write(b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
        assert await reader.read() == b""
        writer.close()
        process.terminate()
        await asyncio.wait_for(process.wait(), 30)

    async def test_other_addresses_are_refused(self, machine: Machine):
        process = await self.start(machine, "0.0.0.0:0")
        _, stderr = await process.communicate()
        assert process.returncode == 2
        assert b"is not a loopback address" in stderr


class TestDamage:
    async def test_an_unreadable_session_is_set_aside_said_and_not_lost(self, machine: Machine):
        """The user is told, the folder has a session to ask in, and the damaged file is kept."""
        async with machine.opened() as (editor, uri):
            await answered(editor, uri)
        (file,) = machine.sessions.glob("*.json")
        file.write_bytes(b"\x00" * 100)
        async with machine.opened() as (editor, uri):
            said = await editor.wait_for(lambda m: m["method"] == "window/showMessage")
            assert file.stem in said["params"]["message"]
            _, over = await answered(editor, uri, question="Still here?")
            assert over["state"] == "done"
        kept = [path for path in machine.sessions.iterdir() if "corrupt" in path.name]
        assert [path.read_bytes() for path in kept] == [b"\x00" * 100]
