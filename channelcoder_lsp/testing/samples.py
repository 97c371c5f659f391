"""Sessions to test with."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from channelcoder_lsp.domain.ledger import Ledger
from channelcoder_lsp.domain.place import Anchor, Position, Range
from channelcoder_lsp.domain.records import TurnAsked, TurnFinished
from channelcoder_lsp.domain.session import SessionMetadata, SessionState
from channelcoder_lsp.domain.thread import Thread
from channelcoder_lsp.domain.turn import Turn, TurnState, Usage

MADE = datetime(2024, 1, 14, 9, 0, 0, 123000, tzinfo=timezone.utc)
HARD_TEXT = 'naïve 🙂 e\u0301 \r\n\ttab "quoted" \\ </script> \u2028 \x7f 日本語'


def sample_thread(number: int = 1) -> Thread:
    """A thread on one line."""
    place = Range(Position(number, 0), Position(number, 5))
    anchor = Anchor(uri="file:///project/a.py", path="a.py", range=place, quote=HARD_TEXT)
    return Thread(id=f"thread-{number}", anchor=anchor, language="python", created=MADE)


def sample_session(name: str | None = None, *, turns: int = 2, session_id: str = "claude-1") -> SessionState:
    """A session with some answered turns on a thread, and a last one that waits.

    Args:
        name: its name.
        turns: how many were answered.
        session_id: the Claude session that answered.
    """
    state = SessionState(
        metadata=SessionMetadata(name=name, created=MADE, last_active=MADE),
        channelcoder=Ledger(checkout="/home/someone/project"),
    )
    thread = sample_thread()
    for number in range(1, turns + 1):
        for record in answered(number, thread=thread, session_id=session_id):
            state.apply(record)
    waiting = Turn(id="turn-waiting", question="And then?", asked=MADE)
    state.apply(TurnAsked(seq=2 * turns + 1, at=MADE + timedelta(hours=turns), turn=waiting))
    return state


def long_session(messages: int, text: str = "word " * 100) -> SessionState:
    """A session with that many messages, each a little longer than ``text``."""
    state = SessionState(metadata=SessionMetadata(name="long", created=MADE, last_active=MADE))
    for number in range(1, messages // 2 + 1):
        for record in answered(number, text=text):
            state.apply(record)
    return state


def answered(
    number: int, *, thread: Thread | None = None, text: str = HARD_TEXT, session_id: str = "claude-1"
) -> tuple[TurnAsked, TurnFinished]:
    """The two records of the turn ``number``."""
    turn = Turn(
        id=f"turn-{number}",
        thread_id=thread.id if thread else None,
        question=f"Question {number}: {text}",
        prompt=f"Prompt {number}: {text}",
        asked=MADE,
    )
    asked = TurnAsked(
        seq=2 * number - 1,
        at=MADE + timedelta(minutes=number),
        turn=turn,
        thread=thread.model_copy(deep=True) if thread else None,
    )
    finished = TurnFinished(
        seq=2 * number,
        at=MADE + timedelta(minutes=number, seconds=30),
        turn_id=turn.id,
        state=TurnState.DONE,
        answer=f"Answer {number}: {text}",
        model="claude-test",
        usage=Usage(input_tokens=100, output_tokens=10),
        cost_usd=0.25,
        cumulative_cost_usd=0.25 * number,
        session_id=session_id,
    )
    return asked, finished
