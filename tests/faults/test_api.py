"""Whatever Claude's service does: one sentence for the person, the question kept, and the session goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from e2e.server.conftest import TOTAL, answered, titles

from channelcoder_lsp.offline.script import Cut, Failure, Long, Malformed, Reset, StreamError, Text

if TYPE_CHECKING:
    from e2e.server.conftest import Machine

    from channelcoder_lsp.cli.editor import Editor

WORDS: dict[str, Any] = {"text": "one two three", "words_per_chunk": 1, "after": 2, "times": "always"}
STALLED = Text(text="one two three", words_per_chunk=1, hold_after=2, times="always")
AGAIN = "Retry: What is this?"
HEARD_IN_PART = {"overloaded in the stream", "nonsense in the stream", "stalled"}
FAULTS = {
    "400": Failure(status=400, times="always"),
    "401": Failure(status=401, times="always"),
    "403": Failure(status=403, times="always"),
    "404": Failure(status=404, times="always"),
    "413": Failure(status=413, times="always"),
    "429": Failure(status=429, times="always"),
    "429, to be tried in a second": Failure(status=429, retry_after=1, times="always"),
    "429, to be tried in an hour": Failure(status=429, retry_after=3600, times="always"),
    "500": Failure(status=500, times="always"),
    "529": Failure(status=529, times="always"),
    "reset": Reset(times="always"),
    "cut": Cut(**WORDS),
    "overloaded in the stream": StreamError(**WORDS),
    "nonsense in the stream": Malformed(**WORDS),
    "stalled": STALLED,
}


async def sentence(editor: Editor, after: int) -> str:
    """What the person was told since, in one message."""
    await editor.wait_for(is_sentence, after=after)
    await editor.execute("channelcoder.status")  # a second one would come before its answer
    [told] = [each["params"]["message"] for each in editor.received[after:] if is_sentence(each)]
    assert told.startswith("What is this?: ")
    assert "\n" not in told
    return str(told)


def is_sentence(message: dict[str, Any]) -> bool:
    return message.get("method") == "window/showMessage"


async def test_a_fault_is_told_in_one_sentence_and_costs_nothing_but_its_answer(machine: Machine):
    """One session goes through them all: what came of an answer is kept, and the same question then succeeds."""
    machine.more_environment |= {"CHANNELCODER_STREAM_IDLE_SECONDS": "10", "CHANNELCODER_MAX_RETRIES": "1"}
    async with machine.opened() as (editor, uri):
        for name, fault in FAULTS.items():
            await machine.model.script(fault)
            before = len(editor.received)
            asked, over = await answered(editor, uri)
            assert over["state"] == "failed", name
            assert "Traceback" not in await sentence(editor, before), name

            shown = await editor.execute("channelcoder.turn.show", {"turnId": asked["turnId"]})
            assert "What is this?" in shown["markdown"], name
            if name != "cut":  # what came just before that is read, or gone with the connection
                assert ("one " in shown["markdown"]) == (name in HEARD_IN_PART), name
            assert AGAIN in titles(await editor.code_actions(uri, *TOTAL)), name

            await machine.model.clear()
            again = await editor.execute("channelcoder.retry", {"turnId": asked["turnId"]})
            assert (await editor.finished(again["turnId"]))["state"] == "done", name
            await editor.execute("channelcoder.thread.remove", {"threadId": asked["threadId"]})


async def test_nobody_listens_at_its_address(machine: Machine):
    machine.more_environment["ANTHROPIC_BASE_URL"] = "http://127.0.0.1:9"
    async with machine.opened() as (editor, uri):
        _, over = await answered(editor, uri)
        assert over["state"] == "failed"
        assert "can't be reached" in await sentence(editor, 0)
        assert AGAIN in titles(await editor.code_actions(uri, *TOTAL))


class TestStrangeAnswers:
    async def test_an_empty_one_is_said_to_be_empty(self, machine: Machine):
        await machine.model.script(Text(text=""))
        async with machine.opened() as (editor, uri):
            _, over = await answered(editor, uri)
            assert over["state"] in {"done", "failed"}
            assert await editor.hover(uri, 5)
            _, after = await answered(editor, uri)
            assert after["state"] == "done"

    async def test_two_megabytes_are_there_and_the_hover_stays_short(self, machine: Machine):
        await machine.model.script(Long(size=2_000_000))
        async with machine.opened() as (editor, uri):
            asked, over = await answered(editor, uri)
            assert over["state"] == "done"
            assert len(await editor.hover(uri, 5) or "") < 20_000
            shown = await editor.execute("channelcoder.turn.show", {"turnId": asked["turnId"]})
            assert len(shown["markdown"]) >= 2_000_000

    @pytest.mark.parametrize("text", ["\x1b[31mred\x1b[0m \x07\x08\x00 \u202etxet\u202c \u2066a\u2069 \U000e0041 end"])
    async def test_control_characters_reach_nobody(self, machine: Machine, text: str):
        await machine.model.script(Text(text=text))
        async with machine.opened() as (editor, uri):
            asked, over = await answered(editor, uri)
            assert over["state"] == "done"
            hover = await editor.hover(uri, 5) or ""
            shown = await editor.execute("channelcoder.turn.show", {"turnId": asked["turnId"]})
            lenses = " ".join(lens["command"]["title"] for lens in await editor.code_lenses(uri))
            for face in (hover, shown["markdown"], lenses):
                assert not set(face) & set("\x1b\x07\x08\x00\u202e\u202c\u2066\u2069\U000e0041")
            assert "end" in hover
