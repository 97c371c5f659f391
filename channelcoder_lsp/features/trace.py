"""``$/logTrace``: each step of a turn, for a client that wants to follow (``trace``, ``$/setTrace``; LSP 3.17)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from channelcoder_lsp.services.events import SessionEvent, TurnOver, TurnQueued, TurnRunning, TurnStatus
from channelcoder_lsp.services.safe_text import plain_text

if TYPE_CHECKING:
    from channelcoder_lsp.domain.turn import Turn
    from channelcoder_lsp.features.client import Client

_CHARS = 2_000


def trace(client: Client, event: SessionEvent) -> None:
    """Tell the client of the step, with the turn's id: the log file has it too."""
    match event:
        case TurnQueued(session, turn):
            client.trace(f"{turn.id}: queued in session {session.name}", plain_text(turn.question, max_chars=_CHARS))
        case TurnRunning(_, turn):
            client.trace(f"{turn.id}: asking")
        case TurnStatus(_, turn, message):
            client.trace(f"{turn.id}: {plain_text(message, max_chars=_CHARS)}")
        case TurnOver(_, turn):
            client.trace(f"{turn.id}: {turn.state.value}", _what_it_took(turn))
        case _:
            pass


def _what_it_took(turn: Turn) -> str:
    usage = turn.usage
    parts = [
        turn.error,
        turn.model,
        f"{usage.total - usage.output_tokens} tokens read, {usage.output_tokens} written",
        f"{turn.cost_usd:.4f} USD",
        ", ".join(f"{tool.name} {tool.detail}".strip() for tool in turn.tools),
    ]
    return plain_text("; ".join(part for part in parts if part), max_chars=_CHARS)
