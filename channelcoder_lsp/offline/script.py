"""The replies that a test can queue, and what it gets to see of the requests.

Queued replies are used first in, first out, one per request for a model's answer; a request that finds no
reply that is meant for it gets the plain answer. Titles, token counts and the like use up no reply unless it
says so.

    await model.script(
        ToolUse(name="Read", input={"file_path": "a.py"}, text="Let me look."),
        Text(text="It sorts.", hold_after=1),
    )
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, NonNegativeInt, PositiveInt

from channelcoder_lsp.offline.request import RequestKind, last_user_text

TOKEN_HEADER = "x-offline-token"  # noqa: S105 - the header's name
"""The header that carries the control token."""

StopReason = Literal["end_turn", "max_tokens", "stop_sequence", "refusal", "pause_turn"]
Outcome = Literal["open", "answered", "gone"]
"""Where a request stands: being answered, answered (or failed as was asked for), left by its client."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Usage(_Strict):
    """The tokens that an answer reports."""

    input_tokens: NonNegativeInt = 100
    output_tokens: NonNegativeInt = 20
    cache_creation_input_tokens: NonNegativeInt = 0
    cache_read_input_tokens: NonNegativeInt = 0


class _Reply(_Strict):
    """What every reply can say."""

    times: PositiveInt | Literal["always"] = 1
    """For how many requests it serves."""
    when: str = ""
    """It serves only a request whose question contains this."""
    to: Literal["question", "summary", "side"] = "question"
    """What kind of request it serves: a turn, a compaction, a title or the like."""
    wait: bool = False
    """Nothing is sent, not even the headers, until ``release()``."""


class _Message(_Reply):
    """What every reply can say that begins as an answer.

    A chunk is one text delta, in a tool call one piece of its input's JSON.
    """

    words_per_chunk: PositiveInt = 4
    delay_ms: NonNegativeInt | None = None
    """The time between two chunks; None: what the model was started with."""
    hold_after: NonNegativeInt | None = None
    """After so many chunks the stream is open and silent until ``release()``; never released, it stalls."""
    usage: Usage | None = None
    """None: estimated from the length of what came and goes."""


class _Streamed(_Message):
    """A message that is one text."""

    text: str | None = None
    """None: the plain answer to the request. Empty: a message without any content."""


class Text(_Streamed):
    """A text.

    ``thinking``, if there is any, goes before it as a thinking block.
    """

    kind: Literal["text"] = "text"
    thinking: str = ""
    stop_reason: StopReason = "end_turn"


class Long(_Message):
    """A text of exactly ``size`` bytes, in lines, ``chunk_size`` bytes to a chunk."""

    kind: Literal["long"] = "long"
    size: PositiveInt
    chunk_size: PositiveInt = 8192


class ToolCall(_Strict):
    """One call of a tool."""

    name: str
    input: dict[str, JsonValue] = Field(default_factory=dict)


class ToolUse(_Message):
    """A call of a tool, after ``text`` if there is any; the result comes back as the next request."""

    kind: Literal["tool_use"] = "tool_use"
    name: str
    input: dict[str, JsonValue] = Field(default_factory=dict)
    text: str = ""
    also: tuple[ToolCall, ...] = ()
    """More calls in the same message."""


class StructuredOutput(_Message):
    """The answer to a question asked with ``output_format``: a call of the CLI's tool with ``value``."""

    kind: Literal["structured_output"] = "structured_output"
    value: dict[str, JsonValue]


class Failure(_Reply):
    """An HTTP error with the Messages API's error body."""

    kind: Literal["failure"] = "failure"
    status: Literal[400, 401, 403, 404, 413, 429, 500, 529]
    message: str = "The offline model was told to fail."
    retry_after: NonNegativeInt | None = None
    """Seconds."""


class Reset(_Reply):
    """The connection is reset before a byte of an answer."""

    kind: Literal["reset"] = "reset"


class Cut(_Streamed):
    """The connection is closed after so many chunks."""

    kind: Literal["cut"] = "cut"
    after: NonNegativeInt = 1
    value: dict[str, JsonValue] | None = None
    """If there is one, it is cut as a structured output's; else it is a text."""


class Malformed(_Streamed):
    """After so many chunks comes an event that is not JSON, then the rest."""

    kind: Literal["malformed"] = "malformed"
    after: NonNegativeInt = 1


class StreamError(_Streamed):
    """After so many chunks comes an ``error`` event, as when the service gets overloaded in mid-answer."""

    kind: Literal["stream_error"] = "stream_error"
    after: NonNegativeInt = 1
    error_type: str = "overloaded_error"
    message: str = "Overloaded"


Reply = Annotated[
    Text | Long | ToolUse | StructuredOutput | Failure | Reset | Cut | Malformed | StreamError,
    Field(discriminator="kind"),
]


class RecordedRequest(BaseModel):
    """A request that the offline model was given."""

    number: int
    """1 for the first since the start or the last ``clear()``, all kinds counted together."""
    kind: RequestKind
    outcome: Outcome = "open"
    model: str
    stream: bool = False
    question: str = ""
    """The question to answer, as it was typed."""
    earlier_questions: list[str] = Field(default_factory=list)
    """The user's questions before it, oldest first, as they were typed."""
    system: str = ""
    messages: list[dict[str, Any]]
    """As they came."""
    tools: list[dict[str, Any]] = Field(default_factory=list)
    headers: dict[str, str] = Field(default_factory=dict)
    """By lower-case name; of one that carries a secret only that it was there."""
    body: dict[str, Any] = Field(default_factory=dict)
    """The rest of the body: max_tokens, thinking, output_config and so on."""

    @property
    def tool_names(self) -> list[str]:
        """The names of the tools that the model may call."""
        return [str(tool.get("name", "")) for tool in self.tools]

    @property
    def prompt(self) -> str:
        """The text of the user's last message, wrapping, reminders and all."""
        return last_user_text(self.messages)
