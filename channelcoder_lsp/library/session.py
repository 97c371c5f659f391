"""``session()``: a conversation with Claude that a program has (session guide, "Session Methods")."""

from __future__ import annotations

import asyncio
import logging
import shlex
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import anyio

from channelcoder_lsp.domain.agent import ConnectionRequest
from channelcoder_lsp.domain.errors import (
    AgentError,
    ArgumentsError,
    ContainerError,
    SessionNotFoundError,
    WorktreeError,
)
from channelcoder_lsp.domain.records import WorktreeOfSession
from channelcoder_lsp.domain.session import Ledger, Message, SessionMetadata, SessionState
from channelcoder_lsp.domain.turn import TurnState
from channelcoder_lsp.execution.worktree import Worktrees, current_worktree
from channelcoder_lsp.library.all_sessions import AllSessions, journaled, opened
from channelcoder_lsp.library.asking import Asking, Options, StructuredAnswer, asking
from channelcoder_lsp.library.contained import made_ready
from channelcoder_lsp.library.detached import begin
from channelcoder_lsp.library.importing import take_in
from channelcoder_lsp.library.interactive import Interactive, fit_for_a_person, in_terminal
from channelcoder_lsp.library.results import Chunk, Compacted, Result
from channelcoder_lsp.library.runtime import Runtime
from channelcoder_lsp.services import archive
from channelcoder_lsp.services.checkouts import Checkout
from channelcoder_lsp.services.events import TurnOver, TurnStatus, TurnText
from channelcoder_lsp.services.session import Session as OpenSession

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from typing_extensions import Self, Unpack

    from channelcoder_lsp.domain.container import ContainerRun
    from channelcoder_lsp.domain.storage import SessionStorage
    from channelcoder_lsp.domain.turn import Turn
    from channelcoder_lsp.execution.background import Detached

logger = logging.getLogger(__name__)


class Session(AllSessions):
    """A conversation with Claude, kept in a storage.

    Nothing is stored before the first question. Use it as an async context manager, or call :meth:`close` in the end:
    a session that is left open ends with its process, and nothing that was answered is lost.

    Args:
        name: the name it is stored under; None: under its session id, until :meth:`save` names it.
        storage: where it is kept; None: in files, where editors keep theirs. An object with the guide's three methods
            will do.
        auto_save: record each question and answer at once; without it only :meth:`save` stores anything.
        cwd: the folder that Claude works in; None: the current one.
    """

    def __init__(
        self,
        name: str | None = None,
        storage: SessionStorage | None = None,
        *,
        auto_save: bool = True,
        cwd: str | Path | None = None,
    ) -> None:
        self.cwd = Path(cwd or Path.cwd()).resolve()
        self._runtime = Runtime()
        given = storage if storage is not None else self._runtime.configuration.storage()
        self._given = given
        self._owns_storage = storage is None
        self._storage = journaled(given, auto_save=auto_save)
        self._auto_save = auto_save
        self._name = name
        self._stored: str | None = None
        """The name that it has in the storage, once it is there."""
        self._open: OpenSession | None = None
        self._messages: list[Message] = []
        self._resume: str | None = None
        self._last_id: str | None = None
        """The Claude session when it was closed."""
        self._behind = False
        """Whether somebody else may have asked in it on our behalf."""
        self._opening = asyncio.Lock()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    # Asking

    async def claude(self, prompt: str | Path, **options: Unpack[Options]) -> Result:
        """Ask, and wait for the whole answer.

        Args:
            prompt: the text, or the path of a prompt file.
            **options: see :class:`~channelcoder_lsp.library.asking.Options`.

        Returns:
            The answer. A failure of Claude or its service is told by ``is_error``, not raised.

        Raises:
            ArgumentsError, PromptError: nothing was asked, since something does not fit.
            SpendingLimitError: the session has cost what it may cost (:meth:`limit`), so nothing was asked.
            StorageError: the question could not be recorded, so it was not asked.
        """
        result = None
        async for chunk in self.stream(prompt, **options):
            result = chunk.result
        if result is None:  # pragma: no cover - a stream ends with a result
            raise RuntimeError("the stream ended without a result")
        return result

    run = claude

    async def detached(
        self,
        prompt: str | Path,
        *,
        log_file: str | Path | None = None,
        stream: bool = False,
        **options: Unpack[Options],
    ) -> Detached:
        """Ask in the background: returns at once, and the run goes on when this program has ended.

        Its turn is in the session when it is done; :meth:`messages` has it after the next question here, or a load.

        Args:
            prompt: see :meth:`claude`.
            log_file: the file that the answer is added to; None: one of its own, which the result names.
            stream: write the answer as it comes.
            **options: see :class:`~channelcoder_lsp.library.asking.Options`.

        Raises:
            ArgumentsError, PromptError, SessionError: something does not fit, so nothing was begun.
            StorageError: the session or the state folder can't be written.
        """
        asking(prompt, options, goes_on=bool(self._messages or self._resume))
        if not self._auto_save:
            raise ArgumentsError("auto_save: without it nothing of a run in the background would be kept. Leave it on.")
        session = await self._opened()
        await session.save()
        self._behind = True
        return await begin(
            prompt, options, log_file=log_file, stream=stream, cwd=current_worktree() or self.cwd, session=session.name,
            storage=None if self._owns_storage else self._given,
        )  # fmt: skip

    async def interactive(self, prompt: str | Path | None = None, **options: Unpack[Options]) -> Interactive:
        """Hand the terminal to the real ``claude``, in this session; returns when it ends.

        What was said there is in the session then, however it ended. Meanwhile nobody else can ask in the session.

        Args:
            prompt: what is asked at once, or the path of a prompt file; None: nothing.
            **options: see :class:`~channelcoder_lsp.library.asking.Options`; limits are for questions without a person.

        Raises:
            ArgumentsError, PromptError: something does not fit, or there is no terminal.
            AgentError: ``claude`` can't be started.
        """
        fit_for_a_person(options)
        wanted = asking(prompt or "", options, goes_on=bool(self._messages or self._resume))
        session = await self._opened()
        if wanted.leaves_container:
            await session.work_inside(None)
        if (wanted.container or session.head.channelcoder.container) is not None:
            raise ContainerError(
                "The terminal can't be handed to a container. Ask with `channelcoder run`, or leave the container "
                "(docker=False)."
            )
        folder = await self._folder(session, wanted)
        request = wanted.adjust(replace(self._request(), cwd=folder))
        asked = wanted.question.instruction or wanted.question.text
        try:
            return await in_terminal(session, self._runtime.configuration, request, asked or None)
        finally:
            self._messages = (await session.state()).messages

    async def stream(self, prompt: str | Path, **options: Unpack[Options]) -> AsyncIterator[Chunk]:
        """Ask, and take the answer as it comes. Who leaves before its end cancels it.

        Args:
            prompt: see :meth:`claude`, as is what is raised.
            **options: likewise.

        Yields:
            Pieces of the answer; the last one has the whole result.
        """
        wanted = asking(prompt, options, goes_on=bool(self._messages or self._resume))
        if wanted.dry_run:
            yield Chunk("result", result=Result("", prompt=wanted.question.instruction or wanted.question.text))
            return
        session = await self._opened()
        folder = await self._folder(session, wanted)
        container = await self._container(session, wanted, folder)
        watcher = StructuredAnswer(wanted.output) if wanted.output is not None else None
        turn = await session.ask(
            wanted.question,
            watcher=watcher,
            adjust=lambda request: wanted.adjust(replace(request, cwd=folder, container=container)),
        )
        self._said("user", turn.question, turn)
        began = time.monotonic()
        try:
            async for chunk in self._chunks(turn, wanted.timeout):
                yield chunk
            done = await session.whole(turn.id)
            if done.answer:
                self._said("assistant", done.answer, done)
            if self._behind:
                self._messages = (await session.state()).messages
            result = Result.of(done, watcher.data if watcher is not None else None)
            if result.cancelled and wanted.timeout is not None and time.monotonic() - began >= wanted.timeout:
                error = f"There was no whole answer in {wanted.timeout:g} seconds. Ask again, or give it more time."
                result = replace(result, is_error=True, error=error)
            yield Chunk("result", result=result)
        finally:
            self._runtime.stop_listening(turn)
            if not session.turn(turn.id).state.finished:
                await session.cancel(turn.id)

    # The session

    def id(self) -> str | None:
        """The current Claude session id."""
        return self._resume or (self._open.id() if self._open is not None else self._last_id)

    @property
    def name(self) -> str | None:
        """The name it is, or will be, stored under, if it has one."""
        return self._name

    def messages(self) -> list[Message]:
        """What was said, oldest first."""
        return list(self._messages)

    async def save(self, name: str | None = None) -> str:
        """Store the session, under ``name`` from now on.

        Returns:
            Where it is.

        Raises:
            SessionExistsError: another session has the name.
            SessionNameError: it can't be a name.
            StorageError: it could not be stored.
        """
        session = await self._opened()
        wanted = name or self._name
        if not self._auto_save:
            state = await session.state()
            state.metadata.name = wanted
            where = await self._given.save(state, wanted)
            self._name = wanted
            return where
        if wanted is not None and wanted != session.name:
            await self._let_go()
            try:
                await self._storage.rename(session.name, wanted)
                self._name = self._stored = wanted
            finally:
                session = await self._opened()
        return await session.save()

    def set_id(self, session_id: str) -> None:
        """Go on with a Claude session, from the next question on."""
        if not session_id.strip():
            raise ArgumentsError("session_id: it is empty. Give the id of a Claude session.")
        self._resume = session_id.strip()

    async def clear(self) -> None:
        """Forget everything that was said; the next question begins a new conversation.

        Raises:
            StorageError: it could not be recorded.
        """
        self._messages.clear()
        self._resume = None
        if self._open is not None:
            await self._open.clear()

    async def compact(self, *, model: str | None = None, timeout: float | None = None) -> Compacted:  # noqa: ASYNC109 - the option's name
        """Have the conversation summarised; the next question begins a new Claude session with the summary.

        All that was said stays, and the chain has the Claude session before. Without a summary the session is as it
        was.

        Args:
            model: who summarises; None: who answers.
            timeout: seconds.

        Raises:
            SessionError: nothing was said since it began or was compacted last.
            SpendingLimitError: it has cost what it may cost.
            AgentError: there is no summary; the message says why.
            StorageError: it could not be recorded.
        """
        session = await self._opened()
        previous = session.id()
        wanted = asking("", {"model": model} if model is not None else {}, goes_on=True)
        folder = await self._folder(session, wanted)
        container = await self._container(session, wanted, folder)
        turn = await session.compact(
            adjust=lambda request: wanted.adjust(replace(request, cwd=folder, container=container))
        )
        try:
            async for _ in self._chunks(turn, timeout):
                pass
            done = await session.whole(turn.id)
        finally:
            self._runtime.stop_listening(turn)
            if not session.turn(turn.id).state.finished:
                await session.cancel(turn.id)
        self._messages = (await session.state()).messages
        if done.state is not TurnState.DONE or not done.answer:
            raise AgentError(done.error or "There is no summary: it was cancelled, or is empty. Try again.")
        return Compacted(done.answer, previous, done.usage, done.cost_usd)

    async def limit(self, usd: float | None) -> None:
        """Say what the session may cost altogether; None: as much as it does.

        What is beyond it is refused: :class:`~channelcoder_lsp.domain.errors.SpendingLimitError`.

        Raises:
            ArgumentsError: it is not an amount.
            StorageError: it could not be recorded.
        """
        await (await self._opened()).limit_spending(usd)

    async def fork(self, name: str) -> Session:
        """A copy under another name that goes its own way.

        Raises:
            SessionExistsError: the name is taken.
            StorageError: it can't be stored.
        """
        session = await self._opened()
        await session.save()
        await archive.fork(self._storage, session.name, name)
        return await type(self).load(name, self._given)

    async def export(self, form: archive.Format = "markdown") -> str:
        """The session as a text: ``markdown`` to read, ``json`` with everything, ``guide`` with the guide's keys."""
        return archive.export(await (await self._opened()).state(), form)

    async def close(self) -> None:
        """Put the session at rest, and end what was started for it."""
        await self._let_go()
        await self._runtime.close()
        if self._owns_storage:
            await self._storage.close()

    # All sessions

    @classmethod
    async def load(cls, name_or_path: str | Path, storage: SessionStorage | None = None) -> Session:
        """A stored session, to go on with.

        Args:
            name_or_path: its name; or the path of a file with a session, which is copied and never written.
            storage: where it is kept; None: in files.

        Raises:
            SessionNotFoundError: there is none.
            SessionCorruptError: it can't be read; it was set aside.
        """
        session = cls(storage=storage)
        name = str(name_or_path)
        if await session._storage.exists(name):
            state = await session._storage.load(name)
            session._name = state.metadata.name
            session._stored = name
        else:
            state = await session._storage.load(name)
            copy = f"{state.metadata.name or Path(name).stem}-{uuid4().hex[:8]}"
            state.metadata.name = copy
            await (await session._storage.create(state, copy)).close()
            session._name = session._stored = copy
        session._messages = state.messages
        if (folder := state.channelcoder.checkout) and await anyio.Path(folder).is_dir():
            session.cwd = Path(folder)
        await session._opened()
        return session

    @classmethod
    async def import_(cls, path: str | Path, name: str | None = None, storage: SessionStorage | None = None) -> Session:
        """A session from a file, stored under a name, to go on with. The file is only read.

        Args:
            path: a JSON file (the guide's keys, or what :meth:`export` wrote as ``json`` or ``guide``), or a transcript
                of Claude Code (``.jsonl``). A transcript in Claude Code's own folder is gone on with in a copy of its
                conversation; another one Claude is told with the next question.
            name: its name from now on; None: as in the file, or after it.
            storage: where it is kept; None: where the settings say.

        Raises:
            SessionExistsError, SessionNameError: the name is taken, or can't be one.
            SessionError: there is no session in the file, or no file.
            SessionCorruptError: it can't be read.
        """
        async with opened(storage) as sessions:
            stored = await take_in(sessions, Path(path), name, Runtime().configuration.transcripts())
        return await cls.load(stored, storage)

    async def _opened(self) -> OpenSession:
        """The session in the storage, made if it isn't there yet."""
        async with self._opening:
            if self._open is None:
                if self._stored is None:
                    self._stored = self._name or str(uuid4())
                    state = SessionState(
                        metadata=SessionMetadata(name=self._name),
                        channelcoder=Ledger(checkout=str(Checkout.of(self.cwd).root)),
                    )
                    journal = await self._storage.create(state, self._stored)
                else:
                    journal = await self._storage.open(self._stored)
                self._open = OpenSession(journal, self._runtime.ports, self._request)
            if self._resume is not None and self._resume != self._open.id():
                await self._open.go_on_with(self._resume)
            self._resume = None
            return self._open

    async def _folder(self, session: OpenSession, wanted: Asking) -> Path:
        """Where Claude is to work: in the worktree that the question or the session names, else in our folder.

        Raises:
            WorktreeError: it can't be made, or the session's is gone.
        """
        if (named := wanted.worktree) is not None:
            where = named.get("path")
            made = await Worktrees(self.cwd).ensure(
                named["branch"],
                base=named.get("base"),
                path=Path(where) if where is not None else None,
                create=named.get("create", False),
            )
            await session.work_in(WorktreeOfSession(branch=named["branch"], path=str(made.path)))
        if wanted.cwd is not None:
            return wanted.cwd
        if (kept := session.head.channelcoder.worktree) is None:
            return current_worktree() or self.cwd
        if not await anyio.Path(kept.path).is_dir():
            raise WorktreeError(
                f"The worktree {kept.path} of this session is gone. Bring it back with "
                f"`git worktree add {shlex.quote(kept.path)} {shlex.quote(kept.branch)}`, or name another."
            )
        return Path(kept.path)

    async def _container(self, session: OpenSession, wanted: Asking, folder: Path) -> ContainerRun | None:
        """The container that the question or the session names, ready to be started.

        Raises:
            ArgumentsError: something that was chosen is of no use in a container.
            ContainerError: it can't be had.
        """
        if wanted.leaves_container:
            await session.work_inside(None)
        container = wanted.container or session.head.channelcoder.container
        if container is None:
            return None
        if wanted.options.mcp_config is not None:
            raise ArgumentsError("mcp_config: a container does not see the file. Leave one of them out.")
        trusted = wanted.trust or self._runtime.trusts(folder)
        run = await made_ready(container, folder, named=wanted.container is not None, trusted=trusted)
        await session.work_inside(container)
        return run

    async def _let_go(self) -> None:
        if self._open is not None:
            session, self._open = self._open, None
            self._last_id = session.id()
            try:
                await session.close()
            except SessionNotFoundError as problem:
                logger.info("%s", problem)

    def _request(self) -> ConnectionRequest:
        settings = self._runtime.ports.settings()
        return ConnectionRequest(cwd=self.cwd, model=settings.model, trusted=self._runtime.trusts(self.cwd))

    def _said(self, role: Any, content: str, turn: Turn) -> None:
        self._messages.append(
            Message(
                role=role,
                content=content,
                timestamp=turn.finished or turn.asked,
                session_id=turn.session_id or self.id() or "",
                turn_id=turn.id,
            )
        )

    async def _chunks(self, turn: Turn, seconds: float | None) -> AsyncIterator[Chunk]:
        """What is heard of a turn up to its end; it is cancelled when its time is up."""
        queue = self._runtime.listen(turn)
        loop = asyncio.get_running_loop()
        until = None if seconds is None else loop.time() + seconds
        while True:
            left = None if until is None else max(0.0, until - loop.time())
            try:
                event = await asyncio.wait_for(queue.get(), left)
            except asyncio.TimeoutError:
                until = None
                if self._open is not None:
                    await self._open.cancel(turn.id)
                continue
            match event:
                case TurnText():
                    yield Chunk("replace" if event.replace else "content", event.text)
                case TurnStatus():
                    yield Chunk("status", event.message)
                case TurnOver():
                    return
