"""The control face of the offline model."""

from __future__ import annotations

import json

import pytest

from channelcoder_lsp.domain.errors import OfflineModelError
from channelcoder_lsp.offline.process import OfflineModel

ASKED = {"model": "claude-x", "max_tokens": 100, "messages": [{"role": "user", "content": "Why?"}]}
ROUTES = [
    ("POST", "/_offline/script"),
    ("GET", "/_offline/requests"),
    ("POST", "/_offline/release"),
    ("DELETE", "/_offline"),
]


class TestWhoMayUseIt:
    @pytest.mark.parametrize(("method", "path"), ROUTES)
    @pytest.mark.parametrize("headers", [{}, {"x-offline-token": ""}, {"x-offline-token": "wrong"}])
    async def test_nobody_without_the_token(self, wire, method, path, headers):
        """A page in a browser does not know it."""
        status, _, body = await wire.ask(b"[]", method=method, path=path, headers=headers)
        assert status == 403
        assert json.loads(body)["error"]["type"] == "permission_error"

    async def test_nobody_where_it_was_not_opened(self, wire):
        """Without a token there is no such route, nothing is recorded, and the methods say so."""
        async with OfflineModel(delay_ms=0) as closed:
            for method, path in ROUTES:
                assert (await type(wire)(closed.url).ask(method=method, path=path))[0] == 404
            for call in (closed.script("x"), closed.requests(), closed.release(), closed.clear()):
                with pytest.raises(OfflineModelError, match="without its control face"):
                    await call

    async def test_a_reply_that_is_none_is_refused(self, model, wire):
        """With what is wrong about it."""
        headers = {"x-offline-token": model._token}
        body = [{"kind": "text", "text": "a", "colour": "blue"}]
        status, _, answer = await wire.ask(body, path="/_offline/script", headers=headers)
        assert status == 400
        assert "colour" in json.loads(answer)["error"]["message"]


class TestTheRecord:
    async def test_it_has_what_was_sent(self, model, wire):
        """Messages, system prompt, tools, model, headers, and the rest of the body."""
        messages = [
            {"role": "user", "content": "One?"},
            {"role": "assistant", "content": "1"},
            {"role": "user", "content": [{"type": "text", "text": "<question>\nTwo?\n</question>"}]},
        ]
        system = [{"type": "text", "text": "Be brief."}, {"type": "text", "text": "Be kind."}]
        tools = [{"name": "Read", "input_schema": {}}]
        body = {**ASKED, "messages": messages, "system": system, "tools": tools, "thinking": {"type": "adaptive"}}
        await wire.ask(body, headers={"User-Agent": "me"})
        [request] = await model.requests()
        assert (request.number, request.kind, request.model) == (1, "question", "claude-x")
        assert (request.question, request.earlier_questions) == ("Two?", ["One?"])
        assert request.prompt == "<question>\nTwo?\n</question>"
        assert request.system == "Be brief.\n\nBe kind."
        assert request.tool_names == ["Read"]
        assert request.messages == messages
        assert request.headers["user-agent"] == "me"
        assert request.body["thinking"] == {"type": "adaptive"}
        assert request.body["max_tokens"] == 100

    async def test_secrets_are_not_in_it(self, model, wire):
        """That a key was sent is noted, the key is not."""
        await wire.ask(headers={"x-api-key": "sk-secret", "Authorization": "Bearer secret", "Cookie": "secret"})
        [request] = await model.requests()
        assert {request.headers[name] for name in ("x-api-key", "authorization", "cookie")} == {"(not kept)"}
        assert "secret" not in request.model_dump_json()

    async def test_kinds_are_told_apart(self, model, wire):
        """Questions by default, the others by name, all in the order they came."""
        await wire.ask(path="/v1/messages/count_tokens")
        await wire.question("Q", system="Generate a title.")
        await wire.question("Q")
        assert [request.number for request in await model.requests()] == [3]
        assert [request.kind for request in await model.requests(None)] == ["count_tokens", "side", "question"]
        assert [request.number for request in await model.wait_for_requests(1, "side")] == [2]

    async def test_a_wait_in_vain_says_what_came(self, model, wire):
        """Instead of going on for ever."""
        await wire.ask()
        with pytest.raises(OfflineModelError, match="for 2 question requests came; there were 1"):
            await model.wait_for_requests(2, seconds=0)

    async def test_clear_forgets_and_counts_anew(self, model, wire):
        """Queue and record are empty afterwards."""
        await model.script("Old.")
        await wire.ask(path="/v1/messages/count_tokens")
        await model.clear()
        assert await model.requests(None) == []
        await wire.ask()
        assert [request.number for request in await model.requests()] == [1]
