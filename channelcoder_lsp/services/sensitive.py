"""What of a question a person is asked about before it is sent: what seems to be secret."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from channelcoder_lsp.domain.credentials import likely_credential
from channelcoder_lsp.domain.errors import NotSentError
from channelcoder_lsp.domain.permission import Decision
from channelcoder_lsp.domain.uri import path_of

if TYPE_CHECKING:
    from channelcoder_lsp.domain.deny_list import DenyList
    from channelcoder_lsp.domain.permission import Permissions
    from channelcoder_lsp.domain.place import Selection
    from channelcoder_lsp.domain.turn import Turn

SENDING = "Send"
"""What is asked for, in the place of a tool's name."""
_NUMBERED = re.compile(r" *(\d+)\| ")
_NAMED = 5
"""So many places are named; of the rest, how many there are."""


def sensitive(selection: Selection | None, prompt: str, *, deny_list: DenyList) -> list[str]:
    """What in code that is sent along seems to be secret, one phrase each.

    Blocks: it looks where links lead, and through the whole prompt.

    Args:
        selection: what is asked about, if it is code in a document.
        prompt: what would be sent, its lines of code numbered.
        deny_list: the files that are kept from Claude.
    """
    found = []
    path = path_of(selection.uri) if selection is not None else None
    if path is not None and deny_list.denies(path):
        found.append(f"lines of {path.name}, whose name says that it holds secrets or which a rule denies")
    places = []
    for line in prompt.splitlines():
        if (kind := likely_credential(line)) is not None:
            number = _NUMBERED.match(line)
            places.append(f"{kind} in line {number[1]}" if number else kind)
    found += dict.fromkeys(places)
    return [*found[:_NAMED], f"{len(found) - _NAMED} more"] if len(found) > _NAMED else found


async def agree_to_send(turn: Turn, permissions: Permissions) -> None:
    """Have a person agree, if there is something to agree to.

    Args:
        turn: what is about to be sent.
        permissions: the session's, which ask for that turn.

    Raises:
        NotSentError: nobody said yes.
    """
    if not turn.sensitive:
        return
    permission = await permissions.decide(SENDING, "\n".join(turn.sensitive))
    if permission.decision is Decision.DENY:
        what, why = ", ".join(turn.sensitive), f" ({permission.reason})" if permission.reason else ""
        raise NotSentError(
            f"Nothing was sent to Claude{why}: nobody agreed to send what may be secret, {what}. Take it out and ask "
            "again, or retry and allow it."
        )
