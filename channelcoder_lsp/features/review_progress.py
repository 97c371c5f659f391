"""What a user sees of a review on its way: one progress for all of it, and one sentence at its end."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import uuid4

from lsprotocol import types as lsp

from channelcoder_lsp.domain.review import ReviewScope, ReviewState
from channelcoder_lsp.features.render import count
from channelcoder_lsp.services.safe_text import plain_text

if TYPE_CHECKING:
    from channelcoder_lsp.domain.review import Review, ReviewedFile
    from channelcoder_lsp.features.client import Client
    from channelcoder_lsp.services.session import Session

_NAME_CHARS = 80
_TOLD_CHARS = 600
_TITLES = {
    ReviewScope.SELECTION: "Claude: Review of the selection",
    ReviewScope.FILE: "Claude: Review",
    ReviewScope.CHANGES: "Claude: Review of the uncommitted changes",
    ReviewScope.BRANCH: "Claude: Review of the branch",
}


@dataclass
class _Shown:
    """One review's progress."""

    token: str
    begun: asyncio.Task[bool]
    message: str = ""


class ReviewsShown:
    """Shows the reviews of all sessions to one client.

    Args:
        client: the client.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._by_review: dict[str, _Shown] = {}

    def review_of(self, token: str | int) -> str | None:
        """The review whose progress has the token."""
        return next((review_id for review_id, shown in self._by_review.items() if shown.token == token), None)

    def moved(self, session: Session, review: Review) -> None:
        """A review began, came further, or came to its end."""
        if not review.under_way:
            self._end(session, review)
            return
        if review.id not in self._by_review:
            token = f"channelcoder-{uuid4()}"
            begun = asyncio.create_task(self._client.begin_progress(token, _TITLES[review.scope], "waiting"))
            self._by_review[review.id] = shown = _Shown(token, begun)
            begun.add_done_callback(lambda _: self._report(shown))
        self._report(self._by_review[review.id], _how_far(session, review))

    def status(self, review_id: str | None, message: str) -> None:
        """Something is worth a line of the review's progress: a retry. Of no review: nothing is."""
        if (shown := self._by_review.get(review_id or "")) is not None:
            self._report(shown, plain_text(message, max_chars=_NAME_CHARS * 2))

    def _report(self, shown: _Shown, message: str | None = None) -> None:
        shown.message = message or shown.message
        if shown.begun.done() and not shown.begun.cancelled() and shown.begun.result() and shown.message:
            self._client.report_progress(shown.token, shown.message)

    def _end(self, session: Session, review: Review) -> None:
        shown = self._by_review.pop(review.id, None)
        if shown is None:
            return
        self._client.spawn(self._end_when_begun(shown, _findings(session, review)))
        if any(file.state is ReviewState.CANCELLED and file.error is None for file in review.files):
            return  # a person wanted it to end
        failed = any(file.error is not None for file in review.files)
        kind = lsp.MessageType.Error if failed else lsp.MessageType.Info
        self._client.say(_sentence(session, review), kind)

    async def _end_when_begun(self, shown: _Shown, message: str) -> None:
        if await shown.begun:
            self._client.end_progress(shown.token, message)


def _how_far(session: Session, review: Review) -> str:
    """``2 of 5: shop.py, 3 findings``."""
    looked_at = [file for file in review.files if file.state is not ReviewState.SKIPPED]
    now = next((file for file in looked_at if file.state.under_way), looked_at[-1])
    return f"{looked_at.index(now) + 1} of {len(looked_at)}: {_name(now)}, {_findings(session, review)}"


def _sentence(session: Session, review: Review) -> str:
    """The review's end in a sentence: what was found, and what went wrong."""
    done = [file for file in review.files if file.state is ReviewState.DONE]
    what = _name(review.files[0]) if len(review.files) == 1 else count(len(done), "file")
    told = [f"Review of {what}: {_findings(session, review)}."]
    failed = [file for file in review.files if file.error is not None]
    if failed:
        told.append(f"{count(len(failed), 'file')} could not be reviewed: {_name(failed[0])}: {failed[0].error}")
        told.append("Resume the review to try again.")
    notes = [*review.notes]
    notes += [note for file in review.files if file.note and (note := f"{file.name}: {file.note}") not in notes]
    if notes:
        told.append(f"Note: {'; '.join(note.rstrip('.') for note in notes)}.")
    return plain_text(" ".join(told), max_chars=_TOLD_CHARS)


def _findings(session: Session, review: Review) -> str:
    threads = session.head.threads.values()
    return count(sum(1 for each in threads if each.finding and each.finding.review_id == review.id), "finding")


def _name(file: ReviewedFile) -> str:
    return plain_text(file.name, max_chars=_NAME_CHARS)
