"""window/showMessageRequest: whether Claude may use a tool."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from channelcoder_lsp.domain.permission import Decision
    from channelcoder_lsp.domain.turn import Turn
    from channelcoder_lsp.features.client import Client


class AskPermission:
    """Asks the person at the editor.

    Args:
        client: the editor.
    """

    def __init__(self, client: Client) -> None:
        self._client = client

    async def __call__(self, turn: Turn, tool: str, detail: str) -> Decision | None:
        """What was decided; None when nobody can be asked."""
        return None
