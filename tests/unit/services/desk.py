"""A Claude that is scripted at the port, and sessions in real files to ask it in."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from channelcoder_lsp.domain.agent import AgentEvent, ConnectionRequest, Finished, TextDelta
from channelcoder_lsp.domain.deny_list import DenyList, DenyRules
from channelcoder_lsp.domain.errors import AgentError, AgentGoneError, ConversationLostError, SessionExistsError
from channelcoder_lsp.domain.place import Position, Range, Selection
from channelcoder_lsp.domain.session import SessionMetadata, SessionState
from channelcoder_lsp.domain.text import split_lines
from channelcoder_lsp.domain.uri import uri_of
from channelcoder_lsp.execution.git import GitRepository
from channelcoder_lsp.services.checkouts import Checkouts
from channelcoder_lsp.services.compose import Question
from channelcoder_lsp.services.events import SessionEvent, TurnOver, TurnText
from channelcoder_lsp.services.projects import Projects
from channelcoder_lsp.services.session import Session, SessionPorts
from channelcoder_lsp.services.threads import Document
from channelcoder_lsp.services.warm import WarmConnections
from channelcoder_lsp.settings import Settings

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable
    from pathlib import Path

    from channelcoder_lsp.domain.permission import Decision
    from channelcoder_lsp.domain.turn import ContextUse, Turn
    from channelcoder_lsp.services.project import Project
    from channelcoder_lsp.storage import FileSessionStorage

CODE = "import os\n\n\ndef total(items):\n    return sum(items)\n\n\nprint(total([1]))\n"
TOTAL = Range(Position(3, 0), Position(4, 21))
HANGS = 10.0
"""Seconds after which a test that waits for an event has failed."""


async def soon(awaitable: Any) -> Any:
    """What is awaited, or a failure instead of a test that hangs."""
    return await asyncio.wait_for(awaitable, HANGS)


@dataclass
class Reply:
    """How Claude is to answer one question.

    Args:
        pieces: the answer, as it streams.
        held: stop after the pieces until ``go`` is set or the turn is interrupted.
        deaf: take no notice of an interrupt.
        error: what the turn ends with.
        gone: the command line ends after the pieces.
        events: what is told before the pieces.
        structured: the structured answer.
        context: how full the context is then.
        cost_usd: what the turn costs.
    """

    pieces: tuple[str, ...] = ("An ", "answer.")
    held: bool = False
    deaf: bool = False
    error: AgentError | None = None
    gone: bool = False
    events: tuple[AgentEvent, ...] = ()
    structured: Any = None
    context: ContextUse | None = None
    cost_usd: float = 0.5
    streamed: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the pieces were taken."""
    go: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(frozen=True)
class Asked:
    """A question as Claude saw it: in which conversation, with which earlier prompts before it."""

    session_id: str
    prompt: str
    known: tuple[str, ...]


class ScriptedAgent:
    """Claude, in memory. Like the real one a connection knows what was said before it was opened, and by itself."""

    def __init__(self) -> None:
        self.transcripts: dict[str, list[str]] = {}
        self.asked: list[Asked] = []
        self.requests: list[ConnectionRequest] = []
        self.open: list[ScriptedConnection] = []
        self.closed: asyncio.Queue[str] = asyncio.Queue()
        self.failures: deque[Exception] = deque()
        self.door = asyncio.Event()
        self.door.set()
        self.at_the_door = asyncio.Event()
        self._replies: deque[Reply] = deque()

    def will(self, *replies: Reply) -> Reply:
        """Answer the next questions so; the last reply is returned."""
        self._replies.extend(replies)
        return replies[-1]

    @property
    def prompts(self) -> list[str]:
        return [asked.prompt for asked in self.asked]

    @asynccontextmanager
    async def connect(self, request: ConnectionRequest) -> AsyncIterator[ScriptedConnection]:
        self.at_the_door.set()
        await self.door.wait()
        self.requests.append(request)
        if self.failures:
            raise self.failures.popleft()
        if request.resume is not None and request.resume not in self.transcripts:
            raise ConversationLostError(f"No conversation found with session ID: {request.resume}")
        session_id = request.resume or request.session_id or "new"
        copy = None
        if request.fork:
            copy = f"copy-of-{session_id}"
            self.transcripts[copy] = list(self.transcripts[session_id])
        connection = ScriptedConnection(self, session_id, copy)
        self.open.append(connection)
        try:
            yield connection
        finally:
            self.open.remove(connection)
            self.closed.put_nowait(session_id)

    def reply(self) -> Reply:
        return self._replies.popleft() if self._replies else Reply()


class ScriptedConnection:
    def __init__(self, agent: ScriptedAgent, session_id: str, copy: str | None = None) -> None:
        self._agent = agent
        self._copy = copy
        """The Claude session that it writes to, if it is to be a copy; its name is known at the end of a turn."""
        self._known = list(agent.transcripts.get(session_id, ()))
        self._interrupted = asyncio.Event()
        self.session_id = session_id
        self.interrupts = 0

    async def ask(self, prompt: str) -> AsyncGenerator[AgentEvent, None]:
        agent, self._interrupted = self._agent, asyncio.Event()
        agent.asked.append(Asked(self.session_id, prompt, tuple(self._known)))
        self._known.append(prompt)
        agent.transcripts.setdefault(self._copy or self.session_id, []).append(prompt)
        reply = agent.reply()
        for event in reply.events:
            yield event
        for piece in reply.pieces:
            yield TextDelta(piece)
        reply.streamed.set()
        if reply.held:
            waits = [asyncio.ensure_future(reply.go.wait())]
            if not reply.deaf:
                waits.append(asyncio.ensure_future(self._interrupted.wait()))
            try:
                await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for wait in waits:
                    wait.cancel()
        if reply.gone:
            raise AgentGoneError("Claude's command line ended.")
        self.session_id = self._copy or self.session_id
        yield Finished(
            "".join(reply.pieces),
            self.session_id,
            context=reply.context,
            cancelled=self._interrupted.is_set() and not reply.go.is_set(),
            error=reply.error,
            structured=reply.structured,
            model="claude-test",
            cost_usd=reply.cost_usd,
            cumulative_cost_usd=0.5 * len(self._known),
        )

    async def interrupt(self) -> None:
        self.interrupts += 1
        self._interrupted.set()


class Heard:
    """The sessions' listener: keeps what was told and lets tests wait for it."""

    def __init__(self) -> None:
        self.events: list[SessionEvent] = []
        self._news = asyncio.Event()

    def __call__(self, event: SessionEvent) -> None:
        self.events.append(event)
        self._news.set()

    def of(self, kind: type[Any]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]

    async def until(self, true: Callable[[], Any]) -> Any:
        """Wait until ``true()`` of what was heard; its value."""

        async def wait() -> Any:
            while not (value := true()):
                self._news.clear()
                await self._news.wait()
            return value

        return await soon(wait())

    async def over(self, *turns: Turn) -> None:
        """Wait until the end of ``turns`` was told."""
        wanted = {turn.id for turn in turns}
        await self.until(lambda: wanted <= {event.turn.id for event in self.of(TurnOver)})

    async def text(self, text: str) -> None:
        """Wait until a piece of an answer came."""
        await self.until(lambda: any(event.text == text for event in self.of(TurnText)))


@dataclass
class Desk:
    """One process: an agent, a storage, settings, and the sessions opened from them."""

    folder: Path
    storage: FileSessionStorage
    agent: ScriptedAgent
    heard: Heard = field(default_factory=Heard)
    settings: Settings = field(default_factory=lambda: Settings(max_open=3))
    sessions: list[Session] = field(default_factory=list)
    trusted: bool = False
    decisions: dict[str, Decision] = field(default_factory=dict)
    """What the person answers when Claude wants to use a tool, by the tool's name."""
    ports: SessionPorts = field(init=False)

    def __post_init__(self) -> None:
        self.ports = SessionPorts(
            agent=lambda: self.agent,
            settings=lambda: self.settings,
            warm=WarmConnections(lambda: self.settings.max_open),
            tell=self.heard,
            ask_person=self._ask_person,
            repositories=GitRepository,
            deny_list=lambda folder: DenyList(folder, [DenyRules(tuple(self.settings.denied_files), folder)]),
        )

    async def _ask_person(self, _turn: Turn, tool: str, _detail: str) -> Decision | None:
        return self.decisions.get(tool)

    def set(self, **values: Any) -> None:
        """Change settings, also beyond what a user may choose."""
        self.settings = self.settings.model_copy(update=values)

    async def session(self, name: str = "work", *, journal: Callable[[Any], Any] = lambda real: real) -> Session:
        """A session in the storage, opened; made if there is none. ``journal`` may put faults in."""
        try:
            opened = await self.storage.create(SessionState(metadata=SessionMetadata(name=name)), name)
        except SessionExistsError:
            opened = await self.storage.open(name)
        session = Session(journal(opened), self.ports, self.request)
        self.sessions.append(session)
        return session

    def request(self) -> ConnectionRequest:
        return ConnectionRequest(cwd=self.folder, model=self.settings.model, trusted=self.trusted)

    async def answered(self, session: Session, question: str) -> Turn:
        """Ask, and wait for the end."""
        turn = await session.ask(Question(question))
        await self.heard.over(turn)
        return session.turn(turn.id)

    async def close(self) -> None:
        for session in self.sessions:
            await soon(session.close())


class Editor:
    """One editor's projects, on the storage and state folder that all editors of the test share."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.projects = Projects(
            desk.storage, Checkouts(desk.folder / "state"), desk.ports, desk.folder / "state" / "scratch"
        )

    async def folder(self, name: str) -> Project:
        path = self.desk.folder / name
        path.mkdir(parents=True, exist_ok=True)
        return await self.projects.add(path)

    async def open(self, name: str, text: str = CODE) -> str:
        uri = name if ":" in name else uri_of(self.desk.folder / name)
        project = self.projects.of(uri)
        await project.opened(Document(uri=uri, path=project.relative(uri), lines=split_lines(text)))
        return uri

    async def ask(self, uri: str, span: Range = TOTAL) -> Turn:
        """Ask about code of an open document, and wait for the answer."""
        project = self.projects.of(uri)
        document = project.documents.get(uri)
        assert document is not None
        text = "\n".join(document.lines)
        selection = Selection(uri=uri, path=document.path, range=span, text="", document=text)
        turn = await project.ask(Question("What is it?", selection=selection))
        await self.desk.heard.over(turn)
        return turn

    async def close(self) -> None:
        await soon(self.projects.close())
