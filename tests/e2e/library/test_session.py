"""The session guide in Python, as programs use it: the real CLI, the offline model, files."""

from __future__ import annotations

import json
import shutil
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pydantic import BaseModel

from channelcoder_lsp import FileSessionStorage, Session, SessionState, claude, session, stream, worktree
from channelcoder_lsp.domain.errors import (
    ArgumentsError,
    ContainerError,
    RepositoryError,
    SessionError,
    SessionExistsError,
    SessionNotFoundError,
    WorktreeError,
)
from channelcoder_lsp.offline.process import OfflineModel
from channelcoder_lsp.offline.script import Failure, StructuredOutput, Text, ToolUse

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture(scope="module")
async def shared_model() -> AsyncIterator[OfflineModel]:
    async with OfflineModel(control=True, delay_ms=0) as model:
        yield model


@pytest.fixture
async def model(shared_model: OfflineModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> OfflineModel:
    """The offline model, and an environment that leads to it and to folders of the test's own."""
    await shared_model.clear()
    for name, value in {
        **shared_model.environment(),
        "HOME": str(tmp_path),
        "XDG_STATE_HOME": str(tmp_path / "state"),
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "CLAUDE_CONFIG_DIR": str(tmp_path / "claude"),
        "CHANNELCODER_SESSION_DIR": str(tmp_path / "sessions"),
        "CHANNELCODER_MAX_RETRIES": "0",
    }.items():
        monkeypatch.setenv(name, value)
    project = tmp_path / "project"
    project.mkdir()
    monkeypatch.chdir(project)
    return shared_model


def questions(requests) -> list[str]:
    return [*requests[-1].earlier_questions, requests[-1].question]


class TestQuickStart:
    async def test_a_conversation_saved_and_gone_on_with(self, model: OfflineModel):
        """Session guide, "Basic Session Usage"."""
        s = session()
        await s.claude("What is TypeScript?")
        await s.claude("Show me an example")
        await s.save("learning-typescript")
        await s.close()

        saved = await session.load("learning-typescript")
        await saved.claude("What about generics?")
        await saved.close()
        assert questions(await model.requests()) == [
            "What is TypeScript?",
            "Show me an example",
            "What about generics?",
        ]

    async def test_an_unnamed_session_is_stored_under_its_id(self, model: OfflineModel, tmp_path: Path):
        """Session guide, "Auto-Save Sessions"."""
        async with session() as s:
            await s.claude("Implement feature")
            path = tmp_path / f"sessions/{s.id()}.json"
        assert json.loads(path.read_text())["sessionChain"] == [s.id()]

    async def test_saving_under_a_name_leaves_no_copy(self, model: OfflineModel, tmp_path: Path):
        async with session() as s:
            await s.claude("One")
            await s.save("first")
            await s.save("second")
            await s.claude("Two")
        assert [info.name for info in await session.list()] == ["second"]
        assert (await session.load("second")).messages()[-2].content == "Two"


class TestMessages:
    async def test_are_what_was_said(self, model: OfflineModel):
        """Session guide, "Session Data Structure"."""
        await model.script(Text(text="Hello! How can I help?"))
        async with session() as s:
            result = await s.claude("Hello")
            said = [(message.role, message.content, message.session_id) for message in s.messages()]
        assert [message[:2] for message in said] == [("user", "Hello"), ("assistant", "Hello! How can I help?")]
        assert said[1][2] == result.session_id == s.id()
        assert str(result) == f"{result}" == "Hello! How can I help?"
        assert (result.is_error, result.usage.output_tokens > 0, result.cost_usd > 0) == (False, True, True)

    async def test_are_forgotten_by_clear(self, model: OfflineModel):
        async with session() as s:
            await s.claude("One")
            await s.clear()
            assert (s.messages(), s.id()) == ([], None)
            await s.claude("Two")
        assert questions(await model.requests()) == ["Two"]


class TestAllSessions:
    async def test_there_is_none_in_which_nothing_could_be_asked(self, model: OfflineModel):
        """The original saves an empty one when a question fails; its name is taken then."""
        async with session("new") as s:
            for wrong in ({"worktree": "bad..name"}, {"docker": {"image": "-x"}}):
                with pytest.raises((RepositoryError, ContainerError)):
                    await s.claude("One", **wrong)
            assert await session.list() == []
            await s.claude("Two")
        assert [info.message_count for info in await session.list()] == [2]
        Path("theirs.json").write_text('{"messages": [{"role": "user", "content": "Hi"}], "metadata": {}}')
        for there in ("new", "./theirs.json"):
            async with await session.load(there) as s:
                with pytest.raises(RepositoryError):
                    await s.claude("Three", worktree="bad..name")
        assert sorted(info.message_count for info in await session.list()) == [1, 2]

    async def test_listed_found_and_removed(self, model: OfflineModel):
        """Session guide, "Session Metadata" and "Session Hygiene"."""
        for name in ("feature-auth", "feature-mail"):
            async with session(name=name) as s:
                await s.claude(f"About {name}")
        infos = await session.list()
        assert [(info.name, info.message_count) for info in infos] == [("feature-mail", 2), ("feature-auth", 2)]
        assert await session.exists("feature-auth")
        await session.remove("feature-auth")
        assert not await session.exists("feature-auth")
        with pytest.raises(SessionNotFoundError):
            await session.load("feature-auth")

    async def test_a_name_that_is_taken_is_refused_and_nothing_lost(self, model: OfflineModel):
        async with session(name="mine") as s:
            await s.claude("One")
        with pytest.raises(SessionExistsError):
            await session(name="mine").claude("Two")
        assert len((await session.load("mine")).messages()) == 2

    async def test_a_file_is_loaded_and_never_written(self, model: OfflineModel, tmp_path: Path):
        """The guide's leaner "Storage Format"."""
        file = tmp_path / "old.json"
        text = json.dumps(
            {
                "id": "session_abc123",
                "messages": [
                    {"role": "user", "content": "Create a component"},
                    {"role": "assistant", "content": "Sure"},
                ],
                "metadata": {
                    "created": "2024-01-15T10:00:00Z",
                    "lastActive": "2024-01-15T11:30:00Z",
                    "messageCount": 2,
                },
            }
        )
        file.write_text(text)
        async with await session.load(file) as s:
            assert [message.content for message in s.messages()] == ["Create a component", "Sure"]
            await s.claude("And now?")
        assert file.read_text() == text
        assert "Create a component" in (await model.requests())[-1].prompt


class TestStorages:
    async def test_a_folder_of_ones_own(self, model: OfflineModel, tmp_path: Path):
        storage = FileSessionStorage(tmp_path / "mine")
        async with session(storage=storage, name="x") as s:
            await s.claude("One")
        assert (tmp_path / "mine/x.json").is_file()
        assert [info.name for info in await session.list(storage)] == ["x"]

    async def test_an_object_with_the_guides_three_methods(self, model: OfflineModel):
        """Session guide, "Custom Storage Implementation"."""

        class DictionaryStorage:
            def __init__(self) -> None:
                self.database: dict[str, str] = {}

            async def save(self, state, name=None):
                key = name or f"session-{len(self.database)}"
                self.database[key] = state.at_rest()
                return key

            async def load(self, name_or_path):
                if name_or_path not in self.database:
                    raise LookupError(f"Session {name_or_path} not found")
                return SessionState.model_validate_json(self.database[name_or_path])

            async def list(self):
                return []

        storage = DictionaryStorage()
        async with session(storage=storage, name="mine") as s:
            await s.claude("One")
        async with await session.load("mine", storage) as s:
            await s.claude("Two")
        assert questions(await model.requests()) == ["One", "Two"]
        async with session(storage=storage) as s:
            await s.claude("Three")
            assert await s.save("named") == "named"  # though the adapter can't remove what is there without a name
            await s.claude("Four")
        assert questions(await model.requests()) == ["Three", "Four"]
        async with await session.load("named", storage) as s:
            assert [one.content for one in s.messages() if one.role == "user"] == ["Three", "Four"]
            await s.claude("Five")
        assert questions(await model.requests()) == ["Three", "Four", "Five"]

    async def test_without_auto_save_only_save_stores(self, model: OfflineModel, tmp_path: Path):
        async with session(auto_save=False) as s:
            await s.claude("One")
            assert await session.list() == []
            await s.save("kept")
        assert [info.name for info in await session.list()] == ["kept"]


class TestStreaming:
    async def test_comes_in_pieces_and_ends_with_the_result(self, model: OfflineModel):
        """Session guide, "Sessions + Streaming"."""
        await model.script(Text(text="one two three four five six", words_per_chunk=2))
        async with session() as s:
            chunks = [chunk async for chunk in s.stream("Write docs")]
        assert "".join(chunk.content for chunk in chunks if chunk.type == "content") == "one two three four five six"
        assert chunks[-1].result is not None
        assert chunks[-1].result.text == "one two three four five six"

    async def test_who_leaves_cancels(self, model: OfflineModel):
        await model.script(Text(text="one two three", words_per_chunk=1, hold_after=1))
        async with session() as s:
            pieces = s.stream("Write docs")
            async for chunk in pieces:
                if chunk.type == "content":
                    break
            await pieces.aclose()
            await s.claude("Next")
        turns = list((await Session.load(s.name or s.id() or "")).messages())
        assert [message.content for message in turns if message.role == "user"] == ["Write docs", "Next"]


class TestOptions:
    async def test_a_system_prompt_tools_and_values(self, model: OfflineModel, tmp_path: Path):
        (tmp_path / "expert.md").write_text("You are an expert.")
        await model.script(ToolUse(name="Bash", input={"command": "echo hi"}), Text(text="Done."))
        result = await claude(
            "Explain {topic}",
            data={"topic": "{monads}"},
            system=str(tmp_path / "expert.md"),
            tools=["Bash(echo:*)"],
        )
        first = (await model.requests())[0]
        assert first.question == "Explain {monads}"
        assert "You are an expert." in first.system
        assert [tool.name for tool in result.tools] == ["Bash"]

    async def test_an_output_is_checked(self, model: OfflineModel):
        class Verdict(BaseModel):
            good: bool
            why: str

        await model.script(StructuredOutput(value={"good": True, "why": "short"}))
        result = await claude("Good?", output=Verdict)
        assert result.data == Verdict(good=True, why="short")

    async def test_a_dry_run_sends_nothing(self, model: OfflineModel):
        result = await claude("Hi {name}", data={"name": "Ada"}, dry_run=True)
        assert result.prompt == "Hi Ada"
        assert await model.requests() == []
        assert await session.list() == []

    async def test_time_that_is_up_ends_it(self, model: OfflineModel):
        await model.script(Text(text="Yes."), Text(text="one two three", words_per_chunk=1, hold_after=1))
        async with session() as s:
            await s.claude("There?")  # its start is not to be counted
            result = await s.claude("Slow?", timeout=3)
            assert (result.is_error, result.cancelled, result.text.strip()) == (True, True, "one")
            assert "no whole answer in 3 seconds" in (result.error or "")
            assert not (await s.claude("Again?")).is_error

    async def test_an_unknown_option_is_named(self, model: OfflineModel):
        with pytest.raises(ArgumentsError, match="temperature: there is no such option"):
            await claude("Hi", temperature=1)  # type: ignore[call-arg]

    async def test_a_failure_is_told_not_raised(self, model: OfflineModel, caplog: pytest.LogCaptureFixture):
        await model.script(Failure(status=401))
        result = await claude("Hi")
        assert result.is_error
        assert result.error
        warnings = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
        assert warnings == [result.error]


class TestPromptFiles:
    async def test_are_asked_with_what_they_say(self, model: OfflineModel, tmp_path: Path):
        file = tmp_path / "greet.md"
        file.write_text("---\nsystemPrompt: You greet.\ninput:\n  name: string\n---\nGreet {name}.\n")
        async with session() as s:
            await s.claude(str(file), data={"name": "Ada"})
        (request,) = await model.requests()
        assert request.question == "Greet Ada."
        assert "You greet." in request.system

    async def test_that_need_a_session_say_so(self, model: OfflineModel, tmp_path: Path):
        file = tmp_path / "go-on.md"
        file.write_text("---\nsession:\n  required: true\n---\nContinue implementing the feature we discussed.")
        with pytest.raises(SessionError, match="goes on with a conversation"):
            await claude(file)
        async with session() as s:
            await s.claude("Implement it")
            assert not (await s.claude(file)).is_error


class TestOnce:
    async def test_leaves_no_session(self, model: OfflineModel):
        pieces = [chunk async for chunk in stream("Once")]
        assert pieces[-1].type == "result"
        assert await session.list() == []

    async def test_goes_on_with_a_claude_session_by_its_id(self, model: OfflineModel):
        first = await claude("One")
        await claude("Two", resume=first.session_id)
        assert questions(await model.requests()) == ["One", "Two"]

    async def test_goes_on_with_none_that_is_not_there(self, model: OfflineModel):
        async with session() as s:
            s.set_id("00000000-0000-4000-8000-000000000000")
            with pytest.raises(SessionError, match="no conversation '00000000"):
                await s.claude("One")
        assert await session.list() == []


class TestUpkeep:
    async def test_a_fork_goes_its_own_way(self, model: OfflineModel):
        async with session(name="one") as one:
            await one.claude("First")
            async with await one.fork("two") as two:
                await two.claude("Second")
                assert two.id() != one.id()
            await one.claude("Third")
        asked = [[*request.earlier_questions, request.question] for request in await model.requests()]
        assert asked == [["First"], ["First", "Second"], ["First", "Third"]]
        assert [hit.session for hit in await session.search("SECOND")][:1] == ["two"]
        assert "one" not in {hit.session for hit in await session.search("Second")}

    async def test_exported_to_be_read(self, model: OfflineModel):
        async with session(name="one") as s:
            await s.claude("First")
            assert (await s.export()).startswith("# one\n\n## You")
            assert json.loads(await s.export("guide")).keys() <= {
                "sessionChain",
                "currentSessionId",
                "messages",
                "metadata",
            }

    async def test_old_ones_are_cleared_out(self, model: OfflineModel):
        async with session(name="one") as s:
            await s.claude("First")
        assert await session.prune(timedelta(days=30)) == []
        assert await session.prune(timedelta(0)) == ["one"]
        assert await session.list() == []


class TestWorktrees:
    """Session guide, "Sessions + Worktrees"."""

    @pytest.fixture
    def repository(self, model: OfflineModel, tmp_path: Path) -> Path:
        folder = tmp_path / "project"
        for command in (
            ["init", "-q", "-b", "main"],
            ["-c", "user.name=Ada", "-c", "user.email=a@example.org", "commit", "-q", "--allow-empty", "-m", "one"],
        ):
            subprocess.run(["git", *command], cwd=folder, check=True)
        return folder

    async def test_the_session_goes_on_in_its_worktree(self, model: OfflineModel, repository: Path):
        async with session() as s:
            await s.claude("Start payment feature", worktree="feature/payments")
            await s.save("payment-implementation")
        saved = await session.load("payment-implementation")
        await saved.claude("Add Stripe integration")
        await saved.close()
        worktree = repository.parent / "project-feature-payments"
        for request in await model.requests():
            assert str(worktree) in json.dumps(request.messages)
        assert questions(await model.requests()) == ["Start payment feature", "Add Stripe integration"]

    async def test_one_that_is_gone_is_named_with_what_brings_it_back(self, model: OfflineModel, repository: Path):
        async with session(name="mine") as s:
            await s.claude("One", worktree="x")
        shutil.rmtree(repository.parent / "project-x")
        async with await session.load("mine") as s:
            with pytest.raises(WorktreeError, match=r"git worktree add \S*/project-x x"):
                await s.claude("Two")

    async def test_one_for_a_question_alone_is_removed_after_it(self, model: OfflineModel, repository: Path):
        """But none that was there before, and none that holds work."""
        await claude("Zero", worktree="there")
        async with session() as s:
            await s.claude("One", worktree={"branch": "x", "cleanup": True})
            assert str(repository.parent / "project-x") in json.dumps((await model.requests())[-1].messages)
            assert not (repository.parent / "project-x").exists()
            await s.claude("Two")
            assert str(repository) in json.dumps((await model.requests())[-1].messages[-1])
            await s.claude("Three", worktree={"branch": "there", "cleanup": True})
            assert (repository.parent / "project-there").is_dir()
            async for chunk in s.stream("Four", worktree={"branch": "work", "cleanup": True}):
                if chunk.type == "result":
                    (repository.parent / "project-work/new.py").touch()
            await s.claude("Five")
        assert (repository.parent / "project-work/new.py").exists()
        assert str(repository.parent / "project-work") in json.dumps((await model.requests())[-1].messages)

    async def test_what_does_not_fit_is_refused(self, model: OfflineModel, repository: Path):
        async with session() as s:
            for wrong in ({"branch": "x", "clean": True}, {"base": "main"}, ""):
                with pytest.raises(ArgumentsError, match="worktree"):
                    await s.claude("One", worktree=wrong)
        assert not (repository.parent / "project-x").exists()

    async def test_what_is_asked_in_the_context_works_in_it(self, model: OfflineModel, repository: Path):
        async with worktree("y") as made:
            await claude("Where?")
        assert str(made.path) in json.dumps((await model.requests())[-1].messages)
