"""What the client sends, looked at before it is handled: whatever it is, the server goes on.

pygls answers neither a request whose parameters don't fit nor a message that is none, and takes requests before
``initialize`` and after ``shutdown``. What LSP 3.17 asks for ("Base Protocol", "Server lifecycle") is done here.
"""

from __future__ import annotations

import json
import logging
import re
from typing import TYPE_CHECKING, Any

from cattrs import ClassValidationError, transform_error
from lsprotocol import types as lsp
from pygls.exceptions import (
    JsonRpcException,
    JsonRpcInvalidParams,
    JsonRpcInvalidRequest,
    JsonRpcParseError,
    JsonRpcServerNotInitialized,
)
from pygls.protocol import LanguageServerProtocol, lsp_method

from channelcoder_lsp import protocol

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

logger = logging.getLogger(__name__)

_LENGTH = re.compile(rb"content-length[ \t]*:[ \t]*(\d{1,12})\s*", re.IGNORECASE)
_LONGEST_LINE = 65_536
"""Bytes of a line of a header; what is longer is none."""
_TOLD_CHARS = 500
_PLACE = re.compile(r"@ \$\S+")
_SNAKE = re.compile(r"_([a-z])")


class Frames:
    """Takes messages out of a stream of bytes, in whatever pieces it comes ("Base Protocol", header part).

    What is no header is skipped: after it the next one is looked for.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._length: int | None = None
        self._wanted: int | None = None
        """Bytes of the message whose header is complete."""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The messages that are complete with ``data``."""
        self._buffer += data
        while True:
            if self._wanted is None and not self._header():
                return
            if self._wanted is None:
                continue
            if len(self._buffer) < self._wanted:
                return
            body = bytes(self._buffer[: self._wanted])
            del self._buffer[: self._wanted]
            self._wanted = None
            yield body

    def _header(self) -> bool:
        """Whether a line could be taken."""
        end = self._buffer.find(b"\n")
        if end < 0:
            if len(self._buffer) > _LONGEST_LINE:
                logger.warning("%d bytes that are no header are skipped", len(self._buffer))
                self._buffer.clear()
            return False
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        if not line.strip():
            self._wanted, self._length = self._length, None
        elif (field := _LENGTH.fullmatch(line)) is not None:
            self._length = int(field[1]) or None
        return True


class Rpc(LanguageServerProtocol):
    """pygls' own, which announces what it knows; the rest depends on the client."""

    _initialized = False
    _ending = False

    def take(self, body: bytes) -> None:
        """Handle one message."""
        try:
            message = json.loads(body)
        except (ValueError, RecursionError) as problem:
            self._refuse(None, JsonRpcParseError(f"The message is no JSON: {problem}"))
            return
        if not isinstance(message, dict) or message.get("jsonrpc") != self.VERSION:
            self._refuse(None, JsonRpcInvalidRequest('The message is no object with "jsonrpc": "2.0".'))
            return
        if "method" in message:
            self._take_call(message)
        elif _is_id(message.get("id")):
            self._take_answer(message)
        else:
            self._refuse(None, JsonRpcInvalidRequest("The message has neither a method nor the id of a request."))

    def _take_call(self, message: dict[str, Any]) -> None:
        method, is_request = message["method"], "id" in message
        number = message.get("id") if _is_id(message.get("id")) else None
        if not isinstance(method, str) or (is_request and number is None):
            self._refuse(number, JsonRpcInvalidRequest("The method must be a string, the id a string or an integer."))
            return
        try:
            if is_request or method != lsp.EXIT:
                self._check_turn(method)
            call = self._read(message, method)
        except JsonRpcException as problem:
            if is_request:
                self._refuse(number, problem)
            else:
                logger.info("%s is ignored: %s", _shown(method), problem)
            return
        self._initialized = self._initialized or method == lsp.INITIALIZE
        self._ending = self._ending or method == lsp.SHUTDOWN
        self.handle_message(call)

    def _read(self, message: dict[str, Any], method: str) -> Any:
        if method != lsp.CANCEL_REQUEST:  # pygls handles it by itself
            self._get_handler(method)
        try:
            return self.structure_message(message)
        except JsonRpcException as problem:
            raise JsonRpcInvalidParams(f"{_shown(method)}: {_reason(problem)}") from problem

    def _take_answer(self, message: dict[str, Any]) -> None:
        try:
            answer = self.structure_message(message)
        except JsonRpcException as problem:
            # Whoever asked must not wait for an answer that has come.
            error = lsp.ResponseError(lsp.ErrorCodes.InvalidParams, f"the answer does not fit: {_reason(problem)}")
            answer = lsp.ResponseErrorMessage(id=message["id"], error=error)
        self.handle_message(answer)

    def _check_turn(self, method: str) -> None:
        """Whether it is the time for such a call."""
        if self._ending:
            raise JsonRpcInvalidRequest("The server was shut down.")
        if not self._initialized and method != lsp.INITIALIZE:
            raise JsonRpcServerNotInitialized("The client has not sent 'initialize' yet.")
        if self._initialized and method == lsp.INITIALIZE:
            raise JsonRpcInvalidRequest("'initialize' was sent before.")

    def _refuse(self, number: str | int | None, problem: JsonRpcException) -> None:
        logger.warning("a message is refused: %s", problem)
        # lsprotocol leaves an id of null out.
        self._send_data({"jsonrpc": self.VERSION, "id": number, "error": problem.to_response_error()})

    @lsp_method(lsp.INITIALIZE)
    def lsp_initialize(self, params: lsp.InitializeParams) -> Generator[Any, Any, lsp.InitializeResult]:
        """Announce ``channelcoder:`` documents to clients that fetch them, pulled diagnostics to those that pull."""
        result = yield from super().lsp_initialize(params)
        self.trace = params.trace or lsp.TraceValue.Off
        workspace, text = params.capabilities.workspace, params.capabilities.text_document
        if workspace and workspace.text_document_content and result.capabilities.workspace:
            content = lsp.TextDocumentContentOptions(schemes=[protocol.CONTENT_SCHEME])
            result.capabilities.workspace.text_document_content = content
        if not (text and text.diagnostic):
            result.capabilities.diagnostic_provider = None
        return result


def _is_id(value: object) -> bool:
    return isinstance(value, (int, str)) and not isinstance(value, bool)


def _shown(method: str) -> str:
    return repr(method[:_TOLD_CHARS])


def _reason(problem: BaseException) -> str:
    """What is wrong with the parameters, and where."""
    cause = problem.__cause__ or problem
    told = "; ".join(transform_error(cause)) if isinstance(cause, ClassValidationError) else str(cause)
    told = _PLACE.sub(lambda place: _SNAKE.sub(lambda word: word[1].upper(), place[0]), told)
    return told[:_TOLD_CHARS]
