"""A reply as the steps that make it up: bytes to send, pauses, holds and faults. Pure functions."""

from __future__ import annotations

import json
import re
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from channelcoder_lsp.offline.answer import plain_answer
from channelcoder_lsp.offline.example import example_value
from channelcoder_lsp.offline.request import STRUCTURED_OUTPUT_TOOL, MessagesRequest
from channelcoder_lsp.offline.script import (
    Cut,
    Failure,
    Long,
    Malformed,
    Reply,
    Reset,
    StreamError,
    StructuredOutput,
    Text,
    ToolCall,
    ToolUse,
    Usage,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ERROR_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    500: "api_error",
    529: "overloaded_error",
}
"""The error types of the Messages API by HTTP status."""

_CHARACTERS_PER_TOKEN = 4
_JSON_PIECE = 24  # characters of a tool call's input in one delta


@dataclass(frozen=True)
class Start:
    """Send the status line and the headers."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Send:
    """Send a part of the body."""

    data: bytes


@dataclass(frozen=True)
class Pause:
    """Let some time go by."""

    seconds: float


@dataclass(frozen=True)
class Hold:
    """Go on when the reply is released."""


@dataclass(frozen=True)
class Close:
    """End the connection although the answer is not complete; ``reset`` it when nothing was sent."""

    reset: bool = False


Step = Start | Send | Pause | Hold | Close


def steps(reply: Reply, request: MessagesRequest, *, delay_ms: int) -> Iterator[Step]:
    """The steps of ``reply`` to ``request``, as a stream or as plain JSON as the request asks for.

    Args:
        reply: what to answer.
        request: what was asked.
        delay_ms: the time between two chunks of a stream where the reply does not say.
    """
    if reply.wait:
        yield Hold()
    match reply:
        case Failure():
            more = {} if reply.retry_after is None else {"retry-after": str(reply.retry_after)}
            yield Start(reply.status, {"content-type": "application/json", **more})
            yield Send(_json(error_body(ERROR_TYPES[reply.status], reply.message)))
        case Reset():
            yield Close(reset=True)
        case _:
            message = _Message.of(reply, request)
            if request.stream:
                delay = (delay_ms if reply.delay_ms is None else reply.delay_ms) / 1000
                yield from _streamed(reply, message, delay)
            else:
                yield from _plain(reply, message)


def default_reply(request: MessagesRequest) -> Reply:
    """What a request gets for which nothing is queued."""
    schema = request.structured_output_schema
    if schema is None:
        return Text()
    if "format" in request.output_config:
        return Text(text=json.dumps(example_value(schema, text=plain_answer(request))))
    return StructuredOutput(value=example_value(schema))


def error_body(error_type: str, message: str) -> dict[str, Any]:
    """The body of an error as the Messages API writes it."""
    return {"type": "error", "error": {"type": error_type, "message": message}}


def estimated_tokens(text: str) -> int:
    """About how many tokens ``text`` has: never none, the same for the same text."""
    return 1 + len(text) // _CHARACTERS_PER_TOKEN


@dataclass(frozen=True)
class _Block:
    """A content block: how it begins, its deltas, and what it is when complete."""

    start: dict[str, Any]
    deltas: list[dict[str, Any]]
    whole: dict[str, Any]


@dataclass(frozen=True)
class _Message:
    """A complete answer of the model."""

    head: dict[str, Any]
    blocks: list[_Block]
    stop_reason: str
    usage: dict[str, Any]

    @classmethod
    def of(cls, reply: Any, request: MessagesRequest) -> _Message:
        """The answer that ``reply`` gives to ``request``."""
        blocks = list(_blocks(reply, request))
        called = any(block.start["type"] == "tool_use" for block in blocks)
        usage = reply.usage or Usage(
            input_tokens=estimated_tokens(request.model_dump_json()),
            output_tokens=sum(estimated_tokens(json.dumps(block.whole)) for block in blocks),
        )
        # Ids are not counted up: the CLI takes two messages of one id for one, across restarts too.
        head = {
            "id": f"msg_{uuid.uuid4().hex}",
            "type": "message",
            "role": "assistant",
            "model": request.model,
        }
        stop_reason = "tool_use" if called else getattr(reply, "stop_reason", "end_turn")
        return cls(head, blocks, stop_reason, usage.model_dump())


def _blocks(reply: Any, request: MessagesRequest) -> Iterator[_Block]:
    """The content blocks of ``reply``."""
    match reply:
        case StructuredOutput() | Cut(value=dict()):
            yield _tool_block(ToolCall(name=STRUCTURED_OUTPUT_TOOL, input=reply.value))
        case ToolUse():
            if reply.text:
                yield _text_block(reply.text, _words(reply.text, reply.words_per_chunk))
            for call in (ToolCall(name=reply.name, input=reply.input), *reply.also):
                yield _tool_block(call)
        case Long():
            text = _long_text(reply.size)
            yield _text_block(text, _pieces(text, reply.chunk_size))
        case _:
            if isinstance(reply, Text) and reply.thinking:
                yield _thinking_block(reply.thinking, reply.words_per_chunk)
            text = plain_answer(request) if reply.text is None else reply.text
            if text:
                yield _text_block(text, _words(text, reply.words_per_chunk))


def _text_block(text: str, chunks: Iterable[str]) -> _Block:
    deltas = [{"type": "text_delta", "text": chunk} for chunk in chunks]
    return _Block({"type": "text", "text": ""}, deltas, {"type": "text", "text": text})


def _thinking_block(text: str, words_per_chunk: int) -> _Block:
    deltas = [{"type": "thinking_delta", "thinking": chunk} for chunk in _words(text, words_per_chunk)]
    signature = "offline"
    return _Block(
        {"type": "thinking", "thinking": "", "signature": ""},
        [*deltas, {"type": "signature_delta", "signature": signature}],
        {"type": "thinking", "thinking": text, "signature": signature},
    )


def _tool_block(call: ToolCall) -> _Block:
    whole = {"type": "tool_use", "id": f"toolu_{uuid.uuid4().hex}", "name": call.name, "input": call.input}
    pieces = _pieces(json.dumps(call.input), _JSON_PIECE)
    deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in pieces]
    return _Block({**whole, "input": {}}, deltas, whole)


def _words(text: str, count: int) -> list[str]:
    """``text`` in chunks of ``count`` words with the white space after them."""
    return re.findall(rf"\s*(?:\S+\s*){{1,{count}}}", text) or [text]


def _pieces(text: str, size: int) -> list[str]:
    return [text[start : start + size] for start in range(0, len(text), size)]


def _long_text(size: int) -> str:
    """``size`` ASCII characters in numbered lines."""
    lines: list[str] = []
    length = 0
    while length < size:
        line = f"Line {len(lines) + 1} of a long answer of the offline model.\n"
        lines.append(line)
        length += len(line)
    return "".join(lines)[:size]


def _streamed(reply: Any, message: _Message, delay: float) -> Iterator[Step]:
    """The message as server-sent events, with the hold or the fault that the reply asks for."""
    yield Start(200, {"content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache"})
    started = {**message.head, "content": [], "stop_reason": None, "stop_sequence": None}
    yield _event("message_start", message={**started, "usage": {**message.usage, "output_tokens": 1}})
    yield _event("ping")
    sent = 0
    yield from _between(reply, sent)
    if _ends_here(reply, sent):
        return
    for index, block in enumerate(message.blocks):
        yield _event("content_block_start", index=index, content_block=block.start)
        for delta in block.deltas:
            if sent and delay:
                yield Pause(delay)
            yield _event("content_block_delta", index=index, delta=delta)
            sent += 1
            yield from _between(reply, sent)
            if _ends_here(reply, sent):
                return
        yield _event("content_block_stop", index=index)
    stop = {"stop_reason": message.stop_reason, "stop_sequence": None}
    yield _event("message_delta", delta=stop, usage=message.usage)
    yield _event("message_stop")


def _between(reply: Any, sent: int) -> Iterator[Step]:
    """What the reply asks for after ``sent`` chunks."""
    if reply.hold_after == sent:
        yield Hold()
    if getattr(reply, "after", None) != sent:
        return
    match reply:
        case Cut():
            yield Close()
        case Malformed():
            yield Send(b'event: content_block_delta\ndata: {"type": "content_block_delta", "index\n\n')
        case StreamError():
            yield _event("error", error={"type": reply.error_type, "message": reply.message})


def _ends_here(reply: Any, sent: int) -> bool:
    return isinstance(reply, Cut | StreamError) and reply.after == sent


def _plain(reply: Any, message: _Message) -> Iterator[Step]:
    """The message as one JSON body, with the hold or the fault that the reply asks for."""
    if reply.hold_after is not None:
        yield Hold()
    content = [block.whole for block in message.blocks]
    body = {**message.head, "content": content, "stop_reason": message.stop_reason, "stop_sequence": None}
    whole = _json({**body, "usage": message.usage})
    headers = {"content-type": "application/json"}
    match reply:
        case Cut():
            yield Start(200, headers)
            yield Send(whole[: len(whole) // 2])
            yield Close()
        case Malformed():
            yield Start(200, headers)
            yield Send(whole[: len(whole) // 2])
        case StreamError():
            status = next((status for status, name in ERROR_TYPES.items() if name == reply.error_type), 500)
            yield Start(status, headers)
            yield Send(_json(error_body(reply.error_type, reply.message)))
        case _:
            yield Start(200, headers)
            yield Send(whole)


def _event(name: str, **data: Any) -> Send:
    return Send(f"event: {name}\ndata: ".encode() + _json({"type": name, **data}) + b"\n\n")


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
