"""The turns about one place in the code."""

from __future__ import annotations

from enum import Enum
from uuid import uuid4

from pydantic import Field

from channelcoder_lsp.domain.model import Model, Timestamp, now
from channelcoder_lsp.domain.place import Anchor
from channelcoder_lsp.domain.review import Finding


class ThreadStatus(str, Enum):
    """Whether a thread still wants attention."""

    OPEN = "open"
    RESOLVED = "resolved"


class Thread(Model):
    """An anchor, the turns that hang on it, and whether it is open or resolved."""

    id: str = Field(default_factory=lambda: f"thread-{uuid4().hex}")
    anchor: Anchor
    turn_ids: list[str] = Field(default_factory=list)
    """Oldest first."""
    status: ThreadStatus = ThreadStatus.OPEN
    language: str = ""
    """The LSP language id of the document."""
    finding: Finding | None = None
    """The remark of a review that opened the thread."""
    created: Timestamp = Field(default_factory=now)
