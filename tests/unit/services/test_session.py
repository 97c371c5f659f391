"""Asking in a session, and what is recorded of it, also when the storage fails for a while."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from channelcoder_lsp.domain.errors import (
    ArgumentsError,
    SessionBusyError,
    StorageError,
    ThreadNotFoundError,
    TurnNotFoundError,
)
from channelcoder_lsp.domain.place import Position, Range, Selection
from channelcoder_lsp.domain.records import TurnAsked, TurnDelta, TurnStarted
from channelcoder_lsp.domain.thread import ThreadStatus
from channelcoder_lsp.domain.turn import Turn, TurnState
from channelcoder_lsp.services import recorder
from channelcoder_lsp.services import session as services_session
from channelcoder_lsp.services.compose import Question
from channelcoder_lsp.services.events import SessionMoved, Trouble, TroubleOver, TurnOver, TurnQueued
from channelcoder_lsp.services.owner import owner_of
from channelcoder_lsp.services.threads import thread_about

from .desk import Desk, Reply, ScriptedAgent, soon

if TYPE_CHECKING:
    from channelcoder_lsp.domain.thread import Thread

CODE = "def total(items):\n    return sum(items)\n"


def selection(text: str = CODE, first: int = 0, last: int = 2) -> Selection:
    span = Range(Position(first, 0), Position(last, 0))
    return Selection(uri="file:///p/a.py", path="a.py", language="python", range=span, text=text, document=text)


class Faulty:
    """A real journal whose disk is full whenever ``full`` says so of the records that are to be written."""

    def __init__(self, journal: Any) -> None:
        self._journal = journal
        self.full = lambda records: False
        self.attempts = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._journal, name)

    async def append(self, *records: Any, durable: bool = True) -> None:
        self.attempts += 1
        if self.full(records):
            raise StorageError("The disk is full. Make room.")
        await self._journal.append(*records, durable=durable)


async def faulty_session(desk: Desk):
    made: list[Faulty] = []

    def wrap(journal):
        made.append(Faulty(journal))
        return made[0]

    session = await desk.session(journal=wrap)
    return session, made[0]


# Asking


async def test_the_question_is_on_disk_before_ask_returns(desk: Desk, agent: ScriptedAgent):
    """Another process sees it at once, with its prompt, its author and who has it in its queue."""
    desk.set(author="Ada")
    held = agent.will(Reply(held=True))
    session = await desk.session()
    thread = thread_about(selection())
    turn = await session.ask(Question("  What is it? ", selection=selection()), thread)
    on_disk = (await desk.storage.load("work")).turns[turn.id]
    assert (on_disk.question, on_disk.author, on_disk.thread_id) == ("What is it?", "Ada", thread.id)
    assert "def total" in on_disk.prompt
    assert on_disk.owner
    held.go.set()
    await desk.heard.over(turn)


async def test_the_files_text_is_kept_with_the_thread(desk: Desk):
    """So that the place can be found again in whatever becomes of the file."""
    session = await desk.session()
    thread = thread_about(selection())
    turn = await session.ask(Question("What is it?", selection=selection()), thread)
    assert await session.text_when_asked(session.thread(thread.id)) == CODE
    await desk.heard.over(turn)


async def test_a_follow_up_goes_to_its_thread(desk: Desk):
    """The thread has both turns, oldest first."""
    session = await desk.session()
    thread = thread_about(selection())
    first = await session.ask(Question("one", selection=selection()), thread)
    second = await session.ask(Question("two", selection=selection(), thread_id=thread.id))
    assert session.turns_of(session.thread(thread.id)) == [session.turn(first.id), session.turn(second.id)]
    await desk.heard.over(first, second)


@pytest.mark.parametrize("text", ["", "  \n\t "])
async def test_an_empty_question_is_refused(desk: Desk, text: str):
    """The error names the field; nothing is recorded."""
    session = await desk.session()
    with pytest.raises(ArgumentsError, match=r"^question: "):
        await session.ask(Question(text))
    assert session.head.turns == {}


async def test_unknown_threads_and_turns_are_named(desk: Desk):
    """The error has the id."""
    session = await desk.session()
    with pytest.raises(ThreadNotFoundError, match="thread-x"):
        await session.ask(Question("one", thread_id="thread-x"))
    with pytest.raises(TurnNotFoundError, match="turn-x"):
        await session.cancel("turn-x")
    with pytest.raises(TurnNotFoundError, match="turn-x"):
        await session.retry("turn-x")


async def test_a_cancelled_request_leaves_no_question_that_nobody_asks(desk: Desk, agent: ScriptedAgent):
    """LSP's $/cancelRequest may hit ``ask`` while it writes: what was recorded is asked all the same."""
    session = await desk.session()
    asking = asyncio.ensure_future(session.ask(Question("one")))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    queued = await desk.heard.until(lambda: desk.heard.of(TurnQueued))
    await desk.heard.over(queued[0].turn)
    assert session.head.unfinished() == []
    assert agent.prompts == ["one"]


async def test_a_note_about_what_was_sent_stands_in_the_turn_once(desk: Desk):
    """On a new connection as on a warm one."""
    desk.set(max_selection_chars=10)
    session = await desk.session()
    for question in ("one", "two"):
        turn = await session.ask(Question(question, selection=selection()))
        await desk.heard.over(turn)
        assert len(session.turn(turn.id).notes) == 1


async def test_a_surrogate_without_its_pair_is_asked_about_all_the_same(desk: Desk):
    """JSON can carry one, UTF-8 can't: an editor's broken text must not break the session."""
    broken = "name = '\ud83d'\n"
    session = await desk.session()
    turn = await session.ask(
        Question("What is \ud83d?", selection=selection(broken, 0, 1)), thread_about(selection(broken))
    )
    await desk.heard.over(turn)
    assert session.turn(turn.id).state is TurnState.DONE
    assert (await session.state()).turns[turn.id].state is TurnState.DONE


# Long texts


async def test_a_long_question_is_asked_again_whole_after_a_restart(desk: Desk, agent: ScriptedAgent):
    """What a start-up reads has texts cut; retry sends what was sent."""
    session = await desk.session()
    long = "".join(f"line {number} of it\n" for number in range(5_000))
    turn = await session.ask(Question("What is it?", selection=selection(long, 0, 5_000)))
    await desk.heard.over(turn)
    await soon(session.close())
    again = await desk.session()
    assert len(again.turn(turn.id).prompt) < len(agent.prompts[0]), "else there is nothing to test"
    assert (await again.whole(turn.id)).prompt == agent.prompts[0]
    retried = await again.retry(turn.id)
    await desk.heard.over(retried)
    assert agent.prompts[1] == agent.prompts[0]


# Clearing, models


async def test_clearing_while_an_answer_streams_forgets_that_too(desk: Desk, agent: ScriptedAgent):
    """The turn is over, and the next question starts a Claude session that knows nothing."""
    held = agent.will(Reply(), Reply(held=True))
    session = await desk.session()
    await desk.answered(session, "one")
    turn = await session.ask(Question("two"))
    await soon(held.streamed.wait())
    await soon(session.clear())
    await desk.heard.over(turn)
    third = await desk.answered(session, "three")
    assert (agent.asked[-1].prompt, agent.asked[-1].known) == ("three", ())
    assert session.head.session_chain == [third.session_id]
    assert [message.content for message in (await session.state()).messages] == ["three", "An answer."]


async def test_a_model_can_be_chosen_and_unchosen(desk: Desk, agent: ScriptedAgent):
    """None is the default again, also for who opens the session later."""
    session = await desk.session()
    await session.choose_model("claude-x")
    await session.choose_model(None)
    await desk.answered(session, "one")
    assert agent.requests[-1].model is None
    assert (await desk.storage.load("work")).channelcoder.model is None
    assert (await (await desk.session()).state()).turns


# Cancelling what others do


async def test_what_another_process_is_being_answered_is_not_taken_from_it(open_desk, agent: ScriptedAgent):
    """Calling it cancelled here would lose the answer there: the user is told where to cancel it."""
    one, two = open_desk(), open_desk()
    a, b = await one.session(), await two.session()
    held = agent.will(Reply(held=True))
    turn = await a.ask(Question("one"))
    await soon(held.streamed.wait())
    await b.refresh()
    with pytest.raises(SessionBusyError, match="Cancel it there"):
        await b.cancel(turn.id)
    held.go.set()
    await one.heard.over(turn)
    assert a.turn(turn.id).state is TurnState.DONE


async def test_where_a_thread_is_can_be_recorded_while_others_ask_in_it(open_desk):
    """One process records the place, not having seen the other's question: the thread keeps the question."""
    one, two = open_desk(), open_desk()
    a = await one.session()
    thread = thread_about(selection())
    first = await a.ask(Question("one", selection=selection()), thread)
    await one.heard.over(first)
    b = await two.session()
    second = await b.ask(Question("two", selection=selection(), thread_id=thread.id))
    await two.heard.over(second)
    moved = a.thread(thread.id).anchor.model_copy(update={"range": Range(Position(3, 0), Position(5, 0))})
    await a.keep_anchor(thread.id, moved)
    kept = (await a.state()).threads[thread.id]
    assert kept.turn_ids == [first.id, second.id]
    assert kept.anchor.range == moved.range


async def test_a_thread_that_was_resolved_elsewhere_stays_resolved_when_its_anchor_moves(open_desk):
    """Two editors on one file: somebody types in one of them, and has not heard yet of what was done in the other."""
    one, two = open_desk(), open_desk()
    a, b = await one.session(), await two.session()
    thread = thread_about(selection())
    await one.heard.over(await a.ask(Question("one", selection=selection()), thread))
    await b.refresh()
    moved = a.thread(thread.id).anchor.model_copy(update={"range": Range(Position(3, 0), Position(5, 0))})
    await b.set_status(thread.id, ThreadStatus.RESOLVED)
    assert a.thread(thread.id).status is ThreadStatus.OPEN, "not heard yet"
    await a.keep_anchors({thread.id: moved})
    kept = (await a.state()).threads[thread.id]
    assert (kept.status, kept.anchor.range) == (ThreadStatus.RESOLVED, moved.range)


# The dead and the living


DEAD = "this-machine-is-gone"


async def left_behind(desk: Desk, owner: str | None, *, running: bool) -> Turn:
    """A turn as a process leaves it that ends without closing."""
    journal = await desk.storage.open("work")
    turn = Turn(question="What is it?", prompt="What is it?", owner=owner)
    records: list[Any] = [TurnAsked(turn=turn)]
    if running:
        records += [
            TurnStarted(turn_id=turn.id, session_id="claude-1"),
            TurnDelta(turn_id=turn.id, text="Half an"),
        ]
    await journal.append(*records)
    return turn


def dead_process() -> str:
    """The name of a process that lived on this machine."""
    child = subprocess.Popen([sys.executable, "-c", ""])
    owner = owner_of(child.pid)
    child.wait()
    return owner


@pytest.mark.parametrize("running", [False, True], ids=["queued", "running"])
async def test_the_turns_of_a_dead_process_are_ended_and_what_had_come_is_kept(desk: Desk, running: bool):
    """They fail with a sentence that says so, and can be asked again."""
    await desk.session()
    turn = await left_behind(desk, dead_process(), running=running)
    session = await desk.session()
    await soon(session.recover())
    buried = session.turn(turn.id)
    assert (buried.state, buried.answer) == (TurnState.FAILED, "Half an" if running else "")
    assert "Retry" in (buried.error or "")
    assert desk.heard.of(SessionMoved)
    again = await session.retry(turn.id)
    await desk.heard.over(again)
    assert session.turn(again.id).state is TurnState.DONE


async def test_a_question_that_waits_in_a_living_process_is_left_alone(open_desk, agent: ScriptedAgent):
    """Another process that opens the session does not call it dead; it is answered where it waits."""
    one, two = open_desk(), open_desk()
    a = await one.session()
    held = agent.will(Reply(held=True))
    first, second = await a.ask(Question("one")), await a.ask(Question("two"))
    await soon(held.streamed.wait())
    b = await two.session()
    recovering = asyncio.ensure_future(b.recover())
    held.go.set()
    await one.heard.over(first, second)
    await soon(recovering)
    assert [turn.state for turn in (await b.state()).turns.values()] == [TurnState.DONE, TurnState.DONE]


async def test_a_question_that_waits_on_another_machine_is_left_alone(desk: Desk):
    """Whether that process lives can't be known at once."""
    await desk.session()
    turn = await left_behind(desk, "another-machine:1:1.00", running=False)
    session = await desk.session()
    for _ in range(2):
        await soon(session.recover())
    assert session.turn(turn.id).state is TurnState.QUEUED


async def test_a_machine_that_does_not_take_the_lease_while_it_is_free_is_gone(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
):
    """Its question is ended by whoever has the session open, and can be asked again."""
    monkeypatch.setattr(recorder, "GONE_SECONDS", 0.05)
    monkeypatch.setattr(services_session, "LOOK_SECONDS", 0.05)
    await desk.session()
    turn = await left_behind(desk, "another-machine:1:1.00", running=False)
    session = await desk.session()
    await soon(session.recover())
    await desk.heard.until(lambda: session.turn(turn.id).state.finished)
    assert session.turn(turn.id).state is TurnState.FAILED
    assert "Retry" in (session.turn(turn.id).error or "")


async def test_who_dies_while_the_session_is_open_here_is_seen(desk: Desk, monkeypatch: pytest.MonkeyPatch):
    """Each time; nobody has to ask or to open the session anew."""
    monkeypatch.setattr(services_session, "LOOK_SECONDS", 0.05)
    session = await desk.session()
    for _ in range(2):
        turn = await left_behind(desk, dead_process(), running=True)
        await session.refresh()
        assert session.turn(turn.id).state is TurnState.RUNNING
        await desk.heard.until(lambda turn=turn: session.turn(turn.id).state.finished)
        assert session.turn(turn.id).state is TurnState.FAILED
        assert session.turn(turn.id).answer == "Half an"


async def test_while_something_is_recorded_nobody_is_gone(desk: Desk, monkeypatch: pytest.MonkeyPatch):
    """The lease may have been held by somebody all the time."""
    monkeypatch.setattr(recorder, "GONE_SECONDS", 0.0)
    await desk.session()
    turn = await left_behind(desk, "another-machine:1:1.00", running=False)
    session = await desk.session()
    await soon(session.recover())
    await session.choose_model("other")
    await soon(session.recover())
    assert session.turn(turn.id).state is TurnState.QUEUED
    await soon(session.recover())
    assert session.turn(turn.id).state is TurnState.FAILED


async def test_the_dead_are_buried_before_the_next_question(desk: Desk, agent: ScriptedAgent):
    """Without a recovery too: whoever holds the lease knows that nobody else is being answered."""
    await desk.session()
    turn = await left_behind(desk, None, running=True)
    session = await desk.session()
    agent.transcripts["claude-1"] = []
    await desk.answered(session, "two")
    assert session.turn(turn.id).state is TurnState.FAILED


# When the storage fails


async def test_a_question_that_cannot_be_recorded_is_not_asked(desk: Desk, agent: ScriptedAgent):
    """The error reaches the user, and nothing else happens."""
    session, journal = await faulty_session(desk)
    journal.full = lambda records: True
    with pytest.raises(StorageError, match="Make room"):
        await session.ask(Question("one"))
    journal.full = lambda records: False
    assert (session.head.turns, agent.prompts, desk.heard.events) == ({}, [], [])


async def test_an_answer_that_cannot_be_recorded_is_kept_and_saved_with_the_next_record(
    desk: Desk, agent: ScriptedAgent, caplog: pytest.LogCaptureFixture
):
    """It shows meanwhile, the user is told, and nothing of it counts twice when it is saved."""
    session, journal = await faulty_session(desk)
    held = agent.will(Reply(held=True))
    turn = await session.ask(Question("one"))
    await soon(held.streamed.wait())
    journal.full = lambda records: True
    held.go.set()
    await desk.heard.over(turn)
    assert (session.turn(turn.id).state, session.turn(turn.id).answer) == (TurnState.DONE, "An answer.")
    assert "kept in memory" in desk.heard.of(Trouble)[0].message
    assert (await desk.storage.load("work")).turns[turn.id].state is TurnState.RUNNING
    journal.full = lambda records: False
    await desk.answered(session, "two")
    state = await desk.storage.load("work")
    assert [message.content for message in state.messages] == ["one", "An answer.", "two", "An answer."]
    assert state.channelcoder.totals.cost_usd == session.head.channelcoder.totals.cost_usd == 1.0
    assert session.head.message_count == 4
    assert "Make room" in caplog.text


async def test_an_answer_that_cannot_be_recorded_is_saved_as_soon_as_it_can_be(
    desk: Desk, agent: ScriptedAgent, monkeypatch: pytest.MonkeyPatch
):
    """By itself, while nobody asks anything; both are told once, however often it was tried."""
    monkeypatch.setattr(recorder, "SAVE_AGAIN_SECONDS", 0.001)
    session, journal = await faulty_session(desk)
    held = agent.will(Reply(held=True))
    turn = await session.ask(Question("one"))
    await soon(held.streamed.wait())
    tries = asyncio.Semaphore(0)

    def full(records: object) -> bool:
        tries.release()
        return True

    journal.full = full
    held.go.set()
    await desk.heard.over(turn)
    for _ in range(3):
        await soon(tries.acquire())
    journal.full = lambda records: False
    await desk.heard.until(lambda: bool(desk.heard.of(TroubleOver)))
    assert (await desk.storage.load("work")).turns[turn.id].answer == "An answer."
    assert (len(desk.heard.of(Trouble)), len(desk.heard.of(TroubleOver))) == (1, 1)


async def test_an_answer_that_could_not_be_recorded_is_saved_on_closing(
    desk: Desk, agent: ScriptedAgent, caplog: pytest.LogCaptureFixture
):
    """If the storage works again by then."""
    session, journal = await faulty_session(desk)
    held = agent.will(Reply(held=True))
    turn = await session.ask(Question("one"))
    await soon(held.streamed.wait())
    journal.full = lambda records: True
    held.go.set()
    await desk.heard.over(turn)
    journal.full = lambda records: False
    await soon(session.close())
    assert (await desk.storage.load("work")).turns[turn.id].answer == "An answer."


async def test_records_kept_in_memory_are_written_once_and_in_order_however_many_write_at_once(
    desk: Desk, agent: ScriptedAgent, caplog: pytest.LogCaptureFixture
):
    """Two writers that find the same unsaved records do not both write them, and drop none."""
    session, journal = await faulty_session(desk)
    held = agent.will(Reply(held=True))
    turn = await session.ask(Question("one"))
    await soon(held.streamed.wait())
    journal.full = lambda records: True
    held.go.set()
    await desk.heard.over(turn)
    journal.full = lambda records: False
    await asyncio.gather(session.choose_model("a"), session.choose_model("b"), session.choose_model("c"))
    text = (desk.folder / "sessions" / "work.journal").read_text()
    assert text.count('"type":"turn.finished"') == 1
    assert session.head.channelcoder.model == "c"


async def test_streamed_text_that_could_not_be_recorded_leaves_no_hole(
    desk: Desk, agent: ScriptedAgent, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    """What is found after a crash is the answer as far as it had come, not one with its middle missing."""
    monkeypatch.setattr("channelcoder_lsp.services.recorder.DELTA_SECONDS", 0)
    session, journal = await faulty_session(desk)
    journal.full = lambda records: any(getattr(record, "text", "") == "two " for record in records)
    held = agent.will(Reply(pieces=("one ", "two ", "three"), held=True))
    turn = await session.ask(Question("one"))
    await soon(held.streamed.wait())
    assert (await desk.storage.load("work")).turns[turn.id].answer == "one two three"
    held.go.set()
    await desk.heard.over(turn)


async def test_streamed_text_is_written_at_a_bounded_rate(
    desk: Desk, agent: ScriptedAgent, monkeypatch: pytest.MonkeyPatch
):
    """A hundred pieces in a moment are not a hundred writes."""
    session, journal = await faulty_session(desk)
    monkeypatch.setattr("channelcoder_lsp.services.recorder.DELTA_SECONDS", 1000)
    agent.will(Reply(pieces=("x",) * 100))
    turn = await desk.answered(session, "one")
    assert turn.answer == "x" * 100
    assert journal.attempts == 4, "asked, started, the first piece, finished"


# A listener


async def test_a_listener_that_fails_stops_nothing(open_desk, agent: ScriptedAgent, caplog: pytest.LogCaptureFixture):
    """It is logged; the answer is recorded."""
    desk = open_desk()
    good = desk.heard

    def bad(event):
        good(event)
        raise ZeroDivisionError("listener")

    object.__setattr__(desk.ports, "tell", bad)
    session = await desk.session()
    assert (await desk.answered(session, "one")).state is TurnState.DONE
    assert "listener" in caplog.text
    assert len(good.of(TurnOver)) == 1


async def test_a_thread_whose_text_cannot_be_kept_is_still_a_thread(desk: Desk, caplog: pytest.LogCaptureFixture):
    """The quote must do then; the question is asked."""
    session, journal = await faulty_session(desk)

    async def fails(digest, text):
        raise StorageError("The disk is full.")

    journal.keep_content = fails
    thread: Thread = thread_about(selection())
    turn = await session.ask(Question("one", selection=selection()), thread)
    await desk.heard.over(turn)
    assert session.thread(thread.id).anchor.content is None
    assert session.turn(turn.id).state is TurnState.DONE


async def test_a_character_that_comes_in_two_halves_is_whole_in_the_answer(
    desk: Desk, agent: ScriptedAgent, monkeypatch: pytest.MonkeyPatch
):
    """A stream may be cut within a surrogate pair; what is recorded can always be read."""
    monkeypatch.setattr("channelcoder_lsp.services.recorder.DELTA_SECONDS", 0)
    agent.will(Reply(pieces=("Well \ud83d", "\ude00 done")))
    session = await desk.session()
    turn = await desk.answered(session, "one")
    assert turn.answer == "Well 😀 done"
    assert (await session.state()).messages[-1].content == "Well 😀 done"
