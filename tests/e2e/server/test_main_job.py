"""Asking about code, reading the answer, going on after a restart."""

from __future__ import annotations

import asyncio
import json

import pytest

from channelcoder_lsp.offline.script import Failure, Text
from channelcoder_lsp.protocol import COMMANDS

from .conftest import SLOW, SOURCE, TOTAL, Machine, action, answered, ask, titles


class TestAsking:
    async def test_returns_at_once_with_the_ids_and_the_answer_comes_later(self, machine: Machine):
        """ExecuteCommand never waits for Claude: here the model says nothing before it is released."""
        await machine.model.script(Text(text="It adds up.", wait=True))
        async with machine.opened() as (editor, uri):
            asked = await ask(editor, uri)
            assert set(asked) == {"turnId", "threadId", "session"}
            await machine.model.wait_for_requests(1)
            assert "*answering…*" in (await editor.hover(uri, 6) or "")
            await machine.model.release()
            assert (await editor.finished(asked["turnId"]))["state"] == "done"
            assert "It adds up." in (await editor.hover(uri, 6) or "")

    async def test_sends_the_buffer_as_it_is_in_the_editor(self, machine: Machine):
        """Question, path, language, numbered selection, context: from the unsaved buffer, marked off as data."""
        async with machine.opened() as (editor, uri):
            editor.change(uri, (6, 4), (6, 10), "unsaved")
            asked, _ = await answered(editor, uri)
            (request,) = await machine.model.requests()
            sent = json.dumps(request.messages)
            assert "What is this?" in sent
            shown = await editor.execute("channelcoder.turn.show", {"turnId": asked["turnId"]})
            prompt = shown["markdown"].split("## What was sent")[1]
            assert '<selection path="shop.py" language="python" lines="6-10">' in prompt
            assert " 7|     unsaved = 0" in prompt
            assert '<context position="before"' in prompt
            assert "13| def slow(numbers):" in prompt

    async def test_sends_the_diagnostics_on_the_selection(self, machine: Machine):
        """They reach the prompt through the code action that the editor asked for with them."""
        async with machine.opened() as (editor, uri):
            diagnostic = {
                "range": {"start": {"line": 6, "character": 4}, "end": {"line": 6, "character": 10}},
                "message": "never typed",
                "severity": 2,
                "source": "checker",
                "code": "C1",
            }
            actions = await editor.code_actions(uri, *TOTAL, diagnostics=[diagnostic])
            asked = await editor.choose(action(actions, "Claude: Fix"))
            await editor.finished(asked["turnId"])
            shown = await editor.execute("channelcoder.turn.show", {"turnId": asked["turnId"]})
            assert "- line 7, warning (checker C1): never typed" in shown["markdown"]

    async def test_offers_every_prompt_and_the_free_question(self, machine: Machine):
        async with machine.opened() as (editor, uri):
            offered = titles(await editor.code_actions(uri, *TOTAL))
            assert offered == ["Ask Claude…"] + [
                f"Claude: {title}" for title in ("Explain", "Review", "Fix", "Write tests", "Document", "Refactor")
            ]

    async def test_honours_only_and_the_trigger(self, machine: Machine):
        """``only`` filters by kind; an automatic request at a bare cursor is offered no questions."""
        async with machine.opened() as (editor, uri):
            rewrites = await editor.code_actions(uri, *TOTAL, only=["refactor"])
            assert titles(rewrites) == ["Claude: Document", "Claude: Refactor"]
            assert titles(await editor.code_actions(uri, *TOTAL, only=["quickfix"])) == ["Claude: Fix"]
            assert await editor.code_actions(uri, (6, 2), (6, 2), triggerKind=2) == []
            assert await editor.code_actions(uri, (6, 2), (6, 2), triggerKind=1)

    async def test_shows_progress_that_ends(self, machine: Machine):
        async with machine.opened() as (editor, uri):
            await answered(editor, uri)
            await editor.wait_for(lambda m: m["method"] == "$/progress" and m["params"]["value"]["kind"] == "end")
            values = [m["params"]["value"] for m in editor.received if m["method"] == "$/progress"]
            assert values[0]["kind"] == "begin"
            assert values[0]["cancellable"] is True
            assert values[-1] == {"kind": "end", "message": "answered"}

    async def test_progress_can_be_cancelled(self, machine: Machine):
        """Cancelled in mid-stream: what had come is kept, the session goes on."""
        await machine.model.script(Text(text="one two three four five six seven eight", hold_after=1))
        async with machine.opened() as (editor, uri):
            asked = await ask(editor, uri)
            await editor.wait_for(lambda m: m["method"] == "channelcoder/turn" and m["params"]["text"])
            begin = await editor.wait_for(lambda m: m["method"] == "$/progress")
            editor.notify("window/workDoneProgress/cancel", {"token": begin["params"]["token"]})
            assert (await editor.finished(asked["turnId"]))["state"] == "cancelled"
            hover = await editor.hover(uri, 6) or ""
            assert "one two three four" in hover
            assert "*cancelled*" in hover
            _, over = await answered(editor, uri, SLOW, "And this?")
            assert over["state"] == "done"

    async def test_questions_of_one_session_are_answered_in_order(self, machine: Machine):
        async with machine.opened() as (editor, uri):
            asked = [await ask(editor, uri, question=f"Question {n}?") for n in range(3)]
            for turn in asked:
                assert (await editor.finished(turn["turnId"]))["state"] == "done"
            over = [
                m["params"]["turnId"]
                for m in editor.received
                if m["method"] == "channelcoder/turn" and m["params"]["state"] == "done"
            ]
            assert over == [turn["turnId"] for turn in asked]
            hover = await editor.hover(uri, 6) or ""
            assert "1. Question 0?\n2. Question 1?" in hover

    async def test_questions_sent_at_once_keep_their_order_and_share_a_thread(self, machine: Machine):
        """None waits for the answer to the command before it; all are about the same code."""
        async with machine.opened() as (editor, uri):
            await editor.code_lenses(uri)
            argument = {
                "uri": uri,
                "range": {"start": {"line": 5, "character": 0}, "end": {"line": 9, "character": 17}},
            }
            asked = await asyncio.gather(
                *(
                    editor.send_request(
                        "workspace/executeCommand",
                        {"command": "channelcoder.ask", "arguments": [{**argument, "question": f"Question {n}?"}]},
                    )
                    for n in range(4)
                )
            )
            assert len({turn["threadId"] for turn in asked}) == 1
            for turn in asked:
                await editor.finished(turn["turnId"])
            shown = await editor.execute("channelcoder.session.show", {})
            order = [line for line in shown["markdown"].split("\n") if line.startswith("## Question")]
            assert order == [f"## Question {n}?" for n in range(4)]

    async def test_the_last_report_of_progress_is_shown_though_the_stream_pauses(self, machine: Machine):
        await machine.model.script(Text(text="one two three four five six seven eight", hold_after=1))
        async with machine.opened() as (editor, uri):
            await ask(editor, uri)
            await editor.wait_for(
                lambda m: (
                    m["method"] == "$/progress" and m["params"]["value"].get("message", "").startswith("answering")
                )
            )


class TestAnswers:
    async def test_hover_shows_the_answer_with_its_question(self, machine: Machine):
        async with machine.opened() as (editor, uri):
            await answered(editor, uri)
            hover = await editor.hover(uri, 7, 4) or ""
            assert hover.startswith("**Claude** · just now · ")
            assert "> What is this?" in hover
            assert "This is the offline model" in hover
            assert await editor.hover(uri, 13) is None

    async def test_lens_counts_the_answers(self, machine: Machine):
        async with machine.opened() as (editor, uri):
            await answered(editor, uri)
            await answered(editor, uri, question="Sure?")
            lenses = await editor.code_lenses(uri)
            assert [lens["command"]["title"] for lens in lenses] == ["Claude: 2 answers", "Reply", "Resolve"]
            assert lenses[0]["range"]["start"]["line"] == 5

    async def test_code_can_be_inserted_below(self, machine: Machine):
        await machine.model.script("So:\n\n```python\ndef total(items):\n    return sum(items)\n```\n")
        async with machine.opened() as (editor, uri):
            await answered(editor, uri)
            actions = await editor.code_actions(uri, (6, 0), (6, 0))
            await editor.choose(action(actions, "Claude: Insert the code from the answer"))
            assert editor.texts[uri] == SOURCE.replace(
                "    return result\n", "    return result\ndef total(items):\n    return sum(items)\n"
            )

    async def test_code_can_replace_the_selection_and_the_thread_stays_on_it(self, machine: Machine):
        await machine.model.script("So:\n\n```python\ndef total(items):\n    return sum(items)\n```\n")
        async with machine.opened() as (editor, uri):
            await answered(editor, uri)
            actions = await editor.code_actions(uri, (6, 0), (6, 0))
            await editor.choose(action(actions, "Claude: Replace the selection with it"))
            assert "def total(items):\n    return sum(items)\n\n\ndef slow" in editor.texts[uri]
            hover = await editor.hover(uri, 6) or ""
            assert "the code changed since" in hover
            assert await editor.hover(uri, 10) is None

    async def test_answer_commands_apply_through_the_editor(self, machine: Machine):
        await machine.model.script("```python\ntotal = sum\n```\n")
        async with machine.opened() as (editor, uri):
            asked, _ = await answered(editor, uri)
            applied = await editor.execute("channelcoder.answer.replace", {"turnId": asked["turnId"]})
            assert applied == {"applied": True, "reason": None}
            assert "total = sum\n\n\ndef slow" in editor.texts[uri]

    async def test_turn_show_has_prompt_usage_and_cost(self, machine: Machine):
        async with machine.opened() as (editor, uri):
            asked, _ = await answered(editor, uri)
            shown = await editor.execute("channelcoder.turn.show", {"turnId": asked["turnId"]})
            for part in (
                "## What was sent",
                "<question>\nWhat is this?",
                "## What it took",
                "| cost | $",
                "| tokens |",
            ):
                assert part in shown["markdown"]
            assert shown["shown"] is True

    async def test_failed_turn_says_why_and_can_be_retried(self, machine: Machine):
        await machine.model.script(Failure(status=529, message="busy"))
        async with machine.opened() as (editor, uri):
            asked, over = await answered(editor, uri)
            assert over["state"] == "failed"
            said = await editor.wait_for(lambda m: m["method"] == "window/showMessage")
            assert said["params"]["message"].startswith("What is this?: ")
            assert "**Failed:**" in (await editor.hover(uri, 6) or "")
            actions = await editor.code_actions(uri, (6, 0), (6, 0))
            again = await editor.choose(action(actions, "Retry: What is this?"))
            assert again["turnId"] != asked["turnId"]
            assert (await editor.finished(again["turnId"]))["state"] == "done"


class TestAfterARestart:
    async def test_hover_is_still_there_and_the_model_knows_the_earlier_questions(self, machine: Machine):
        async with machine.opened() as (editor, uri):
            before, _ = await answered(editor, uri)
        async with machine.opened() as (editor, uri):
            await editor.code_lenses(uri)
            assert "> What is this?" in (await editor.hover(uri, 6) or "")
            asked = await editor.execute("channelcoder.continue", {"question": "And now?", "uri": uri})
            assert asked["session"] == before["session"]
            await editor.finished(asked["turnId"])
            shown = await editor.execute("channelcoder.turn.show", {"turnId": asked["turnId"]})
            assert "I was given 1 earlier question of this session:\n\n1. What is this?" in shown["markdown"]

    async def test_thread_is_found_again_where_the_code_went_meanwhile(self, machine: Machine):
        async with machine.opened() as (editor, uri):
            await answered(editor, uri)
        async with machine.opened(text="# new\n# lines\n\n" + SOURCE) as (editor, uri):
            lenses = await editor.code_lenses(uri)
            assert lenses[0]["range"]["start"]["line"] == 8
            assert "the code moved since" in (await editor.hover(uri, 9) or "")

    async def test_thread_whose_code_is_gone_is_shown_nowhere(self, machine: Machine):
        async with machine.opened() as (editor, uri):
            await answered(editor, uri)
        async with machine.opened(text="import os\n\nprint(os.name)\n") as (editor, uri):
            assert await editor.code_lenses(uri) == []
        async with machine.opened() as (editor, uri):
            assert len(await editor.code_lenses(uri)) == 3

    async def test_claudes_own_transcript_may_be_gone(self, machine: Machine):
        """The CLI deletes its transcripts after a while: the conversation goes on with a replay, and says so."""
        async with machine.opened() as (editor, uri):
            await answered(editor, uri)
        for transcript in (machine.home / "claude").rglob("*.jsonl"):
            transcript.unlink()
        async with machine.opened() as (editor, uri):
            asked = await editor.execute("channelcoder.continue", {"question": "Still there?", "uri": uri})
            assert (await editor.finished(asked["turnId"]))["state"] == "done"
            shown = (await editor.execute("channelcoder.turn.show", {"turnId": asked["turnId"]}))["markdown"]
            assert "Claude's own copy of this conversation is gone" in shown
            assert "1. What is this?" in shown


class TestAskingFromTheCode:
    @pytest.mark.parametrize(
        ("name", "language", "text", "line"),
        [
            ("a.py", "python", "# claude: why is this slow?\ndef f():\n    return 1\n", 0),
            ("a.lua", "lua", "-- claude: why is this slow?\nlocal x = 1\n", 0),
            ("a.c", "c", "int a;\n/* claude: why is this slow? */\nint main(void) {\n  return 0;\n}\n", 1),
            ("a.html", "html", "<!-- claude: why is this slow? -->\n<p>Hello</p>\n", 0),
        ],
    )
    async def test_a_comment_is_a_question(self, machine: Machine, name, language, text, line):
        """In any client, with no plugin; the comment is taken away, the answer stands on the code below."""
        path = machine.write(name, text)
        async with machine.editor() as editor:
            uri = editor.open(path, language=language)
            actions = await editor.code_actions(uri, (line, 3), (line, 3))
            asked = await editor.choose(action(actions, "Ask Claude: why is this slow?"))
            await editor.finished(asked["turnId"])
            await editor.wait_for(lambda m: m["method"] == "workspace/applyEdit")
            assert "claude:" not in editor.texts[uri]
            assert "> why is this slow?" in (await editor.hover(uri, line) or "")

    async def test_the_comment_is_taken_away_before_the_command_is_answered(self, machine: Machine):
        """Emacs up to 29 leaves a request that comes in one piece with an answer, after it, lying about."""
        path = machine.write("a.py", "# claude: why is this slow?\ndef f():\n    return 1\n")
        async with machine.editor() as editor:
            uri = editor.open(path)
            actions = await editor.code_actions(uri, (0, 3), (0, 3))
            messages, check = [], editor._check

            def noted(message):
                messages.append(message)
                check(message)

            editor._check = noted
            asked = await editor.choose(action(actions, "Ask Claude: why is this slow?"))
            (edit,) = [n for n, m in enumerate(messages) if m.get("method") == "workspace/applyEdit"]
            (answer,) = [n for n, m in enumerate(messages) if m.get("result") == asked]
            assert edit < answer

    async def test_a_comment_inside_a_thread_is_a_reply(self, machine: Machine):
        async with machine.opened() as (editor, uri):
            first, _ = await answered(editor, uri)
            editor.change(uri, (7, 0), (7, 0), "    # claude: and this loop?\n")
            actions = await editor.code_actions(uri, (7, 8), (7, 8))
            reply = await editor.choose(action(actions, "Reply to Claude: and this loop?"))
            assert reply["threadId"] == first["threadId"]


async def test_announces_every_command_and_the_encoding(machine: Machine):
    async with machine.editor() as editor:
        announced = editor.initialized["capabilities"]
        assert announced["executeCommandProvider"]["commands"] == [command.name for command in COMMANDS]
        assert announced["positionEncoding"] == "utf-16"
