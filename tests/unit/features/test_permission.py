"""The message that asks whether Claude may use a tool: what would run is seen whole, or not asked for."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcInternalError

from channelcoder_lsp.domain.permission import Decision
from channelcoder_lsp.domain.turn import Turn
from channelcoder_lsp.features.client import Client
from channelcoder_lsp.features.permission import DENY, MESSAGE_CHARS, ONCE, SESSION, SHOW, AskPermission

TURN = Turn(question="Why is [this](command:x) slow?")
HIDDEN = "\u202e\u200b\u200d\x1b[31m\x07\u00ad\u3164\u2028\ufe0f\U000e0041"


class Server:
    """Stands in for pygls' server: answers each message request with the next of ``answers``."""

    def __init__(self, *answers: Any) -> None:
        self.client_capabilities = lsp.ClientCapabilities()
        self.workspace = SimpleNamespace(position_encoding="utf-16")
        self.protocol = self
        self.answers = list(answers)
        self.asked: list[lsp.ShowMessageRequestParams] = []
        self.ids: list[str] = []
        self.cancelled: list[str] = []
        self.pending: asyncio.Future[Any] | None = None
        self.asking = asyncio.Event()

    def send_request_async(self, method: str, params: Any, msg_id: str) -> asyncio.Future[Any]:
        assert method == "window/showMessageRequest"
        self.asked.append(params)
        self.ids.append(msg_id)
        self.pending = asyncio.get_running_loop().create_future()
        self.asking.set()
        if self.answers:
            answer = self.answers.pop(0)
            if isinstance(answer, Exception):
                self.pending.set_exception(answer)
            else:
                self.pending.set_result(answer and lsp.MessageActionItem(answer))
        return self.pending

    def cancel_request(self, params: lsp.CancelParams) -> None:
        self.cancelled.append(params.id)

    @property
    def messages(self) -> list[str]:
        return [params.message for params in self.asked]

    def titles(self, number: int = 0) -> list[str]:
        return [action.title for action in self.asked[number].actions or []]


def asking(server: Server) -> AskPermission:
    return AskPermission(Client(server))  # type: ignore[arg-type]


class TestAnswers:
    @pytest.mark.parametrize(
        ("title", "decision"),
        [
            (ONCE, Decision.ONCE),
            (SESSION, Decision.SESSION),
            (DENY, Decision.DENY),
            (None, None),
            ("Something else", None),
            (SHOW, None),
        ],
    )
    async def test_each_title_is_a_decision_and_anything_else_is_none(self, title: str | None, decision: object):
        server = Server(title)
        assert await asking(server)(TURN, "Bash", "make") is decision
        assert server.titles() == [ONCE, SESSION, DENY]

    async def test_a_client_that_refuses_to_ask_allows_nothing(self, caplog: pytest.LogCaptureFixture):
        assert await asking(Server(JsonRpcInternalError("no window")))(TURN, "Bash", "make") is None
        assert "no window" in caplog.text

    async def test_a_question_that_is_cancelled_is_withdrawn_at_the_client(self):
        """And what the client answers to that is taken without a word."""
        server = Server()
        task = asyncio.create_task(asking(server)(TURN, "Bash", "make"))
        await asyncio.wait_for(server.asking.wait(), 10)
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()
        assert server.cancelled == server.ids
        assert not server.pending.cancelled()
        server.pending.set_exception(JsonRpcInternalError("cancelled"))


class TestMessage:
    async def test_names_the_tool_the_question_what_would_run_and_what_consent_covers(self):
        server = Server(None, None, None)
        ask = asking(server)
        await ask(TURN, "Bash", "make test")
        await ask(TURN, "WebFetch", "https://docs.example/a⏎\nWhat?")
        await ask(TURN, "WebSearch", '{"query": "a"}')
        assert server.messages[0] == (
            'Claude wants to use Bash, to answer "Why is [this] (command:x) slow?". '
            '"Allow for this session" is for exactly this.\nBash: make test'
        )
        assert "is for anything at https://docs.example." in server.messages[1]
        assert "is for any use of this tool." in server.messages[2]

    @given(st.text(alphabet=st.one_of(st.sampled_from(f"{HIDDEN}](a\n "), st.characters()), max_size=300))
    @example(HIDDEN)
    @example("echo [docs](https://good.example)")
    def test_every_character_of_what_would_run_is_seen(self, detail: str):
        """Nothing hides, nothing runs backwards, and no text stands in place of an address."""
        server = Server(None)
        asyncio.run(asking(server)(TURN, "Bash", detail))
        about, _, shown = server.messages[0].partition("\nBash: ")
        assert about.endswith("is for exactly this.")
        assert "](" not in server.messages[0]
        if server.titles() == [SHOW, DENY]:
            assert len(about) + len(detail.encode("unicode_escape")) > MESSAGE_CHARS - 50
            return
        assert len(server.messages[0]) <= MESSAGE_CHARS
        assert all(char.isprintable() or char == "\n" for char in shown)
        kept = [char for char in detail if char.isascii() and (char.isprintable() or char == "\n") and char != " "]
        rest = iter(shown)
        assert all(char in rest for char in kept)


class TestLong:
    LONG = "echo " + "x" * MESSAGE_CHARS + "\n```\n# end"

    async def test_what_does_not_fit_is_shown_as_a_document_before_it_can_be_allowed(self):
        server, shown = Server(SHOW, ONCE), []
        ask = asking(server)

        async def show(turn: Turn, markdown: str) -> bool:
            shown.append((turn, markdown))
            return True

        ask.show = show
        assert await ask(TURN, "Bash", self.LONG) is Decision.ONCE
        assert server.titles(0) == [SHOW, DENY]
        assert server.titles(1) == [ONCE, SESSION, DENY]
        assert f"{len(self.LONG)} characters, more than fit here" in server.messages[0]
        [(turn, markdown)] = shown
        assert turn is TURN
        assert markdown.split("\n\n", 1)[1] == "".join(f"    {line}\n" for line in self.LONG.split("\n"))

    @pytest.mark.parametrize(("answer", "decision"), [(DENY, Decision.DENY), (None, None), (ONCE, None)])
    async def test_who_does_not_look_allows_nothing(self, answer: str | None, decision: object):
        """Not even with an answer that was not offered."""
        server = Server(answer, ONCE)
        result = await asking(server)(TURN, "Bash", self.LONG)
        assert result is decision
        assert len(server.asked) == 1

    async def test_an_editor_that_shows_no_documents_allows_nothing(self):
        server = Server(SHOW, ONCE)
        assert await asking(server)(TURN, "Bash", self.LONG) is None
        assert len(server.asked) == 1
