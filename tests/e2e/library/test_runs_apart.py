"""``detached()`` and ``Session.detached``: the answer comes when the program that asked has ended."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from sqlalchemy.ext.asyncio import create_async_engine

from channelcoder_lsp import DatabaseStorage, FileSessionStorage, Session, detached, session
from channelcoder_lsp.domain.errors import ArgumentsError, SessionError
from channelcoder_lsp.library.detached import detached_runs
from channelcoder_lsp.offline.script import Text

if TYPE_CHECKING:
    from pathlib import Path

    from channelcoder_lsp.offline.process import OfflineModel

pytestmark = pytest.mark.timeout(300)  # several processes, one after the other


def contents(s: Session) -> list[str]:
    return [message.content for message in s.messages()]


class TestOnce:
    async def test_leaves_the_answer_in_the_log_and_no_session(self, model: OfflineModel, tmp_path: Path):
        await model.script(Text(text="The answer."))
        run = await detached("One", log_file=tmp_path / "one.log")
        assert run.running
        done = await run.wait()
        assert (done.running, done.code, done.pid) == (False, 0, run.pid)
        assert (tmp_path / "one.log").read_text() == "The answer.\n"
        assert await session.list() == []
        assert [known.id for known in detached_runs()] == [run.id]

    async def test_goes_on_when_the_program_has_ended(self, model: OfflineModel, tmp_path: Path):
        await model.script(Text(text="The answer.", wait=True))
        program = (
            "import asyncio\nfrom channelcoder_lsp import detached\n"
            f"print(asyncio.run(detached('One', log_file={str(tmp_path / 'one.log')!r})).pid)"
        )
        done = subprocess.run(  # noqa: ASYNC221 - it ends at once
            [sys.executable, "-W", "error", "-c", program], check=True, capture_output=True, text=True, timeout=60
        )
        assert done.stderr == ""
        await model.wait_for_requests(1)
        (run,) = detached_runs()
        assert (run.pid, run.running) == (int(done.stdout), True)
        await model.release()
        assert (await run.wait()).code == 0
        assert (tmp_path / "one.log").read_text() == "The answer.\n"


class TestSessions:
    async def test_have_the_turn_when_it_is_done(self, model: OfflineModel):
        """Session guide, ``Session.detached``: the session's own object has it with its next question."""
        await model.script(Text(text="First."), Text(text="Second."), Text(text="Third."))
        async with session(name="work") as s:
            await s.claude("One")
            run = await s.detached("Two", stream=True)
            assert (await run.wait()).code == 0
            await s.claude("Three")
            assert contents(s) == ["One", "First.", "Two", "Second.", "Three", "Third."]
        assert contents(await Session.load("work")) == ["One", "First.", "Two", "Second.", "Three", "Third."]
        assert [request.earlier_questions for request in await model.requests()][-1] == ["One", "Two"]

    async def test_in_files_elsewhere_are_asked_in_there(self, model: OfflineModel, tmp_path: Path):
        storage = FileSessionStorage(tmp_path / "mine")
        async with session(name="work", storage=storage) as s:
            run = await s.detached("One")
            assert (await run.wait()).code == 0
        assert [info.message_count for info in await session.list(storage)] == [2]
        assert await session.list() == []

    async def test_in_a_database_are_asked_in_there(self, model: OfflineModel, tmp_path: Path):
        """One that the program opened itself, with nothing in the settings."""
        engine = create_async_engine(f"sqlite+aiosqlite:///{tmp_path}/sessions.db")
        storage = DatabaseStorage(engine, tenant="mine")
        async with session(name="work", storage=storage) as s:
            run = await s.detached("One")
            assert (await run.wait()).code == 0
        assert [info.message_count for info in await session.list(storage)] == [2]
        assert await session.list() == []
        await engine.dispose()

    async def test_are_made_by_it_and_kept_under_their_id(self, model: OfflineModel):
        async with session() as s:
            run = await s.detached("One")
            await run.wait()
        (info,) = await session.list()
        assert (info.name, info.message_count) == (run.session, 2)

    async def test_take_turns_when_several_ask_at_once(self, model: OfflineModel):
        async with session(name="work") as s:
            runs = [await s.detached(f"Question {number}") for number in range(3)]
            assert [(await run.wait()).code for run in runs] == [0, 0, 0]
        messages = (await Session.load("work")).messages()
        asked = {message.turn_id: message.content for message in messages if message.role == "user"}
        answered = [message.turn_id for message in messages if message.role == "assistant"]
        assert sorted(asked.values()) == [f"Question {number}" for number in range(3)]
        assert sorted(answered) == sorted(asked)


class TestWhatDoesNotFit:
    async def test_is_told_before_anything_is_begun(self, model: OfflineModel, tmp_path: Path):
        with pytest.raises(ArgumentsError, match="temperature: there is no such option"):
            await detached("One", temperature=1)  # type: ignore[call-arg]
        with pytest.raises(ArgumentsError, match="data: it can't be taken along"):
            await detached("One {x}", data={"x": object()})
        with pytest.raises(ArgumentsError, match="auto_save"):
            await session(auto_save=False).detached("One")
        file = tmp_path / "on.md"
        file.write_text("---\nsession:\n  required: true\n---\nGo on")
        with pytest.raises(SessionError):
            await detached(file)
        assert detached_runs() == []

    async def test_a_storage_of_ones_own_is_named(self, model: OfflineModel):
        class Mine:
            async def save(self, state, name=None):
                return name or "mine"

            async def load(self, name_or_path):
                raise LookupError(name_or_path)

            async def list(self):
                return []

        async with session(name="mine", storage=Mine()) as s:
            with pytest.raises(ArgumentsError, match="opens it by its URL"):
                await s.detached("One")


async def test_modules_of_the_folder_are_not_run(model: OfflineModel, tmp_path: Path):
    """The folder may be anybody's: what lies there under the name of a module is a file, no more."""
    for name in ("json.py", "asyncio.py", "channelcoder_lsp.py"):
        (tmp_path / "project" / name).write_text("open('owned', 'w').close()\n")
    run = await detached("One")
    assert (await run.wait()).code == 0
    assert not (tmp_path / "project/owned").exists()
