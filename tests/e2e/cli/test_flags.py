"""Every flag of ``run`` does what it says: what the model was sent, what ran, how it ended."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio.to_thread
import pytest

from channelcoder_lsp.offline.script import Text, ToolUse

if TYPE_CHECKING:
    from conftest import Shell

    from channelcoder_lsp.offline.script import RecordedRequest

MCP_SERVER = """
import json, sys

def tool(name, **properties):
    schema = {"type": "object", "properties": {name: {"type": kind} for name, kind in properties.items()}}
    return {"name": name, "description": name, "inputSchema": schema}

def call(name, arguments):
    if name == "ring":
        return "ding " * arguments["times"]
    if "secret" in str(arguments["input"]):
        return json.dumps({"behavior": "deny", "message": "The desk says no."})
    return json.dumps({"behavior": "allow", "updatedInput": arguments["input"]})

for line in sys.stdin:
    request = json.loads(line)
    match request.get("method"):
        case "initialize":
            version = request["params"]["protocolVersion"]
            info = {"name": "desk", "version": "1"}
            result = {"protocolVersion": version, "capabilities": {"tools": {}}, "serverInfo": info}
        case "tools/list":
            decide = tool("decide", tool_name="string", input="object", tool_use_id="string")
            result = {"tools": [tool("ring", times="integer"), decide]}
        case "tools/call":
            text = call(request["params"]["name"], request["params"]["arguments"])
            result = {"content": [{"type": "text", "text": text}]}
        case _:
            result = {}
    if "id" in request:
        print(json.dumps({"jsonrpc": "2.0", "id": request["id"], "result": result}), flush=True)
"""


@pytest.fixture
def mcp_config(shell: Shell) -> str:
    """A file that names an MCP server with the tools ``ring`` and ``decide``."""
    server = shell.home / "desk.py"
    server.write_text(MCP_SERVER)
    config = shell.home / "servers.json"
    config.write_text(json.dumps({"mcpServers": {"desk": {"command": sys.executable, "args": [str(server)]}}}))
    return str(config)


async def last(shell: Shell) -> RecordedRequest:
    return (await shell.model.requests())[-1]


def results(request: RecordedRequest) -> str:
    """What the tools gave, as the model was told it."""
    blocks: list[Any] = [
        block for message in request.messages if isinstance(message["content"], list) for block in message["content"]
    ]
    return json.dumps([block for block in blocks if block.get("type") == "tool_result"])


def tools(request: RecordedRequest) -> set[str]:
    return {tool["name"] for tool in request.tools}


class TestWhatClaudeIsTold:
    async def test_s_is_the_system_prompt_or_the_file_with_it(self, shell: Shell):
        await shell("run", "Hi", "-s", "You are a lighthouse.")
        assert "You are a lighthouse." in (await last(shell)).system
        assert "Claude Code" not in (await last(shell)).system.partition("You are a lighthouse.")[2]
        (shell.project / "role.md").write_text("You are a buoy.")
        await shell("run", "Hi", "--system", "role.md")
        assert "You are a buoy." in (await last(shell)).system
        assert "no file rolle.md" in await shell("run", "Hi", "--system", "rolle.md", code=3)
        await shell("run", "Hi", "--system", "Write like role.md")
        assert "Write like role.md" in (await last(shell)).system

    async def test_s_holds_for_a_later_question_of_the_session(self, shell: Shell):
        await shell("run", "One", "--session", "sea", "-s", "You are a lighthouse.")
        await shell("run", "Two", "--session", "sea", "-s", "You are a buoy.")
        assert "You are a buoy." in (await last(shell)).system
        assert "lighthouse" not in (await last(shell)).system

    async def test_append_system_is_added_to_it(self, shell: Shell):
        await shell("run", "Hi", "--append-system", "Answer in rhymes.")
        alone = (await last(shell)).system
        assert "Answer in rhymes." in alone
        assert len(alone) > 1_000
        await shell("run", "Hi", "-s", "You are a lighthouse.", "--append-system", "Answer in rhymes.")
        assert "You are a lighthouse.\n\nAnswer in rhymes." in (await last(shell)).system

    async def test_model_is_the_model(self, shell: Shell):
        await shell("run", "Hi", "--model", "claude-haiku-4-5")
        assert (await last(shell)).model == "claude-haiku-4-5"

    async def test_cwd_is_the_folder(self, shell: Shell, tmp_path: Path):
        (tmp_path / "elsewhere").mkdir()
        await shell("run", "Hi", "--cwd", str(tmp_path / "elsewhere"))
        assert str(tmp_path / "elsewhere") in json.dumps((await last(shell)).messages)
        assert "no folder nowhere" in await shell("run", "Hi", "--cwd", "nowhere", code=3)

    async def test_trust_uses_the_folder_s_instructions_this_once(self, shell: Shell):
        (shell.project / "CLAUDE.md").write_text("Mention the sea.")
        await shell("run", "Hi", "--trust")
        assert "Mention the sea." in json.dumps((await last(shell)).messages)
        await shell("run", "Hi")
        assert "Mention the sea." not in json.dumps((await last(shell)).messages)


class TestTools:
    @pytest.mark.parametrize("given", ["Bash(echo:*),WebFetch", "Bash(echo:*) WebFetch"], ids=["commas", "blanks"])
    async def test_t_names_what_needs_no_consent(self, shell: Shell, given: str):
        await shell.model.script(
            ToolUse(name="Bash", input={"command": "echo hi there"}),
            ToolUse(name="Bash", input={"command": "touch never"}),
            Text(text="Done."),
        )
        assert await shell("run", "Hi", "-t", given) == "Done.\n"
        request = await last(shell)
        assert {"Bash", "WebFetch"} <= tools(request)
        assert "hi there" in results(request)
        assert not (shell.project / "never").exists()

    async def test_disallowed_tools_are_not_there(self, shell: Shell):
        await shell("run", "Hi")
        assert {"Read", "Grep"} <= tools(await last(shell))
        await shell("run", "Hi", "--disallowed-tools", "Read,Grep")
        assert not {"Read", "Grep"} & tools(await last(shell))

    async def test_mcp_config_names_servers_to_start(self, shell: Shell, mcp_config: str):
        await shell.model.script(ToolUse(name="mcp__desk__ring", input={"times": 2}), Text(text="Done."))
        await shell("run", "Hi", "--mcp-config", mcp_config, "-t", "mcp__desk__ring")
        request = await last(shell)
        assert "ding ding" in results(request)
        await shell("run", "Hi", "--mcp-config", "nope.json", code=3)

    async def test_mcp_config_is_found_where_the_command_is_given(self, shell: Shell, mcp_config: str):
        (shell.project / "servers.json").write_text(Path(mcp_config).read_text())
        (shell.home / "elsewhere").mkdir()
        await shell.model.script(ToolUse(name="mcp__desk__ring", input={"times": 2}), Text(text="Done."))
        await shell("run", "Hi", "--mcp-config", "servers.json", "-t", "mcp__desk__ring", "--cwd",
                    str(shell.home / "elsewhere"))  # fmt: skip
        assert "ding ding" in results(await last(shell))

    async def test_permission_tool_decides_about_other_uses(self, shell: Shell, mcp_config: str):
        await shell.model.script(
            ToolUse(name="Bash", input={"command": "printf allowed > note && cat note"}),
            ToolUse(name="Bash", input={"command": "touch secret"}),
            Text(text="Done."),
        )
        await shell("run", "Hi", "--mcp-config", mcp_config, "--permission-tool", "mcp__desk__decide",
                    "-t", "Bash(echo:*)")  # fmt: skip
        told = results(await last(shell))
        assert not (shell.project / "secret").exists()
        assert (shell.project / "note").read_text() == "allowed"
        assert "The desk says no." in told

    async def test_permission_tool_is_one_of_an_mcp_server(self, shell: Shell):
        assert "mcp__SERVER__TOOL" in await shell("run", "Hi", "--permission-tool", "decide", code=2)


class TestLimits:
    async def test_max_turns_bounds_the_steps(self, shell: Shell):
        (shell.project / "a.py").write_text("a = 1\n")
        await shell.model.script(ToolUse(name="Read", input={"file_path": str(shell.project / "a.py")}, times=5))
        said = await shell("run", "Hi", "--max-turns", "2", code=1)
        assert said.startswith("Error: ")
        assert len(await shell.model.requests()) == 2
        await shell("run", "Hi", "--max-turns", "0", code=2)

    async def test_max_budget_usd_bounds_the_cost(self, shell: Shell):
        (shell.project / "a.py").write_text("a = 1\n")
        await shell.model.script(ToolUse(name="Read", input={"file_path": str(shell.project / "a.py")}, times=5))
        said = await shell("run", "Hi", "--max-budget-usd", "0.000001", code=1)
        assert said.startswith("Error: ")
        assert len(await shell.model.requests()) == 1

    async def test_timeout_ends_it_and_keeps_the_question(self, shell: Shell):
        await shell.model.script(Text(text="one two three", words_per_chunk=1, hold_after=1))
        said = await shell("run", "Slow?", "--session", "work", "--timeout", "3", code=1)
        assert "no whole answer in 3 seconds" in said
        assert "Slow?" in await shell("session", "show", "work")


class TestOutput:
    async def test_v_logs_and_shows_the_traceback_of_an_error(self, shell: Shell):
        done = await with_errors(shell, "run", "Hi", "-v")
        assert done.returncode == 0
        assert "DEBUG channelcoder_lsp" in done.stderr
        assert "DEBUG" not in done.stdout
        done = await with_errors(shell, "run", "Hi", "-v", "--load-session", "nope")
        assert done.returncode == 4
        assert "Traceback" in done.stderr
        assert "Traceback" not in (await with_errors(shell, "run", "Hi", "--load-session", "nope")).stderr

    async def test_stream_writes_pieces_when_they_are_there(self, shell: Shell):
        await shell.model.script(Text(text="one two three", words_per_chunk=1, hold_after=1))
        with subprocess.Popen(  # noqa: ASYNC220 - it returns at once
            [*shell.command, "run", "Hi", "--stream"],
            cwd=shell.project,
            env=shell.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
        ) as asking:
            assert asking.stdout is not None
            first = await anyio.to_thread.run_sync(asking.stdout.read, 3)
            assert first == b"one"  # and the rest is not there yet
            await shell.model.release()
            assert (await anyio.to_thread.run_sync(asking.stdout.read)).strip() == b"two three"
            assert await anyio.to_thread.run_sync(asking.wait) == 0

    async def test_log_is_for_detached_alone(self, shell: Shell):
        assert "--detached" in await shell("run", "Hi", "--log", "x.log", code=2)


async def with_errors(shell: Shell, *arguments: str) -> subprocess.CompletedProcess[str]:
    def call() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*shell.command, *arguments],
            cwd=shell.project,
            env=shell.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=60,
            check=False,
        )

    return await anyio.to_thread.run_sync(call)
