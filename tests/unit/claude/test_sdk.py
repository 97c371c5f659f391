"""The SDK in a process that has no MCP servers of its own: each test in such a process."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

LOADED = """
import sys
from channelcoder_lsp.claude.sdk import load_without_servers
load_without_servers()
import claude_agent_sdk
"""


def says(program: str, *path: Path) -> list[str]:
    """What a Python program prints, by words."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, path))}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, encoding="utf-8", timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_what_questions_need_is_there_and_what_servers_need_is_not_loaded():
    program = """
from claude_agent_sdk import ClaudeAgentOptions, ClaudeSDKClient, HookMatcher
ClaudeSDKClient(ClaudeAgentOptions(hooks={"PreToolUse": [HookMatcher()]}))
print(sorted({"mcp", "mcp_types", "jsonschema"} & sys.modules.keys()))
"""
    assert says(LOADED + program) == ["[]"]


def test_the_packages_themselves_can_be_imported_afterwards():
    """Nothing stays in their place."""
    program = """
import mcp.types, jsonschema
print(mcp.types.Tool(name="x", input_schema={}).name, jsonschema.validate.__name__)
"""
    assert says(LOADED + program) == ["x", "validate"]


def test_a_server_says_why_it_can_t_be_made():
    program = """
try:
    claude_agent_sdk.create_sdk_mcp_server("mine")
except RuntimeError as problem:
    print(problem)
"""
    assert " ".join(says(LOADED + program)).endswith("there are no MCP servers in this process.")


def test_an_sdk_that_is_loaded_already_stays_as_it_is():
    assert says(f"import claude_agent_sdk as before\n{LOADED}\nprint(before is claude_agent_sdk)") == ["True"]


def test_an_sdk_that_needs_more_of_them_gets_it(tmp_path: Path):
    """A later one may use at import what is a placeholder here."""
    (tmp_path / "mcp").mkdir()
    (tmp_path / "mcp/__init__.py").write_text("def registered(): return 'registered'\n")
    (tmp_path / "claude_agent_sdk").mkdir()
    (tmp_path / "claude_agent_sdk/__init__.py").write_text("import mcp\nfrom . import inner\nWAS = mcp.registered()\n")
    (tmp_path / "claude_agent_sdk/inner.py").write_text("import mcp\nmcp.registered().upper()\n")
    assert says(LOADED + "print(claude_agent_sdk.WAS)", tmp_path) == ["registered"]
