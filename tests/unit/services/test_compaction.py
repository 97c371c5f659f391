"""Compacting: Claude goes on from a summary, and nothing that was said is lost, whatever happens meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from channelcoder_lsp.domain.errors import ApiError, ArgumentsError, BudgetUsedUpError, SessionError, SpendingLimitError
from channelcoder_lsp.domain.records import TurnAsked, TurnStarted
from channelcoder_lsp.domain.turn import ContextUse, Turn, TurnState
from channelcoder_lsp.services.compaction import PROMPT, QUESTION
from channelcoder_lsp.services.compose import Question
from channelcoder_lsp.services.events import ContextNearlyFull

from .desk import Desk, Reply, ScriptedAgent, soon
from .test_session import dead_process

if TYPE_CHECKING:
    from channelcoder_lsp.domain.session import SessionState
    from channelcoder_lsp.services.session import Session

SUMMARY = Reply(pieces=("**Aim**: ", "sheep."))


async def compacted(desk: Desk, session: Session) -> Turn:
    turn = await session.compact()
    await desk.heard.over(turn)
    return session.turn(turn.id)


def said(state: SessionState) -> list[str]:
    return [message.content for message in state.messages]


class TestSummary:
    async def test_is_what_the_next_question_begins_a_new_claude_session_with(self, desk: Desk, agent: ScriptedAgent):
        """Of what was said before it, Claude is sent nothing but the summary."""
        session = await desk.session()
        await desk.answered(session, "One")
        before = session.id()
        agent.will(SUMMARY)
        assert (await compacted(desk, session)).answer == "**Aim**: sheep."
        after = await desk.answered(session, "Two")
        asked = agent.asked[-1]
        assert (asked.session_id, asked.known) == (session.id(), ())
        assert before != session.id()
        assert "<summary>\n| **Aim**: sheep.\n</summary>" in asked.prompt
        assert asked.prompt.endswith("\n\nTwo")
        assert "One" not in asked.prompt
        assert after.notes == ["Claude goes on from the summary of this conversation."]

    async def test_is_asked_for_in_a_copy_of_claudes_session(self, desk: Desk, agent: ScriptedAgent):
        """Claude's own session stays as it was, to go on with it after all."""
        session = await desk.session()
        await desk.answered(session, "One")
        before = session.id()
        await compacted(desk, session)
        assert agent.asked[-1].prompt == PROMPT
        assert agent.asked[-1].known == ("One",)
        assert agent.transcripts[before] == ["One"]
        await session.go_on_with(before)
        await desk.answered(session, "Two")
        assert (agent.asked[-1].session_id, agent.asked[-1].known) == (before, ("One",))

    async def test_stands_in_the_session_with_where_it_comes_from(self, desk: Desk, agent: ScriptedAgent):
        """All messages stay; the chain has the Claude sessions before and after, and the metadata name the first."""
        session = await desk.session()
        await desk.answered(session, "One")
        before = session.id()
        agent.will(SUMMARY)
        await compacted(desk, session)
        assert session.id() is None
        await desk.answered(session, "Two")
        state = await desk.storage.load(session.name)
        assert said(state) == ["One", "An answer.", QUESTION, "**Aim**: sheep.", "Two", "An answer."]
        assert state.session_chain == [before, session.id()]
        assert state.metadata.compacted_from == before
        assert state.channelcoder.totals.cost_usd == 1.5

    async def test_is_given_again_with_what_was_said_since_when_claudes_copy_is_lost(
        self, desk: Desk, agent: ScriptedAgent
    ):
        session = await desk.session()
        await desk.answered(session, "One")
        agent.will(SUMMARY)
        await compacted(desk, session)
        await desk.answered(session, "Two")
        await session.close()
        agent.transcripts.clear()
        again = await desk.session()
        turn = await desk.answered(again, "Three")
        prompt = agent.prompts[-1]
        assert "sheep" in prompt
        assert "| Two" in prompt
        assert "One" not in prompt
        assert turn.notes == [
            "Claude's own copy of this conversation is gone; it was given the summary and the last 2 messages again."
        ]

    async def test_is_made_of_the_record_when_claudes_copy_is_lost(self, desk: Desk, agent: ScriptedAgent):
        session = await desk.session()
        await desk.answered(session, "One")
        await session.close()
        agent.transcripts.clear()
        again = await desk.session()
        agent.will(SUMMARY)
        assert (await compacted(desk, again)).state is TurnState.DONE
        assert "| One" in agent.prompts[-1]
        assert agent.prompts[-1].endswith(PROMPT)

    async def test_reaches_questions_that_waited_behind_it_and_other_processes(self, open_desk, agent: ScriptedAgent):
        here, there = open_desk(), open_desk()
        one = await here.session()
        other = await there.session()
        await here.answered(one, "One")
        await there.answered(other, "Two")
        held = agent.will(Reply(pieces=("sheep",), held=True))
        turn = await one.compact()
        behind = await one.ask(Question("Three"))
        await soon(held.streamed.wait())
        held.go.set()
        await here.heard.over(turn, behind)
        assert "| sheep" in agent.prompts[-1]
        await there.answered(other, "Four")
        assert agent.asked[-1].session_id == one.id()
        assert len(agent.asked[-1].known) == 1

    async def test_reaches_a_process_that_has_the_old_conversation_open(self, open_desk, agent: ScriptedAgent):
        here, there = open_desk(), open_desk()
        one = await here.session()
        other = await there.session()
        await here.answered(one, "One")
        await there.answered(other, "Two")
        agent.will(SUMMARY)
        await compacted(here, one)
        await there.answered(other, "Three")
        assert "| **Aim**: sheep." in agent.prompts[-1]
        assert agent.asked[-1].known == ()

    async def test_of_a_summary_is_made_of_that_and_what_was_said_since(self, desk: Desk, agent: ScriptedAgent):
        session = await desk.session()
        await desk.answered(session, "One")
        await compacted(desk, session)
        await desk.answered(session, "Two")
        agent.will(Reply(pieces=("Second summary",)))
        await compacted(desk, session)
        await desk.answered(session, "Three")
        assert "| Second summary" in agent.prompts[-1]
        assert "Two" not in agent.prompts[-1]


class TestWithoutASummary:
    """The session is as it was."""

    @pytest.fixture
    async def session(self, desk: Desk) -> Session:
        session = await desk.session()
        await desk.answered(session, "One")
        return session

    async def untouched(self, desk: Desk, session: Session, agent: ScriptedAgent) -> None:
        state = await session.state()
        assert said(state) == ["One", "An answer."]
        assert state.metadata.compacted_from is None
        before = session.id()
        assert before is not None
        await desk.answered(session, "Two")
        assert (agent.asked[-1].session_id, agent.asked[-1].known) == (before, ("One",))
        assert session.head.session_chain == [before]

    async def test_since_claude_failed(self, desk: Desk, session: Session, agent: ScriptedAgent):
        agent.will(Reply(pieces=("half",), error=ApiError("Overloaded.")))
        assert (await compacted(desk, session)).state is TurnState.FAILED
        await self.untouched(desk, session, agent)

    async def test_since_the_command_line_died(self, desk: Desk, session: Session, agent: ScriptedAgent):
        agent.will(Reply(pieces=("half",), gone=True))
        assert (await compacted(desk, session)).state is TurnState.FAILED
        await self.untouched(desk, session, agent)

    async def test_since_it_was_cancelled(self, desk: Desk, session: Session, agent: ScriptedAgent):
        held = agent.will(Reply(pieces=("half",), held=True))
        turn = await session.compact()
        await soon(held.streamed.wait())
        await session.cancel(turn.id)
        await desk.heard.over(turn)
        assert session.turn(turn.id).state is TurnState.CANCELLED
        await self.untouched(desk, session, agent)

    async def test_since_it_was_cancelled_while_claude_started(
        self, desk: Desk, session: Session, agent: ScriptedAgent
    ):
        """The copy of the conversation that was opened for it is not asked in."""
        agent.door.clear()
        agent.at_the_door.clear()
        turn = await session.compact()
        await soon(agent.at_the_door.wait())
        await session.cancel(turn.id)
        agent.door.set()
        await desk.heard.over(turn)
        await self.untouched(desk, session, agent)

    async def test_since_its_process_died(self, desk: Desk, session: Session, agent: ScriptedAgent):
        turn = Turn(question=QUESTION, prompt=PROMPT, compacts=True, owner=dead_process())
        await session.close()
        journal = await desk.storage.open(session.name)
        await journal.append(TurnAsked(turn=turn), TurnStarted(turn_id=turn.id, session_id="copy"))
        await journal.close()
        again = await desk.session(session.name)
        await again.recover()
        assert again.turn(turn.id).state is TurnState.FAILED
        await self.untouched(desk, again, agent)

    async def test_since_it_was_empty(self, desk: Desk, session: Session, agent: ScriptedAgent):
        agent.will(Reply(pieces=()))
        await compacted(desk, session)
        await self.untouched(desk, session, agent)

    async def test_it_can_be_tried_again(self, desk: Desk, session: Session, agent: ScriptedAgent):
        agent.will(Reply(error=ApiError("Overloaded.")), SUMMARY)
        failed = await compacted(desk, session)
        turn = await session.retry(failed.id)
        await desk.heard.over(turn)
        assert session.id() is None
        assert said(await session.state())[-1] == "**Aim**: sheep."


async def test_a_session_in_which_nothing_was_said_since_is_not_compacted(desk: Desk, agent: ScriptedAgent):
    session = await desk.session()
    with pytest.raises(SessionError, match="nothing to compact"):
        await session.compact()
    await desk.answered(session, "One")
    await compacted(desk, session)
    with pytest.raises(SessionError, match="nothing to compact"):
        await session.compact()
    assert len(agent.asked) == 2


class TestContext:
    FULL = ContextUse(tokens=170_000, window=200_000)

    async def test_is_as_of_the_last_answer(self, desk: Desk, agent: ScriptedAgent):
        session = await desk.session()
        agent.will(Reply(context=ContextUse(tokens=10, window=100)), Reply(context=ContextUse(tokens=20, window=100)))
        await desk.answered(session, "One")
        await desk.answered(session, "Two")
        assert session.head.channelcoder.context.tokens == 20
        assert session.head.channelcoder.context.share == 0.2

    async def test_that_is_nearly_full_is_told_once_until_it_is_compacted(self, desk: Desk, agent: ScriptedAgent):
        session = await desk.session()
        agent.will(*(Reply(context=self.FULL) for _ in range(5)))
        told = [(await desk.answered(session, text)).near_limit for text in ("One", "Two")]
        assert told == [True, None]
        assert [event.turn.context for event in desk.heard.of(ContextNearlyFull)] == [self.FULL]
        await compacted(desk, session)
        assert session.head.channelcoder.context is None
        assert (await desk.answered(session, "Three")).near_limit
        assert len(desk.heard.of(ContextNearlyFull)) == 2

    @pytest.mark.parametrize("percent", [0, 86])
    async def test_is_not_told_below_the_share_that_was_set(self, desk: Desk, agent: ScriptedAgent, percent: int):
        desk.set(context_warning_percent=percent)
        session = await desk.session()
        agent.will(Reply(context=self.FULL))
        assert (await desk.answered(session, "One")).near_limit is None
        assert desk.heard.of(ContextNearlyFull) == []


class TestSpendingLimit:
    async def test_what_is_left_is_the_budget_of_a_connection(self, desk: Desk, agent: ScriptedAgent):
        """The connection is kept as long as the limit is; what it has cost counts."""
        session = await desk.session()
        await desk.answered(session, "One")
        await session.limit_spending(2.0)
        await desk.answered(session, "Two")
        await desk.answered(session, "Three")
        assert [request.budget_usd for request in agent.requests] == [None, 1.5]
        await session.limit_spending(None)
        await desk.answered(session, "Four")
        assert agent.requests[-1].budget_usd is None

    async def test_when_it_is_used_up_nothing_is_recorded_or_asked(self, desk: Desk, agent: ScriptedAgent):
        session = await desk.session()
        await session.limit_spending(0.5)
        await desk.answered(session, "One")
        with pytest.raises(SpendingLimitError, match=r"\$0\.50 of the \$0\.50") as refused:
            await session.ask(Question("Two"))
        assert (refused.value.limit_usd, refused.value.spent_usd) == (0.5, 0.5)
        with pytest.raises(SpendingLimitError):
            await session.compact()
        assert agent.prompts == ["One"]
        assert said(await session.state()) == ["One", "An answer."]
        await session.limit_spending(1.0)
        assert (await desk.answered(session, "Two")).state is TurnState.DONE

    async def test_a_question_that_waited_when_it_was_used_up_fails_and_can_be_asked_again(
        self, desk: Desk, agent: ScriptedAgent
    ):
        session = await desk.session()
        await session.limit_spending(0.5)
        one, two = await session.ask(Question("One")), await session.ask(Question("Two"))
        await desk.heard.over(one, two)
        failed = session.turn(two.id)
        assert (failed.state, failed.retryable) == (TurnState.FAILED, True)
        assert "Raise its spending limit" in failed.error
        with pytest.raises(SpendingLimitError):
            await session.retry(two.id)
        assert agent.prompts == ["One"]

    @pytest.mark.parametrize("complete", [True, False])
    async def test_an_answer_that_uses_it_up_stays_one_if_it_is_whole(
        self, desk: Desk, agent: ScriptedAgent, *, complete: bool
    ):
        session = await desk.session()
        await session.limit_spending(1.0)
        agent.will(Reply(cost_usd=1.2, error=BudgetUsedUpError("Used up.", complete=complete)))
        turn = await desk.answered(session, "One")
        assert turn.answer == "An answer."
        if complete:
            assert turn.state is TurnState.DONE
            assert turn.notes == ["With this answer the $1.00 that the session may cost are used up."]
        else:
            assert turn.state is TurnState.FAILED
            assert turn.error.startswith("This session has cost $1.20 of the $1.00")

    async def test_a_questions_own_budget_is_another_thing(self, desk: Desk, agent: ScriptedAgent):
        session = await desk.session()
        await session.limit_spending(5.0)
        agent.will(Reply(error=BudgetUsedUpError("Used up.", complete=True)))
        turn = await desk.answered(session, "One")
        assert (turn.state, turn.error) == (TurnState.FAILED, "Used up.")

    @pytest.mark.parametrize("usd", [0.0, -1.0, float("nan"), float("inf")])
    async def test_must_be_an_amount(self, desk: Desk, usd: float):
        session = await desk.session()
        with pytest.raises(ArgumentsError, match="usd"):
            await session.limit_spending(usd)
        assert session.head.channelcoder.limit_usd is None

    async def test_stays_when_the_session_is_cleared_and_counts_anew(self, desk: Desk):
        session = await desk.session()
        await session.limit_spending(0.5)
        await desk.answered(session, "One")
        await session.clear()
        assert session.head.channelcoder.limit_usd == 0.5
        assert (await desk.answered(session, "Two")).state is TurnState.DONE
