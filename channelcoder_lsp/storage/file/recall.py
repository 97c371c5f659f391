"""Filling a hole in a session from what its index remembers."""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Literal

from pydantic import ValidationError

from channelcoder_lsp.domain.session import Message, SessionHead, SessionState
from channelcoder_lsp.storage.file.index import parse_head, read_index

if TYPE_CHECKING:
    from channelcoder_lsp.domain.model import Timestamp
    from channelcoder_lsp.domain.turn import Turn
    from channelcoder_lsp.storage.file.names import SessionFiles

log = logging.getLogger(__name__)


def remembered(files: SessionFiles) -> SessionHead | None:
    """The head in the index, whatever snapshot it was made from; None without one that can be read."""
    found = read_index(files)
    if found is not None:
        with suppress(ValidationError):
            return parse_head(*found)
    return None


def fill(state: SessionState, head: SessionHead) -> None:
    """Put into ``state`` what ``head``, which is newer, has and it lacks.

    The head has no messages: those of its turns are made again, with texts as short as it has them. Turns
    that it was made without are not to be had.
    """
    old, new = state.channelcoder, head.channelcoder
    added: list[Message] = []
    turns = dict(old.turns)
    for turn_id, turn in new.turns.items():
        known = turns.get(turn_id)
        if known is None:
            added.append(_message(turn, "user", turn.question, turn.asked))
        if known is None or not known.state.finished:
            turns[turn_id] = turn
            if turn.state.finished and turn.answer:
                added.append(_message(turn, "assistant", turn.answer, turn.finished or turn.asked))
    state.channelcoder = new.model_copy(update={"turns": turns})
    state.session_chain = list(dict.fromkeys([*head.session_chain, *state.session_chain]))
    state.current_session_id = state.current_session_id or head.current_session_id
    state.messages = sorted([*state.messages, *added], key=lambda message: message.timestamp)
    state.message_count = len(state.messages)


def _message(turn: Turn, role: Literal["user", "assistant"], text: str, when: Timestamp) -> Message:
    return Message(role=role, content=text, timestamp=when, session_id=turn.session_id or "", turn_id=turn.id)
