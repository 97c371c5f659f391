"""ChannelCoder itself, run by Node with a stand-in for the Claude CLI."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import install

CLAUDE = f"""#!{sys.executable}
import json, sys
question = sys.stdin.read()
answer = f"ChannelCoder's answer to {{question}}"
print(json.dumps({{"type": "result", "session_id": "claude-of-channelcoder", "result": answer}}))
"""


class ChannelCoder:
    """Runs ``channelcoder.mjs``; fails when ChannelCoder complains about anything."""

    def __init__(self, folder, environment):
        self.folder = folder
        self._environment = environment

    def start(self, command, *arguments):
        return subprocess.Popen(
            [install.node(), Path(__file__).with_name("channelcoder.mjs"), command, self.folder, *arguments],
            env=self._environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, command, *arguments):
        return self.answer(self.start(command, *arguments))

    def answer(self, process, told=""):
        answer, complaints = process.communicate(told, timeout=60)
        assert complaints == ""
        assert process.returncode == 0
        return json.loads(answer)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "sessions"


@pytest.fixture
def channelcoder(folder, tmp_path):
    if not install.installed():
        pytest.fail("ChannelCoder is not installed here. Run: python tests/interop/install.py", pytrace=False)
    programs = tmp_path / "bin"
    programs.mkdir()
    claude = programs / "claude"
    claude.write_text(CLAUDE)
    claude.chmod(0o755)
    environment = {**os.environ, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}", "HOME": str(tmp_path)}
    return ChannelCoder(folder, environment)
