"""A session: asking in it, and everything else that can be done to its turns and threads."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import anyio.to_thread

from channelcoder_lsp.domain.errors import (
    ArgumentsError,
    SessionBusyError,
    SessionNotFoundError,
    StorageError,
)
from channelcoder_lsp.domain.records import (
    ContainerChosen,
    ModelChosen,
    SessionCleared,
    SessionContinued,
    SpendingLimited,
    ThreadRemoved,
    TurnAsked,
    WorktreeChosen,
    WorktreeOfSession,
)
from channelcoder_lsp.domain.text import well_formed
from channelcoder_lsp.domain.turn import Turn, TurnState
from channelcoder_lsp.services.authors import author
from channelcoder_lsp.services.compaction import compacting, refuse_beyond_limit
from channelcoder_lsp.services.compose import Question, compose
from channelcoder_lsp.services.elsewhere import records_of
from channelcoder_lsp.services.events import Listener, SessionMoved, Trouble, TurnQueued, TurnStatus
from channelcoder_lsp.services.owner import is_alive, this_process
from channelcoder_lsp.services.permissions import AskPerson, SessionPermissions
from channelcoder_lsp.services.recorder import GONE_SECONDS, Recorder
from channelcoder_lsp.services.sensitive import sensitive
from channelcoder_lsp.services.session_records import SessionRecords
from channelcoder_lsp.services.tasks import end, whole
from channelcoder_lsp.services.worker import Worker

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence
    from pathlib import Path

    from channelcoder_lsp.domain.agent import Agent, ConnectionRequest
    from channelcoder_lsp.domain.container import ContainerOfSession
    from channelcoder_lsp.domain.deny_list import DenyList
    from channelcoder_lsp.domain.repository import Repositories
    from channelcoder_lsp.domain.storage import Journal
    from channelcoder_lsp.domain.thread import Thread
    from channelcoder_lsp.services.warm import WarmConnections
    from channelcoder_lsp.services.worker import Adjust, TurnWatcher
    from channelcoder_lsp.settings import Settings

logger = logging.getLogger(__name__)

LOOK_SECONDS = GONE_SECONDS / 2
"""How often it is looked whether the processes are gone whose questions have no end yet."""


@dataclass(frozen=True)
class SessionPorts:
    """What every session of a process works with.

    Each is looked up when it is needed, since settings may change while sessions are open.
    """

    agent: Callable[[], Agent]
    settings: Callable[[], Settings]
    warm: WarmConnections
    tell: Listener
    ask_person: AskPerson
    repositories: Repositories
    deny_list: Callable[[Path], DenyList]
    """Which files of a folder are kept from Claude. Blocks for a moment: it looks whether its files changed."""


class Session(SessionRecords):
    """A conversation with Claude, open for asking.

    Args:
        journal: where it is recorded; the session closes it.
        ports: what it works with.
        request: what a connection is opened with, but for the Claude session.
    """

    def __init__(self, journal: Journal, ports: SessionPorts, request: Callable[[], ConnectionRequest]) -> None:
        self._ports = ports
        self._request = request
        super().__init__(journal, Recorder(self, journal, ports.tell))
        self._posting: set[asyncio.Task[Turn]] = set()
        self._looking: asyncio.Task[None] | None = None
        self._worker = Worker(
            self._recorder,
            agent=ports.agent,
            request=request,
            warm=ports.warm,
            permissions=SessionPermissions(
                ports.ask_person, lambda: ports.settings().permission_seconds, self._tell_status
            ),
            idle_seconds=lambda: ports.settings().idle_seconds,
            full_share=lambda: ports.settings().context_warning_percent / 100,
        )

    @property
    def answering(self) -> Turn | None:
        """The turn whose answer is being streamed by this process."""
        return self._worker.answering

    @property
    def asking(self) -> bool:
        """Whether a question of this process waits, or is being answered."""
        return any(turn.owner == this_process() for turn in self.head.unfinished())

    async def ask(
        self,
        question: Question,
        thread: Thread | None = None,
        *,
        review_id: str | None = None,
        watcher: TurnWatcher | None = None,
        adjust: Adjust | None = None,
    ) -> Turn:
        """Record ``question`` and have it asked; returns as soon as it is on disk.

        Args:
            question: what to ask.
            thread: a new thread that the question opens; for a thread that the session has,
                ``question.thread_id`` names it.
            review_id: the review that asks.
            watcher: takes in the answer, which is to be structured.
            adjust: what this question's connection differs in: the model, the folder.

        Raises:
            ArgumentsError: there is nothing to ask.
            ThreadNotFoundError: ``question.thread_id`` is not of this session.
            SpendingLimitError: the session has cost what it may cost.
            StorageError: the question could not be recorded, so it is not asked.
        """
        if not question.text.strip():
            raise ArgumentsError("question: there is nothing to ask. Type a question.")
        refuse_beyond_limit(self.head)
        settings = self._ports.settings()
        composed = compose(
            question,
            context_lines=settings.context_lines,
            max_chars=settings.max_selection_chars,
            diagnostics=settings.send_diagnostics,
        )
        if question.thread_id is not None:
            self.thread(question.thread_id)
        elif thread is not None and question.selection is not None:
            await self._keep_document(thread, question.selection.document)
        turn = Turn(
            thread_id=thread.id if thread else question.thread_id,
            prompt_name=question.prompt_name,
            question=well_formed(question.text.strip()),
            prompt=well_formed(composed.prompt),
            sensitive=await self._sensitive(question, composed.prompt) if settings.ask_before_secrets else [],
            review_id=review_id,
            notes=[*question.notes, *composed.notes],
            author=await self._author(),
            owner=this_process(),
        )
        return await self._post(turn, thread, watcher, adjust)

    async def _sensitive(self, question: Question, prompt: str) -> list[str]:
        if question.selection is None and not question.context:
            return []  # a text that a program gives
        folder = self._request().cwd
        return await anyio.to_thread.run_sync(
            lambda: sensitive(question.selection, prompt, deny_list=self._ports.deny_list(folder))
        )

    async def compact(self, *, adjust: Adjust | None = None) -> Turn:
        """Have the conversation summarised; returns as soon as that is on disk.

        When the summary is there, the next question begins a new Claude session with it. All that was said stays,
        and so does Claude's own copy of it, under the id before in the chain. Until then, and if it comes to nothing,
        the session is as it was.

        Args:
            adjust: what the connection differs in.

        Raises:
            SessionError: nothing was said since the session began or was compacted last.
            SpendingLimitError: the session has cost what it may cost.
            StorageError: it could not be recorded.
        """
        await self._recorder.refresh()
        refuse_beyond_limit(self.head)
        turn = compacting(self.head)
        turn.author, turn.owner = await self._author(), this_process()
        return await self._post(turn, None, adjust=adjust)

    async def limit_spending(self, usd: float | None) -> None:
        """Say what the session may cost altogether; None: as much as it does.

        Raises:
            ArgumentsError: it is not an amount.
            StorageError: it could not be recorded.
        """
        if usd is not None and not (0 < usd < float("inf")):
            raise ArgumentsError(f"usd: {usd} can't be a limit. Give an amount above 0, or null for no limit.")
        await self._recorder.record(SpendingLimited(usd=usd))
        self._recorder.tell(SessionMoved(self))

    @whole
    async def cancel(self, turn_id: str) -> Turn:
        """End a turn that waits or is being answered; what had come of the answer is kept.

        Raises:
            TurnNotFoundError: the session has no such turn.
            SessionBusyError: another process is at work on it.
        """
        turn = self.turn(turn_id)
        if turn.state is TurnState.RUNNING and not self._worker.has(turn_id) and is_alive(turn.owner):
            raise SessionBusyError("This question is being answered in another editor or window. Cancel it there.")
        if not turn.state.finished:
            await self._worker.cancel(turn_id)
        return self.head.turns.get(turn_id, turn)

    async def retry(self, turn_id: str) -> Turn:
        """Ask the question of a turn again, word for word, as a new turn of the same thread.

        Raises:
            TurnNotFoundError: the session has no such turn.
            ArgumentsError: the turn has not come to its end yet.
            StorageError: the question could not be recorded.
        """
        old = await self.whole(turn_id)
        if not old.state.finished:
            raise ArgumentsError(f"turnId: {turn_id!r} is still being answered. Cancel it first.")
        if old.review_id is not None:
            raise ArgumentsError(f"turnId: {turn_id!r} is part of a review. Resume the review instead.")
        if old.compacts:
            return await self.compact()
        refuse_beyond_limit(self.head)
        turn = Turn(
            thread_id=old.thread_id,
            prompt_name=old.prompt_name,
            question=old.question,
            prompt=old.prompt,
            sensitive=old.sensitive,
            notes=old.notes,
            author=await self._author(),
            owner=this_process(),
        )
        return await self._post(turn, None)

    async def remove_thread(self, thread_id: str) -> None:
        """Remove a thread, ending what is being asked in it; what was said stays in the session's history.

        Raises:
            ThreadNotFoundError: the session has no such thread.
            StorageError: it could not be recorded.
        """
        for turn in self.turns_of(self.thread(thread_id)):
            if not turn.state.finished:
                await self.cancel(turn.id)
        await self._recorder.record(ThreadRemoved(thread_id=thread_id))
        self._recorder.tell(SessionMoved(self))

    async def choose_model(self, model: str | None) -> None:
        """Use ``model`` from the next question on; None: the default.

        Raises:
            StorageError: it could not be recorded.
        """
        await self._recorder.record(ModelChosen(model=model))

    async def go_on_with(self, session_id: str) -> None:
        """Ask in the Claude session ``session_id`` from the next question on.

        Raises:
            StorageError: it could not be recorded.
        """
        await self._recorder.record(SessionContinued(session_id=session_id))

    async def work_in(self, worktree: WorktreeOfSession | None) -> None:
        """Work in a worktree from the next question on; None: in the checkout itself.

        Raises:
            StorageError: it could not be recorded.
        """
        if worktree != self.head.channelcoder.worktree:
            await self._recorder.record(WorktreeChosen(worktree=worktree))

    async def work_inside(self, container: ContainerOfSession | None) -> None:
        """Work in a container from the next question on; None: on the machine itself.

        Raises:
            StorageError: it could not be recorded.
        """
        if container != self.head.channelcoder.container:
            await self._recorder.record(ContainerChosen(container=container))

    @asynccontextmanager
    async def held(self) -> AsyncIterator[None]:
        """Hold the session while something else asks in its Claude session: nobody else does meanwhile.

        What others recorded before is taken in.
        """
        async with self._journal.lease():
            await self._recorder.refresh()
            await self._recorder.bury_the_dead()
            yield

    async def take_in(
        self, turns: Sequence[Turn], *, cost_usd: float = 0.0, cumulative_usd: float | None = None
    ) -> list[Turn]:
        """Record turns that were asked in a Claude session elsewhere, in :meth:`held`; none is recorded twice.

        Args:
            turns: the turns, ended, oldest first.
            cost_usd: what they cost together.
            cumulative_usd: what the Claude session of the last one has cost altogether, if it is known.

        Returns:
            Those that are new.

        Raises:
            StorageError: they could not be recorded.
        """
        known = {message.turn_id for message in (await self._journal.state()).messages} | self.head.turns.keys()
        new = [turn for turn in turns if turn.id not in known]
        for turn in new:
            session_id = turn.session_id or ""
            began = [SessionContinued(session_id=session_id, at=turn.asked)] if session_id != self.id() else []
            last = turn is new[-1]
            happened = records_of(
                turn, cost_usd=cost_usd if last else 0.0, cumulative_usd=cumulative_usd if last else None
            )
            await self._recorder.record(*began, *happened)
        if new:
            self._recorder.tell(SessionMoved(self))
        return new

    async def clear(self) -> None:
        """Drop history, threads and chain; the next question starts a new Claude session.

        Raises:
            StorageError: it could not be recorded.
        """
        await self._worker.drop()
        await self._recorder.record(SessionCleared())
        if self._journal.transcripts is not None:
            try:
                await self._journal.transcripts.delete()
            except StorageError as problem:
                self._recorder.tell(Trouble(f"Claude's own copies of what was cleared are still kept: {problem}"))
        self._recorder.tell(SessionMoved(self))

    async def recover(self) -> None:
        """End the turns of processes that died, unless another process is at work in the session."""
        if any(not turn.state.finished for turn in self.head.turns.values()):
            async with self._journal.lease():
                await self._recorder.refresh()
                await self._recorder.bury_the_dead()
        self._look_soon()

    async def refresh(self) -> None:
        """Take in what other processes recorded; a question of one that dies is ended in time."""
        await super().refresh()
        self._look_soon()

    async def save(self) -> str:
        """Put the session at rest in the guide's form, and return where that is.

        Raises:
            StorageError: it could not be written; everything is still in the journal.
        """
        await self._journal.fold()
        return self._journal.location

    async def answered(self) -> None:
        """Wait until all that was asked here has come to its end."""
        if self._posting:
            await asyncio.wait(self._posting)
        await self._worker.answered()

    @whole
    async def close(self) -> None:
        """Interrupt what is being asked, record everything, and let go of the session."""
        if self._posting:
            await asyncio.wait(self._posting)
        if self._looking is not None:
            await end([self._looking])
        await self._worker.close()
        await self._recorder.close()

    def _look_soon(self) -> None:
        if self._recorder.waits_elsewhere and (self._looking is None or self._looking.done()):
            self._looking = asyncio.create_task(self._look_again(), name="who waits elsewhere")

    async def _look_again(self) -> None:
        """See whether the processes are gone whose questions have no end yet, until all have one."""
        while self._recorder.waits_elsewhere:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                async with self._journal.lease():
                    await self._recorder.refresh()
                    await self._recorder.bury_the_dead()
            except (StorageError, SessionNotFoundError) as problem:
                logger.info("%s: who waits elsewhere can't be seen now: %s", self.name, problem)

    async def _author(self) -> str | None:
        ports = self._ports
        return await author(
            ports.settings(), lambda: ports.repositories(self._request().cwd), location=self._journal.location
        )

    def _tell_status(self, turn: Turn, message: str) -> None:
        self._recorder.tell(TurnStatus(self, turn, message))

    async def _post(
        self, turn: Turn, thread: Thread | None, watcher: TurnWatcher | None = None, adjust: Adjust | None = None
    ) -> Turn:
        """Record a question and have it asked: both or neither, also when the caller is cancelled."""
        task = asyncio.create_task(self._recorded(turn, thread, watcher, adjust))
        self._posting.add(task)
        task.add_done_callback(self._posting.discard)
        return await asyncio.shield(task)

    async def _recorded(
        self, turn: Turn, thread: Thread | None, watcher: TurnWatcher | None, adjust: Adjust | None
    ) -> Turn:
        await self._recorder.record(TurnAsked(turn=turn, thread=thread, at=turn.asked))
        # The journal's head holds its own copy once the record was taken in.
        turn = self.turn(turn.id)
        self._recorder.tell(TurnQueued(self, turn))
        self._worker.post(turn.id, watcher, adjust)
        return turn
