"""window/showMessageRequest: whether Claude may use a tool.

What would run stands in the message whole, its last part, and every character of it can be seen. Where it is too
long for that, it is shown as a document first; nobody is asked to allow what they can't read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from channelcoder_lsp.domain.permission import Decision
from channelcoder_lsp.services.permissions import Use
from channelcoder_lsp.services.safe_text import plain_text
from channelcoder_lsp.services.safe_unicode import hidden_shown
from channelcoder_lsp.services.sensitive import SENDING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from channelcoder_lsp.domain.turn import Turn
    from channelcoder_lsp.features.client import Client

ONCE = "Allow once"
SESSION = "Allow for this session"
DENY = "Deny"
SHOW = "Show it whole"

MESSAGE_CHARS = 900
"""Characters of a message: VS Code cuts a notification after 1,000, without a word about the rest."""
_TOOL_CHARS = 40
_QUESTION_CHARS = 60
_DECISIONS = {ONCE: Decision.ONCE, SESSION: Decision.SESSION, DENY: Decision.DENY}


class AskPermission:
    """Asks the person at the editor.

    Args:
        client: the editor.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self.show: Callable[[Turn, str], Awaitable[bool]] = _show_nothing
        """Shows a Markdown document that belongs to a turn; whether it could."""

    async def __call__(self, turn: Turn, tool: str, detail: str) -> Decision | None:
        """What was decided; None when the message was dismissed or nobody can be asked.

        When this is cancelled the message is withdrawn.
        """
        use = Use(tool, detail)
        about, shown = _about(turn, use), _visible(detail)
        if len(about) + len(shown) > MESSAGE_CHARS:
            shown = f"({len(detail):,} characters, more than fit here. Read them before you decide.)"
            answer = await self._client.choose(f"{about}{shown}", [SHOW, DENY])
            if answer != SHOW:
                return _DECISIONS.get(answer or "")
            if not await self.show(turn, _document(use)):
                return None
            shown = "(what the document shows)"
        return _DECISIONS.get(await self._client.choose(f"{about}{shown}", [ONCE, SESSION, DENY]) or "")


async def _show_nothing(_turn: Turn, _markdown: str) -> bool:
    """Stands in until there is something to show documents with."""
    return False


def _about(turn: Turn, use: Use) -> str:
    """All that stands before what would run, so that nothing in that can pass for a part of it."""
    tool = plain_text(use.tool, max_chars=_TOOL_CHARS)
    question = _visible(plain_text(turn.question, max_chars=_QUESTION_CHARS))
    if use.tool == SENDING:
        return f'The code that goes to Claude with "{question}" may be secret. Send it?\n'
    return f'Claude wants to use {tool}, to answer "{question}". "{SESSION}" is for {_covered(use)}.\n{tool}: '


def _covered(use: Use) -> str:
    """What consent for the session covers (:attr:`~channelcoder_lsp.services.permissions.Use.alike`)."""
    if use.alike[1] is None:
        return "any use of this tool"
    return f"anything at {use.host}" if use.host else "exactly this"


def _visible(detail: str) -> str:
    """``detail`` with what can't be seen as escapes, and no link: its text would stand in place of its address."""
    return hidden_shown(detail).replace("](", "] (")


def _document(use: Use) -> str:
    lines = hidden_shown(use.detail).split("\n")
    # Indented code: no fence that a line of it could close.
    return "\n".join([f"# Claude wants to use {_visible(use.tool)}", "", *(f"    {line}" for line in lines), ""])
