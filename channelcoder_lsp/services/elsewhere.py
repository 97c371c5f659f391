"""Turns that were asked elsewhere than here: in Claude Code's own terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from channelcoder_lsp.domain.ledger import Ledger
from channelcoder_lsp.domain.records import Record, SessionContinued, TurnAsked, TurnFinished, TurnStarted
from channelcoder_lsp.domain.session import SessionMetadata, SessionState
from channelcoder_lsp.domain.text import well_formed
from channelcoder_lsp.domain.turn import Turn

if TYPE_CHECKING:
    from collections.abc import Sequence


def records_of(turn: Turn, *, cost_usd: float = 0.0, cumulative_usd: float | None = None) -> list[Record]:
    """What happened in a turn that has ended.

    Args:
        turn: the turn.
        cost_usd: what it cost.
        cumulative_usd: what its Claude session had cost altogether by then, if it is known.
    """
    asked = Turn(
        id=turn.id,
        question=well_formed(turn.question),
        prompt=well_formed(turn.prompt),
        asked=turn.asked,
        author=turn.author,
    )
    return [
        TurnAsked(turn=asked, at=turn.asked),
        TurnStarted(turn_id=turn.id, session_id=turn.session_id or "", at=turn.asked),
        TurnFinished(
            turn_id=turn.id,
            state=turn.state,
            answer=well_formed(turn.answer),
            error=turn.error,
            model=turn.model,
            usage=turn.usage,
            tools=turn.tools,
            context=turn.context,
            cost_usd=cost_usd,
            cumulative_cost_usd=cumulative_usd,
            session_id=turn.session_id,
            at=turn.finished or turn.asked,
        ),
    ]


def session_of(turns: Sequence[Turn], *, name: str, checkout: str | None, cost_usd: float | None) -> SessionState:
    """A session in which ``turns`` were asked, with the Claude session of the last one to go on with.

    That one is copied before anything is asked in it: whoever began it may go on with it, too.

    Args:
        turns: the turns, ended, oldest first; not none.
        name: the session's.
        checkout: the folder that they were asked in, if it is known.
        cost_usd: what they cost together, if it is known.
    """
    state = SessionState(
        metadata=SessionMetadata(name=name, created=turns[0].asked, last_active=turns[0].asked),
        channelcoder=Ledger(checkout=checkout),
    )
    if (first := turns[0].session_id) is not None:
        state.apply(SessionContinued(session_id=first, at=turns[0].asked))
    for turn in turns:
        last = turn is turns[-1]
        for record in records_of(
            turn, cost_usd=(cost_usd or 0.0) if last else 0.0, cumulative_usd=cost_usd if last else None
        ):
            state.apply(record)
    state.channelcoder.forked_from = state.current_session_id
    return state
