"""The control face: the queue of replies, the record of the requests, and the routes to them for tests.

It is there only when the offline model was started with a token, which every request has to carry in a
header: a web page can neither know the one nor set the other.
"""

from __future__ import annotations

import hmac
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import anyio
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from channelcoder_lsp.offline.delivery import Gate
from channelcoder_lsp.offline.request import MessagesRequest, RequestKind
from channelcoder_lsp.offline.script import TOKEN_HEADER, Outcome, RecordedRequest, Reply
from channelcoder_lsp.offline.steps import error_body

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request


_SECRET_HEADERS = {"authorization", "x-api-key", "proxy-authorization", "cookie", TOKEN_HEADER}
_NOT_KEPT = "(not kept)"
_LONGEST_POLL = 30.0  # seconds

_REPLIES = TypeAdapter(list[Reply])


class RequestsQuery(BaseModel):
    """What ``GET /_offline/requests`` can be asked."""

    model_config = ConfigDict(extra="forbid")

    at_least: int = 0
    """Answer when there are so many requests of the kind, or when the time is over."""
    kind: RequestKind | None = None
    ended: bool = False
    """Count and return only requests that aren't open any more."""
    seconds: float = Field(default=0.0, ge=0, le=_LONGEST_POLL)


@dataclass
class Exchange:
    """A request and what holds its reply back."""

    recorded: RecordedRequest
    gate: Gate = field(default_factory=Gate)


class Control:
    """The queue of replies and the record of the requests of one offline model."""

    def __init__(self, token: str) -> None:
        self._token = token
        self._queue: deque[tuple[Reply, int | None]] = deque()
        self._exchanges: list[Exchange] = []
        self._changed = anyio.Event()

    def allows(self, token: str) -> bool:
        """Whether ``token`` is the one this was started with."""
        return hmac.compare_digest(token.encode(), self._token.encode())

    def queue(self, replies: list[Reply]) -> None:
        """Put ``replies`` at the end of the queue."""
        self._queue.extend((reply, None if reply.times == "always" else reply.times) for reply in replies)

    def take(self, request: MessagesRequest) -> Reply | None:
        """The first reply in the queue that is meant for ``request``; one of its times is used up."""
        question = request.questions[-1].text if request.questions else ""
        for place, (reply, left) in enumerate(self._queue):
            if reply.to != request.kind or reply.when not in question:
                continue
            if left == 1:
                del self._queue[place]
            elif left is not None:
                self._queue[place] = (reply, left - 1)
            return reply
        return None

    def record(
        self, request: MessagesRequest, headers: Mapping[str, str], *, kind: RequestKind | None = None
    ) -> Exchange:
        """Note that ``request`` came; it is open until :meth:`ended`."""
        *earlier, question = [question.text for question in request.questions] or [""]
        recorded = RecordedRequest(
            number=len(self._exchanges) + 1,
            kind=kind or request.kind,
            model=request.model,
            stream=request.stream,
            question=question,
            earlier_questions=earlier,
            system=request.system_text,
            messages=request.messages,
            tools=request.tools,
            headers={name: _NOT_KEPT if name in _SECRET_HEADERS else value for name, value in headers.items()},
            body=request.model_dump(exclude={"model", "messages", "system", "tools", "stream"}),
        )
        exchange = Exchange(recorded)
        self._exchanges.append(exchange)
        self._wake()
        return exchange

    def ended(self, exchange: Exchange, outcome: Outcome) -> None:
        """Note how a request ended."""
        exchange.recorded.outcome = outcome
        self._wake()

    def release(self, number: int | None) -> int:
        """Let the replies on their way, or the one to request ``number``, go on; how many there were."""
        on_their_way = [
            exchange
            for exchange in self._exchanges
            if exchange.recorded.outcome == "open" and number in (None, exchange.recorded.number)
        ]
        for exchange in on_their_way:
            exchange.gate.release()
        return len(on_their_way)

    def clear(self) -> None:
        """Drop the queue and the record; what is on its way is released for good."""
        for exchange in self._exchanges:
            exchange.gate.release_for_good()
        self._queue.clear()
        self._exchanges.clear()
        self._wake()

    async def requests(self, query: RequestsQuery) -> list[RecordedRequest]:
        """The requests that ``query`` asks for, when there are enough of them or its time is over."""
        with anyio.move_on_after(query.seconds):
            while len(self._found(query)) < query.at_least:
                await self._changed.wait()
        return self._found(query)

    def _found(self, query: RequestsQuery) -> list[RecordedRequest]:
        return [
            recorded
            for recorded in (exchange.recorded for exchange in self._exchanges)
            if query.kind in (None, recorded.kind) and not (query.ended and recorded.outcome == "open")
        ]

    def _wake(self) -> None:
        self._changed.set()
        self._changed = anyio.Event()


def control_routes(control: Control) -> list[Route]:
    """The routes of the control face."""

    async def script(request: Request) -> Response:
        try:
            control.queue(_REPLIES.validate_json(await request.body()))
        except ValidationError as problem:
            return JSONResponse(error_body("invalid_request_error", str(problem)), 400)
        return JSONResponse({})

    async def requests(request: Request) -> Response:
        try:
            query = RequestsQuery.model_validate(dict(request.query_params))
        except ValidationError as problem:
            return JSONResponse(error_body("invalid_request_error", str(problem)), 400)
        found = await control.requests(query)
        return JSONResponse([recorded.model_dump() for recorded in found])

    async def release(request: Request) -> Response:
        number = request.query_params.get("number", "")
        return JSONResponse({"released": control.release(int(number) if number.isdecimal() else None)})

    async def clear(request: Request) -> Response:  # noqa: ARG001 - a route's signature
        control.clear()
        return JSONResponse({})

    return [
        _guarded(control, "/_offline/script", script, "POST"),
        _guarded(control, "/_offline/requests", requests, "GET"),
        _guarded(control, "/_offline/release", release, "POST"),
        _guarded(control, "/_offline", clear, "DELETE"),
    ]


def _guarded(control: Control, path: str, endpoint: Any, method: str) -> Route:
    """The route, refused without the token."""

    async def guarded(request: Request) -> Response:
        if not control.allows(request.headers.get(TOKEN_HEADER, "")):
            return JSONResponse(error_body("permission_error", f"{TOKEN_HEADER} is missing or wrong."), 403)
        response: Response = await endpoint(request)
        return response

    return Route(path, guarded, methods=[method])
