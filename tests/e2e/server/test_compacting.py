"""Long sessions: how full Claude's context is, going on from a summary, what a session may cost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from channelcoder_lsp.cli.connection import ResponseError
from channelcoder_lsp.offline.script import Failure, Text, ToolUse, Usage

from .conftest import SLOW, Machine, answered

if TYPE_CHECKING:
    from channelcoder_lsp.cli.editor import Editor

WINDOW = 1_000_000
FULL = Usage(input_tokens=1_000, cache_read_input_tokens=849_000, output_tokens=10_000)
"""What makes an answer fill 86 % of the context."""
DEAR = Usage(input_tokens=10_000, output_tokens=10_000)


async def continue_(editor: Editor, question: str) -> dict[str, Any]:
    """Ask on; how it ended."""
    asked = await editor.execute("channelcoder.continue", {"question": question})
    return await editor.finished(asked["turnId"])


async def compacted(editor: Editor) -> dict[str, Any]:
    asked = await editor.execute("channelcoder.session.compact", {})
    return await editor.finished(asked["turnId"])


def is_suggestion(message: dict[str, Any]) -> bool:
    return message.get("method") == "window/showMessageRequest"


class TestCompacting:
    async def test_claude_goes_on_from_the_summary(self, machine: Machine):
        """Threads, lenses and hover stay; the model gets the summary and nothing that was said before."""
        async with machine.opened() as (editor, uri):
            await answered(editor, uri, question="About sheep")
            await machine.model.script(Text(text="We talked about sheep."))
            assert (await compacted(editor))["state"] == "done"
            await answered(editor, uri, SLOW, question="And wolves?")
            request = (await machine.model.requests())[-1]
            assert len([message for message in request.messages if message["role"] == "user"]) == 1
            assert "| We talked about sheep." in request.prompt
            assert "About sheep" not in request.prompt
            assert "> About sheep" in (await editor.hover(uri, 6) or "")
            shown = await editor.execute("channelcoder.session.show", {})
            said = ["About sheep", "Compact the conversation", "We talked about sheep.", "And wolves?"]
            places = [shown["markdown"].index(text) for text in said]
            assert places == sorted(places)

    async def test_another_server_goes_on_from_it_too(self, machine: Machine):
        async with machine.opened() as (editor, uri):
            await answered(editor, uri, question="About sheep")
            await machine.model.script(Text(text="We talked about sheep."))
            await compacted(editor)
        async with machine.opened() as (editor, _):
            assert (await continue_(editor, "And wolves?"))["state"] == "done"
        assert "| We talked about sheep." in (await machine.model.requests())[-1].prompt

    async def test_a_server_that_is_killed_meanwhile_leaves_the_session_as_it_was(self, machine: Machine):
        async with machine.opened() as (editor, uri):
            await answered(editor, uri, question="About sheep")
            await machine.model.script(Text(text="We talked about sheep.", hold_after=1))
            await editor.execute("channelcoder.session.compact", {})
            await editor.wait_for(lambda message: (message.get("params") or {}).get("text") == "We talked about sheep.")
            editor.kill()
            await editor.wait()
        await machine.model.release()
        async with machine.opened() as (editor, _):
            assert (await continue_(editor, "And wolves?"))["state"] == "done"
            request = (await machine.model.requests())[-1]
            assert [*request.earlier_questions, request.question] == ["About sheep", "And wolves?"]

    async def test_a_summary_that_is_cancelled_leaves_the_session_as_it_was(self, machine: Machine):
        async with machine.opened() as (editor, uri):
            await answered(editor, uri, question="About sheep")
            await machine.model.script(Text(text="We talked about sheep.", hold_after=1))
            asked = await editor.execute("channelcoder.session.compact", {})
            await editor.wait_for(lambda message: (message.get("params") or {}).get("text") == "We talked about sheep.")
            await editor.execute("channelcoder.cancel", {"turnId": asked["turnId"]})
            assert (await editor.finished(asked["turnId"]))["state"] == "cancelled"
            assert (await continue_(editor, "And wolves?"))["state"] == "done"
            request = (await machine.model.requests())[-1]
            assert [*request.earlier_questions, request.question] == ["About sheep", "And wolves?"]

    async def test_a_summary_that_fails_says_so_and_can_be_retried(self, machine: Machine):
        async with machine.opened() as (editor, uri):
            await answered(editor, uri, question="About sheep")
            await machine.model.script(Failure(status=500), Text(text="We talked about sheep."))
            failed = await compacted(editor)
            assert failed["state"] == "failed"
            again = await editor.execute("channelcoder.retry", {"turnId": failed["turnId"]})
            assert (await editor.finished(again["turnId"]))["state"] == "done"

    async def test_there_must_be_something_to_compact(self, machine: Machine):
        async with machine.opened() as (editor, _):
            with pytest.raises(ResponseError, match="no session"):
                await editor.execute("channelcoder.session.compact", {})
            await editor.execute("channelcoder.session.new", {})
            with pytest.raises(ResponseError, match="nothing to compact"):
                await editor.execute("channelcoder.session.compact", {})


class TestContext:
    async def test_is_told_by_the_status(self, machine: Machine):
        """As of the last request: a turn with tools has several, each with all that was said before."""
        async with machine.opened() as (editor, uri):
            status = await editor.execute("channelcoder.status", {})
            assert (status["contextTokens"], status["contextWindow"], status["contextShare"]) == (None, None, None)
            use = ToolUse(name="Read", input={"file_path": str(machine.project / "shop.py")}, usage=DEAR)
            await machine.model.script(use, Text(text="Done.", usage=Usage(input_tokens=30_000, output_tokens=500)))
            await answered(editor, uri)
            status = await editor.execute("channelcoder.status", {})
            assert (status["contextTokens"], status["contextWindow"]) == (30_500, WINDOW)
            assert status["contextShare"] == pytest.approx(0.0305)
            await compacted(editor)
            assert (await editor.execute("channelcoder.status", {}))["contextTokens"] is None

    async def test_that_is_nearly_full_is_said_once_and_compacting_is_a_choice_away(self, machine: Machine):
        """Questions are answered while the message stands."""
        async with machine.opened() as (editor, uri):
            editor.slow, editor.choice = True, "Compact"
            await machine.model.script(*(Text(text="Yes.", usage=FULL) for _ in range(2)), Text(text="The summary."))
            await answered(editor, uri)
            suggestion = await editor.wait_for(is_suggestion)
            assert "fills 86% of what Claude can take in (860,000 of 1,000," in suggestion["params"]["message"]
            assert [action["title"] for action in suggestion["params"]["actions"]] == ["Compact", "Not now"]
            assert (await continue_(editor, "And now?"))["state"] == "done"
            editor.answer_now()
            await editor.wait_for(lambda message: (message.get("params") or {}).get("text") == "The summary.")
            assert len([message for message in editor.received if is_suggestion(message)]) == 1

    async def test_that_is_nearly_full_can_be_left_so(self, machine: Machine):
        async with machine.opened() as (editor, uri):
            editor.choice = "Not now"
            await machine.model.script(Text(text="Yes.", usage=FULL))
            await answered(editor, uri)
            await editor.wait_for(is_suggestion)
            assert (await continue_(editor, "And now?"))["state"] == "done"
            request = (await machine.model.requests())[-1]
            assert request.earlier_questions == ["What is this?"]

    async def test_is_not_warned_of_where_that_is_switched_off(self, machine: Machine):
        async with machine.opened(settings={"contextWarningPercent": 0}) as (editor, uri):
            await machine.model.script(Text(text="Yes.", usage=FULL))
            await answered(editor, uri)
            assert (await continue_(editor, "And now?"))["state"] == "done"
            assert not [message for message in editor.received if is_suggestion(message)]


class TestSpendingLimit:
    async def test_what_is_beyond_it_is_refused_until_it_is_raised(self, machine: Machine):
        """The answer that uses it up is whole; the next question is refused with what to do, and not recorded."""
        async with machine.opened() as (editor, uri):
            limited = await editor.execute("channelcoder.session.limit", {"usd": 0.2})
            assert (limited["usd"], limited["spentUsd"]) == (0.2, 0)
            await machine.model.script(Text(text="Dear.", usage=DEAR))
            asked, over = await answered(editor, uri)
            assert over["state"] == "done"
            status = await editor.execute("channelcoder.status", {})
            assert status["spendingLimitUsd"] == 0.2
            assert status["costUsd"] > 0.2
            with pytest.raises(ResponseError, match=r"has cost \$0\.24 of the \$0\.20 .* Raise its spending limit"):
                await editor.execute("channelcoder.continue", {"question": "More?"})
            turn = (await editor.execute("channelcoder.turn.show", {"turnId": asked["turnId"]}))["markdown"]
            assert "the $0.20 that the session may cost are used up" in turn
            assert (await editor.execute("channelcoder.status", {}))["messages"] == 2
            await editor.execute("channelcoder.session.limit", {"usd": 1})
            assert (await continue_(editor, "More?"))["state"] == "done"
            await editor.execute("channelcoder.session.limit", {"usd": None})
            assert (await editor.execute("channelcoder.status", {}))["spendingLimitUsd"] is None

    async def test_ends_a_turn_between_its_requests(self, machine: Machine):
        """The turn failed, with the sentence; nothing more is asked of Claude's service."""
        async with machine.opened() as (editor, uri):
            await editor.execute("channelcoder.session.limit", {"usd": 0.2})
            read = ToolUse(name="Read", input={"file_path": str(machine.project / "shop.py")}, usage=DEAR)
            await machine.model.script(read, Text(text="Never."))
            asked, over = await answered(editor, uri)
            assert over["state"] == "failed"
            turn = (await editor.execute("channelcoder.turn.show", {"turnId": asked["turnId"]}))["markdown"]
            assert "Raise its spending limit" in turn
            assert len(await machine.model.requests()) == 1

    async def test_counts_what_was_spent_before_a_restart(self, machine: Machine):
        async with machine.opened() as (editor, uri):
            await machine.model.script(Text(text="Dear.", usage=DEAR))
            await answered(editor, uri)
            await editor.execute("channelcoder.session.limit", {"usd": 0.3})
        async with machine.opened() as (editor, uri):
            await machine.model.script(Text(text="Dear again.", usage=DEAR))
            assert (await continue_(editor, "More?"))["state"] == "done"
            with pytest.raises(ResponseError, match="Raise its spending limit"):
                await editor.execute("channelcoder.continue", {"question": "Even more?"})

    @pytest.mark.parametrize("usd", [0, -1, "much"])
    async def test_must_be_an_amount(self, machine: Machine, usd: Any):
        async with machine.opened() as (editor, _):
            with pytest.raises(ResponseError, match="usd"):
                await editor.execute("channelcoder.session.limit", {"usd": usd})
