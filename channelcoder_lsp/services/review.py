"""Reviews: one question about each file, one after the other, whose findings become threads.

A file is read when its turn comes and is asked about when the one before it is done: what a person asks meanwhile
comes in between, and a review that is cancelled leaves nothing waiting. All that is needed to go on is recorded
(:class:`~channelcoder_lsp.domain.review.Review`), so a review can be resumed also by another process.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import anyio.to_thread

from channelcoder_lsp.domain.errors import (
    ChannelCoderError,
    RepositoryError,
    ReviewError,
    SessionError,
    StorageError,
)
from channelcoder_lsp.domain.place import QUOTE_LIMIT, Anchor, Position, Range
from channelcoder_lsp.domain.review import Review, ReviewedFile, ReviewScope, ReviewState
from channelcoder_lsp.domain.text import clamp, split_lines, text_in, well_formed
from channelcoder_lsp.domain.turn import TurnState
from channelcoder_lsp.services.events import ReviewMoved
from channelcoder_lsp.services.owner import is_alive, this_process
from channelcoder_lsp.services.places import find_all
from channelcoder_lsp.services.review_findings import FindingsWatcher
from channelcoder_lsp.services.review_prompt import Told, about_changes, about_code
from channelcoder_lsp.services.review_sources import Source, Sources
from channelcoder_lsp.services.worker import CLOSE_SECONDS

if TYPE_CHECKING:
    from channelcoder_lsp.services.project import Project
    from channelcoder_lsp.services.session import Session, SessionPorts

logger = logging.getLogger(__name__)

_ENDS = {TurnState.DONE: ReviewState.DONE, TurnState.FAILED: ReviewState.FAILED}
FAILURES = 3
"""After so many files in a row that Claude could not be asked about, a review stops."""


@dataclass(frozen=True)
class Target:
    """What to review.

    Args:
        scope: what kind of thing.
        instruction: what to look for: the body of a prompt.
        uri: the document, for a selection or a file.
        range: the selection.
        base: for a branch, what to compare with; None for the main branch.
    """

    scope: ReviewScope
    instruction: str
    uri: str | None = None
    range: Range | None = None
    base: str | None = None


@dataclass
class _Running:
    """A review under way in this process."""

    session: Session
    review: Review
    instruction: str
    sources: Sources
    turn_id: str | None = None
    first: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the first file was asked about, or there is none to ask about."""
    task: asyncio.Task[None] | None = None
    cancelled: bool = False


class Reviews:
    """The reviews of one project.

    Args:
        project: the project.
        ports: what its sessions work with.
    """

    def __init__(self, project: Project, ports: SessionPorts) -> None:
        self._project = project
        self._ports = ports
        self._running: dict[str, _Running] = {}

    async def start(self, target: Target) -> Review:
        """Begin a review; returns when it is recorded and its first file asked about.

        Raises:
            ReviewError: there is nothing to review.
            RepositoryError: what changed can't be told.
            StorageError: it can't be recorded.
        """
        sources = self._sources()
        review = Review(scope=target.scope)
        selected_in = None
        if target.uri is not None and target.scope in (ReviewScope.SELECTION, ReviewScope.FILE):
            source = await self._whole(sources, target.uri)
            review.files = [ReviewedFile(uri=source.uri, path=source.path)]
            if target.range is not None and target.scope is ReviewScope.SELECTION:
                review.files[0].range = clamp(source.lines, target.range)
                selected_in = source.text
        else:
            await self._changes(sources, review, target.base)
        session = await self._project.session_to_ask_in()
        if selected_in is not None:
            review.files[0].content = await session.keep_text(selected_in)
        return await self._run(session, review, target.instruction, sources)

    async def resume(self, instruction: str, review_id: str | None = None) -> Review:
        """Go on with a review that was not finished: the files that are not done are asked about again.

        Args:
            instruction: what to look for.
            review_id: the review; None for the latest one of the session that is not finished.

        Raises:
            ReviewNotFoundError: there is no review of that id.
            ReviewError: nothing of it is left, or another process is at it.
            StorageError: it can't be recorded.
        """
        session = await self._project.session_to_ask_in()
        await session.refresh()
        if review_id is not None:
            review = session.review(review_id)
        else:
            left = [review for review in session.head.reviews.values() if review.unfinished]
            if not left:
                raise ReviewError("There is no review to resume: all of this session are finished. Start a new one.")
            review = left[-1]
        if review.id in self._running:
            return self._running[review.id].review
        review = review.model_copy(deep=True)
        for file in review.unfinished:
            turn = session.head.turns.get(file.turn_id or "")
            if turn is not None and not turn.state.finished and turn.owner != this_process() and is_alive(turn.owner):
                raise ReviewError("This review is under way in another editor or window. Cancel it there first.")
            if turn is not None and turn.state is TurnState.DONE:
                file.state = ReviewState.DONE  # it ended before that could be recorded
                continue
            file.state, file.error, file.note = ReviewState.WAITING, None, None
        if not review.under_way:
            await session.keep_review(review)
            raise ReviewError("All files of this review were looked at. Start a new one.")
        return await self._run(session, review, instruction, self._sources())

    async def cancel(self, review_id: str) -> Review | None:
        """End a review; what it found is kept, and it can be resumed.

        Returns:
            The review; None if it isn't under way here.
        """
        running = self._running.get(review_id)
        if running is None:
            return None
        running.cancelled = True
        if running.turn_id is not None:
            try:
                await running.session.cancel(running.turn_id)
            except (SessionError, StorageError) as problem:
                logger.warning("the turn of %s could not be ended: %s", review_id, problem)
        if running.task is not None:
            _, late = await asyncio.wait({running.task}, timeout=CLOSE_SECONDS)
            for task in late:
                task.cancel()
        return running.review

    async def stop(self, session: Session) -> None:
        """End the reviews in ``session``, which is about to be closed; they can be resumed."""
        for running in list(self._running.values()):
            if running.session is session:
                await self.cancel(running.review.id)

    def under_way(self, session: Session, review: Review) -> bool:
        """Whether somebody is at the review: this process, or as far as is known another one that lives."""
        return review.id in self._running or any(
            turn.review_id == review.id and is_alive(turn.owner) for turn in session.head.unfinished()
        )

    # What to look at

    def _sources(self) -> Sources:
        return Sources(self._project, self._ports.repositories(self._project.checkout.root))

    async def _whole(self, sources: Sources, uri: str) -> Source:
        """The document of a review of a file or a selection."""
        try:
            source = await sources.read(uri)
        except ReviewError as problem:
            raise ReviewError(f"{self._project.relative(uri) or uri} can't be reviewed: {problem}.") from problem
        if not source.text.strip():
            raise ReviewError(f"There is nothing to review: {source.name} is empty.")
        return source

    async def _changes(self, sources: Sources, review: Review, base: str | None) -> None:
        """Fill in the files of a review of changes."""
        repository = self._ports.repositories(self._project.checkout.root)
        branch = review.scope is ReviewScope.BRANCH
        review.base = await repository.base(base) if branch else await repository.head()
        limit, left_out = self._ports.settings().review_max_files, 0
        for path in await sources.paths(review.base):
            if sum(file.state is ReviewState.WAITING for file in review.files) >= limit:
                left_out += 1
                continue
            file = ReviewedFile(uri=sources.uri(path), path=well_formed(path))
            try:
                if file.path != path:
                    raise ReviewError("its name is not in UTF-8")  # noqa: TRY301 - one of several reasons to skip it
                source = await sources.changed(path, review.base)
            except ReviewError as problem:
                file.state, file.note = ReviewState.SKIPPED, str(problem)
            else:
                if source is None:
                    continue
                file.uri = source.uri
            review.files.append(file)
        review.notes = [f"{file.name}: {file.note}" for file in review.files if file.note]
        if left_out:
            review.notes.append(
                f"{left_out} more files may have changed; a review looks at {limit} (channelcoder.reviewMaxFiles)"
            )
        if not review.under_way:
            what = "since the branch left its base" if branch else "that is not committed"
            skipped = f" Not looked at: {'; '.join(review.notes)}." if review.notes else ""
            raise ReviewError(
                f"There is nothing to review: no text changed in {self._project.checkout.root} {what}.{skipped}"
            )

    # Asking

    async def _run(self, session: Session, review: Review, instruction: str, sources: Sources) -> Review:
        running = _Running(session, review, instruction, sources)
        await session.keep_review(review.model_copy(deep=True))
        self._running[review.id] = running
        running.task = asyncio.create_task(self._work(running), name=review.id)
        await running.first.wait()
        return review

    async def _work(self, running: _Running) -> None:
        """Ask about one file after the other, and leave no file waiting at the end."""
        review, failures = running.review, 0
        self._moved(running)
        try:
            for file in review.files:
                if file.state is not ReviewState.WAITING:
                    continue
                if running.cancelled or failures >= FAILURES:
                    break
                again = await self._look_at(running, file)
                running.turn_id = None
                failures = failures + 1 if file.error is not None else 0
                if not again or not review.under_way:
                    break
                await self._keep(running)
        except Exception:
            logger.exception("review %s ended early", review.id)
        finally:
            del self._running[review.id]
            for file in review.files:
                if file.state.under_way:
                    file.state = ReviewState.CANCELLED
            await self._keep(running)
            running.first.set()

    async def _look_at(self, running: _Running, file: ReviewedFile) -> bool:
        """Ask about one file and wait for the answer; whether there is sense in asking about the next one."""
        try:
            asked = await self._ask(running, file)
        except (ReviewError, RepositoryError) as problem:
            file.state, file.note = ReviewState.SKIPPED, problem.message
            return True
        except ChannelCoderError as problem:
            file.state, file.error = ReviewState.FAILED, problem.message
            return True
        if asked is None:
            file.state, file.note = ReviewState.SKIPPED, "nothing in it changed any more"
            return True
        turn = await asked.ended
        file.error = turn.error
        file.state = _ENDS.get(turn.state, ReviewState.CANCELLED)
        return file.state is ReviewState.DONE or (file.state is ReviewState.FAILED and turn.retryable)

    async def _ask(self, running: _Running, file: ReviewedFile) -> FindingsWatcher | None:
        """Have a file asked about; None if there is nothing to ask about it.

        Raises:
            ReviewError: it can't be read.
            RepositoryError: what it was can't be had.
            StorageError: the question can't be recorded.
        """
        review, session = running.review, running.session
        found = await self._told(running, file)
        if found is None:
            return None
        source, told = found
        file.note = told.note
        watcher = FindingsWatcher(
            session,
            self._project.placed,
            source,
            shown=told.shown,
            review_id=review.id,
            notes=[told.note] if told.note else [],
            moved=lambda: self._moved(running),
        )
        turn = await session.ask(told.question, review_id=review.id, watcher=watcher)
        file.state, file.turn_id = ReviewState.RUNNING, turn.id
        running.turn_id = turn.id
        if running.cancelled:
            await session.cancel(turn.id)
        await self._keep(running)
        running.first.set()
        return watcher

    async def _told(self, running: _Running, file: ReviewedFile) -> tuple[Source, Told] | None:
        """A file as it is now, and what to ask about it; None for changes that are none any more."""
        review, settings = running.review, self._ports.settings()
        if review.scope in (ReviewScope.SELECTION, ReviewScope.FILE):
            source = await running.sources.read(file.uri)
            lines = source.lines
            whole = Range(Position(0, 0), Position(len(lines) - 1, len(lines[-1])))
            span = whole if file.range is None else await self._selected(running.session, file, file.range, source)
            return source, about_code(source, span, running.instruction, settings, whole=file.range is None)
        changed = await running.sources.changed(file.path or "", review.base)
        if changed is None:
            return None
        branch = review.scope is ReviewScope.BRANCH
        against = f"{review.base or 'nothing'} ({'where the branch began' if branch else 'the last commit'})"
        told = await anyio.to_thread.run_sync(
            lambda: about_changes(changed, running.instruction, settings, against=against)
        )
        return None if told is None else (changed, told)

    async def _selected(self, session: Session, file: ReviewedFile, selected: Range, source: Source) -> Range:
        """Where the selection is in the text as it is now."""
        old = await session.kept_text(file.content) if file.content else None
        if old is None or old == source.text:
            return clamp(source.lines, selected)
        anchor = Anchor(
            uri=file.uri,
            range=selected,
            origin=selected,
            quote=text_in(split_lines(old), selected)[:QUOTE_LIMIT],
            content=file.content,
        )
        texts = {file.content or "": old}
        place = (await anyio.to_thread.run_sync(find_all, {file.uri: anchor}, source.lines, texts))[file.uri]
        if place.range is None:
            raise ReviewError("the selected code can't be found any more")
        return place.range

    async def _keep(self, running: _Running) -> None:
        """Record how far the review is, unless it went with its session."""
        session, review = running.session, running.review
        if review.id in session.head.reviews:
            try:
                await session.keep_review(review.model_copy(deep=True))
            except (StorageError, SessionError) as problem:
                logger.warning("how far %s is could not be recorded: %s", review.id, problem)
        self._moved(running)

    def _moved(self, running: _Running) -> None:
        self._ports.tell(ReviewMoved(running.session, running.review.model_copy(deep=True)))
