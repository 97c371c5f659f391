"""What asking gives back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from channelcoder_lsp.domain.turn import ContextUse, ToolUse, Turn, TurnState, Usage

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Result:
    """An answer. As text (``str()``, in an f-string) it is the answer's text.

    Args:
        text: the answer, or what had come of it.
        prompt: exactly what was sent.
        session_id: the Claude session that answered.
        turn_id: the turn in our record.
        is_error: whether it failed; ``error`` says why and what to do.
        error: the sentence.
        cancelled: whether it was ended before it was complete.
        data: the structured answer, if one was asked for.
        model: the model that answered.
        usage: tokens.
        cost_usd: what it cost.
        tools: the tools that were used.
        notes: what one should know about how it was answered.
        context: how full Claude's context was afterwards, if that is known.
        near_limit: whether the context is nearly full, told once until the session is compacted
            (``Session.compact``); the setting ``context_warning_percent`` says when.
    """

    text: str
    prompt: str = ""
    session_id: str | None = None
    turn_id: str | None = None
    is_error: bool = False
    error: str | None = None
    cancelled: bool = False
    data: Any = None
    model: str | None = None
    usage: Usage = field(default_factory=Usage)
    cost_usd: float = 0.0
    tools: Sequence[ToolUse] = ()
    notes: Sequence[str] = ()
    context: ContextUse | None = None
    near_limit: bool = False

    def __str__(self) -> str:
        return self.text

    @classmethod
    def of(cls, turn: Turn, data: Any = None) -> Result:
        """The result of a turn that came to its end."""
        return cls(
            text=turn.answer,
            prompt=turn.prompt,
            session_id=turn.session_id,
            turn_id=turn.id,
            is_error=turn.state is TurnState.FAILED,
            error=turn.error,
            cancelled=turn.state is TurnState.CANCELLED,
            data=data,
            model=turn.model,
            usage=turn.usage,
            cost_usd=turn.cost_usd,
            tools=tuple(turn.tools),
            notes=tuple(turn.notes),
            context=turn.context,
            near_limit=bool(turn.near_limit),
        )


@dataclass(frozen=True)
class Compacted:
    """A summary that the conversation goes on from.

    Args:
        summary: the text.
        previous_id: the Claude session that has all that was said: ``session.set_id`` with it goes on there after all.
        usage: the tokens that the summary took.
        cost_usd: what it cost.
    """

    summary: str
    previous_id: str | None
    usage: Usage = field(default_factory=Usage)
    cost_usd: float = 0.0


@dataclass(frozen=True)
class Chunk:
    """A piece of an answer on its way (session guide, "Sessions + Streaming").

    Args:
        type: ``content``: some more text. ``replace``: the text so far, anew, since a stream was cut and repeated.
            ``tool_use``: Claude uses a tool. ``status``: something worth a line of progress. ``result``: the end.
        content: the text, or the line.
        result: with ``result``, everything about the answer.
    """

    type: Literal["content", "replace", "tool_use", "status", "result"]
    content: str = ""
    result: Result | None = None
