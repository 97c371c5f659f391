"""Sessions on a server, at the command line: its password stays unseen, and ``doctor`` says how the place does."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import subprocess
import sys
from typing import TYPE_CHECKING
from urllib.parse import quote

import psutil
import pytest
from anyio import run_process
from backends.redis import RedisServer

from channelcoder_lsp.domain.records import ModelChosen
from channelcoder_lsp.domain.session import SessionState
from channelcoder_lsp.offline.script import Text
from channelcoder_lsp.storage.opening import open_storage

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conftest import Shell

pytestmark = pytest.mark.timeout(300)  # each test starts several commands

PASSWORD = "hush-p@ss/word"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path / "redis", "--requirepass", PASSWORD)
    server.start()
    yield server
    if server.running:
        server.stop("immediate")


async def ran(shell: Shell, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    """A command that ended, however it did."""

    def call() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*shell.command, *arguments], cwd=shell.project, env=shell.environment | more,
            stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", timeout=120, check=False,
        )  # fmt: skip

    return await asyncio.to_thread(call)


async def findings(shell: Shell, what: str, **more: str) -> list[dict[str, str]]:
    """What ``doctor`` found of one thing; how it ends depends on what else there is on the machine."""
    found = json.loads((await ran(shell, "doctor", "--json", **more)).stdout)
    return [one for one in found if one["what"] == what]


def written(folder: Path) -> Iterator[tuple[Path, bytes]]:
    for file in folder.rglob("*"):
        if file.is_file() and not file.is_symlink():
            yield file, file.read_bytes()


@pytest.fixture
def keyring(shell: Shell) -> dict[str, str]:
    """The variables with which commands find a keyring that is a file in the user's home."""
    return {
        "PYTHON_KEYRING_BACKEND": "keyrings.alt.file.PlaintextKeyring",
        "XDG_DATA_HOME": str(shell.home / "data"),
    }


async def keep(keyring: dict[str, str], shell: Shell, url: str, password: str) -> None:
    """As docs/storage.md has it."""
    command = [sys.executable, "-m", "keyring", "set", "channelcoder", url]
    environment = shell.environment | keyring
    await run_process(command, input=f"{password}\n".encode(), env=environment)


async def test_a_password_from_the_keyring(shell: Shell, server: RedisServer, keyring: dict[str, str]):
    """It is looked up under the place's URL, is in no other file, and is said nowhere."""
    place = {"CHANNELCODER_STORAGE": f"{server.url}?tenant=team", **keyring}
    assert (await findings(shell, "storage", **place))[0]["state"] == "broken"
    await keep(keyring, shell, server.url, PASSWORD)
    assert (await findings(shell, "storage", **place))[0]["state"] == "ok"
    done = await ran(shell, "run", "One", "--session", "work", "-vv", **place)
    assert done.returncode == 0, done.stderr
    assert PASSWORD not in done.stdout + done.stderr
    listed = await ran(shell, "session", "list", "-v", **place)
    assert listed.stdout.startswith("work")
    found = [file for file, data in written(shell.home) if PASSWORD.encode() in data and "redis" not in file.parts]
    assert found == []


async def test_a_keyring_that_does_not_answer(shell: Shell, server: RedisServer, keyring: dict[str, str]):
    """It is said, and one goes on with what this machine keeps meanwhile."""
    (shell.home / "locked.py").write_text(
        "import threading\nfrom keyrings.alt.file import PlaintextKeyring\n"
        "class Locked(PlaintextKeyring):\n"
        "    def get_password(self, service, username):\n        threading.Event().wait()\n"
    )
    locked = {"PYTHON_KEYRING_BACKEND": "locked.Locked", "PYTHONPATH": str(shell.home)}
    place = {"CHANNELCODER_STORAGE": server.url, **keyring, **locked}
    [found] = await findings(shell, "storage", **place)
    assert found["state"] == "broken"
    assert "keyring has not given the password" in found["detail"]
    done = await ran(shell, "run", "One", "--session", "work", **place)
    assert done.returncode == 0, done.stderr


async def test_a_password_from_the_environment_is_seen_nowhere(shell: Shell, server: RedisServer):
    """Neither in what commands say, be they wrong, nor in files, nor among the processes, nor by what Claude runs."""
    place = {"CHANNELCODER_STORAGE": server.url, "CHANNELCODER_STORAGE_PASSWORD": PASSWORD}
    said = []

    async def say(*arguments: str, code: int = 0, **more: str) -> str:
        done = await ran(shell, *arguments, **place | more)
        said.append(done.stdout + done.stderr)
        assert done.returncode == code, said[-1]
        return done.stdout

    await say("run", "One", "--session", "work", "-v")
    await shell.model.script(Text(text="Two.", wait=True))
    await shell("run", "Two", "--session", "work", "--detached", **place)
    await shell.model.wait_for_requests(2)
    secrets = (PASSWORD, quote(PASSWORD, safe=""))
    mine = [process for process in psutil.process_iter(["cmdline", "environ"]) if process.info["environ"] is not None]
    here = [process.info for process in mine if process.info["environ"].get("HOME") == str(shell.home)]
    assert here
    assert not [one["cmdline"] for one in here if any(secret in " ".join(one["cmdline"]) for secret in secrets)]
    claude = [one["environ"] for one in here if one["environ"].get("CLAUDE_CODE_ENTRYPOINT")]
    assert claude
    assert not [one for one in claude if any(secret in " ".join(one.values()) for secret in secrets)]
    await shell.model.release()
    await say("logs", "-f", "work")
    assert "Two." in await say("session", "show", "work")
    for code, wrong in (
        (0, {"CHANNELCODER_STORAGE_PASSWORD": f"{PASSWORD}2"}),  # what this machine knows is listed
        (0, {"CHANNELCODER_STORAGE": f"redis://:{quote(PASSWORD, safe='')}2@127.0.0.1:{server.port}/0"}),
        (2, {"CHANNELCODER_STORAGE": f"{server.url}?temper={quote(PASSWORD, safe='')}"}),
    ):
        await say("session", "list", "-v", code=code, **wrong)
        assert (await findings(shell, "storage", **place | wrong))[0]["state"] == "broken"
        said.append(str(await findings(shell, "storage", **place | wrong)))
    there = f"file://{shell.home}/copied"
    assert await say("session", "copy", "--to", there, "-v") == "copied\twork\t4 messages\n"
    elsewhere = f"redis://:{quote(PASSWORD, safe='')}@127.0.0.1:1/0"
    await say("session", "copy", "--to", elsewhere, "-v", code=4)
    assert not [text for text in said if any(secret in text for secret in secrets)]
    server.stop()
    found = [
        file
        for file, data in written(shell.home)
        if any(secret.encode() in data for secret in secrets) and "redis" not in file.parts
    ]
    assert found == []


class TestDoctor:
    async def test_tries_the_place(self, shell: Shell, server: RedisServer):
        """It is reached, written, read and left as it was; a wrong password is told with what to do."""
        place = {"CHANNELCODER_STORAGE": server.url, "CHANNELCODER_STORAGE_PASSWORD": PASSWORD}
        (found,) = await findings(shell, "storage", **place)
        assert found["state"] == "ok"
        assert f"redis://127.0.0.1:{server.port}/0 can be read and written; it has 0 sessions" in found["detail"]
        assert await shell.json_with("session", "list", **place) == []
        (found,) = await findings(shell, "storage", **place | {"CHANNELCODER_STORAGE_PASSWORD": "wrong"})
        assert found["state"] == "broken"
        assert found["fix"]

    async def test_tells_what_is_only_read(self, shell: Shell, tmp_path: Path):
        """A user who may look at everything and change nothing."""
        rights = ("looker", "on", ">look", "~*", "&*", "+@read", "+@connection", "+@scripting", "+time")
        server = RedisServer(tmp_path / "acl", "--user", *rights)
        server.start()
        try:
            url = f"redis://looker:look@127.0.0.1:{server.port}/0"
            (found,) = await findings(shell, "storage", CHANNELCODER_STORAGE=url)
        finally:
            server.stop("immediate")
        assert found["state"] == "broken"
        assert "can be read, not written" in found["detail"]
        assert "docs/storage.md" in found["fix"]

    async def test_tells_what_waits_while_the_place_is_away(self, shell: Shell, server: RedisServer):
        place = {"CHANNELCODER_STORAGE": server.url, "CHANNELCODER_STORAGE_PASSWORD": PASSWORD}
        storage = open_storage(server.url, outbox=shell.home / "state/channelcoder/outbox", password=PASSWORD)
        journal = await storage.create(SessionState(), "work")
        server.stop("immediate")
        await journal.append(ModelChosen(model="sonnet"))
        await journal.close()
        await storage.close()
        (away,) = await findings(shell, "storage", **place)
        assert away["state"] == "broken"
        assert "can't be used" in away["detail"]
        (waiting,) = await findings(shell, "outbox", **place)
        assert waiting["detail"] == "1 record waits to be delivered, for 0 minutes."
        assert waiting["fix"]

    async def test_tells_of_tables_that_a_newer_version_has_changed(self, shell: Shell, tmp_path: Path):
        url = f"sqlite:///{tmp_path}/sessions.db"
        assert (await findings(shell, "storage", CHANNELCODER_STORAGE=url))[0]["state"] == "ok"
        with sqlite3.connect(tmp_path / "sessions.db") as file:
            file.execute("UPDATE channelcoder_version SET version_num = '9999'")
        file.close()
        (found,) = await findings(shell, "storage", CHANNELCODER_STORAGE=url)
        assert found["state"] == "broken"
        assert "A newer version" in found["detail"]

    async def test_tells_of_a_password_in_the_users_file(self, shell: Shell, server: RedisServer):
        config = shell.home / "config/channelcoder/channelcoder.toml"
        config.parent.mkdir(parents=True)
        config.write_text(f'storage = "redis://:{quote(PASSWORD, safe="")}@127.0.0.1:{server.port}/0"\n')
        note, well = await findings(shell, "storage")
        assert (note["state"], well["state"]) == ("note", "ok")
        assert "CHANNELCODER_STORAGE_PASSWORD" in note["fix"]
        assert PASSWORD not in str([note, well])

    async def test_looks_at_the_folder_that_a_url_names(self, shell: Shell):
        """What lies about in it is told, and nothing of the folder that would be used without it."""
        there = shell.home / "a folder"
        there.mkdir(mode=0o700)
        (there / "lost.journal").write_text("")
        (told,) = [
            one
            for one in await findings(shell, "sessions", CHANNELCODER_STORAGE=there.as_uri())
            if one["state"] != "ok"
        ]
        assert "lost.journal" in told["detail"]
