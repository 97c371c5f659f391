"""Threads: listing, replying, resolving, removing."""

from __future__ import annotations

import pytest

from channelcoder_lsp.cli.connection import ResponseError

from .conftest import SLOW, SOURCE, Machine, answered


async def sent(editor, turn_id: str) -> str:
    """The prompt of a turn, as its document shows it."""
    shown = await editor.execute("channelcoder.turn.show", {"turnId": turn_id})
    return shown["markdown"].split("## What was sent")[1]


async def reply(editor, thread_id: str, question: str = "Why?"):
    asked = await editor.execute("channelcoder.thread.reply", {"threadId": thread_id, "question": question})
    assert (await editor.finished(asked["turnId"]))["state"] == "done"
    return asked


class TestReply:
    async def test_takes_the_code_as_it_is_now_and_as_it_was(self, machine: Machine):
        async with machine.opened() as (editor, uri):
            first, _ = await answered(editor, uri)
            editor.change(uri, (6, 4), (6, 10), "changed")
            asked = await reply(editor, first["threadId"])
            assert asked["threadId"] == first["threadId"]
            prompt = await sent(editor, asked["turnId"])
            assert " 7|     changed = 0" in prompt
            assert "The code changed since this thread began. It was:" in prompt
            assert "|     result = 0" in prompt

    async def test_repeats_the_thread_when_the_conversation_went_elsewhere(self, machine: Machine):
        async with machine.opened() as (editor, uri):
            first, _ = await answered(editor, uri, question="First thread?")
            again = await sent(editor, (await reply(editor, first["threadId"], "At once?"))["turnId"])
            assert "<thread>" not in again
            await answered(editor, uri, SLOW, "Second thread?")
            later = await sent(editor, (await reply(editor, first["threadId"], "Later?"))["turnId"])
            assert "<thread>\nasked:\n| First thread?" in later
            assert "Second thread?" not in later

    async def test_works_while_the_file_is_closed(self, machine: Machine):
        async with machine.opened() as (editor, uri):
            first, _ = await answered(editor, uri)
            editor.close(uri)
            machine.write("shop.py", "# one line more\n" + SOURCE)
            prompt = await sent(editor, (await reply(editor, first["threadId"]))["turnId"])
            assert 'lines="7-11"' in prompt

    async def test_works_when_the_code_is_gone(self, machine: Machine):
        async with machine.opened() as (editor, uri):
            first, _ = await answered(editor, uri)
            editor.close(uri)
            machine.write("shop.py", "print()\n")
            prompt = await sent(editor, (await reply(editor, first["threadId"]))["turnId"])
            assert "<selection" not in prompt
            assert "Why?" in prompt


class TestStatus:
    async def test_a_resolved_thread_is_quiet_until_it_is_opened_again(self, machine: Machine):
        async with machine.opened() as (editor, uri):
            first, _ = await answered(editor, uri)
            thread = {"threadId": first["threadId"]}
            assert (await editor.execute("channelcoder.thread.resolve", thread))["status"] == "resolved"
            assert await editor.hover(uri, 6) is None
            assert await editor.code_lenses(uri) == []
        async with machine.opened() as (editor, uri):
            assert await editor.code_lenses(uri) == []
            assert (await editor.execute("channelcoder.thread.reopen", thread))["status"] == "open"
            assert "> What is this?" in (await editor.hover(uri, 6) or "")

    async def test_a_removed_thread_is_gone_and_its_turns_stay_in_the_transcript(self, machine: Machine):
        async with machine.opened() as (editor, uri):
            first, _ = await answered(editor, uri)
            await editor.execute("channelcoder.thread.remove", {"threadId": first["threadId"]})
            assert await editor.hover(uri, 6) is None
            with pytest.raises(ResponseError, match="There is no thread"):
                await editor.execute("channelcoder.thread.show", {"threadId": first["threadId"]})
            transcript = await editor.execute("channelcoder.session.show", {})
            assert "## What is this?" in transcript["markdown"]
        async with machine.opened() as (editor, uri):
            assert await editor.code_lenses(uri) == []


class TestList:
    async def test_has_the_moved_the_orphaned_and_the_resolved(self, machine: Machine):
        async with machine.opened() as (editor, uri):
            await answered(editor, uri, question="About total?")
            second, _ = await answered(editor, uri, SLOW, "About slow?")
            editor.change(uri, (0, 0), (0, 0), "# top\n")
            rows = (await editor.execute("channelcoder.thread.list", {"uri": uri}))["threads"]
            assert [(row["question"], row["state"], row["range"]["start"]["line"]) for row in rows] == [
                ("About total?", "exact", 6),
                ("About slow?", "exact", 13),
            ]
            editor.change(uri, (6, 0), (11, 0), "")
            await editor.execute("channelcoder.thread.resolve", {"threadId": second["threadId"]})
            listed = await editor.execute("channelcoder.thread.list", {})
            assert [(row["state"], row["status"]) for row in listed["threads"]] == [
                ("orphaned", "open"),
                ("exact", "resolved"),
            ]
            assert "## The code is gone\n\n- About total? (lines 6 to 10" in listed["markdown"]
            assert "def total(items):" in listed["markdown"]
            assert "## Resolved\n\n- About slow?" in listed["markdown"]

    async def test_is_empty_before_anything_was_asked(self, machine: Machine):
        async with machine.editor() as editor:
            listed = await editor.execute("channelcoder.thread.list", {})
            assert listed["threads"] == []
            assert "Select code and ask" in listed["markdown"]


async def test_threads_go_with_a_file_that_is_renamed_in_the_editor(machine: Machine):
    async with machine.opened() as (editor, uri):
        await answered(editor, uri)
        editor.close(uri)
        old, new = machine.project / "shop.py", machine.project / "store" / "shop.py"
        new.parent.mkdir()
        old.rename(new)
        rename = {"oldUri": old.as_uri(), "newUri": new.as_uri()}
        editor.notify("workspace/didRenameFiles", {"files": [rename]})
        assert "> What is this?" in (await editor.hover(editor.open(new), 6) or "")
    async with machine.editor() as editor:
        assert len(await editor.code_lenses(editor.open(new))) == 3
