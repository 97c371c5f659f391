"""A question and its answer."""

from __future__ import annotations

from enum import Enum
from uuid import uuid4

from pydantic import Field

from channelcoder_lsp.domain.model import Model, Timestamp, now
from channelcoder_lsp.domain.permission import Permission


class TurnState(str, Enum):
    """Where a turn is on its way."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def finished(self) -> bool:
        """Whether nothing more will come."""
        return self not in (TurnState.QUEUED, TurnState.RUNNING)


class Usage(Model):
    """Tokens of one turn, by the API's names."""

    input_tokens: int = 0
    output_tokens: int = 0
    cache_creation_input_tokens: int = 0
    cache_read_input_tokens: int = 0

    @property
    def total(self) -> int:
        """All tokens, whatever they cost."""
        cached = self.cache_creation_input_tokens + self.cache_read_input_tokens
        return self.input_tokens + cached + self.output_tokens

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            input_tokens=self.input_tokens + other.input_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            cache_creation_input_tokens=self.cache_creation_input_tokens + other.cache_creation_input_tokens,
            cache_read_input_tokens=self.cache_read_input_tokens + other.cache_read_input_tokens,
        )


class ContextUse(Model):
    """How full Claude's context was when a turn had ended."""

    tokens: int
    """What the last request was sent with and answered by: the next question is sent along with it."""
    window: int | None = None
    """How much the model can take in, if that is known."""

    @property
    def share(self) -> float | None:
        """The one by the other: from 0 to 1."""
        return min(1.0, self.tokens / self.window) if self.window else None


class ToolUse(Model):
    """A tool that Claude used in a turn: its name and, in one line, on what."""

    name: str
    detail: str = ""


class Turn(Model):
    """One question and its answer.

    ``question`` and ``answer`` stand in the session's messages too; at rest they are kept there only.
    """

    id: str = Field(default_factory=lambda: f"turn-{uuid4().hex}")
    thread_id: str | None = None
    prompt_name: str | None = None
    """The name of the prompt (``explain``, ``fix``...) that the question was made from."""
    question: str = ""
    """As the person typed it, or the prompt's title."""
    prompt: str = ""
    """Exactly what was sent: question, selection, context, diagnostics."""
    sensitive: list[str] = Field(default_factory=list)
    """What of it seems to be secret: a person is asked before it is sent."""
    answer: str = ""
    """The answer, as far as it has come."""
    state: TurnState = TurnState.QUEUED
    error: str | None = None
    """For a failed turn: the sentence that says what happened and what to do."""
    retryable: bool = True
    """For a failed turn: whether asking again may help."""
    notes: list[str] = Field(default_factory=list)
    """What the user should know about how it was answered (a cut selection, a replayed conversation)."""
    model: str | None = None
    usage: Usage = Field(default_factory=Usage)
    cost_usd: float = 0.0
    tools: list[ToolUse] = Field(default_factory=list)
    permissions: list[Permission] = Field(default_factory=list)
    """The uses of tools that a person was asked about."""
    review_id: str | None = None
    """The review that the turn belongs to; its answer is structured."""
    compacts: bool | None = None
    """Whether the answer is a summary of the conversation, from which Claude goes on."""
    context: ContextUse | None = None
    near_limit: bool | None = None
    """Whether the user is to be told now that the context is nearly full; once until it is compacted."""
    session_id: str | None = None
    """The Claude session that answered."""
    author: str | None = None
    owner: str | None = None
    """The process that has the turn in its queue; while it lives, nobody else may call the turn lost."""
    asked: Timestamp = Field(default_factory=now)
    started: Timestamp | None = None
    finished: Timestamp | None = None
