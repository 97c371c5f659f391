"""What people do while an answer streams: it ends, what had come of it is kept, and the next question is answered."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest
from e2e.server.conftest import SLOW, answered, ask

from channelcoder_lsp.cli.connection import ResponseError
from channelcoder_lsp.offline.script import Text
from channelcoder_lsp.protocol import TURN_METHOD

if TYPE_CHECKING:
    from e2e.server.conftest import Machine

    from channelcoder_lsp.cli.editor import Editor

WORDS = Text(text="one two three four", words_per_chunk=1, hold_after=2)


async def streaming(machine: Machine, editor: Editor, uri: str, question: str = "What is this?") -> dict[str, Any]:
    """Ask something whose answer is held after its second word."""
    await machine.model.script(WORDS)
    before, heard = len(editor.received), ""

    def two_words(message: dict[str, Any]) -> bool:
        nonlocal heard
        if message.get("method") == TURN_METHOD:
            heard += message["params"].get("text") or ""
        return "two" in heard

    asked: dict[str, Any] = await ask(editor, uri, question=question)
    await editor.wait_for(two_words, after=before)
    return asked


async def over(machine: Machine, editor: Editor, turn: str) -> str:
    """Let the answer go on, and wait for its end; how it ended."""
    await machine.model.release()
    return str((await editor.finished(turn))["state"])


async def said(editor: Editor, session: str) -> list[tuple[str, str, str]]:
    """Question, answer and state of each turn of a session."""
    read = await editor.execute("channelcoder.session.read", {"name": session})
    return [
        (turn["question"], turn["answer"].strip(), turn["state"]) for turn in (each["turn"] for each in read["turns"])
    ]


@pytest.mark.parametrize("command", ["rename", "save"])
async def test_its_session_gets_another_name_when_it_has_ended(machine: Machine, command: str):
    """Not before: the answer would have to be broken off. Nothing is left under the old name."""
    names = {"rename": "newName", "save": "name"}
    async with machine.opened() as (editor, uri):
        asked = await streaming(machine, editor, uri)
        named = {"name": asked["session"]} if command == "rename" else {}
        arguments = {**named, names[command]: "other"}
        with pytest.raises(ResponseError, match=r"can't be renamed while Claude answers in it\. Wait .* or cancel it"):
            await editor.execute(f"channelcoder.session.{command}", arguments)
        assert await over(machine, editor, asked["turnId"]) == "done"
        await editor.execute(f"channelcoder.session.{command}", arguments)
        again, state = await answered(editor, uri, SLOW, "And this?")
        assert (again["session"], state["state"]) == ("other", "done")
        [first, second] = await said(editor, "other")
        assert first[:2] == ("What is this?", "one two three four")
        assert second[0] == "And this?"
    assert {file.name for file in machine.sessions.glob("shop*")} == set()


async def test_another_session_is_chosen(machine: Machine):
    """It comes whole in its own, where it can be cancelled, and nothing of it is in the other."""
    async with machine.opened() as (editor, uri):
        asked = await streaming(machine, editor, uri)
        waiting = await ask(editor, uri, SLOW, "And that?")
        new = await editor.execute("channelcoder.session.new", {})
        again, state = await answered(editor, uri, SLOW, "And this?")
        assert (again["session"], state["state"]) == (new["session"], "done")
        await editor.execute("channelcoder.cancel", {"turnId": waiting["turnId"]})
        assert (await editor.finished(waiting["turnId"]))["state"] == "cancelled"
        assert await over(machine, editor, asked["turnId"]) == "done"
        [first, second] = await said(editor, asked["session"])
        assert first == ("What is this?", "one two three four", "done")
        assert second[::2] == ("And that?", "cancelled")
        [(question, _, _)] = await said(editor, new["session"])
        assert question == "And this?"


async def test_its_session_is_chosen_again(machine: Machine):
    """It goes on as if nobody had left, and so does what is asked after it."""
    async with machine.opened() as (editor, uri):
        asked = await streaming(machine, editor, uri)
        await editor.execute("channelcoder.session.new", {})
        await editor.execute("channelcoder.session.switch", {"name": asked["session"]})
        waiting = await ask(editor, uri, SLOW, "And this?")
        assert await over(machine, editor, asked["turnId"]) == "done"
        assert (await editor.finished(waiting["turnId"]))["state"] == "done"
        [first, second] = await said(editor, asked["session"])
        assert first == ("What is this?", "one two three four", "done")
        assert second[::2] == ("And this?", "done")


@pytest.mark.parametrize("end", ["remove", "shutdown"])
async def test_its_session_ends_when_another_one_is_active(machine: Machine, end: str):
    """Removed, nothing of it comes back; when the editor is closed, what had come is kept."""
    async with machine.opened() as (editor, uri):
        asked = await streaming(machine, editor, uri)
        await editor.execute("channelcoder.session.new", {})
        if end == "remove":
            await editor.execute("channelcoder.session.remove", {"name": asked["session"]})
            assert (await editor.finished(asked["turnId"]))["state"] == "cancelled"
    everything = b"".join(file.read_bytes() for file in machine.sessions.rglob("*") if file.is_file())
    assert (b"What is this?" in everything) == (end == "shutdown")
    assert (b"one two" in everything) == (end == "shutdown")


@pytest.mark.parametrize("command", ["remove", "clear"])
async def test_its_session_is_removed_or_emptied(machine: Machine, command: str):
    """It ends, and nothing of it comes back afterwards."""
    async with machine.opened() as (editor, uri):
        asked = await streaming(machine, editor, uri)
        named = {"name": asked["session"]} if command == "remove" else {}
        await editor.execute(f"channelcoder.session.{command}", named)
        assert await over(machine, editor, asked["turnId"]) == "cancelled"
        again, state = await answered(editor, uri, SLOW, "And this?")
        assert state["state"] == "done"
        assert [question for question, _, _ in await said(editor, again["session"])] == ["And this?"]
    everything = b"".join(file.read_bytes() for file in machine.sessions.rglob("*") if file.is_file())
    assert b"What is this?" not in everything
    assert b"one two" not in everything


async def test_its_folder_is_taken_out_of_the_workspace(machine: Machine):
    """What had come is there when the folder is."""
    folder = {"uri": machine.project.as_uri(), "name": "shop"}
    async with machine.opened() as (editor, uri):
        asked = await streaming(machine, editor, uri)
        editor.notify("workspace/didChangeWorkspaceFolders", {"event": {"added": [], "removed": [folder]}})
        await over(machine, editor, asked["turnId"])
        editor.notify("workspace/didChangeWorkspaceFolders", {"event": {"added": [folder], "removed": []}})
        again, state = await answered(editor, uri, SLOW, "And this?")
        assert (again["session"], state["state"]) == (asked["session"], "done")
        first = (await said(editor, asked["session"]))[0]
        assert first[1].startswith("one two")


async def test_its_folder_is_deleted(machine: Machine):
    """The answer comes whole: it doesn't need the folder any more; nor does a question about what is open."""
    async with machine.opened() as (editor, uri):
        asked = await streaming(machine, editor, uri)
        shutil.rmtree(machine.project)
        assert await over(machine, editor, asked["turnId"]) == "done"
        _, state = await answered(editor, uri, SLOW, "And this?")
        assert state["state"] == "done"
        first = (await said(editor, asked["session"]))[0]
        assert first[1] == "one two three four"


@pytest.mark.parametrize("change", ["model", "trust"])
async def test_what_it_was_asked_with_is_changed(machine: Machine, change: str):
    """It goes on as it began; the next question is asked with what was chosen."""
    async with machine.opened() as (editor, uri):
        asked = await streaming(machine, editor, uri)
        chosen = {"model": {"model": "claude-haiku-4-5"}, "trust": {}}
        await editor.execute(f"channelcoder.{change}", chosen[change])
        assert await over(machine, editor, asked["turnId"]) == "done"
        _, state = await answered(editor, uri, SLOW, "And this?")
        assert state["state"] == "done"
        assert (await said(editor, asked["session"]))[0][1] == "one two three four"
        before, after = await machine.model.requests()
        assert (before.model == after.model) == (change == "trust")
        assert ("haiku" in after.model) == (change == "model")


async def test_its_thread_is_removed(machine: Machine):
    """It is stopped; the question stays in the session."""
    async with machine.opened() as (editor, uri):
        asked = await streaming(machine, editor, uri)
        await editor.execute("channelcoder.thread.remove", {"threadId": asked["threadId"]})
        assert await over(machine, editor, asked["turnId"]) == "cancelled"
        assert (await said(editor, asked["session"]))[0][0] == "What is this?"


@pytest.mark.parametrize("times", [1, 5])
async def test_it_is_cancelled(machine: Machine, times: int):
    """However often it is said; what had come is kept, and a question that waits behind it is asked."""
    async with machine.opened() as (editor, uri):
        asked = await streaming(machine, editor, uri)
        waiting = await ask(editor, uri, SLOW, "And this?")
        for _ in range(times):
            await editor.execute("channelcoder.cancel", {"turnId": asked["turnId"]})
        assert (await editor.finished(asked["turnId"]))["state"] == "cancelled"
        assert (await editor.finished(waiting["turnId"]))["state"] == "done"
        await editor.execute("channelcoder.cancel", {"turnId": asked["turnId"]})
        assert (await said(editor, asked["session"]))[0][1].startswith("one two")
