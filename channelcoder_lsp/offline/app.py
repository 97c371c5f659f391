"""The routes of the Messages API."""

from __future__ import annotations

import uuid
from http import HTTPStatus
from typing import TYPE_CHECKING

from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from channelcoder_lsp.offline.control import Control, control_routes
from channelcoder_lsp.offline.delivery import Connections, Delivery, Gate
from channelcoder_lsp.offline.request import MessagesRequest
from channelcoder_lsp.offline.steps import (
    ERROR_TYPES,
    default_reply,
    error_body,
    estimated_tokens,
    steps,
)

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import ASGIApp, Receive, Scope, Send

MODEL_ID = "offline-model"


def build_app(*, delay_ms: int, control: Control | None, connections: Connections) -> Starlette:
    """The offline model as an ASGI application.

    Args:
        delay_ms: the time between two chunks of a streamed answer.
        control: the queue and the record for tests; None: no control face, nothing is recorded.
        connections: the connections of the server that this application runs in.
    """

    async def messages(request: Request) -> ASGIApp:
        asked = await _read(request)
        if isinstance(asked, Response):
            return asked
        if control is None:
            return Delivery(steps(default_reply(asked), asked, delay_ms=delay_ms), Gate(), connections)
        reply = control.take(asked) or default_reply(asked)
        exchange = control.record(asked, request.headers)
        delivery = Delivery(steps(reply, asked, delay_ms=delay_ms), exchange.gate, connections)

        async def watched(scope: Scope, receive: Receive, send: Send) -> None:
            try:
                await delivery(scope, receive, send)
            finally:
                control.ended(exchange, "answered" if delivery.complete else "gone")

        return watched

    async def count_tokens(request: Request) -> Response:
        asked = await _read(request)
        if isinstance(asked, Response):
            return asked
        if control is not None:
            control.ended(control.record(asked, request.headers, kind="count_tokens"), "answered")
        return _answered({"input_tokens": estimated_tokens(asked.model_dump_json())})

    async def models(request: Request) -> Response:  # noqa: ARG001 - a route's signature
        model = {"type": "model", "id": MODEL_ID, "display_name": "Offline model"}
        data = [{**model, "created_at": "2025-01-01T00:00:00Z"}]
        return _answered({"data": data, "has_more": False, "first_id": MODEL_ID, "last_id": MODEL_ID})

    async def root(request: Request) -> Response:  # noqa: ARG001 - a route's signature
        return _answered({"name": "The offline model of ChannelCoder. No Claude is asked here."})

    routes = [
        Route("/", root),
        Route("/v1/messages", messages, methods=["POST"]),
        Route("/v1/messages/count_tokens", count_tokens, methods=["POST"]),
        Route("/v1/models", models),
        *(control_routes(control) if control else []),
    ]
    return Starlette(routes=routes, exception_handlers={HTTPException: _not_served})


async def _read(request: Request) -> MessagesRequest | Response:
    """The request's body, or the error that says what is wrong with it."""
    try:
        return MessagesRequest.model_validate_json(await request.body())
    except ValidationError as problem:
        first = problem.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        return _refused(HTTPStatus.BAD_REQUEST, f"{place}: {first['msg']}" if place else first["msg"])


async def _not_served(request: Request, problem: Exception) -> Response:
    """The answer to a path or method that there isn't."""
    status = problem.status_code if isinstance(problem, HTTPException) else HTTPStatus.INTERNAL_SERVER_ERROR
    return _refused(status, f"The offline model does not serve {request.method} {request.url.path}.")


def _refused(status: int, message: str) -> Response:
    return _answered(error_body(ERROR_TYPES.get(status, "invalid_request_error"), message), status)


def _answered(body: object, status: int = HTTPStatus.OK) -> Response:
    return JSONResponse(body, status, headers={"request-id": f"req_{uuid.uuid4().hex}"})
