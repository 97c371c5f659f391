"""What of a session's head is of use without the history."""

from __future__ import annotations

from typing import TYPE_CHECKING

from channelcoder_lsp.domain.session import HEAD_TEXT_LIMIT, SessionHead

if TYPE_CHECKING:
    from channelcoder_lsp.domain.turn import Turn

RECENT_TURNS = 20
"""How many of the last turns the head keeps whether or not they hang on a thread."""


def prune(head: SessionHead) -> SessionHead:
    """``head`` with only the turns that are of use without the history, and bounded texts.

    Those are the turns that hang on a thread, that have not ended, and the last few. The texts of turns that
    have not ended are left whole, since more is to be added to them. What is not cut is shared with ``head``.
    """
    turns = head.turns
    wanted = {turn_id for thread in head.threads.values() for turn_id in thread.turn_ids}
    wanted.update(list(turns)[-RECENT_TURNS:])
    kept = {
        turn_id: _cut(turn) if turn.state.finished else turn
        for turn_id, turn in turns.items()
        if turn_id in wanted or not turn.state.finished
    }
    fields = {name: getattr(head, name) for name in SessionHead.model_fields}
    fields["channelcoder"] = head.channelcoder.model_copy(update={"turns": kept})
    return SessionHead.model_construct(**fields)


def _cut(turn: Turn) -> Turn:
    texts = {name: getattr(turn, name) for name in ("question", "prompt", "answer")}
    cut = {name: text[:HEAD_TEXT_LIMIT] for name, text in texts.items() if len(text) > HEAD_TEXT_LIMIT}
    return turn.model_copy(update=cut) if cut else turn
