"""What a session holds, and recording what becomes of it: turns, threads, proposals, reviews, texts."""

from __future__ import annotations

import hashlib
import logging
from typing import TYPE_CHECKING

from channelcoder_lsp.domain.errors import (
    ProposalNotFoundError,
    ReviewNotFoundError,
    StorageError,
    ThreadNotFoundError,
    TurnNotFoundError,
)
from channelcoder_lsp.domain.records import ProposalChanged, ReviewChanged, ThreadMoved, ThreadOpened, ThreadResolved
from channelcoder_lsp.domain.session import HEAD_TEXT_LIMIT
from channelcoder_lsp.domain.text import well_formed
from channelcoder_lsp.services.events import SessionMoved
from channelcoder_lsp.services.texts import TextsAtHand

if TYPE_CHECKING:
    from collections.abc import Mapping

    from channelcoder_lsp.domain.place import Anchor
    from channelcoder_lsp.domain.proposal import Proposal
    from channelcoder_lsp.domain.review import Review
    from channelcoder_lsp.domain.session import SessionHead, SessionState
    from channelcoder_lsp.domain.storage import Journal
    from channelcoder_lsp.domain.thread import Thread, ThreadStatus
    from channelcoder_lsp.domain.turn import Turn
    from channelcoder_lsp.services.recorder import Recorder

logger = logging.getLogger(__name__)


class SessionRecords:
    """The part of a :class:`~channelcoder_lsp.services.session.Session` that needs no Claude.

    Args:
        journal: where it is recorded.
        recorder: what writes to it.
    """

    def __init__(self, journal: Journal, recorder: Recorder) -> None:
        self._journal = journal
        self._recorder = recorder
        self.texts = TextsAtHand()
        """The texts kept or asked for lately: for those that can't wait for the storage."""

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

    async def keep_anchor(self, thread_id: str, anchor: Anchor) -> None:
        """Record where a thread points now.

        Raises:
            ThreadNotFoundError: the session has no such thread.
            StorageError: it could not be recorded.
        """
        thread = self.thread(thread_id)
        if thread.anchor != anchor:
            await self._recorder.record(ThreadMoved(thread_id=thread_id, anchor=anchor), durable=False)

    async def keep_anchors(self, anchors: Mapping[str, Anchor]) -> bool:
        """Record where threads point now, all at once; whether that was news. Threads that are gone are left out.

        Args:
            anchors: by thread id.

        Raises:
            StorageError, SessionNotFoundError: nothing of it could be recorded.
        """
        changed = [
            ThreadMoved(thread_id=thread_id, anchor=anchor)
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
            await self._recorder.record(ThreadResolved(thread_id=thread_id, status=status))
            self._recorder.tell(SessionMoved(self._recorder.session))
        return self.thread(thread_id)

    async def open_thread(self, thread: Thread, document: str) -> None:
        """Open a thread without a question: a finding.

        Args:
            thread: the thread.
            document: the whole text of the document that it is about.

        Raises:
            StorageError: it could not be recorded.
        """
        await self._keep_document(thread, document)
        await self._recorder.record(ThreadOpened(thread=thread))
        self._recorder.tell(SessionMoved(self._recorder.session))

    async def keep_proposal(self, proposal: Proposal) -> None:
        """Record a proposal, new or changed.

        Raises:
            StorageError: it could not be recorded.
        """
        await self._recorder.record(ProposalChanged(proposal=proposal))
        self._recorder.tell(SessionMoved(self._recorder.session))

    async def keep_review(self, review: Review) -> None:
        """Record a review, new or further on.

        Raises:
            StorageError: it could not be recorded.
        """
        await self._recorder.record(ReviewChanged(review=review))
        self._recorder.tell(SessionMoved(self._recorder.session))

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

    async def text_when_asked(self, thread: Thread) -> str | None:
        """The text of the thread's file when the question was asked, if it was kept."""
        digest = thread.anchor.content
        return await self._journal.content(digest) if digest else None

    async def state(self) -> SessionState:
        """The whole session, with its messages."""
        return await self._journal.state()

    async def refresh(self) -> None:
        """Take in what other processes recorded."""
        await self._recorder.refresh()

    async def _keep_document(self, thread: Thread, document: str) -> None:
        """Keep the file's text for finding the place again; without it the quote must do."""
        if thread.anchor.content is None:
            return
        try:
            await self._journal.keep_content(thread.anchor.content, well_formed(document))
        except StorageError as problem:
            logger.warning("%s: the file's text could not be kept: %s", self.name, problem)
            thread.anchor.content = None
