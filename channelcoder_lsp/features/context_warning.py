"""window/showMessageRequest: Claude's context is nearly full, and what can be done about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol import types as lsp

from channelcoder_lsp.domain.errors import ChannelCoderError
from channelcoder_lsp.services.compaction import nearly_full

if TYPE_CHECKING:
    from channelcoder_lsp.domain.turn import Turn
    from channelcoder_lsp.features.client import Client
    from channelcoder_lsp.services.session import Session

COMPACT = "Compact"
NOT_NOW = "Not now"


async def suggest_compacting(client: Client, session: Session, turn: Turn) -> None:
    """Say that the context is nearly full, and compact the session if that is wanted; waits for the person."""
    if turn.context is None:
        return
    if await client.choose(nearly_full(turn.context), [COMPACT, NOT_NOW]) != COMPACT:
        return
    try:
        await session.compact()
    except ChannelCoderError as problem:
        client.say(problem.message, lsp.MessageType.Error)
