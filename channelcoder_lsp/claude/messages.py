"""What the CLI tells while it answers, as the events of :mod:`channelcoder_lsp.domain.agent`.

The SDK's message classes are told apart by name: the module neither imports the SDK nor needs it in tests.

How the text of an answer comes together. A turn has one or more API messages (text, tool, text...), each
with content blocks. With partial messages on, the CLI sends a block's text as ``stream_event`` deltas and
then, when the block is complete, as an ``AssistantMessage`` with that one block, which is what it keeps. A
stream that is cut is requested anew: the deltas of its unfinished block are void, its complete blocks stay.
So: complete blocks are the truth, deltas run ahead of them, and where they turn out wrong the text so far is
sent anew.
"""

from __future__ import annotations

import logging
import time
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from channelcoder_lsp.claude.editor_tools import PREFIX, short_name
from channelcoder_lsp.claude.faults import OUTPUT_NOT_VALID, Failure, from_failure, not_in_form, one_line, retry_reason
from channelcoder_lsp.claude.structured import STRUCTURED_OUTPUT, StructuredReader
from channelcoder_lsp.domain.agent import Finished, Retrying, TextDelta, TextReplaced, ToolStarted
from channelcoder_lsp.domain.turn import ContextUse, ToolUse, Usage

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from channelcoder_lsp.domain.agent import AgentEvent
    from channelcoder_lsp.domain.errors import AgentError

logger = logging.getLogger(__name__)

BETWEEN_BLOCKS = "\n\n"
_DETAIL = 160
_TELLING = {"Bash": "command", "PowerShell": "command", "WebFetch": "url", "WebSearch": "query"}
_SYNTHETIC = "<synthetic>"


class AnswerReader:
    """Turns the messages of one turn into events.

    Args:
        cwd: the folder asked about; paths in tool details are shown relative to it.
        spent_usd: what the Claude session had cost before this turn (the CLI's figure is cumulative).
        model: the model that was asked for, if one was.
        structured: whether the answer is to have a JSON schema.
    """

    def __init__(
        self, *, cwd: Path, spent_usd: float = 0.0, model: str | None = None, structured: bool = False
    ) -> None:
        self._cwd = cwd
        self._structured = StructuredReader() if structured else None
        self._spent = spent_usd
        self._asked_for = model
        self._model: str | None = None
        self._blocks: list[str] = []
        self._live: list[str] = []
        self._void = False
        """Whether deltas were sent that don't count any more."""
        self._tools: list[ToolUse] = []
        self._kind: str | None = None
        self._texts: list[str] = []
        self._resets_at: float | None = None
        self._request = Usage()
        """What the last request to Claude's service took."""
        self._stopped: str | None = None

    @property
    def answer(self) -> str:
        """The text so far."""
        live = "".join(self._live)
        return BETWEEN_BLOCKS.join([*self._blocks, live] if live else self._blocks)

    def read(self, message: Any) -> Iterator[AgentEvent]:
        """The events in ``message``, an object of the SDK. Messages of subagents say nothing to us."""
        if getattr(message, "parent_tool_use_id", None) is not None:
            return
        match type(message).__name__:
            case "StreamEvent":
                yield from self._stream_event(message.event)
            case "AssistantMessage":
                yield from self._assistant(message)
            case "SystemMessage":
                yield from self._system(message.subtype, message.data)
            case "RateLimitEvent":
                self._resets_at = message.rate_limit_info.resets_at
            case "ResultMessage":
                yield self._result(message)

    def _stream_event(self, event: Mapping[str, Any]) -> Iterator[AgentEvent]:
        if self._structured is not None:
            yield from self._structured.stream_event(event)
        match event.get("type"):
            case "message_start":
                self._request, self._stopped = _usage(event.get("message", {}).get("usage")), None
                # What was streamed of a block that never became complete is void: the stream was cut.
                self._void = self._void or bool(self._live)
                self._live.clear()
            case "message_delta":
                output = (event.get("usage") or {}).get("output_tokens")
                self._request = self._request.model_copy(update={"output_tokens": int(output or 0)})
                self._stopped = event.get("delta", {}).get("stop_reason")
            case "content_block_delta" if event["delta"].get("type") == "text_delta":
                yield from self._more(event["delta"].get("text", ""))

    def _more(self, text: str) -> Iterator[AgentEvent]:
        if not text:
            return
        first = not self._live
        self._live.append(text)
        if self._void:
            self._void = False
            yield TextReplaced(self.answer)
        else:
            yield TextDelta(BETWEEN_BLOCKS + text if first and self._blocks else text)

    def _assistant(self, message: Any) -> Iterator[AgentEvent]:
        if message.model == _SYNTHETIC or message.error is not None:
            self._kind = message.error or self._kind
            self._texts += [block.text for block in message.content if type(block).__name__ == "TextBlock"]
            return
        self._model = message.model
        for block in message.content:
            match type(block).__name__:
                case "TextBlock" if block.text:
                    yield from self._whole(block.text)
                case "ToolUseBlock" if block.name == STRUCTURED_OUTPUT and self._structured is not None:
                    yield from self._structured.whole(block.input)
                case "ToolUseBlock" | "ServerToolUseBlock":
                    detail = tool_detail(block.name, block.input, self._cwd)
                    tool = ToolUse(name=short_name(block.name), detail=detail)
                    self._tools.append(tool)
                    yield ToolStarted(tool)

    def _whole(self, text: str) -> Iterator[AgentEvent]:
        streamed = "".join(self._live)
        self._live.clear()
        first = not self._blocks
        self._blocks.append(text)
        if self._void or (streamed and streamed != text):
            self._void = False
            yield TextReplaced(self.answer)
        elif not streamed:
            yield TextDelta(text if first else BETWEEN_BLOCKS + text)

    def _system(self, subtype: str, data: Mapping[str, Any]) -> Iterator[AgentEvent]:
        match subtype:
            case "init":
                self._model = data.get("model") or self._model
            case "api_retry":
                status = data.get("error_status")
                yield Retrying(
                    attempt=int(data.get("attempt") or 0),
                    of=int(data.get("max_retries") or 0),
                    delay_seconds=float(data.get("retry_delay_ms") or 0) / 1000,
                    reason=retry_reason(status if isinstance(status, int) else None, data.get("error")),
                )

    def _result(self, result: Any) -> Finished:
        cancelled = str(result.terminal_reason or "").startswith("aborted")
        error = None if cancelled else self._error(result)
        total = result.total_cost_usd
        return Finished(
            answer=self._whole_answer(result),
            session_id=result.session_id,
            cancelled=cancelled,
            error=error,
            model=self._model,
            usage=_usage(result.usage),
            cost_usd=self._cost(total),
            cumulative_cost_usd=total,
            tools=tuple(self._tools),
            context=self._context(result.model_usage),
            structured=result.structured_output if error is None and not cancelled else None,
        )

    def _context(self, by_model: Mapping[str, Any] | None) -> ContextUse | None:
        """What the next request will be sent along with: all of the last one, and its answer."""
        if not (tokens := self._request.total):
            return None
        told = (by_model or {}).get(self._model or "", {}).get("contextWindow")
        return ContextUse(tokens=tokens, window=int(told) if told else None)

    def _error(self, result: Any) -> AgentError | None:
        if result.is_error:
            return from_failure(self._failure(result))
        if self._structured is not None and result.structured_output is None:
            return not_in_form()
        return None

    def _whole_answer(self, result: Any) -> str:
        """The turn's text; if nothing was said but structured answers that were not valid, the last of those."""
        if answer := self.answer:
            return answer
        if self._structured is None:
            return "" if result.is_error else result.result or ""
        invalid = result.subtype == OUTPUT_NOT_VALID and self._structured.text
        return f"```json\n{invalid}\n```" if invalid else ""

    def _failure(self, result: Any) -> Failure:
        return Failure(
            subtype=result.subtype,
            status=result.api_error_status,
            kind=self._kind,
            texts=(*(result.errors or ()), result.result or "") if not self._texts else tuple(self._texts),
            model=self._asked_for or self._model,
            complete=self._stopped == "end_turn",
            resets_in=None if self._resets_at is None else self._resets_at - time.time(),
        )

    def _cost(self, total: float | None) -> float:
        """The turn's share of the cumulative cost; a total below what was spent was counted from nought."""
        if total is None:
            return 0.0
        return total - self._spent if total >= self._spent else total


def tool_detail(name: str, arguments: Mapping[str, Any], cwd: Path) -> str:
    """In one line, on what a tool is used: ``src/app.py``, ``"def main" in src``."""
    match name:
        case "Read":
            detail = _place(arguments.get("file_path"), arguments, cwd)
        case "Grep":
            detail = f'"{arguments.get("pattern", "")}" in {_where(arguments, cwd)}'
        case "Glob":
            detail = f"{arguments.get('pattern', '')} in {_where(arguments, cwd)}"
        case "Bash" | "PowerShell" | "WebFetch" | "WebSearch":
            detail = str(arguments.get(_TELLING[name], ""))
        case _ if name.startswith(PREFIX):
            detail = _place(arguments.get("path") or "", arguments, cwd)
        case _:
            detail = ", ".join(f"{key}: {value}" for key, value in arguments.items())
    return one_line(detail, _DETAIL)


def _place(path: Any, arguments: Mapping[str, Any], cwd: Path) -> str:
    offset = arguments.get("offset")
    return f"{_relative(path, cwd)}:{offset}" if offset else _relative(path, cwd)


def _where(arguments: Mapping[str, Any], cwd: Path) -> str:
    where = _relative(arguments.get("path") or cwd, cwd)
    return "the folder" if where == "." else where


def _relative(path: Any, cwd: Path) -> str:
    try:
        return str(PurePath(str(path)).relative_to(cwd))
    except ValueError:
        return str(path)


def _usage(told: Mapping[str, Any] | None) -> Usage:
    told = told or {}
    return Usage(**{name: int(told.get(name) or 0) for name in Usage.model_fields})
