"""One session's questions: asked one after the other, on a connection that is kept warm."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import pytest

from channelcoder_lsp.domain.agent import Finished, Retrying, TextDelta, TextReplaced, ToolStarted
from channelcoder_lsp.domain.errors import AgentError, ApiError, NotLoggedInError
from channelcoder_lsp.domain.turn import ToolUse, TurnState
from channelcoder_lsp.services import worker as worker_module
from channelcoder_lsp.services.compose import Question
from channelcoder_lsp.services.events import TurnOver, TurnQueued, TurnRunning, TurnStatus, TurnText

from .desk import Desk, Reply, ScriptedAgent, soon

# One after the other


async def test_questions_are_asked_in_the_order_they_came(desk: Desk, agent: ScriptedAgent):
    """Questions of one session are answered first come, first served, each knowing those before it."""
    session = await desk.session()
    turns = [await session.ask(Question(text)) for text in ("one", "two", "three")]
    await desk.heard.over(*turns)
    assert agent.prompts == ["one", "two", "three"]
    assert agent.asked[-1].known == ("one", "two")
    assert [session.turn(turn.id).state for turn in turns] == [TurnState.DONE] * 3


async def test_asking_returns_while_the_answer_is_still_to_come(desk: Desk, agent: ScriptedAgent):
    """``ask`` waits for the disk, not for Claude."""
    reply = agent.will(Reply(held=True))
    session = await desk.session()
    turn = await session.ask(Question("slow"))
    assert turn.state is TurnState.QUEUED
    reply.go.set()
    await desk.heard.over(turn)


async def test_sessions_are_asked_side_by_side(desk: Desk, agent: ScriptedAgent):
    """A session that waits for its answer holds up no other."""
    held = agent.will(Reply(held=True))
    slow, quick = await desk.session("slow"), await desk.session("quick")
    waiting = await slow.ask(Question("one"))
    await soon(held.streamed.wait())
    assert (await desk.answered(quick, "two")).state is TurnState.DONE
    assert slow.turn(waiting.id).state is TurnState.RUNNING
    held.go.set()
    await desk.heard.over(waiting)


async def test_a_turn_is_told_from_queue_to_end(desk: Desk):
    """The listener hears of a turn: queued, Claude starting, running, each piece of text, over; in this order."""
    session = await desk.session()
    turn = await desk.answered(session, "one")
    kinds = [type(event) for event in desk.heard.events]
    assert kinds == [TurnQueued, TurnStatus, TurnRunning, TurnText, TurnText, TurnOver]
    assert desk.heard.of(TurnOver)[0].turn.state is TurnState.DONE
    assert turn.answer == "An answer."


async def test_what_a_turn_took_is_recorded(desk: Desk):
    """Model, cost, Claude session and times stand in the turn."""
    session = await desk.session()
    turn = await desk.answered(session, "one")
    assert (turn.model, turn.cost_usd, turn.session_id) == ("claude-test", 0.5, session.id())
    assert turn.asked <= turn.started <= turn.finished
    assert session.head.channelcoder.spent == {session.id(): 0.5}


async def test_tools_and_retries_are_told_and_a_replaced_text_takes_the_place_of_the_old(
    desk: Desk, agent: ScriptedAgent
):
    """Tools and retries are a line of progress; a text sent anew does not double what came before it."""
    held = agent.will(
        Reply(
            pieces=(),
            held=True,
            events=(
                ToolStarted(ToolUse(name="Read", detail="shop.py")),
                Retrying(1, 2, 3.2, "overloaded"),
                TextDelta("half an ans"),
                TextReplaced("The whole"),
            ),
        )
    )
    session = await desk.session()
    turn = await session.ask(Question("one"))
    await soon(held.streamed.wait())
    messages = [event.message for event in desk.heard.of(TurnStatus)]
    assert messages == ["starting Claude", "Read shop.py", "overloaded; trying again in 3 s (1 of 2)"]
    assert session.text_so_far(session.turn(turn.id)) == "The whole"
    held.go.set()
    await desk.heard.over(turn)


# Cancelling


async def test_a_queued_question_that_is_cancelled_is_never_asked(desk: Desk, agent: ScriptedAgent):
    """It ends at once, and those behind it are asked."""
    held = agent.will(Reply(held=True))
    session = await desk.session()
    first = await session.ask(Question("one"))
    second, third = await session.ask(Question("two")), await session.ask(Question("three"))
    await soon(held.streamed.wait())
    await session.cancel(second.id)
    assert session.turn(second.id).state is TurnState.CANCELLED
    assert session.turn(first.id).state is TurnState.RUNNING
    held.go.set()
    await desk.heard.over(first, second, third)
    assert agent.prompts == ["one", "three"]
    assert [event.turn.id for event in desk.heard.of(TurnOver)] == [second.id, first.id, third.id]


async def test_a_question_can_be_cancelled_while_another_process_holds_the_lease(desk: Desk, agent: ScriptedAgent):
    """It gives up waiting for the lease; Claude is not even started."""
    session = await desk.session()
    other = await desk.storage.open("work")
    async with other.lease():
        turn = await session.ask(Question("one"))
        await session.cancel(turn.id)
        await desk.heard.over(turn)
    assert session.turn(turn.id).state is TurnState.CANCELLED
    assert agent.requests == []
    assert (await desk.answered(session, "two")).state is TurnState.DONE
    await other.close()


async def test_a_question_can_be_cancelled_while_claude_is_started(desk: Desk, agent: ScriptedAgent):
    """The user is told at once; the question is not sent; no Claude session that never was enters the chain."""
    agent.door.clear()
    session = await desk.session()
    turn = await session.ask(Question("one"))
    await soon(agent.at_the_door.wait())
    await session.cancel(turn.id)
    await desk.heard.over(turn)
    assert session.turn(turn.id).state is TurnState.CANCELLED
    agent.door.set()
    second = await desk.answered(session, "two")
    assert second.state is TurnState.DONE
    assert agent.prompts == ["two"]
    assert session.head.session_chain == [second.session_id]
    assert len(desk.heard.of(TurnOver)) == 2


async def test_a_streaming_answer_that_is_cancelled_keeps_what_had_come(desk: Desk, agent: ScriptedAgent):
    """The turn is interrupted, its text kept, and the connection used for the next question."""
    held = agent.will(Reply(pieces=("Half ", "of it"), held=True))
    session = await desk.session()
    turn = await session.ask(Question("one"))
    await soon(held.streamed.wait())
    await session.cancel(turn.id)
    await desk.heard.over(turn)
    assert session.turn(turn.id).state is TurnState.CANCELLED
    assert session.turn(turn.id).answer == "Half of it"
    assert (await desk.answered(session, "two")).state is TurnState.DONE
    assert len(agent.requests) == 1


async def test_cancelling_after_the_end_changes_nothing(desk: Desk, agent: ScriptedAgent):
    """A turn that came to its end stays as it is, and the next one is not hit by mistake."""
    session = await desk.session()
    turn = await desk.answered(session, "one")
    assert (await session.cancel(turn.id)).state is TurnState.DONE
    assert (await desk.answered(session, "two")).state is TurnState.DONE
    assert len(desk.heard.of(TurnOver)) == 2


async def test_cancelling_one_turn_leaves_the_streamed_text_of_another_whole_on_disk(
    desk: Desk, agent: ScriptedAgent, monkeypatch: pytest.MonkeyPatch
):
    """What would be found after a crash has no hole where another question was cancelled."""
    monkeypatch.setattr("channelcoder_lsp.services.recorder.DELTA_SECONDS", 1000)
    held = agent.will(Reply(pieces=("one ", "two "), held=True))
    session = await desk.session()
    first, second = await session.ask(Question("one")), await session.ask(Question("two"))
    await soon(held.streamed.wait())
    await session.cancel(second.id)
    turn = session.turn(first.id)
    monkeypatch.setattr("channelcoder_lsp.services.recorder.DELTA_SECONDS", 0)
    await session._recorder.text(turn, "three")
    assert (await session.state()).turns[first.id].answer == "one two three"
    held.go.set()
    await desk.heard.over(first)


# Faults of Claude


async def test_a_fault_of_the_service_fails_the_turn_and_leaves_the_connection_open(desk: Desk, agent: ScriptedAgent):
    """The error's sentence, and whether asking again may help, stand in the turn."""
    agent.will(Reply(pieces=("Some",), error=ApiError("Claude is overloaded.", status=529)))
    session = await desk.session()
    turn = await desk.answered(session, "one")
    assert (turn.state, turn.error, turn.retryable, turn.answer) == (
        TurnState.FAILED,
        "Claude is overloaded.",
        True,
        "Some",
    )
    assert (await desk.answered(session, "two")).state is TurnState.DONE
    assert len(agent.requests) == 1


async def test_a_claude_that_cannot_be_started_fails_the_turn_and_the_next_one_tries_again(
    desk: Desk, agent: ScriptedAgent
):
    """No login: the turn says so, not to be asked again as it is; a later question starts anew."""
    agent.failures.append(NotLoggedInError("There is no login. Run claude.", retryable=False))
    session = await desk.session()
    turn = await desk.answered(session, "one")
    assert (turn.state, turn.error, turn.retryable) == (TurnState.FAILED, "There is no login. Run claude.", False)
    assert (await desk.answered(session, "two")).state is TurnState.DONE


async def test_when_the_command_line_ends_what_had_come_is_kept_and_the_next_question_reconnects(
    desk: Desk, agent: ScriptedAgent
):
    """The failed turn has its text; the next question resumes the same Claude session on a new connection."""
    agent.will(Reply(), Reply(pieces=("Half",), gone=True))
    session = await desk.session()
    await desk.answered(session, "one")
    turn = await desk.answered(session, "two")
    assert (turn.state, turn.answer) == (TurnState.FAILED, "Half")
    assert (await desk.answered(session, "three")).state is TurnState.DONE
    assert [request.resume for request in agent.requests] == [None, session.id()]
    assert len(session.head.session_chain) == 1


async def test_an_unexpected_error_fails_the_turn_and_not_the_session(
    desk: Desk, agent: ScriptedAgent, caplog: pytest.LogCaptureFixture
):
    """A bug in an adapter costs one turn: it is logged, named in the turn, and the next question is asked."""
    agent.failures.append(ZeroDivisionError("oops"))
    session = await desk.session()
    turn = await desk.answered(session, "one")
    assert turn.state is TurnState.FAILED
    assert "oops" in (turn.error or "")
    assert "oops" in caplog.text
    assert (await desk.answered(session, "two")).state is TurnState.DONE


async def test_a_stream_that_ends_without_an_end_is_a_failed_turn(desk: Desk, agent: ScriptedAgent):
    """An adapter that breaks its promise of one ``Finished`` leaves no turn hanging."""

    async def silent(self, prompt):
        yield TextDelta("half")

    session = await desk.session()
    await desk.answered(session, "zero")
    agent.open[0].ask = silent.__get__(agent.open[0])
    turn = await desk.answered(session, "one")
    assert (turn.state, turn.answer) == (TurnState.FAILED, "half")


async def test_an_error_on_closing_a_connection_costs_nothing(
    desk: Desk, agent: ScriptedAgent, caplog: pytest.LogCaptureFixture
):
    """It is logged, and the next question opens another connection."""
    session = await desk.session()
    connect = agent.connect

    @asynccontextmanager
    async def fragile(request):
        async with connect(request) as connection:
            yield connection
        raise RuntimeError("would not close")

    agent.connect = fragile
    agent.will(Reply(gone=True))
    assert (await desk.answered(session, "one")).state is TurnState.FAILED
    agent.connect = connect
    assert (await desk.answered(session, "two")).state is TurnState.DONE
    assert "would not close" in caplog.text


# Retry


async def test_retry_asks_the_same_again_as_a_new_turn(desk: Desk, agent: ScriptedAgent):
    """Word for word, in the same thread; the failed turn stays in the history."""
    agent.will(Reply(error=ApiError("Overloaded.", status=529)))
    session = await desk.session()
    failed = await desk.answered(session, "one")
    again = await session.retry(failed.id)
    await desk.heard.over(again)
    assert again.id != failed.id
    assert agent.prompts == ["one", "one"]
    assert [turn.state for turn in session.head.turns.values()] == [TurnState.FAILED, TurnState.DONE]


async def test_a_turn_under_way_cannot_be_retried(desk: Desk, agent: ScriptedAgent):
    """The error names the field and says what to do."""
    held = agent.will(Reply(held=True))
    session = await desk.session()
    turn = await session.ask(Question("one"))
    with pytest.raises(Exception, match=r"^turnId: .*Cancel it first"):
        await session.retry(turn.id)
    held.go.set()
    await desk.heard.over(turn)


# Warm, idle, and how many


async def test_a_connection_is_used_again(desk: Desk, agent: ScriptedAgent):
    """Two questions, one connection: neither of them pays for a start but the first."""
    session = await desk.session()
    await desk.answered(session, "one")
    await desk.answered(session, "two")
    assert len(agent.requests) == 1


async def test_an_idle_connection_is_closed_and_the_next_question_opens_it_again(desk: Desk, agent: ScriptedAgent):
    """The Claude session is resumed, with what it had cost so far."""
    desk.set(idle_seconds=0.01)
    session = await desk.session()
    await desk.answered(session, "one")
    assert await soon(agent.closed.get()) == session.id()
    await desk.answered(session, "two")
    assert agent.asked[-1].known == ("one",)
    assert (agent.requests[-1].resume, agent.requests[-1].spent_usd) == (session.id(), 0.5)


async def test_the_connection_used_longest_ago_is_closed_when_there_are_too_many(desk: Desk, agent: ScriptedAgent):
    """With room for two, the third session's question closes the first one's."""
    desk.set(max_open=2)
    sessions = [await desk.session(name) for name in ("a", "b", "c")]
    await desk.answered(sessions[0], "one")
    await desk.answered(sessions[1], "two")
    await desk.answered(sessions[0], "three")
    await desk.answered(sessions[2], "four")
    assert await soon(agent.closed.get()) == sessions[1].id()
    assert sorted(c.session_id for c in agent.open) == sorted([sessions[0].id(), sessions[2].id()])


async def test_busy_connections_stay_open_and_are_too_many_no_longer_than_they_are_busy(
    desk: Desk, agent: ScriptedAgent
):
    """More sessions at work than may be open: all are answered, then the surplus is closed."""
    desk.set(max_open=1)
    replies = [Reply(held=True), Reply(held=True)]
    agent.will(*replies)
    a, b = await desk.session("a"), await desk.session("b")
    turns = [await a.ask(Question("one")), await b.ask(Question("two"))]
    for reply in replies:
        await soon(reply.streamed.wait())
    assert len(agent.open) == 2
    for reply in replies:
        reply.go.set()
    await desk.heard.over(*turns)
    await soon(agent.closed.get())
    assert len(agent.open) == 1


async def test_another_model_is_used_from_the_next_question_on(desk: Desk, agent: ScriptedAgent):
    """The connection is opened anew with it; the conversation goes on."""
    session = await desk.session()
    await desk.answered(session, "one")
    await session.choose_model("claude-other")
    await desk.answered(session, "two")
    assert [request.model for request in agent.requests] == [None, "claude-other"]
    assert agent.asked[-1].known == ("one",)


async def test_when_trust_ends_the_next_question_is_asked_without_it(desk: Desk, agent: ScriptedAgent):
    """A warm connection that was opened for a trusted folder is not used any more."""
    desk.trusted = True
    session = await desk.session()
    await desk.answered(session, "one")
    desk.trusted = False
    await desk.answered(session, "two")
    assert [request.trusted for request in agent.requests] == [True, False]


async def test_another_agent_is_asked_from_the_next_question_on(desk: Desk, agent: ScriptedAgent):
    """Whoever switches to the offline model does not go on with the real one because a connection is warm."""
    session = await desk.session()
    await desk.answered(session, "one")
    desk.agent = other = ScriptedAgent()
    await desk.answered(session, "two")
    assert (agent.prompts[0], len(agent.prompts)) == ("one", 1)
    assert other.prompts[-1].endswith("two")


# Claude's side is gone


async def test_a_lost_conversation_goes_on_in_a_new_claude_session_with_a_replay(desk: Desk, agent: ScriptedAgent):
    """The new session is given the record, the chain grows, a note tells the user; once is enough."""
    desk.set(idle_seconds=0.01)
    session = await desk.session()
    await desk.answered(session, "What is ONE?")
    first = session.id()
    await soon(agent.closed.get())
    agent.transcripts.clear()
    turn = await desk.answered(session, "And TWO?")
    assert turn.state is TurnState.DONE
    assert "ONE" in agent.prompts[-1]
    assert agent.prompts[-1].endswith("And TWO?")
    assert session.head.session_chain == [first, session.id()]
    assert ["last 2 messages" in note for note in turn.notes] == [True]
    await soon(agent.closed.get())
    third = await desk.answered(session, "three")
    assert (third.notes, agent.prompts[-1]) == ([], "three")
    assert len(agent.requests) == 4, "first, failed resume, new, resumed"


async def test_the_replay_has_only_what_was_answered_or_said_before(desk: Desk, agent: ScriptedAgent):
    """Questions that still wait are not repeated: they are asked themselves in a moment."""
    desk.set(idle_seconds=0.01)
    session = await desk.session()
    await desk.answered(session, "ONE")
    await soon(agent.closed.get())
    agent.transcripts.clear()
    turns = [await session.ask(Question(text)) for text in ("TWO", "THREE")]
    await desk.heard.over(*turns)
    assert "ONE" in agent.prompts[1]
    assert "THREE" not in agent.prompts[1]
    assert agent.prompts[1].count("TWO") == 1


async def test_an_unnamed_sessions_first_claude_session_has_the_id_it_is_stored_under(desk: Desk, agent: ScriptedAgent):
    """The guide: an unnamed session is stored under its session id."""
    name = "11111111-2222-4333-8444-555555555555"
    session = await desk.session(name)
    await desk.answered(session, "one")
    assert session.id() == name


# Several processes on one session


async def test_two_processes_ask_in_turn_and_each_knows_what_the_other_asked(open_desk, agent: ScriptedAgent):
    """Every question is asked with all before it known to Claude, whoever asked them; nothing is doubled."""
    one, two = open_desk(), open_desk()
    a, b = await one.session(), await two.session()
    for number in range(3):
        await one.answered(a, f"a{number}")
        await two.answered(b, f"b{number}")
    await a.refresh()
    expected = ["a0", "b0", "a1", "b1", "a2", "b2"]
    assert agent.prompts == expected
    assert [len(asked.known) for asked in agent.asked] == list(range(6))
    state = await a.state()
    assert [m.content for m in state.messages if m.role == "user"] == expected
    assert list(a.head.turns) == list(b.head.turns)
    assert state.channelcoder.totals.turns == 6


async def test_two_processes_that_ask_at_once_get_both_answers(open_desk, agent: ScriptedAgent):
    """The lease orders them: Claude never hears two questions of one session at a time."""
    one, two = open_desk(), open_desk()
    a, b = await one.session(), await two.session()
    held = agent.will(Reply(held=True))
    first = await a.ask(Question("one"))
    await soon(held.streamed.wait())
    second = await b.ask(Question("two"))
    assert agent.prompts == ["one"]
    held.go.set()
    await one.heard.over(first)
    await two.heard.over(second)
    assert agent.asked[1].known == ("one",)
    state = await a.state()
    assert [turn.state for turn in state.turns.values()] == [TurnState.DONE, TurnState.DONE]
    assert len(state.messages) == 4


async def test_a_connection_is_kept_when_nobody_else_asked(open_desk, agent: ScriptedAgent):
    """Another process that merely has the session open, or chose a model for it, costs no reconnect."""
    one, two = open_desk(), open_desk()
    a, b = await one.session(), await two.session()
    await one.answered(a, "one")
    await b.refresh()
    await one.answered(a, "two")
    assert len(agent.requests) == 1


async def test_a_queued_question_that_another_process_cancelled_is_not_asked(open_desk, agent: ScriptedAgent):
    """The one who has it in its queue finds out when its turn comes, and tells its user."""
    one, two = open_desk(), open_desk()
    a, b = await one.session(), await two.session()
    held = agent.will(Reply(held=True))
    first, second = await a.ask(Question("one")), await a.ask(Question("two"))
    await soon(held.streamed.wait())
    await b.refresh()
    await b.cancel(second.id)
    held.go.set()
    await one.heard.over(first, second)
    assert agent.prompts == ["one"]
    assert a.turn(second.id).state is TurnState.CANCELLED


async def test_a_session_that_another_process_cleared_forgets_the_question_that_waits(open_desk, agent: ScriptedAgent):
    """It is not asked, its progress ends, and the worker lives on."""
    one, two = open_desk(), open_desk()
    a, b = await one.session(), await two.session()
    other = await two.storage.open("work")
    async with other.lease():
        turn = await a.ask(Question("one"))
        await b.clear()
    await one.heard.over(turn)
    assert agent.prompts == []
    assert (await one.answered(a, "two")).state is TurnState.DONE
    await other.close()


async def test_a_session_that_is_removed_while_it_is_answered_ends_its_turn(
    open_desk, agent: ScriptedAgent, caplog: pytest.LogCaptureFixture
):
    """Its user is told that the turn is over; nothing is brought back on disk; asking again says what happened."""
    one = open_desk()
    session = await one.session()
    held = agent.will(Reply(held=True))
    turn = await session.ask(Question("one"))
    await soon(held.streamed.wait())
    await one.storage.delete("work")
    held.go.set()
    await one.heard.over(turn)
    assert not await one.storage.exists("work")
    with pytest.raises(Exception, match="no session named 'work'"):
        await session.ask(Question("two"))


# Closing


async def test_closing_interrupts_what_streams_and_leaves_it_on_disk(desk: Desk, agent: ScriptedAgent):
    """What had come is kept, what waits is cancelled, the connection is closed, the session is at rest."""
    held = agent.will(Reply(pieces=("Half",), held=True))
    session = await desk.session()
    first, second = await session.ask(Question("one")), await session.ask(Question("two"))
    await soon(held.streamed.wait())
    await soon(session.close())
    state = await desk.storage.load("work")
    assert [(turn.state, turn.answer) for turn in state.turns.values()] == [
        (TurnState.CANCELLED, "Half"),
        (TurnState.CANCELLED, ""),
    ]
    assert (agent.open, agent.prompts) == ([], ["one"])
    assert desk.heard.of(TurnOver)[-1].turn.id in {first.id, second.id}


async def test_closing_does_not_wait_for_a_claude_that_takes_no_notice(
    desk: Desk, agent: ScriptedAgent, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    """After a bounded time the turn is given up; what had come of it is still saved, as cancelled."""
    monkeypatch.setattr(worker_module, "CLOSE_SECONDS", 0.01)
    held = agent.will(Reply(pieces=("Half ", "an answer"), held=True, deaf=True))
    session = await desk.session()
    turn = await session.ask(Question("one"))
    await soon(held.streamed.wait())
    await soon(session.close())
    state = await desk.storage.load("work")
    assert (state.turns[turn.id].state, state.turns[turn.id].answer) == (TurnState.CANCELLED, "Half an answer")
    assert agent.open == []


async def test_closing_a_session_that_was_never_asked_in_or_twice_is_fine(desk: Desk):
    """Nothing happens."""
    session = await desk.session()
    await soon(session.close())
    await soon(session.close())
    assert desk.heard.events == []


async def test_a_question_posted_while_the_session_closes_is_not_sent(desk: Desk, agent: ScriptedAgent):
    """It is recorded as cancelled; closing does not wait for an answer to it."""
    held = agent.will(Reply(held=True))
    session = await desk.session()
    first = await session.ask(Question("one"))
    await soon(held.streamed.wait())
    asking = asyncio.ensure_future(session.ask(Question("two")))
    await soon(session.close())
    second = await asking
    await desk.heard.over(first, second)
    assert agent.prompts == ["one"]
    assert (await desk.storage.load("work")).turns[second.id].state is TurnState.CANCELLED


async def test_the_end_of_a_turn_comes_from_the_agent_alone(desk: Desk, agent: ScriptedAgent):
    """The answer that counts is the one in ``Finished``, whatever the deltas were."""

    async def corrected(self, prompt):
        yield TextDelta("draft")
        yield Finished("The fair copy.", self.session_id)

    session = await desk.session()
    await desk.answered(session, "zero")
    agent.open[0].ask = corrected.__get__(agent.open[0])
    assert (await desk.answered(session, "one")).answer == "The fair copy."


async def test_an_agent_error_in_the_middle_of_a_turn_closes_the_connection(desk: Desk, agent: ScriptedAgent):
    """A stream that broke off is not used for the next question: its rest would be taken for an answer."""

    async def broken(self, prompt):
        yield TextDelta("half")
        raise AgentError("The stream can't be read.")

    session = await desk.session()
    await desk.answered(session, "zero")
    agent.open[0].ask = broken.__get__(agent.open[0])
    assert (await desk.answered(session, "one")).state is TurnState.FAILED
    assert (await desk.answered(session, "two")).state is TurnState.DONE
    assert len(agent.requests) == 2
