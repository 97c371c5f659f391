"""Two machines with a checkout of one project each, at different paths, and their sessions on one server."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
from backends.redis import RedisServer

from channelcoder_lsp.cli.editor import capabilities

from .conftest import Machine, answered

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from channelcoder_lsp.cli.editor import Editor

pytestmark = pytest.mark.timeout(300)


def clone(machine: Machine, remote: str, storage: str) -> None:
    """Make the machine's project a checkout."""
    for arguments in (["init", "--quiet"], ["remote", "add", "origin", remote]):
        subprocess.run(["git", *arguments], cwd=machine.project, check=True)
    machine.more_environment["CHANNELCODER_STORAGE"] = storage


@pytest.fixture
def machines(machine: Machine, tmp_path: Path) -> Iterator[list[Machine]]:
    server = RedisServer(tmp_path / "redis", "--appendonly", "yes")
    server.start()
    (tmp_path / "elsewhere").mkdir()
    other = Machine(tmp_path / "elsewhere", machine.model)
    clone(machine, "git@example.org:team/shop.git", server.url)
    clone(other, "https://example.org/team/shop", server.url)
    yield [machine, other]
    for editor in other.editors:
        if editor.running:
            editor.kill()
    server.stop("immediate")


async def active(editor: Editor) -> str | None:
    listed = (await editor.execute("channelcoder.session.list", {}))["sessions"]
    return next((row["name"] for row in listed if row["active"]), None)


async def until_active(editor: Editor, name: str) -> None:
    """Wait until the editor has gone over to a session."""
    while True:
        seen = len(editor.received)
        if await active(editor) == name:
            return
        await editor.wait_for(lambda message: message.get("method") == "channelcoder/changed", after=seen)


async def test_the_project_has_one_active_session(machines: list[Machine]):
    """What is begun on one machine is gone on with on the other; and what is chosen there is active here at once."""
    one, other = machines
    client = capabilities(turns=True, changes=True)
    async with one.opened(client=client) as (here, uri), other.opened(client=client) as (there, far):
        for editor in (here, there):
            await editor.execute("channelcoder.trust", {})
        asked, _ = await answered(here, uri)
        await until_active(there, asked["session"])
        again, _ = await answered(there, far, question="And here?")
        assert again["session"] == asked["session"]
        request = (await one.model.requests())[-1]
        assert request.earlier_questions[0].startswith("What is this?")
        await there.execute("channelcoder.session.new", {"name": "another"})
        await until_active(here, "another")
        await here.execute("channelcoder.session.rename", {"name": "another", "newName": "renamed"})
        await until_active(there, "renamed")
    async with other.opened() as (there, _):
        assert await active(there) == "renamed"


async def test_a_question_before_anything_was_heard_goes_to_the_projects_session(machines: list[Machine]):
    """Of an editor that has just been started: it doesn't begin one of its own."""
    one, other = machines
    async with other.opened() as (there, _):
        await there.execute("channelcoder.trust", {})
    async with one.opened() as (here, uri):
        await here.execute("channelcoder.trust", {})
        asked, _ = await answered(here, uri)
    async with other.opened() as (there, far):
        again, _ = await answered(there, far, question="And here?")
        assert again["session"] == asked["session"]


@pytest.mark.parametrize("why", ["trust", "setting"])
async def test_otherwise_each_checkout_has_its_own(machines: list[Machine], why: str):
    """A folder that isn't trusted could say that it is of any project."""
    one, other = machines
    if why == "setting":
        other.more_environment["CHANNELCODER_SHARE_SESSION"] = "false"
    async with one.opened() as (here, uri), other.opened() as (there, far):
        await here.execute("channelcoder.trust", {})
        if why == "setting":
            await there.execute("channelcoder.trust", {})
        asked, _ = await answered(here, uri)
        again, _ = await answered(there, far)
        assert again["session"] != asked["session"]
        assert await active(here) == asked["session"]
