"""Whatever is asked for may be cancelled in any of its waits: all goes on, and nothing that was said is lost."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import anyio
import pytest
from cancelling import WAYS, each_wait

from channelcoder_lsp import session
from channelcoder_lsp.configuration import Configuration
from channelcoder_lsp.domain.place import Position, Range, Selection
from channelcoder_lsp.domain.text import split_lines
from channelcoder_lsp.domain.turn import Turn, TurnState
from channelcoder_lsp.services.compose import Question
from channelcoder_lsp.services.threads import Document
from channelcoder_lsp.storage import FileSessionStorage

from .desk import CODE, HANGS, TOTAL, Desk, Editor, Reply, ScriptedAgent, soon

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine
    from pathlib import Path

    from channelcoder_lsp.domain.session import SessionState
    from channelcoder_lsp.services.project import Project
    from channelcoder_lsp.services.session import Session
    from channelcoder_lsp.storage.file.journal import FileJournal


class Storage(FileSessionStorage):
    """Like one on a server: what it does is done a moment before its caller hears of it."""

    async def create(self, state: SessionState, name: str) -> FileJournal:
        journal = await super().create(state, name)
        await asyncio.sleep(0)
        return journal

    async def rename(self, name: str, new_name: str) -> None:
        await super().rename(name, new_name)
        await asyncio.sleep(0)

    async def delete(self, name: str) -> None:
        await super().delete(name)
        await asyncio.sleep(0)


FIRST, ELSEWHERE, STREAMING, CUT, LATER = "What is it?", "elsewhere?", "streaming?", "cut?", "later?"


@dataclass
class Shop:
    """A folder with two sessions, in each of which something was asked; ``work`` is the active one."""

    folder: Path
    agent: ScriptedAgent
    editor: Editor
    project: Project
    uri: str
    first: Turn
    """Asked in ``work``, about code of an open document."""
    tasks: set[asyncio.Task[Any]]
    """Those that there were before."""
    held: list[Reply] = field(default_factory=list)

    @property
    def session(self) -> Session:
        assert self.project.session is not None
        return self.project.session

    def question(self) -> Question:
        return Question(CUT, selection=Selection(uri=self.uri, path="a.py", range=TOTAL, text="", document=CODE))

    async def stream(self) -> Turn:
        """Ask something that Claude is in the middle of answering, until it is interrupted or may go on."""
        self.held.append(self.agent.will(Reply(held=True)))
        turn = await self.project.ask(Question(STREAMING))
        await soon(self.held[-1].streamed.wait())
        return turn

    async def open_again(self) -> None:
        """Close the document, and open it with its code further down."""
        await self.project.closed(self.uri)
        await self.project.opened(Document(self.uri, "a.py", split_lines(f"# new\n{CODE}")))
        await self.project.closed(self.uri)

    async def go_on(self) -> None:
        """What streams comes to its end, and the next question is answered, in a folder that may be opened again."""
        for reply in self.held:
            reply.go.set()
        self.project = await self.editor.folder("shop")
        turn = await soon(self.project.ask(Question(LATER)))
        await self.editor.desk.heard.over(turn)
        assert self.session.turn(turn.id).state is TurnState.DONE

    async def close(self) -> None:
        """Nothing is left that goes on."""
        await self.editor.close()
        assert self.agent.open == []
        assert asyncio.all_tasks() == self.tasks

    async def stored(self) -> dict[str, SessionState]:
        """All sessions as another process finds them: none empty or held, each question there once and with an end."""
        storage = FileSessionStorage(self.folder / "sessions")
        states = {info.name: await storage.load(info.name) for info in await storage.list()}
        for name, state in states.items():
            assert state.turns, f"{name} is empty"
            assert state.unfinished() == []
            journal = await storage.open(name)
            with anyio.fail_after(HANGS):
                async with journal.lease():
                    await journal.close()
        asked = [turn.question for state in states.values() for turn in state.turns.values()]
        assert len(asked) == len(set(asked)), asked
        known = {file.suffix for file in (self.folder / "sessions").iterdir()}
        assert known <= {".json", ".index", ".journal", ".contents", ".lock", ".lease", ".queue"}
        return states


@asynccontextmanager
async def shop(folder: Path) -> AsyncIterator[Shop]:
    folder.mkdir()
    tasks = asyncio.all_tasks()
    agent = ScriptedAgent()
    editor = Editor(Desk(folder, Storage(folder / "sessions"), agent))
    project = await editor.folder("shop")
    await project.new_session("other")
    await editor.desk.heard.over(await project.ask(Question(ELSEWHERE)))
    await project.new_session("work")
    uri = await editor.open("shop/a.py")
    first = await editor.ask(uri)
    project.documents.edit(uri, Range(Position(0, 0), Position(0, 0)), "# Places are to be recorded.\n")
    yield Shop(folder, agent, editor, project, uri, first, tasks)
    await editor.close()


def asked(states: dict[str, SessionState]) -> dict[str, str]:
    """In which session each question is."""
    return {turn.question: name for name, state in states.items() for turn in state.turns.values()}


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> str:
    return str(request.param)


DONE: dict[str, Callable[[Shop], Coroutine[Any, Any, object]]] = {
    "ask": lambda it: it.project.ask(it.question()),
    "reply": lambda it: it.project.ask(Question(CUT, thread_id=it.first.thread_id)),
    "compact": lambda it: it.session.compact(),
    "limit": lambda it: it.session.limit_spending(100.0),
    "save": lambda it: it.session.save(),
    "new session": lambda it: it.project.new_session("new"),
    "switch": lambda it: it.project.switch("other"),
    "remove a thread": lambda it: it.session.remove_thread(str(it.first.thread_id)),
    "open a document": lambda it: it.open_again(),
    "rename a file": lambda it: it.project.renamed_files(it.folder / "shop/a.py", it.folder / "shop/b.py"),
    "close the folder": lambda it: it.editor.projects.remove(it.folder / "shop"),
    "list": lambda it: it.editor.projects.list_sessions(it.project),
}
"""What loses nothing, whether it is done or not."""


@pytest.mark.parametrize("streams", [False, True], ids=["quiet", "streaming"])
@pytest.mark.parametrize("what", DONE)
async def test_what_was_said_is_there_and_the_next_question_is_answered(
    tmp_path: Path, way: str, what: str, streams: bool
):
    """Each question is recorded once, with its end, and none was sent that isn't recorded."""
    async for cut in each_wait(way):
        async with shop(tmp_path / str(cut.at)) as it:
            if streams:
                await it.stream()
            await cut.into(DONE[what](it))
            await it.go_on()
            await it.close()
            states = await it.stored()
            where = asked(states)
            assert (where[ELSEWHERE], where[FIRST]) == ("other", "work")
            recorded = tuple(turn.prompt for state in states.values() for turn in state.turns.values())
            assert [prompt for prompt in it.agent.prompts if not prompt.endswith(recorded)] == []


@pytest.mark.parametrize("streams", [False, True], ids=["quiet", "streaming"])
@pytest.mark.parametrize("what", ["remove", "clear"])
async def test_what_is_removed_is_there_whole_or_not_at_all(tmp_path: Path, way: str, what: str, streams: bool):
    """The other session stays as it is, and the next question is answered."""

    def work(it: Shop) -> Coroutine[Any, Any, object]:
        return it.editor.projects.remove_session("work") if what == "remove" else it.session.clear()

    async for cut in each_wait(way):
        async with shop(tmp_path / str(cut.at)) as it:
            if streams:
                await it.stream()
            await cut.into(work(it))
            await it.go_on()
            await it.close()
            states = await it.stored()
            assert asked(states)[ELSEWHERE] == "other"
            assert {FIRST, STREAMING} & asked(states).keys() in (set(), {FIRST}, {FIRST, STREAMING})
            assert asked(states).keys() >= {LATER}


async def test_a_renamed_session_has_one_name(tmp_path: Path, way: str):
    """The old one or the new one, and the folder goes on with it."""
    async for cut in each_wait(way):
        async with shop(tmp_path / str(cut.at)) as it:
            await cut.into(it.editor.projects.rename_session("work", "new"))
            await it.go_on()
            await it.close()
            where = asked(await it.stored())
            assert where[FIRST] == where[LATER]
            assert where[FIRST] in {"work", "new"}


async def test_the_first_question_of_a_folder_makes_one_session(tmp_path: Path, way: str):
    """None that nobody uses is left behind."""
    async for cut in each_wait(way, least=2):
        async with shop(tmp_path / str(cut.at)) as it:
            project = await it.editor.folder("new")
            await cut.into(project.ask(Question(CUT)))
            await it.go_on()
            turn = await soon(project.ask(Question("after that?")))
            await it.editor.desk.heard.over(turn)
            await it.close()
            states = await it.stored()
            assert len(states) == 3
            where = asked(states)
            assert where.get(CUT, where["after that?"]) == where["after that?"]


async def test_a_question_that_is_taken_back_or_repeated_is_so_or_not(tmp_path: Path, way: str):
    """One waits, and is cancelled; one was answered, and is asked again."""
    again = 0
    async for cut in each_wait(way):
        async with shop(tmp_path / str(cut.at)) as it:
            await it.stream()
            waiting = await it.project.ask(Question("waiting?"))

            async def work(it: Shop = it, waiting: Turn = waiting) -> None:
                await it.session.cancel(waiting.id)
                await it.session.retry(it.first.id)

            await cut.into(work())
            await it.go_on()
            await it.close()
            state = await FileSessionStorage(it.folder / "sessions").load("work")
            assert state.unfinished() == []
            assert ("waiting?" in it.agent.prompts) == (state.turns[waiting.id].state is TurnState.DONE)
            asked = [turn.question for turn in state.turns.values()]
            again = asked.count(FIRST)
            assert len([prompt for prompt in it.agent.prompts if FIRST in prompt]) == again
    assert again == 2


async def test_the_task_that_asks_is_cancelled(tmp_path: Path):
    """Its question has an end when the session is closed; the next one is asked by another task."""
    async for cut in each_wait("request", least=10):
        async with shop(tmp_path / str(cut.at)) as it:
            await it.project.switch("other")
            with cut.in_tasks_of("Worker._work"):
                turn = await it.project.ask(it.question())
                over = asyncio.ensure_future(it.editor.desk.heard.over(turn))
                await asyncio.wait({over, *cut.tasks}, return_when=asyncio.FIRST_COMPLETED)
                over.cancel()
            await it.go_on()
            await it.close()
            states = await it.stored()
            assert states["other"].turns[turn.id].state in {TurnState.DONE, TurnState.CANCELLED}
            assert asked(states)[LATER] == "other"


async def test_a_server_that_is_ended_half_way_through_its_end(tmp_path: Path, way: str):
    """What had come of the answer is kept, and the next server goes on."""
    async for cut in each_wait(way):
        async with shop(tmp_path / str(cut.at)) as it:
            streaming = await it.stream()
            await cut.into(it.editor.close())
            await it.close()
            state = (await it.stored())["work"]
            assert state.turns[streaming.id].state is TurnState.CANCELLED
            assert state.turns[streaming.id].answer == "An answer."


@pytest.mark.parametrize(
    "work",
    [
        lambda it: it.claude(CUT),
        lambda it: it.compact(),
        lambda it: it.save("new"),
        lambda it: it.fork("copy"),
        lambda it: it.limit(100.0),
        lambda it: it.close(),
    ],
    ids=["claude", "compact", "save", "fork", "limit", "close"],
)
async def test_what_a_program_asks_for(
    tmp_path: Path, way: str, work: Callable[[session], Coroutine[Any, Any, object]], monkeypatch: pytest.MonkeyPatch
):
    """What is not waited for any more isn't answered on, in the way of the next question; what was said is kept."""
    agent = ScriptedAgent()
    monkeypatch.setattr(Configuration, "agent", lambda _: agent)
    async for cut in each_wait(way, least=0):
        tasks = asyncio.all_tasks()
        storage = Storage(tmp_path / str(cut.at))
        async with session(name="work", storage=storage) as it:
            await it.claude(FIRST)
            await cut.into(work(it))
            assert not (await it.claude(LATER)).is_error
        assert agent.open == []
        assert asyncio.all_tasks() == tasks
        states = {info.name: await storage.load(info.name) for info in await storage.list()}
        where = asked({name: state for name, state in states.items() if name != "copy"})
        assert where[FIRST] == where[LATER]
        assert [state.unfinished() for state in states.values()] == [[]] * len(states)
        asked_again = agent.prompts.count(CUT)
        agent.asked.clear()
        assert asked_again <= 1


async def test_a_program_that_is_ended_leaves_its_session_at_rest(
    tmp_path: Path, way: str, monkeypatch: pytest.MonkeyPatch
):
    """Also in the middle of an answer and of closing: nothing goes on behind its back, and the next one goes on."""
    agent = ScriptedAgent()
    monkeypatch.setattr(Configuration, "agent", lambda _: agent)

    async def program(storage: Storage) -> None:
        async with session(name="work", storage=storage) as it:
            await it.claude(CUT)

    async for cut in each_wait(way, least=5):
        tasks = asyncio.all_tasks()
        storage = Storage(tmp_path / str(cut.at))
        await cut.into(program(storage))
        assert agent.open == []
        assert asyncio.all_tasks() == tasks
        if await storage.exists("work"):
            assert (await storage.load("work")).unfinished() == []
            async with await session.load("work", storage) as it:
                assert not (await it.claude(LATER)).is_error
