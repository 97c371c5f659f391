"""What editors get that show threads and sessions by themselves."""

from __future__ import annotations

import pytest

from channelcoder_lsp.cli.connection import ResponseError
from channelcoder_lsp.cli.editor import capabilities
from channelcoder_lsp.offline.script import Text

from .conftest import Machine, answered

CLIENT = capabilities(turns=True, changes=True)


async def test_a_thread_is_read_whole_and_safe(machine: Machine):
    await machine.model.script(Text(text="It [sums](command:evil) <b>up</b>."))
    async with machine.opened() as (editor, uri):
        asked, _ = await answered(editor, uri)
        editor.change(uri, (0, 0), (0, 0), "# new\n")
        thread = await editor.execute("channelcoder.thread.read", {"threadId": asked["threadId"]})
        assert thread["uri"] == uri
        assert thread["range"]["start"]["line"] == 6
        assert (thread["status"], thread["finding"]) == ("open", None)
        (turn,) = thread["turns"]
        assert (turn["question"], turn["state"]) == ("What is this?", "done")
        assert turn["answer"] == r"It [sums]\(command:evil) &lt;b>up&lt;/b>."


async def test_changes_are_told_to_those_who_want_to_know(machine: Machine):
    async with machine.opened(client=CLIENT) as (editor, uri):
        asked, _ = await answered(editor, uri)
        seen = len(editor.received)
        await editor.execute("channelcoder.thread.resolve", {"threadId": asked["threadId"]})
        told = await editor.wait_for(lambda message: message.get("method") == "channelcoder/changed", after=seen)
        assert told["params"] == {"folders": [str(machine.project)]}


async def test_changes_are_not_told_to_others(machine: Machine):
    async with machine.opened() as (editor, uri):
        await answered(editor, uri)
        assert await editor.hover(uri, 6)
    assert not [message for message in editor.received if message.get("method") == "channelcoder/changed"]


async def test_the_status_of_a_folder(machine: Machine):
    async with machine.opened() as (editor, uri):
        before = await editor.execute("channelcoder.status")
        assert (before["session"], before["messages"], before["waiting"]) == (None, 0, 0)
        asked, _ = await answered(editor, uri)
        status = await editor.execute("channelcoder.status", {"folder": str(machine.project)})
        assert status["session"] == asked["session"]
        assert (status["messages"], status["waiting"]) == (2, 0)
        assert status["costUsd"] > 0
        assert status["folder"] == str(machine.project)
        assert not status["trusted"]


async def test_a_session_is_read_whole(machine: Machine):
    """Each turn with what it took and where its code is now; a session that isn't the active one by its name."""
    async with machine.opened(client=CLIENT) as (editor, uri):
        asked, _ = await answered(editor, uri)
        editor.change(uri, (0, 0), (0, 0), "# new\n")
        further = await editor.execute("channelcoder.continue", {"question": "And else?"})
        await editor.finished(further["turnId"])
        session = await editor.execute("channelcoder.session.read")
        about, else_ = session["turns"]
        assert (session["session"], session["active"]) == (asked["session"], True)
        assert [turn["turn"]["question"] for turn in session["turns"]] == ["What is this?", "And else?"]
        assert (about["threadId"], about["uri"], about["line"]) == (asked["threadId"], uri, 6)
        assert (else_["threadId"], else_["line"]) == (None, None)
        assert session["costUsd"] == pytest.approx(sum(turn["turn"]["costUsd"] for turn in session["turns"]))
        assert all(turn["inputTokens"] > 0 and turn["outputTokens"] > 0 for turn in session["turns"])
        await editor.execute("channelcoder.session.new")
        earlier = await editor.execute("channelcoder.session.read", {"name": asked["session"]})
        assert (len(earlier["turns"]), earlier["active"]) == (2, False)


async def test_a_session_is_forked_searched_and_exported(machine: Machine):
    async with machine.opened() as (editor, uri):
        first, _ = await answered(editor, uri, question="Where is the needle?")
        forked = await editor.execute("channelcoder.session.fork", {"newName": "another way"})
        assert forked["session"] == "another way"
        assert await editor.hover(uri, 6), "the thread came along"
        await answered(editor, uri, question="In the copy?")
        hits = (await editor.execute("channelcoder.session.search", {"text": "NEEDLE"}))["hits"]
        assert {hit["session"] for hit in hits} == {"another way", first["session"]}
        exported = await editor.execute("channelcoder.session.export", {"name": first["session"]})
        assert "Where is the needle?" in exported["text"]
        assert "In the copy?" not in exported["text"]
        with pytest.raises(ResponseError, match="nothing to look for"):
            await editor.execute("channelcoder.session.search", {"text": " "})


async def test_any_session_can_be_forked(machine: Machine):
    """One that isn't the active one by its name: the copy is the active one then, with that one's threads."""
    async with machine.opened() as (editor, uri):
        first, _ = await answered(editor, uri, question="Where is the needle?")
        await editor.execute("channelcoder.session.new", {"name": "empty"})
        assert await editor.hover(uri, 6) is None
        forked = await editor.execute("channelcoder.session.fork", {"name": first["session"], "newName": "another way"})
        assert forked["session"] == "another way"
        assert "Where is the needle?" in (await editor.hover(uri, 6) or "")
        with pytest.raises(ResponseError, match="nowhere"):
            await editor.execute("channelcoder.session.fork", {"name": "nowhere", "newName": "a third"})


async def test_the_prompts(machine: Machine):
    async with machine.opened() as (editor, _):
        prompts = (await editor.execute("channelcoder.prompts"))["prompts"]
        assert [prompt["name"] for prompt in prompts][:2] == ["explain", "review"]
        assert all(prompt["title"] and prompt["kind"] for prompt in prompts)
