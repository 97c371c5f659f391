"""``session()``: a conversation with Claude that a program has (session guide, "Session Methods")."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import anyio

from channelcoder_lsp.domain.errors import AgentError, ArgumentsError, ContainerError, SessionError
from channelcoder_lsp.domain.session import Message
from channelcoder_lsp.domain.turn import TurnState
from channelcoder_lsp.execution.worktree import current_worktree
from channelcoder_lsp.library.asking import Options, StructuredAnswer, asking
from channelcoder_lsp.library.detached import begin
from channelcoder_lsp.library.interactive import Interactive, fit_for_a_person, has_transcript, in_terminal
from channelcoder_lsp.library.kept import KeptSession
from channelcoder_lsp.library.place import container_of, folder_for, folder_of
from channelcoder_lsp.library.results import Chunk, Compacted, Result
from channelcoder_lsp.services.events import TurnOver, TurnStatus, TurnText

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator
    from pathlib import Path

    from typing_extensions import Unpack

    from channelcoder_lsp.domain.turn import Turn
    from channelcoder_lsp.execution.background import Detached
    from channelcoder_lsp.library.asking import Asking
    from channelcoder_lsp.services.session import Session as OpenSession

logger = logging.getLogger(__name__)


class Session(KeptSession):
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

    async def claude(self, prompt: str | Path, **options: Unpack[Options]) -> Result:
        """Ask, and wait for the whole answer.

        Args:
            prompt: the text, or the path of a prompt file.
            **options: see :class:`~channelcoder_lsp.library.asking.Options`.

        Returns:
            The answer. A failure of Claude or its service is told by ``is_error``, not raised; it is logged as a
            warning, too.

        Raises:
            ArgumentsError, PromptError, SessionError: nothing was asked, since something does not fit.
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
        async with self._asked_in() as session:
            await session.save()
            run = await begin(
                prompt, options, log_file=log_file, stream=stream, cwd=current_worktree() or self.cwd,
                session=session.name, storage=None if self._owns_storage else self._given,
            )  # fmt: skip
            self._behind = True
        return run

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
        await self._check_resumed(wanted)
        asked = wanted.question.instruction or wanted.question.text
        async with self._asked_in() as session:
            if wanted.leaves_container:
                await session.work_inside(None)
            if (wanted.container or session.head.channelcoder.container) is not None:
                raise ContainerError(
                    "The terminal can't be handed to a container. Ask with `channelcoder run`, or leave the container "
                    "(docker=False)."
                )
            try:
                async with folder_for(session, wanted, self.cwd) as folder:
                    request = wanted.adjust(replace(self._request(), cwd=folder))
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
        await self._check_resumed(wanted)
        async with (
            self._asked_in() as session,
            folder_for(session, wanted, self.cwd) as folder,
            aclosing(self._answered(session, wanted, folder)) as chunks,
        ):
            async for chunk in chunks:
                yield chunk

    async def _answered(self, session: OpenSession, wanted: Asking, folder: Path) -> AsyncGenerator[Chunk, None]:
        container = await container_of(session, wanted, folder, trusts=self._runtime.trusts)
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
            if result.is_error:  # a program that only prints the answer would say nothing at all
                logger.warning("%s", result.error)
            yield Chunk("result", result=result)
        finally:
            self._runtime.stop_listening(turn)
            if not session.turn(turn.id).state.finished:
                await session.cancel(turn.id)

    async def compact(
        self,
        *,
        model: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - as for a question
    ) -> Compacted:
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
        folder = await folder_of(session, wanted, self.cwd)
        container = await container_of(session, wanted, folder, trusts=self._runtime.trusts)
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

    async def _check_resumed(self, wanted: Asking) -> None:
        """See to it that what is to be gone on with is there: else the answer would know nothing, and not say so.

        What is recorded here Claude is told again. A container has transcripts of its own.

        Raises:
            SessionError: there is no such conversation.
        """
        if self._resume is None or self._messages or wanted.container is not None:
            return
        if not await asyncio.to_thread(has_transcript, self._resume, self._runtime.configuration.transcripts()):
            raise SessionError(
                f"Claude Code has no conversation {self._resume!r} on this machine. Correct the id, or ask without it."
            )

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
            event = None
            with anyio.move_on_after(left):
                event = await queue.get()
            match event:
                case None:
                    until = None
                    if self._open is not None:
                        await self._open.cancel(turn.id)
                case TurnText():
                    yield Chunk("replace" if event.replace else "content", event.text)
                case TurnStatus():
                    yield Chunk("status", event.message)
                case TurnOver():
                    return
