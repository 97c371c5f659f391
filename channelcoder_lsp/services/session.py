"""A session: asking in it, and everything else that can be done to its turns and threads."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from channelcoder_lsp.domain.errors import (
    ArgumentsError,
    ProposalNotFoundError,
    ReviewNotFoundError,
    SessionBusyError,
    StorageError,
    ThreadNotFoundError,
    TurnNotFoundError,
)
from channelcoder_lsp.domain.records import (
    ModelChosen,
    ProposalChanged,
    ReviewChanged,
    SessionCleared,
    ThreadChanged,
    ThreadRemoved,
    TurnAsked,
)
from channelcoder_lsp.domain.session import HEAD_TEXT_LIMIT
from channelcoder_lsp.domain.text import well_formed
from channelcoder_lsp.domain.turn import Turn, TurnState
from channelcoder_lsp.services.compose import Question, compose
from channelcoder_lsp.services.events import Listener, SessionMoved, TurnQueued
from channelcoder_lsp.services.owner import is_alive, this_process
from channelcoder_lsp.services.permissions import AskPerson, SessionPermissions
from channelcoder_lsp.services.recorder import Recorder
from channelcoder_lsp.services.texts import TextsAtHand
from channelcoder_lsp.services.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from channelcoder_lsp.domain.agent import Agent, ConnectionRequest
    from channelcoder_lsp.domain.place import Anchor
    from channelcoder_lsp.domain.proposal import Proposal
    from channelcoder_lsp.domain.repository import Repositories
    from channelcoder_lsp.domain.review import Review
    from channelcoder_lsp.domain.session import SessionHead, SessionState
    from channelcoder_lsp.domain.storage import Journal
    from channelcoder_lsp.domain.thread import Thread, ThreadStatus
    from channelcoder_lsp.services.warm import WarmConnections
    from channelcoder_lsp.services.worker import Adjust, TurnWatcher
    from channelcoder_lsp.settings import Settings

logger = logging.getLogger(__name__)


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


class Session:
    """A conversation with Claude, open for asking.

    Args:
        journal: where it is recorded; the session closes it.
        ports: what it works with.
        request: what a connection is opened with, but for the Claude session.
    """

    def __init__(self, journal: Journal, ports: SessionPorts, request: Callable[[], ConnectionRequest]) -> None:
        self._journal = journal
        self._ports = ports
        self._recorder = Recorder(self, journal, ports.tell)
        self._posting: set[asyncio.Task[Turn]] = set()
        self.texts = TextsAtHand()
        """The texts kept or asked for lately: for those that can't wait for the storage."""
        self._worker = Worker(
            self._recorder,
            agent=ports.agent,
            request=request,
            warm=ports.warm,
            permissions=SessionPermissions(ports.ask_person, lambda: ports.settings().permission_seconds),
            idle_seconds=lambda: ports.settings().idle_seconds,
        )

    @property
    def name(self) -> str:
        """Its name in the storage."""
        return self._journal.name

    @property
    def head(self) -> SessionHead:
        """Its data without the messages."""
        return self._journal.head

    def id(self) -> str | None:
        """The current Claude session id (session guide, "Session Methods")."""
        return self.head.current_session_id

    def turn(self, turn_id: str) -> Turn:
        """The turn of that id.

        Raises:
            TurnNotFoundError: the session has none.
        """
        if (turn := self.head.turns.get(turn_id)) is None:
            raise TurnNotFoundError(turn_id)
        return turn

    def thread(self, thread_id: str) -> Thread:
        """The thread of that id.

        Raises:
            ThreadNotFoundError: the session has none.
        """
        if (thread := self.head.threads.get(thread_id)) is None:
            raise ThreadNotFoundError(thread_id)
        return thread

    def proposal(self, proposal_id: str) -> Proposal:
        """The proposal of that id.

        Raises:
            ProposalNotFoundError: the session has none.
        """
        if (proposal := self.head.proposals.get(proposal_id)) is None:
            raise ProposalNotFoundError(proposal_id)
        return proposal

    def review(self, review_id: str) -> Review:
        """The review of that id.

        Raises:
            ReviewNotFoundError: the session has none.
        """
        if (review := self.head.reviews.get(review_id)) is None:
            raise ReviewNotFoundError(review_id)
        return review

    def proposals_of(self, thread: Thread) -> list[Proposal]:
        """The proposals kept in ``thread``, oldest first."""
        return [proposal for proposal in self.head.proposals.values() if proposal.thread_id == thread.id]

    @property
    def answering(self) -> Turn | None:
        """The turn whose answer is being streamed by this process."""
        return self._worker.answering

    def turns_of(self, thread: Thread) -> list[Turn]:
        """The turns of ``thread``, oldest first."""
        return [self.head.turns[turn_id] for turn_id in thread.turn_ids if turn_id in self.head.turns]

    def text_so_far(self, turn: Turn) -> str:
        """The answer as far as it has come."""
        return turn.answer if turn.state.finished else self._recorder.text_so_far(turn.id)

    async def whole(self, turn_id: str) -> Turn:
        """The turn with its texts in full, which :attr:`head` may have cut.

        Raises:
            TurnNotFoundError: the session has none.
            StorageError: it can't be read.
        """
        turn = self.turn(turn_id)
        if max(len(turn.question), len(turn.prompt), len(turn.answer)) < HEAD_TEXT_LIMIT or not turn.state.finished:
            return turn
        return (await self._journal.state()).turns.get(turn_id, turn)

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
            StorageError: the question could not be recorded, so it is not asked.
        """
        if not question.text.strip():
            raise ArgumentsError("question: there is nothing to ask. Type a question.")
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
            await self._keep(thread, question.selection.document)
        turn = Turn(
            thread_id=thread.id if thread else question.thread_id,
            prompt_name=question.prompt_name,
            question=well_formed(question.text.strip()),
            prompt=well_formed(composed.prompt),
            review_id=review_id,
            notes=composed.notes,
            author=settings.author,
            owner=this_process(),
        )
        return await self._post(turn, thread, watcher, adjust)

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
        turn = Turn(
            thread_id=old.thread_id,
            prompt_name=old.prompt_name,
            question=old.question,
            prompt=old.prompt,
            notes=old.notes,
            author=self._ports.settings().author,
            owner=this_process(),
        )
        return await self._post(turn, None)

    async def keep_anchor(self, thread_id: str, anchor: Anchor) -> None:
        """Record where a thread points now.

        Raises:
            ThreadNotFoundError: the session has no such thread.
            StorageError: it could not be recorded.
        """
        thread = self.thread(thread_id)
        if thread.anchor != anchor:
            await self._recorder.record(
                ThreadChanged(thread=thread.model_copy(update={"anchor": anchor})), durable=False
            )

    async def keep_anchors(self, anchors: Mapping[str, Anchor]) -> bool:
        """Record where threads point now, all at once; whether that was news. Threads that are gone are left out.

        Args:
            anchors: by thread id.

        Raises:
            StorageError, SessionNotFoundError: nothing of it could be recorded.
        """
        changed = [
            ThreadChanged(thread=thread.model_copy(update={"anchor": anchor}))
            for thread_id, anchor in anchors.items()
            if (thread := self.head.threads.get(thread_id)) is not None and thread.anchor != anchor
        ]
        if changed:
            await self._recorder.record(*changed, durable=False)
        return bool(changed)

    async def set_status(self, thread_id: str, status: ThreadStatus) -> Thread:
        """Resolve a thread, or open it again.

        Raises:
            ThreadNotFoundError: the session has no such thread.
            StorageError: it could not be recorded.
        """
        thread = self.thread(thread_id)
        if thread.status is not status:
            await self._recorder.record(ThreadChanged(thread=thread.model_copy(update={"status": status})))
            self._recorder.tell(SessionMoved(self))
        return self.thread(thread_id)

    async def open_thread(self, thread: Thread, document: str) -> None:
        """Open a thread without a question: a finding.

        Args:
            thread: the thread.
            document: the whole text of the document that it is about.

        Raises:
            StorageError: it could not be recorded.
        """
        await self._keep(thread, document)
        await self._recorder.record(ThreadChanged(thread=thread))
        self._recorder.tell(SessionMoved(self))

    async def keep_proposal(self, proposal: Proposal) -> None:
        """Record a proposal, new or changed.

        Raises:
            StorageError: it could not be recorded.
        """
        await self._recorder.record(ProposalChanged(proposal=proposal))
        self._recorder.tell(SessionMoved(self))

    async def keep_review(self, review: Review) -> None:
        """Record a review, new or further on.

        Raises:
            StorageError: it could not be recorded.
        """
        await self._recorder.record(ReviewChanged(review=review))
        self._recorder.tell(SessionMoved(self))

    async def keep_text(self, text: str) -> str:
        r"""Keep a file's text (``\n`` between lines) as it is now; what is returned names it.

        Raises:
            StorageError: it could not be kept.
        """
        text = well_formed(text)
        digest = hashlib.sha256(text.encode()).hexdigest()
        await self._journal.keep_content(digest, text)
        self.texts.put(digest, text)
        return digest

    async def kept_text(self, digest: str) -> str | None:
        """A text that was kept, or None; :attr:`texts` has it from then on."""
        if (text := self.texts.get(digest)) is None and (text := await self._journal.content(digest)) is not None:
            self.texts.put(digest, text)
        return text

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

    async def text_when_asked(self, thread: Thread) -> str | None:
        """The text of the thread's file when the question was asked, if it was kept."""
        digest = thread.anchor.content
        return await self._journal.content(digest) if digest else None

    async def choose_model(self, model: str | None) -> None:
        """Use ``model`` from the next question on; None: the default.

        Raises:
            StorageError: it could not be recorded.
        """
        await self._recorder.record(ModelChosen(model=model))

    async def clear(self) -> None:
        """Drop history, threads and chain; the next question starts a new Claude session.

        Raises:
            StorageError: it could not be recorded.
        """
        await self._worker.drop()
        await self._recorder.record(SessionCleared())
        self._recorder.tell(SessionMoved(self))

    async def state(self) -> SessionState:
        """The whole session, with its messages."""
        return await self._journal.state()

    async def refresh(self) -> None:
        """Take in what other processes recorded."""
        await self._recorder.refresh()

    async def recover(self) -> None:
        """End the turns of processes that died, unless another process is at work in the session."""
        if any(not turn.state.finished for turn in self.head.turns.values()):
            async with self._journal.lease():
                await self._recorder.refresh()
                await self._recorder.bury_the_dead()

    async def save(self) -> str:
        """Put the session at rest in the guide's form, and return where that is.

        Raises:
            StorageError: it could not be written; everything is still in the journal.
        """
        await self._journal.fold()
        return self._journal.location

    async def close(self) -> None:
        """Interrupt what is being asked, record everything, and let go of the session."""
        if self._posting:
            await asyncio.wait(self._posting)
        await self._worker.close()
        await self._recorder.close()

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
        await self._recorder.record(TurnAsked(turn=turn, thread=thread))
        # The journal's head holds its own copy once the record was taken in.
        turn = self.turn(turn.id)
        self._recorder.tell(TurnQueued(self, turn))
        self._worker.post(turn.id, watcher, adjust)
        return turn

    async def _keep(self, thread: Thread, document: str) -> None:
        """Keep the file's text for finding the place again; without it the quote must do."""
        if thread.anchor.content is None:
            return
        try:
            await self._journal.keep_content(thread.anchor.content, well_formed(document))
        except StorageError as problem:
            logger.warning("%s: the file's text could not be kept: %s", self.name, problem)
            thread.anchor.content = None
