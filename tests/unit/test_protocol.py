"""The commands: declared once, answered by one function each, documented."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import fields, is_dataclass
from pathlib import Path

import pytest

from channelcoder_lsp import protocol
from channelcoder_lsp.features.table import HANDLERS

GENERATE = Path(__file__).parents[2] / "docs" / "generate.py"


def test_every_command_has_a_name_of_its_own_and_one_handler():
    """None is declared and not answered, or the other way round."""
    names = [command.name for command in protocol.COMMANDS]
    assert len(set(names)) == len(names)
    assert set(names) == set(HANDLERS)
    assert all(name.startswith("channelcoder.") for name in names)


@pytest.mark.parametrize("command", protocol.COMMANDS, ids=lambda command: command.name)
def test_every_command_is_described_and_typed(command: protocol.Command):
    """Argument and result are dataclasses with a sentence each; an argument refuses keys that it doesn't know."""
    assert command.description.endswith(".")
    for kind in (command.arguments, command.result):
        assert is_dataclass(kind)
        assert not (kind.__doc__ or "").startswith(f"{kind.__name__}(")
    assert command.arguments.__pydantic_config__["extra"] == "forbid"
    assert all(field.name == field.name.lower() for field in fields(command.arguments))


def test_declaring_the_commands_imports_nothing_heavy():
    """The server announces them before pydantic, the storage or the SDK are loaded."""
    code = "import sys, channelcoder_lsp.protocol; print(*sorted(m for m in sys.modules if '.' not in m))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "channelcoder_lsp" in loaded
    assert not {"pydantic", "pygls", "lsprotocol", "claude_agent_sdk", "mcp", "anyio"} & set(loaded)


def test_the_docs_are_up_to_date():
    """docs/protocol.md and docs/settings.md say what the modules say."""
    run = subprocess.run([sys.executable, str(GENERATE), "--check"], capture_output=True, text=True, check=False)
    assert (run.stdout, run.returncode) == ("", 0), "run: python docs/generate.py"


def test_stale_docs_are_shown(tmp_path: Path):
    """The check says what differs and fails."""
    root = GENERATE.parents[1]
    generated = (
        "editors/vscode/package.json",
        "editors/vscode/src/protocol.ts",
        "editors/nvim/lua/channelcoder/protocol.lua",
    )
    for path in [*GENERATE.parent.glob("*.py"), *(root / name for name in generated)]:
        copy = tmp_path / path.relative_to(root)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)
    script = [sys.executable, str(tmp_path / "docs" / "generate.py")]
    subprocess.run(script, check=True)
    page = tmp_path / "docs" / "protocol.md"
    page.write_text(page.read_text().replace("`channelcoder.ask`", "`channelcoder.query`", 1))
    run = subprocess.run([*script, "--check"], capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert "channelcoder.query" in run.stdout
