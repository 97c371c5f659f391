"""From Claude's remarks to findings: each becomes a thread at the code that it is about, as soon as it is whole."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import anyio.to_thread

from channelcoder_lsp.domain.errors import AgentError, ChannelCoderError, StorageError
from channelcoder_lsp.domain.place import AnchorState, Position, Range, Selection
from channelcoder_lsp.domain.review import Finding
from channelcoder_lsp.domain.text import split_lines, text_in
from channelcoder_lsp.domain.thread import ThreadStatus
from channelcoder_lsp.services.places import find_all
from channelcoder_lsp.services.proposals import propose_replacement
from channelcoder_lsp.services.review_answer import (
    FINDINGS,
    MESSAGE_CHARS,
    SCHEMA,
    Remark,
    ReviewAnswer,
    alike,
    as_markdown,
    complete_remarks,
    whole_answer,
)
from channelcoder_lsp.services.threads import thread_about

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Mapping

    from channelcoder_lsp.domain.agent import Finished
    from channelcoder_lsp.domain.thread import Thread
    from channelcoder_lsp.domain.turn import Turn
    from channelcoder_lsp.services.placed import PlacedThreads
    from channelcoder_lsp.services.review_sources import Source
    from channelcoder_lsp.services.session import Session

logger = logging.getLogger(__name__)

PARSE_SECONDS = 0.2
"""How often, at most, an answer that is being written is looked at for complete findings."""
_SAME_LINES = 0.5
_KIND_CHARS = 40


class Findings:
    """The findings of a file, as far as a review must know them not to say the same twice.

    A remark is not opened when a finding stands on the same lines that is open, or that a person resolved and
    whose code is what it was then: it was seen and decided. If the code changed since, it is said again. Two
    say the same when their messages do (:func:`~channelcoder_lsp.services.review_answer.alike`), or when they are
    of the same kind and about mostly the same lines; of the latter only between two answers, since within one
    Claude parted them on purpose.

    Args:
        session: where findings are kept.
        source: the text that Claude is asked about: all lines here are its lines.
    """

    def __init__(self, session: Session, source: Source) -> None:
        self._session = session
        self._source = source
        self._earlier: list[tuple[Range, Finding]] | None = None
        self._of_this: list[tuple[Range, Finding]] = []

    async def knows(self, remark: Remark) -> bool:
        """Whether there is a finding that says what ``remark`` says."""
        if self._earlier is None:
            self._earlier = await self._placed()
        for place, finding in self._earlier:
            if (shared := _shared(place, remark)) and (
                alike(finding.message, remark.message)
                or (shared >= _SAME_LINES and finding.code is not None and finding.code == _kind(remark))
            ):
                return True
        return any(
            _shared(place, remark) and alike(finding.message, remark.message) for place, finding in self._of_this
        )

    def add(self, place: Range, finding: Finding) -> None:
        """A finding was opened."""
        self._of_this.append((place, finding))

    def forget(self, finding: Finding) -> None:
        """A finding was taken back."""
        self._of_this = [(place, known) for place, known in self._of_this if known is not finding]

    async def _placed(self) -> list[tuple[Range, Finding]]:
        """Where the findings about the file are in the text that Claude is asked about."""
        source = self._source
        threads = {
            thread.id: thread
            for thread in self._session.head.threads.values()
            if thread.finding is not None
            and (thread.anchor.uri == source.uri or (source.path is not None and thread.anchor.path == source.path))
        }
        texts = {}
        for thread in threads.values():
            digest = thread.anchor.content
            if digest and digest not in texts and (text := await self._session.text_when_asked(thread)) is not None:
                texts[digest] = text
        anchors = {thread.id: thread.anchor for thread in threads.values()}
        places = await anyio.to_thread.run_sync(find_all, anchors, source.lines, texts)
        found = []
        for thread_id, place in places.items():
            thread = threads[thread_id]
            decided = thread.status is ThreadStatus.RESOLVED and place.state is AnchorState.EDITED
            if thread.finding is not None and place.range is not None and not decided:
                found.append((place.range, thread.finding))
        return found


class FindingsWatcher:
    """Takes in the answer of one turn of a review (:class:`~channelcoder_lsp.services.worker.TurnWatcher`).

    What was opened while the answer was written and is not in it at its end was taken back by Claude, and is removed
    unless a person did something about it; of an answer that fails or is cancelled everything is kept.

    Args:
        session: where findings are kept.
        placed: the open documents, which findings are shown in.
        source: the text that Claude is asked about.
        shown: the lines of it that Claude is shown, from 1.
        review_id: the review.
        notes: what there is to say of the question: that it was cut.
        moved: called when a finding was opened.
    """

    def __init__(
        self,
        session: Session,
        placed: PlacedThreads,
        source: Source,
        *,
        shown: Container[int],
        review_id: str,
        notes: list[str],
        moved: Callable[[], None],
    ) -> None:
        self._session = session
        self._placed = placed
        self._source = source
        self._shown = shown
        self._review_id = review_id
        self._notes = notes
        self._moved = moved
        self._findings = Findings(session, source)
        self._text: list[str] = []
        self._taken: dict[Remark, Thread | None] = {}
        self._outside: list[Remark] = []
        self._parsed = 0.0
        self._later: asyncio.TimerHandle | None = None
        self._parsing: asyncio.Task[None] | None = None
        self._one_at_a_time = asyncio.Lock()
        self.ended: asyncio.Future[Turn] = asyncio.get_running_loop().create_future()
        """The turn, at its end."""

    @property
    def schema(self) -> Mapping[str, Any]:
        """The JSON schema of a review's answer."""
        return SCHEMA

    async def output(self, text: str, *, replace: bool) -> None:
        """Some more JSON came: open the findings that are complete, at a bounded rate."""
        if replace:
            self._text.clear()
        self._text.append(text)
        wait = self._parsed + PARSE_SECONDS - time.monotonic()
        if self._later is None:
            self._later = asyncio.get_running_loop().call_later(max(0.0, wait), self._parse_soon)

    async def accept(self, finished: Finished) -> Finished:
        """Open the findings that are left, and put the answer in words.

        An answer that isn't a review's ends the turn with an error that says so; its text is kept.
        """
        await self._settle()
        so_far = "".join(self._text)
        if finished.cancelled or finished.error is not None:
            await self._take(complete_remarks(so_far))
            kept = as_markdown(self._source.name, self._opened(), self._notes) if self._opened() else ""
            return replace(finished, answer=finished.answer or kept)
        try:
            answer = whole_answer(finished.structured)
        except AgentError as problem:
            await self._take(complete_remarks(so_far))
            said = json.dumps(finished.structured, ensure_ascii=False, indent=2)
            return replace(finished, answer=finished.answer or f"```json\n{said}\n```", error=problem)
        return replace(finished, answer=await self._whole(answer))

    def over(self, turn: Turn) -> None:
        """The turn came to its end."""
        if self._later is not None:
            self._later.cancel()
            self._later = None
        if not self.ended.done():
            self.ended.set_result(turn)

    async def _whole(self, answer: ReviewAnswer) -> str:
        remarks = list(dict.fromkeys(answer.findings))
        for remark, thread in list(self._taken.items()):
            if thread is not None and remark not in remarks:
                await self._take_back(remark, thread)
        await self._take(remarks[:FINDINGS])
        notes = list(self._notes)
        if len(remarks) > FINDINGS:
            notes.append(f"{len(remarks) - FINDINGS} more findings were left out.")
        if known := sum(1 for remark in remarks if remark in self._taken and self._taken[remark] is None):
            notes.append(f"{known} of them {'was' if known == 1 else 'were'} known already.")
        if self._outside:
            lines = ", ".join(f"{remark.line} to {remark.last}" for remark in self._outside[:5])
            notes.append(f"Left out, since there are no such lines among those that were sent: {lines}.")
        inside = [remark for remark in remarks[:FINDINGS] if remark not in self._outside]
        return as_markdown(self._source.name, inside, notes)

    def _opened(self) -> list[Remark]:
        return [remark for remark, thread in self._taken.items() if thread is not None]

    def _parse_soon(self) -> None:
        self._later = None
        if self._parsing is None or self._parsing.done():
            self._parsing = asyncio.create_task(self._parse())
        else:
            self._later = asyncio.get_running_loop().call_later(PARSE_SECONDS, self._parse_soon)

    async def _parse(self) -> None:
        self._parsed = time.monotonic()
        try:
            await self._take(complete_remarks("".join(self._text)))
        except ChannelCoderError as problem:
            logger.warning("a finding could not be opened yet: %s", problem)

    async def _settle(self) -> None:
        """Have nothing under way: the end of the answer is taken in by itself."""
        if self._later is not None:
            self._later.cancel()
            self._later = None
        if self._parsing is not None:
            await asyncio.wait({self._parsing})

    async def _take(self, remarks: list[Remark]) -> None:
        async with self._one_at_a_time:
            for remark in remarks[:FINDINGS]:
                if remark not in self._taken and remark not in self._outside:
                    if remark.line not in self._shown:
                        self._outside.append(remark)
                        continue
                    self._taken[remark] = None if await self._findings.knows(remark) else await self._open(remark)

    async def _open(self, remark: Remark) -> Thread:
        """Make a thread of a remark, where its lines are by now."""
        source = self._source
        lines = source.lines
        last = min(remark.last, len(lines))
        whole = last == remark.last and all(line in self._shown for line in range(remark.line, last + 1))
        first_line, last_line = lines[remark.line - 1], lines[last - 1]
        start = Position(remark.line - 1, len(first_line) - len(first_line.lstrip()))
        place = Range(start, max(start, Position(last - 1, len(last_line.rstrip()))))
        replacement = remark.replacement if whole and self._changes_something(remark) else None
        finding = Finding(
            review_id=self._review_id,
            turn_id=self._turn_id(),
            severity=remark.severity,
            code=_kind(remark),
            message=remark.message.strip()[:MESSAGE_CHARS],
            replacement=replacement,
        )
        selection = Selection(
            uri=source.uri,
            path=source.path,
            language=source.language,
            version=source.version,
            range=place,
            text=text_in(lines, place),
            document=source.text,
        )
        thread = thread_about(selection)
        thread.finding = finding
        self._findings.add(place, finding)
        await self._session.open_thread(thread, source.text)
        if replacement is not None:
            span = Range(Position(remark.line - 1, 0), Position(last - 1, len(last_line)))
            try:
                await propose_replacement(self._session, thread, lines, span, replacement)
            except StorageError as problem:
                logger.warning("the proposal of %s could not be kept: %s", thread.id, problem)
        await self._placed.place_new()
        self._moved()
        return thread

    def _turn_id(self) -> str:
        """The turn under way: a review asks about one file at a time."""
        return next(
            turn.id for turn in reversed(list(self._session.head.turns.values())) if turn.review_id == self._review_id
        )

    def _changes_something(self, remark: Remark) -> bool:
        """Whether the remark has a replacement that isn't the code as it is."""
        if remark.replacement is None:
            return False
        new = split_lines(remark.replacement.removesuffix("\n"))
        return new != list(self._source.lines[remark.line - 1 : remark.last])

    async def _take_back(self, remark: Remark, thread: Thread) -> None:
        """Remove a finding that was in a first version of the answer only, if nobody did anything about it."""
        known = self._session.head.threads.get(thread.id)
        if known is not None and not known.turn_ids and known.status is ThreadStatus.OPEN:
            await self._session.remove_thread(thread.id)
        if thread.finding is not None:
            self._findings.forget(thread.finding)
        del self._taken[remark]


def _kind(remark: Remark) -> str | None:
    """What kind it is, as a diagnostic's code has it."""
    return "-".join((remark.code or "").casefold().split())[:_KIND_CHARS] or None


def _shared(place: Range, remark: Remark) -> float:
    """How much of the lines of both they share."""
    first, last = place.start.line + 1, place.last_line + 1
    shared = min(last, remark.last) - max(first, remark.line) + 1
    return max(0, shared) / (max(last, remark.last) - min(first, remark.line) + 1)
