"""Sessions that got long or dear, and those from elsewhere: summaries, the context, limits, imports."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

from channelcoder_lsp import Session, claude, session
from channelcoder_lsp.domain.errors import (
    AgentError,
    SessionCorruptError,
    SessionError,
    SessionExistsError,
    SpendingLimitError,
)
from channelcoder_lsp.offline.script import Failure, Text, ToolUse, Usage

if TYPE_CHECKING:
    from pathlib import Path

    from channelcoder_lsp.offline.process import OfflineModel

DEAR = Usage(input_tokens=10_000, output_tokens=10_000)


async def asked_last(model: OfflineModel) -> list[str]:
    request = (await model.requests())[-1]
    return [*request.earlier_questions, request.question]


def transcript(tmp_path: Path, session_id: str | None) -> Path:
    """Claude Code's own file of a conversation."""
    (file,) = (tmp_path / "claude" / "projects").glob(f"*/{session_id}.jsonl")
    return file


class TestCompact:
    async def test_claude_goes_on_from_the_summary_and_the_session_keeps_all(self, model: OfflineModel):
        """Session guide, "Session size limits"."""
        async with session(name="long") as s:
            await s.claude("About sheep")
            before = s.id()
            await model.script(Text(text="We talked about sheep.", usage=DEAR))
            done = await s.compact()
            assert (done.summary, done.previous_id) == ("We talked about sheep.", before)
            assert done.cost_usd == pytest.approx(0.24)
            result = await s.claude("And wolves?")
        assert "| We talked about sheep." in (await model.requests())[-1].prompt
        assert "About sheep" not in json.dumps((await model.requests())[-1].messages)
        assert result.notes == ("Claude goes on from the summary of this conversation.",)
        async with await session.load("long") as again:
            said = [message.content for message in again.messages()]
            exported = json.loads(await again.export("guide"))
        assert said[0] == "About sheep"
        assert said[2:5] == ["Compact the conversation", "We talked about sheep.", "And wolves?"]
        assert exported["sessionChain"] == [before, result.session_id]
        assert exported["metadata"]["compactedFrom"] == before

    async def test_what_was_before_can_be_gone_back_to(self, model: OfflineModel):
        async with session(name="long") as s:
            await s.claude("One")
            done = await s.compact()
            s.set_id(done.previous_id or "")
            await s.claude("Two")
        assert await asked_last(model) == ["One", "Two"]

    async def test_without_a_summary_it_is_as_it_was(self, model: OfflineModel):
        async with session(name="long") as s:
            await s.claude("One")
            before, said = s.id(), s.messages()
            await model.script(Failure(status=500))
            with pytest.raises(AgentError, match="500"):
                await s.compact()
            assert (s.id(), s.messages()) == (before, said)
            await s.claude("Two")
        assert await asked_last(model) == ["One", "Two"]

    async def test_takes_no_longer_than_it_may(self, model: OfflineModel):
        async with session(name="long") as s:
            await s.claude("One")
            await model.script(Text(text="Never the whole of it.", hold_after=1, when="Summarise our conversation"))
            with pytest.raises(AgentError, match="no summary"):
                await s.compact(timeout=1)
            await s.claude("Two")
        assert await asked_last(model) == ["One", "Two"]

    async def test_needs_something_that_was_said(self, model: OfflineModel):
        async with session(name="long") as s:
            with pytest.raises(SessionError, match="nothing to compact"):
                await s.compact()
        assert await model.requests() == []


class TestContext:
    async def test_stands_in_the_result_and_a_full_one_is_warned_of_once(
        self, model: OfflineModel, caplog: pytest.LogCaptureFixture
    ):
        full = Usage(input_tokens=850_000, output_tokens=10_000)
        await model.script(Text(text="A", usage=DEAR), Text(text="B", usage=full), Text(text="C", usage=full))
        async with session() as s:
            results = [await s.claude(text) for text in ("One", "Two", "Three")]
        assert [result.context.tokens for result in results if result.context] == [20_000, 860_000, 860_000]
        assert results[1].context is not None
        assert results[1].context.share == pytest.approx(0.86)
        assert [result.near_limit for result in results] == [False, True, False]
        assert caplog.text.count("fills 86% of what Claude can take in") == 1


class TestLimit:
    async def test_what_is_beyond_it_is_refused(self, model: OfflineModel):
        await model.script(Text(text="Dear.", usage=DEAR))
        async with session(name="dear") as s:
            await s.limit(0.2)
            result = await s.claude("One")
            assert (result.text, result.is_error) == ("Dear.", False)
            with pytest.raises(SpendingLimitError, match=r"\$0\.24 of the \$0\.20"):
                await s.claude("Two")
            assert len(s.messages()) == 2
        async with await session.load("dear") as again:
            with pytest.raises(SpendingLimitError):
                await again.claude("Two")
            await again.limit(None)
            assert not (await again.claude("Two")).is_error

    async def test_one_questions_own_budget_counts_from_that_question(self, model: OfflineModel):
        """The command line would count all that its process was asked."""
        await model.script(*(Text(text="Dear.", usage=DEAR) for _ in range(3)))
        async with session() as s:
            results = [await s.claude(text, max_budget_usd=0.3) for text in ("One", "Two", "Three")]
        assert [result.is_error for result in results] == [False, False, False]


class TestImport:
    async def test_a_transcript_of_claude_codes_is_gone_on_with_in_a_copy(self, model: OfflineModel, tmp_path: Path):
        """The conversation, its tools and its times are there; Claude Code's own goes on undisturbed."""
        (tmp_path / "project" / "shop.py").write_text("price = 7\n")
        use = ToolUse(name="Read", input={"file_path": str(tmp_path / "project" / "shop.py")}, text="Let me look.")
        await model.script(use, Text(text="It is 7."))
        result = await claude("What is the price?")
        file = transcript(tmp_path, result.session_id)
        before = file.read_bytes()
        async with await Session.import_(file, "prices") as s:
            assert (s.id(), s.name) == (result.session_id, "prices")
            assert s.cwd == tmp_path / "project"
            context = json.loads(await s.export("json"))["channelcoder"]["context"]
            assert result.context is not None
            assert context["tokens"] == result.context.tokens
            assert [message.content for message in s.messages()] == ["What is the price?", "Let me look.\n\nIt is 7."]
            await s.claude("And tomorrow?")
            assert s.id() != result.session_id
        assert await asked_last(model) == ["What is the price?", "And tomorrow?"]
        assert file.read_bytes() == before
        (info,) = await session.list()
        assert (info.name, info.message_count, info.first_question) == ("prices", 4, "What is the price?")
        (turn, _) = (await session.load("prices")).messages()[0:2]
        assert turn.timestamp < info.last_active

    async def test_a_transcript_from_elsewhere_is_told_with_the_next_question(
        self, model: OfflineModel, tmp_path: Path
    ):
        await model.script(Text(text="Sheep are fine."))
        result = await claude("About sheep")
        elsewhere = tmp_path / f"{result.session_id}.jsonl"
        shutil.move(transcript(tmp_path, result.session_id), elsewhere)
        async with await Session.import_(elsewhere) as s:
            assert s.id() is None
            assert (s.name or "").startswith("project-")
            await s.claude("And wolves?")
        prompt = (await model.requests())[-1].prompt
        assert "| About sheep" in prompt
        assert "| Sheep are fine." in prompt

    async def test_a_session_of_the_guides_form_is_gone_on_with(self, model: OfflineModel, tmp_path: Path):
        async with session(name="one") as s:
            await s.claude("One")
            (tmp_path / "one.json").write_text(await s.export("guide"))
            async with await Session.import_(tmp_path / "one.json") as again:
                assert (again.name or "").startswith("one-")
                await again.claude("Two")
                assert again.id() != s.id()
            assert await asked_last(model) == ["One", "Two"]
            await s.claude("Three")
        assert await asked_last(model) == ["One", "Three"]

    async def test_a_name_that_is_taken_stays_taken(self, model: OfflineModel, tmp_path: Path):
        async with session(name="one") as s:
            await s.claude("One")
            (tmp_path / "out.json").write_text(await s.export("json"))
        with pytest.raises(SessionExistsError):
            await Session.import_(tmp_path / "out.json", "one")
        assert [info.name for info in await session.list()] == ["one"]

    async def test_what_is_no_session_is_refused(self, model: OfflineModel, tmp_path: Path):
        for name, text in {"none.jsonl": "", "torn.jsonl": '{"type": "user"', "other.jsonl": '{"a": 1}\n'}.items():
            (tmp_path / name).write_text(text)
            with pytest.raises(SessionError, match=r"no conversation in .*jsonl"):
                await Session.import_(tmp_path / name)
        (tmp_path / "list.json").write_text("[]")
        with pytest.raises(SessionCorruptError):
            await Session.import_(tmp_path / "list.json")
        with pytest.raises(SessionError, match="Check the path"):
            await Session.import_(tmp_path / "nothing.jsonl")
        assert await session.list() == []
        assert await model.requests() == []
