"""Asking a person whether Claude may use a tool."""

from __future__ import annotations

from enum import Enum
from typing import Protocol

from pydantic import Field

from channelcoder_lsp.domain.model import Model, Timestamp, now


class Decision(str, Enum):
    """What was decided about the use of a tool."""

    ONCE = "once"
    SESSION = "session"
    """Allowed, as are further uses like it in this session while the server runs: the same command, the same host."""
    DENY = "deny"


class Permission(Model):
    """A use of a tool that needed a person's consent, and what became of it."""

    tool: str
    detail: str = ""
    """What would run, in full as far as it is kept."""
    decision: Decision
    reason: str | None = None
    """Why it was decided so, if nobody decided: no answer in time, for one."""
    at: Timestamp = Field(default_factory=now)


class Permissions(Protocol):
    """Decides, for one session, whether Claude may use a tool."""

    async def decide(self, tool: str, detail: str) -> Permission:
        """Ask a person, unless it is decided for the session; no answer means no.

        Args:
            tool: the tool's name.
            detail: what would run: the command, the address.
        """
        ...
