"""Sessions on a server that is away for a while: the editor goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from backends.postgres import running_postgres
from backends.redis import RedisServer

from channelcoder_lsp.offline.script import Text
from channelcoder_lsp.storage.opening import open_storage

from .conftest import answered, ask

if TYPE_CHECKING:
    from .conftest import Machine


@pytest.fixture(params=["postgresql", "redis"])
def server(request, tmp_path):
    """A server of each kind, which the test stops and starts."""
    if request.param == "postgresql":
        with running_postgres() as server:
            yield server
        return
    server = RedisServer(tmp_path / "redis", "--appendonly", "yes", "--appendfsync", "always")
    server.start()
    yield server
    if server.running:
        server.stop("immediate")


def said(editor, part):
    """The next message to the user that has ``part`` in it."""
    return editor.wait_for(
        lambda each: each.get("method") == "window/showMessage" and part in each["params"]["message"]
    )


async def test_a_question_survives_the_server(machine: Machine, server):
    """It stops while the answer streams, and is back later: nothing is lost, and the user is told of both."""
    machine.more_environment["CHANNELCODER_STORAGE"] = server.url
    await machine.model.script("The first answer.", Text(text="One two three four five.", hold_after=2))
    async with machine.opened() as (editor, uri):
        asked, _ = await answered(editor, uri, question="Before?")
        running = await ask(editor, uri, question="Meanwhile?")
        await editor.wait_for(
            lambda each: (
                each["method"] == "channelcoder/turn"
                and each["params"]["turnId"] == running["turnId"]
                and each["params"]["text"]
            )
        )
        server.stop("immediate")
        await machine.model.release()
        assert (await editor.finished(running["turnId"]))["state"] == "done"
        assert "One two three four five." in (await editor.hover(uri, 6) or "")
        assert "kept on this machine" in (await said(editor, "delivered later"))["params"]["message"]
        assert (await editor.execute("channelcoder.status", {}))["away"] is not None
        await answered(editor, uri, question="And now?")
        server.start()
        await said(editor, "is back")
        assert (await editor.execute("channelcoder.status", {}))["away"] is None
    storage = open_storage(server.url)
    try:
        state = await storage.load(asked["session"])
    finally:
        await storage.close()
    questions = [message.content for message in state.messages if message.role == "user"]
    assert questions == ["Before?", "Meanwhile?", "And now?"]
    assert all(turn.state.value == "done" for turn in state.turns.values())


async def test_it_is_there_after_a_restart_without_the_server(machine: Machine, server):
    """The threads are shown, and the conversation goes on."""
    machine.more_environment["CHANNELCODER_STORAGE"] = server.url
    async with machine.opened() as (editor, uri):
        first, _ = await answered(editor, uri, question="Before?")
    server.stop()
    async with machine.opened() as (editor, uri):
        assert len(await editor.code_lenses(uri)) == 3
        assert "> Before?" in (await editor.hover(uri, 6) or "")
        again, over = await answered(editor, uri, question="Without it?")
        assert over["state"] == "done"
        assert again["session"] == first["session"]
        shown = await editor.execute("channelcoder.turn.show", {"turnId": again["turnId"]})
        assert "I was given 1 earlier question" in shown["markdown"]
    server.start()
    async with machine.opened() as (editor, uri):
        hover = await editor.hover(uri, 6) or ""
        assert "> Without it?" in hover
    storage = open_storage(server.url)
    try:
        state = await storage.load(first["session"])
    finally:
        await storage.close()
    assert [message.content for message in state.messages if message.role == "user"] == ["Before?", "Without it?"]
