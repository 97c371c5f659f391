"""How a turn comes to its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from channelcoder_lsp.domain.records import TurnFinished
    from channelcoder_lsp.domain.turn import Turn


def end(turn: Turn, record: TurnFinished, *, after: str | None) -> str:
    """Give a turn the end that was recorded; its answer.

    Where somebody else had ended it before, that end is forgotten, but for what had come of the answer if there is no
    other one.

    Args:
        turn: the turn.
        record: its end.
        after: the turn that Claude had heard of last.
    """
    answer = record.answer or (turn.answer if turn.given_up is not None else "")
    turn.given_up = (after or "") if record.given_up else None
    turn.state = record.state
    turn.answer = answer
    turn.error = record.error
    turn.retryable = record.retryable
    turn.notes = [*turn.notes, *record.notes]
    turn.model = record.model
    turn.usage = record.usage
    turn.cost_usd = record.cost_usd
    turn.tools = record.tools
    turn.permissions = record.permissions
    turn.finished = record.at
    turn.session_id = record.session_id or turn.session_id
    turn.context = record.context
    turn.near_limit = record.near_limit
    return answer
