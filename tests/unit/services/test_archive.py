"""All sessions of a storage: forked, searched, exported, cleared out."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from channelcoder_lsp.domain.errors import SessionExistsError, SessionNotFoundError
from channelcoder_lsp.domain.model import now
from channelcoder_lsp.domain.session import SessionState
from channelcoder_lsp.services.archive import export, fork, prune, search
from channelcoder_lsp.services.compose import Question
from channelcoder_lsp.testing import sample_session

if TYPE_CHECKING:
    from channelcoder_lsp.storage import FileSessionStorage

    from .desk import Desk, ScriptedAgent


@pytest.fixture
def storage(desk: Desk) -> FileSessionStorage:
    return desk.storage


class TestFork:
    async def test_goes_its_own_way(self, desk: Desk, agent: ScriptedAgent, storage: FileSessionStorage):
        one = await desk.session("one")
        await desk.heard.over(await one.ask(Question("first")))
        before = one.id()
        await fork(storage, "one", "two")
        two = await desk.session("two")
        await desk.heard.over(await two.ask(Question("second")))
        assert (agent.requests[-1].resume, agent.requests[-1].fork) == (before, True)
        assert [message.content for message in (await one.state()).messages if message.role == "user"] == ["first"]
        assert [message.content for message in (await two.state()).messages if message.role == "user"] == [
            "first",
            "second",
        ]

    async def test_takes_threads_and_their_texts_along(self, storage: FileSessionStorage):
        state = sample_session("one")
        (thread,) = state.threads.values()
        thread.anchor.content = hashlib.sha256(b"the text").hexdigest()
        journal = await storage.create(state, "one")
        await journal.keep_content(thread.anchor.content, "the text")
        await journal.close()
        await fork(storage, "one", "two")
        copy = await storage.open("two")
        assert list(copy.head.threads) == [thread.id]
        assert await copy.content(thread.anchor.content) == "the text"
        assert copy.head.unfinished() == []
        assert copy.head.metadata.name == "two"

    async def test_takes_nobodys_name(self, storage: FileSessionStorage):
        for name in ("one", "two"):
            await storage.save(sample_session(name), name)
        with pytest.raises(SessionExistsError):
            await fork(storage, "one", "two")
        with pytest.raises(SessionNotFoundError):
            await fork(storage, "none", "three")


class TestSearch:
    async def test_finds_in_all_messages_of_all_sessions(self, storage: FileSessionStorage):
        for name, text in (("one", "The Needle\nis here"), ("two", "nothing"), ("three", "a needle, a NEEDLE")):
            state = sample_session(name, turns=1)
            state.messages[1].content = text
            await storage.save(state, name)
        hits = [hit async for hit in search(storage, "needle")]
        assert sorted((hit.session, hit.excerpt) for hit in hits) == [
            ("one", "The Needle is here"),
            ("three", "a needle, a NEEDLE"),
        ]

    async def test_shows_whole_words_around_what_was_found(self, storage: FileSessionStorage):
        """And that there is more, before and after."""
        words = " ".join(f"word{number}" for number in range(40))
        state = sample_session("mine", turns=1)
        state.messages[1].content = f"{words} haystack-needles {words}"
        await storage.save(state, "mine")
        (hit,) = [hit async for hit in search(storage, "needle")]
        before, found, after = hit.excerpt.partition("haystack-needles")
        assert found
        assert before.startswith("… word3")
        assert before.removeprefix("…") in f" {words} "
        assert after.endswith("word8 …")
        assert after.removesuffix("…") in f" {words} "

    @pytest.mark.parametrize(("text", "found"), [("needle", "needle"), ("STRASSE", "Straße"), ("ss", "ß"), ("ﬁ", "fi")])
    async def test_shows_what_was_found_where_case_makes_two_letters_of_one(
        self, storage: FileSessionStorage, text: str, found: str
    ):
        state = sample_session("mine", turns=1)
        words = "ß ﬁ " * 60 if found == "needle" else ""
        state.messages[1].content = f"{words}the needle in the Straße of the file"
        await storage.save(state, "mine")
        (hit,) = [hit async for hit in search(storage, text)]
        assert found in hit.excerpt


class TestPrune:
    async def test_removes_what_is_old_and_not_to_be_kept(self, storage: FileSessionStorage):
        for name, days in (("old", 40), ("kept", 40), ("new", 1)):
            state = sample_session(name)
            state.metadata.created = state.metadata.last_active = now() - timedelta(days=days)
            await storage.save(state, name)
        assert await prune(storage, timedelta(days=30), keep=["kept"]) == ["old"]
        assert sorted(info.name for info in await storage.list()) == ["kept", "new"]


class TestExport:
    def test_as_json_is_everything(self):
        state = sample_session("mine")
        assert SessionState.model_validate_json(export(state, "json")).at_rest() == state.at_rest()

    def test_as_the_guides_json_has_its_keys_alone(self):
        exported = json.loads(export(sample_session("mine"), "guide"))
        assert set(exported) <= {"sessionChain", "currentSessionId", "messages", "metadata"}
        assert set(exported["messages"][0]) == {"role", "content", "timestamp", "sessionId"}

    def test_as_markdown_is_what_was_said_made_safe(self):
        state = sample_session("mine", turns=1)
        state.messages[1].content = "[go](command:evil) <b>now</b>"
        text = export(state, "markdown")
        assert text.startswith("# mine\n\n## You · ")
        assert "## Claude · " in text
        assert "](command:" not in text
