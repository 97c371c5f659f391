"""``channelcoder doctor --report``: an archive that helps to find a fault and that one can send without a worry."""

from __future__ import annotations

import json
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import ZipFile

import pytest

from channelcoder_lsp.cli.report import Redaction

if TYPE_CHECKING:
    from conftest import Shell


KEY = "sk-ant-api03-aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0"


async def reported(shell: Shell, **more: str) -> dict[str, str]:
    """The texts in the archive, by name."""
    said = await shell("doctor", "--report", code=1, CHANNELCODER_CLI_PATH="/nowhere/claude", **more)
    assert said == ""
    [path] = shell.project.glob("channelcoder-report-*.zip")
    assert sys.platform == "win32" or stat.S_IMODE(path.stat().st_mode) == 0o600
    with ZipFile(path) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


def wrote(shell: Shell, *entries: dict[str, str] | str) -> None:
    """A server's log."""
    folder = shell.home / "state" / "channelcoder" / "log"
    folder.mkdir(parents=True)
    lines = [entry if isinstance(entry, str) else json.dumps(entry) for entry in entries]
    (folder / "server-1.jsonl").write_text("\n".join(lines), encoding="utf-8")


async def test_it_has_what_a_bug_report_needs(shell: Shell):
    wrote(shell, {"level": "warning", "message": "the storage is away"})
    texts = await reported(shell, CHANNELCODER_MODEL="opus", CHANNELCODER_STORAGE="redis://:hunter2@db.example:6379/0")
    report = json.loads(texts["report.json"])
    assert {"python", "system", "channelcoder-lsp", "claude-agent-sdk"} <= set(report["versions"])
    assert any(found["what"] == "Claude Code" and found["state"] == "broken" for found in report["findings"])
    assert report["settings"]["model"] == "opus"
    assert "CHANNELCODER_MODEL" in report["variables"]
    assert json.loads(texts["log/server-1.jsonl"])["message"] == "the storage is away"


async def test_it_has_nothing_that_opens_a_door_or_was_said(shell: Shell):
    wrote(
        shell,
        {"level": "info", "message": f"{shell.home}/shop: refused with {KEY}"},
        {"level": "info", "message": 'at redis://:hunter2@db.example, a "word" of the day: open\'sesame"'},
        {"level": "debug", "message": "turn 1 is sent as: Why so plaintive?"},
        '{"level": "info", "message": "cut of',
    )
    texts = await reported(
        shell,
        ANTHROPIC_API_KEY=KEY,
        CHANNELCODER_STORAGE="redis://:hunter2@db.example:6379/0",
        CHANNELCODER_STORAGE_PASSWORD="open'sesame\"",
        CHANNELCODER_AUTHOR="Ada Lovelace",
    )
    whole = "".join(texts.values())
    told = [KEY, "hunter2", "open'sesame", "Ada Lovelace", "plaintive", "cut of", str(shell.home)]
    assert [secret for secret in told if secret in whole] == []
    assert "~/shop: refused with ***" in whole


async def test_it_is_there_without_a_log(shell: Shell):
    assert set(await reported(shell)) == {"report.json"}


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("/home/ada/code, /home/adam", "~/code, /home/adam"),
        ("ada wrote to ada-host", "ada wrote to (name)"),
        ("lovelace, lovelaces", "(name), lovelaces"),
        ("the token s3cr3t.", "the token ***."),
        ("KEY=" + KEY, "KEY=***"),
        ('password: "correct7horse9Battery"', 'password: "***"'),
        ("a short one: abc", "a short one: abc"),
    ],
)
def test_what_is_taken_out(text, redacted):
    environment = {"MY_TOKEN": "s3cr3t", "SHORT_KEY": "abc", "COLOUR": "the"}
    assert Redaction(environment, Path("/home/ada"), ("ada", "ada-host", "lovelace"))(text) == redacted
