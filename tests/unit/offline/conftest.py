from __future__ import annotations

import http.client
import json
from urllib.parse import urlsplit

import anyio.to_thread
import pytest

from channelcoder_lsp.offline.process import OfflineModel

QUESTION = {"model": "claude-x", "max_tokens": 100, "messages": [{"role": "user", "content": "Why?"}]}


class Wire:
    """A client of the Messages API that shows what is on the wire."""

    def __init__(self, url: str) -> None:
        place = urlsplit(url)
        self.address = (place.hostname, place.port)

    def send(self, method, path, body, headers) -> http.client.HTTPResponse:
        """The response as soon as its headers are there."""
        connection = http.client.HTTPConnection(*self.address, timeout=20)
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        try:
            # The response then owns the socket, and closes it.
            connection.request(method, path, data, {**headers, "Connection": "close"})
            return connection.getresponse()
        finally:
            connection.close()

    async def ask(self, body=None, *, method="POST", path="/v1/messages", headers=None):
        """Status, headers and the whole body of the answer."""

        def exchange():
            with self.send(method, path, QUESTION if body is None else body, headers or {}) as response:
                return response.status, dict(response.headers), response.read()

        return await anyio.to_thread.run_sync(exchange)

    async def question(self, text: str, **more):
        """The message that answers ``text``, not streamed."""
        messages = [{"role": "user", "content": text}]
        status, _, body = await self.ask({**QUESTION, "messages": messages, **more})
        assert status == 200
        return json.loads(body)

    async def stream(self, body=None) -> list[dict]:
        """The events of a streamed answer, each checked for its form."""
        _, headers, answer = await self.ask({**(body or QUESTION), "stream": True})
        assert headers["content-type"].startswith("text/event-stream")
        return events(answer)


def events(answer: bytes) -> list[dict]:
    found = []
    for block in answer.decode().removesuffix("\n\n").split("\n\n"):
        name, data = block.split("\n")
        event = json.loads(data.removeprefix("data: "))
        assert name == f"event: {event['type']}"
        found.append(event)
    return found


@pytest.fixture(scope="package")
async def running(anyio_backend):
    async with OfflineModel(control=True, delay_ms=0) as model:
        yield model


@pytest.fixture
async def model(running):
    """A model with nothing queued and nothing recorded."""
    await running.clear()
    return running


@pytest.fixture
def wire(model):
    return Wire(model.url)
