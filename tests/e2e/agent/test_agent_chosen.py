"""What a program may choose: the system prompt, the tools that need no consent, servers, bounds."""

from __future__ import annotations

import json
import sys

from agent_bench import Bench, finished

from channelcoder_lsp.domain.agent import AgentOptions
from channelcoder_lsp.offline.script import Text, ToolUse

SERVER = """
from mcp.server.mcpserver import MCPServer
server = MCPServer("shop")

@server.tool()
def price(item: str) -> str:
    return f"{item} costs 7"

server.run()
"""


async def asked(bench: Bench, options: AgentOptions, *replies, **request):
    """How a question ended, and the requests that the model was given."""
    await bench.model.script(*replies)
    async with bench.connected(options=options, **request) as connection:
        end = await finished(connection, "Go on.")
    return end, await bench.model.requests()


class TestSystemPrompt:
    async def test_takes_the_place_of_claude_codes_own(self, bench: Bench):
        _, (request,) = await asked(bench, AgentOptions(system_prompt="You count sheep."))
        assert "You count sheep." in request.system
        assert "Claude Code" not in request.system.replace("Claude Code, Anthropic", "")

    async def test_is_appended_to_either(self, bench: Bench):
        _, (request,) = await asked(bench, AgentOptions(append_system_prompt="Count sheep, too."))
        assert "Count sheep, too." in request.system
        assert len(request.system) > 1000
        await bench.model.clear()
        options = AgentOptions(system_prompt="You sing.", append_system_prompt="Softly.")
        _, (request,) = await asked(bench, options)
        assert "You sing.\n\nSoftly." in request.system

    async def test_says_nothing_of_an_editor(self, bench: Bench):
        _, (request,) = await asked(bench, AgentOptions())
        assert "code editor" not in request.system


class TestTools:
    async def test_without_a_choice_only_those_that_read(self, bench: Bench):
        _, (request,) = await asked(bench, AgentOptions())
        assert {"Glob", "Grep", "Read"} <= set(request.tool_names)
        assert not {"Bash", "Write", "Edit", "WebFetch"} & set(request.tool_names)

    async def test_an_allowed_use_runs_unasked(self, bench: Bench):
        use = ToolUse(name="Bash", input={"command": f"echo seen > {bench.project}/marker"})
        end, requests = await asked(bench, AgentOptions(allowed_tools=("Bash(echo:*)",)), use, Text(text="Done."))
        assert end.error is None
        assert "Bash" in requests[0].tool_names

    async def test_a_use_that_is_not_allowed_is_refused(self, bench: Bench):
        use = ToolUse(name="Bash", input={"command": f"touch {bench.project}/marker"})
        end, requests = await asked(bench, AgentOptions(allowed_tools=("Bash(git log:*)",)), use, Text(text="Done."))
        assert end.error is None
        assert not (bench.project / "marker").exists()
        assert "is not available here" in json.dumps(requests[-1].messages[-1])

    async def test_files_are_written_when_that_is_allowed(self, bench: Bench):
        use = ToolUse(name="Write", input={"file_path": f"{bench.project}/new.txt", "content": "hello"})
        await asked(bench, AgentOptions(allowed_tools=("Write",)), use, Text(text="Done."))
        assert (bench.project / "new.txt").read_text() == "hello"

    async def test_a_disallowed_tool_is_not_there(self, bench: Bench):
        _, (request,) = await asked(bench, AgentOptions(disallowed_tools=("Grep",)))
        assert "Grep" not in request.tool_names

    async def test_secrets_are_kept_from_it_all_the_same(self, bench: Bench):
        secret = bench.file(".env", "KEY=secret-value")
        use = ToolUse(name="Read", input={"file_path": str(secret)})
        _, requests = await asked(bench, AgentOptions(allowed_tools=("Read",)), use, Text(text="Done."))
        assert "secret-value" not in json.dumps(requests[-1].messages)


class TestServers:
    async def test_of_a_file_that_was_named_are_there(self, bench: Bench):
        server = bench.file("server.py", SERVER)
        config = bench.file(
            "servers.json", json.dumps({"mcpServers": {"shop": {"command": sys.executable, "args": [str(server)]}}})
        )
        use = ToolUse(name="mcp__shop__price", input={"item": "tea"})
        options = AgentOptions(allowed_tools=("mcp__shop",), mcp_config=config)
        end, requests = await asked(bench, options, use, Text(text="Done."))
        assert end.error is None
        assert "tea costs 7" in json.dumps(requests[-1].messages)


class TestBounds:
    async def test_the_number_of_turns_is_bounded(self, bench: Bench):
        bench.file("a.py", "x = 1")
        use = ToolUse(name="Read", input={"file_path": f"{bench.project}/a.py"}, times="always")
        end, _ = await asked(bench, AgentOptions(max_turns=2), use)
        assert end.error is not None
        assert "more steps than are allowed" in end.error.message

    async def test_the_cost_is_bounded(self, bench: Bench):
        bench.file("a.py", "x = 1")
        use = ToolUse(name="Read", input={"file_path": f"{bench.project}/a.py"}, times="always")
        end, _ = await asked(bench, AgentOptions(max_budget_usd=0.0001), use)
        assert end.error is not None
        assert "$" in end.error.message or "budget" in end.error.message
