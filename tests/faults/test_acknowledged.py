"""What the crashes are judged by finds what it is there to find."""

from __future__ import annotations

from channelcoder_lsp.domain.ledger import Ledger
from channelcoder_lsp.domain.session import Message, SessionState
from channelcoder_lsp.domain.turn import Turn, TurnState

from .acknowledged import Acknowledged

TURN = Turn(id="turn-1", question="What?", state=TurnState.DONE)


def told() -> Acknowledged:
    """Somebody asked, and heard the answer."""
    told = Acknowledged(asked={"What?", "And?"}, questions={"turn-1": "What?"})
    said = [{"state": "queued", "text": None}, {"state": "running", "text": "Th"}, {"state": "done", "text": "is."}]
    told.hear(
        [{"method": "channelcoder/turn", "params": {"turnId": "turn-1", "replace": False, **each}} for each in said]
    )
    return told


def stored(*messages: tuple[str, str], turn: Turn = TURN) -> SessionState:
    return SessionState(
        messages=[
            Message(role=role, content=content, timestamp="2026-01-01T00:00:00Z", turn_id="turn-1")
            for role, content in messages
        ],
        channelcoder=Ledger(turns={"turn-1": turn}),
    )


QUESTION, ANSWER = ("user", "What?"), ("assistant", "This.")


def test_all_is_there():
    """A question that was never taken on may be there or not."""
    assert told().differences(stored(QUESTION, ANSWER)) == []
    assert told().differences(stored(QUESTION, ANSWER, ("user", "And?"))) == []


def test_what_is_lost():
    """A question, an answer, the end of an answer, the turn's end."""
    assert "'What?' of turn-1 is lost" in told().differences(stored(ANSWER))
    assert told().differences(stored(QUESTION)) == ["the answer of turn-1 was 'This.' and is []"]
    assert told().differences(stored(QUESTION, ("assistant", "Th"))) == [
        "the answer of turn-1 was 'This.' and is ['Th']"
    ]
    failed = TURN.model_copy(update={"state": TurnState.FAILED})
    assert told().differences(stored(QUESTION, ANSWER, turn=failed)) == ["turn-1 was done and is failed"]


def test_what_is_doubled():
    """Also a question that was never taken on."""
    assert told().differences(stored(QUESTION, QUESTION, ANSWER)) == ["'What?' stands 2 times"]
    assert "the answer of turn-1 stands 2 times" in told().differences(stored(QUESTION, ANSWER, ANSWER))
    assert told().differences(stored(QUESTION, ANSWER, *[("user", "And?")] * 2)) == ["'And?' stands 2 times"]


def test_threads():
    """One that nobody heard the end of may be open or resolved."""
    judge = told()
    judge.status["thread-1"] = "resolved"
    assert judge.differences(stored(QUESTION, ANSWER)) == ["thread-1 is lost"]
