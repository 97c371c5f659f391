"""Every command in README and docs is run by a test."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
SHELL_BLOCK = re.compile(r"^```(?:sh|console|bash)\n(.*?)^```", re.MULTILINE | re.DOTALL)
DOCUMENTS = sorted(
    path for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")] if "node_modules" not in path.parts
)

RUN_HERE = {"make demo", "channelcoder-lsp --version"}
RUN_ELSEWHERE = {
    "make test": "what runs this test",
    "make demo LIVE=1": "the same program as `make demo`; --live needs an account, so only its options are tested",
    "make bench": "run by hand: it takes minutes and proves nothing on a loaded machine; its parts have tests",
    "python3 -m pip install .": "what .make/package does, editable",
    'channelcoder run "Explain this project"': "tests/e2e/cli/test_asking.py, with the offline model, as the next ones",
    'channelcoder run -c "And its tests?"': "tests/e2e/cli/test_asking.py",
    'channelcoder run "Add tests" --session my-task': "tests/e2e/cli/test_asking.py",
    'channelcoder run -p "And docs" --load-session my-task': "tests/e2e/cli/test_asking.py",
    "channelcoder session list": "tests/e2e/cli/test_subcommands.py",
    "channelcoder interactive -c": "tests/e2e/cli/test_interactive.py",
    'channelcoder run "Document it all" --session docs --detached': "tests/e2e/cli/test_detached.py",
    "channelcoder logs -f docs": "tests/e2e/cli/test_detached.py",
    **{
        f"channelcoder {command}": "tests/docs/test_guide.py"
        for command in (
            'run "Start project" --session my-project',
            'run "Add tests" --load-session my-project',
            'run -p "Add user authentication" --load-session my-project',
            "run continue-task.md --load-session my-project",
            "session remove my-project --yes",
        )
    },
    "keyring set channelcoder postgresql://ada@db.example.com/team": "tests/e2e/cli/test_storage_places.py",
    "channelcoder interactive --load-session todo-app": "tests/e2e/cli/test_interactive.py",
}


def commands() -> list[str]:
    found: list[str] = []
    for document in DOCUMENTS:
        for block in SHELL_BLOCK.findall(document.read_text(encoding="utf-8")):
            found += [line.removeprefix("$ ").split("  #")[0].strip() for line in block.splitlines() if line.strip()]
    return found


def test_documents_have_commands():
    assert set(commands()) >= RUN_HERE


@pytest.mark.parametrize("command", sorted(set(commands())))
def test_each_command_is_known(command: str):
    assert command in RUN_HERE or command in RUN_ELSEWHERE


def run(command: str, **environment: str) -> str:
    """Run a command as a user would who has the checkout and the environment's programs."""
    ran = subprocess.run(
        command,
        shell=True,
        cwd=ROOT,
        env={**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", **environment},
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def test_version_is_printed():
    assert re.fullmatch(r"channelcoder-lsp \d+\.\d+\.\d+\n", run("channelcoder-lsp --version"))


def test_the_demo_does_the_main_job(tmp_path: Path):
    """Make demo: progress, hover, actions, restart, a follow-up with its context; then edits, branches, a rename."""
    if shutil.which("make") is None:
        pytest.fail("make is needed: apt-get install make")
    said = run("make demo", HOME=str(tmp_path), TMPDIR=str(tmp_path))
    assert re.findall(r"─\n(\d+)\. ", said) == [str(step) for step in range(1, 17)]
    assert "[progress: begin]" in said
    assert "[progress: end] answered" in said
    assert said.count("This is the offline model: no Claude was asked.") >= 2
    assert "• Claude: Replace the selection with it" in said
    assert "I was given 1 earlier question of this session" in said
    (session,) = re.findall(r"^  (/.*\.json)$", said, re.MULTILINE)
    assert Path(session).is_file()
    listed = re.findall(r"^  thread list  (\w+): .* in (\w+\.py), lines (\d+) to (\d+)$", said, re.MULTILINE)
    assert listed == [
        ("exact", "shop.py", "13", "18"),
        ("exact", "shop.py", "15", "20"),
        ("edited", "shop.py", "15", "20"),
        ("orphaned", "shop.py", "13", "18"),
        ("exact", "shop.py", "13", "18"),
        ("edited", "shop.py", "13", "18"),
        ("orphaned", "shop.py", "13", "18"),
        ("exact", "shop.py", "13", "18"),
        ("exact", "store.py", "13", "18"),
        ("exact", "shop.py", "13", "18"),
    ]


def test_the_demo_takes_live():
    said = run(f"{sys.executable} -m channelcoder_lsp.cli.demo --help")
    assert "--live" in said


def test_links_between_documents_lead_somewhere():
    for document in DOCUMENTS:
        for target in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", document.read_text(encoding="utf-8")):
            if "://" not in target:
                assert (document.parent / target).exists(), f"{document.name}: {target}"
