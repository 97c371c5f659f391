"""What a user sees of a turn on its way: $/progress with cancel, channelcoder/turn, a sentence when it failed."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from lsprotocol import types as lsp

from channelcoder_lsp.domain.turn import TurnState
from channelcoder_lsp.features.context_warning import suggest_compacting
from channelcoder_lsp.features.render import count, title
from channelcoder_lsp.features.review_progress import ReviewsShown
from channelcoder_lsp.features.trace import trace
from channelcoder_lsp.services.events import (
    ContextNearlyFull,
    ReviewMoved,
    SessionEvent,
    SessionMoved,
    Trouble,
    TroubleOver,
    TurnOver,
    TurnQueued,
    TurnRunning,
    TurnStatus,
    TurnText,
)
from channelcoder_lsp.services.safe_text import plain_text

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from channelcoder_lsp.domain.turn import Turn
    from channelcoder_lsp.features.client import Client
    from channelcoder_lsp.services.session import Session

logger = logging.getLogger(__name__)

_REPORT_SECONDS = 0.25
_REFRESH_SECONDS = 0.1
_TEXT_SECONDS = 0.04
_TITLE_CHARS = 40
_ENDS = {
    TurnState.DONE: "answered",
    TurnState.FAILED: "failed",
    TurnState.CANCELLED: "cancelled",
}


async def _show_nothing(_session: Session, _turn: Turn) -> None:
    """Stands in until there is something to show answers with."""


def _left_nowhere(_session: Session) -> None:
    """Stands in until there are projects."""


@dataclass
class _Shown:
    """One turn's progress."""

    token: str
    session: Session
    turn: Turn
    begun: asyncio.Task[bool]
    unsent: list[str] = field(default_factory=list)
    replaces: bool = False
    """Whether ``unsent`` takes the place of all that was sent."""
    sending: asyncio.TimerHandle | None = None
    words: int = 0
    reported: float = 0.0
    message: str = ""
    """What was to be reported last."""
    reporting: asyncio.TimerHandle | None = None


class TurnsShown:
    """Shows the turns of all sessions to one client: it is the sessions' listener.

    Args:
        client: the client.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._by_turn: dict[str, _Shown] = {}
        self.reviews = ReviewsShown(client)
        self._refreshing: asyncio.TimerHandle | None = None
        self._changed: dict[str, None] = {}
        """The folders of what changed since the last refresh."""
        self.show_answer: Callable[[Session, Turn], Coroutine[Any, Any, object]] = _show_nothing
        self.left_in: Callable[[Session], str | None] = _left_nowhere
        """The folder that a session was left in while something was asked in it."""

    def turn_of(self, token: str | int) -> str | None:
        """The turn whose progress has the token."""
        return next((shown.turn.id for shown in self._by_turn.values() if shown.token == token), None)

    def __call__(self, event: SessionEvent) -> None:
        """Show what happened."""
        trace(self._client, event)
        if not isinstance(event, (Trouble, TroubleOver, TurnText, TurnStatus)):
            self._changed[event.session.head.channelcoder.checkout or ""] = None
        match event:
            case TurnQueued(session, turn):
                self._begin(session, turn)
                self._notify(session, turn)
                self._refresh()
            case TurnRunning(session, turn):
                self._report(turn, "asking", now=True)
                self._notify(session, turn)
            case TurnText(session, turn, text, replace):
                self._text(session, turn, text, replace=replace)
            case TurnStatus(session, turn, message):
                self._send_text(turn)
                self._report(turn, plain_text(message, max_chars=120), now=True)
                self.reviews.status(turn.review_id, message)
                self._notify(session, turn, message=message)
            case TurnOver(session, turn):
                self._over(session, turn)
            case ContextNearlyFull(session, turn):
                self._client.spawn(suggest_compacting(self._client, session, turn))
            case Trouble(message):
                self._client.say(message, lsp.MessageType.Error)
            case TroubleOver(message):
                self._client.say(message, lsp.MessageType.Info)
            case ReviewMoved(session, review):
                self.reviews.moved(session, review)
            case SessionMoved():
                self._refresh()

    def _over(self, session: Session, turn: Turn) -> None:
        self._send_text(turn)
        self._end(turn)
        self._notify(session, turn)
        self._refresh()
        if turn.review_id is not None:
            return  # what became of it is said with the review
        if turn.state is TurnState.FAILED:
            message = f"{title(turn.question)}: {plain_text(turn.error or '', max_chars=600)}"
            self._client.say(message, lsp.MessageType.Error)
        elif turn.state is TurnState.DONE and not self._client.follows_turns:
            if turn.thread_id is None:
                # No code to hang it on, and an editor that shows no turns by itself.
                self._client.spawn(self.show_answer(session, turn))
            elif self.left_in(session) is not None:
                self._client.say(f"{title(turn.question)} is answered, in the session {session.name}.")

    def _begin(self, session: Session, turn: Turn) -> None:
        if turn.review_id is not None:
            return  # a review has one progress for all its turns
        token = f"channelcoder-{uuid4()}"
        # Editors show the title before each message: it says which question, and leaves room.
        named = f"Claude: {plain_text(turn.question, max_chars=_TITLE_CHARS)}"
        begun = asyncio.create_task(self._client.begin_progress(token, named, "waiting"))
        self._by_turn[turn.id] = _Shown(token, session, turn, begun)

    def _text(self, session: Session, turn: Turn, text: str, *, replace: bool) -> None:
        """Send the first text at once, what comes soon after it together: a stream has many small pieces."""
        if (shown := self._by_turn.get(turn.id)) is None:
            self._notify(session, turn, text=text, replace=replace)
            return
        words = text.count(" ") + text.count("\n")
        shown.words = words if replace else shown.words + words
        self._report(turn, f"answering, {count(shown.words, 'word')}")
        if not self._client.follows_turns:
            return
        if replace:
            shown.unsent, shown.replaces = [text], True
        else:
            shown.unsent.append(text)
        if shown.sending is None:
            self._send_more(shown)

    def _send_more(self, shown: _Shown) -> None:
        shown.sending = None
        if shown.unsent:
            self._send(shown)
            loop = asyncio.get_running_loop()
            shown.sending = loop.call_later(_TEXT_SECONDS, self._send_more, shown)

    def _send(self, shown: _Shown) -> None:
        text, replace = "".join(shown.unsent), shown.replaces
        shown.unsent, shown.replaces = [], False
        self._notify(shown.session, shown.turn, text=text, replace=replace)

    def _send_text(self, turn: Turn) -> None:
        """Send the text that waits, before something is said that comes after it."""
        shown = self._by_turn.get(turn.id)
        if shown is not None and shown.sending is not None:
            shown.sending.cancel()
            shown.sending = None
            if shown.unsent:
                self._send(shown)

    def _report(self, turn: Turn, message: str, *, now: bool = False) -> None:
        """Report at a bounded rate: a stream may bring hundreds of pieces a second. The last one is never lost."""
        if (shown := self._by_turn.get(turn.id)) is None:
            return
        shown.message = message
        wait = 0.0 if now else max(0.0, shown.reported + _REPORT_SECONDS - time.monotonic())
        if shown.reporting is not None and now:
            shown.reporting.cancel()
            shown.reporting = None
        if shown.reporting is None:
            self._report_in(shown, wait)

    def _report_in(self, shown: _Shown, seconds: float) -> None:
        if seconds or not shown.begun.done():
            later = asyncio.get_running_loop().call_later(seconds or _REPORT_SECONDS, self._report_now, shown)
            shown.reporting = later
        elif not shown.begun.cancelled() and shown.begun.result():
            shown.reported = time.monotonic()
            self._client.report_progress(shown.token, shown.message)

    def _report_now(self, shown: _Shown) -> None:
        shown.reporting = None
        self._report_in(shown, 0.0)

    def _end(self, turn: Turn) -> None:
        if (shown := self._by_turn.pop(turn.id, None)) is not None:
            if shown.reporting is not None:
                shown.reporting.cancel()
            self._client.spawn(self._end_when_begun(shown, _ENDS.get(turn.state, "")))

    async def _end_when_begun(self, shown: _Shown, message: str) -> None:
        if await shown.begun:
            if shown.message and not shown.reported:  # the editor was slow to take it: show what there was to see
                self._client.report_progress(shown.token, shown.message)
            self._client.end_progress(shown.token, message)

    def _notify(
        self,
        session: Session,
        turn: Turn,
        *,
        text: str | None = None,
        replace: bool = False,
        message: str | None = None,
    ) -> None:
        if not self._client.follows_turns:
            return
        thread = session.head.threads.get(turn.thread_id or "")
        self._client.notify_turn(
            {
                "session": session.name,
                "turnId": turn.id,
                "threadId": turn.thread_id,
                "uri": thread.anchor.uri if thread else None,
                # Text that was held back for a moment is told before the end of its turn.
                "state": TurnState.RUNNING.value if text is not None else turn.state.value,
                "text": text,
                "replace": replace,
                "message": message,
                "leftIn": self.left_in(session),
            }
        )

    def _refresh(self) -> None:
        """Have lenses drawn anew, once for several events close to each other."""
        if self._refreshing is None:
            self._refreshing = asyncio.get_running_loop().call_later(_REFRESH_SECONDS, self._refresh_now)

    def _refresh_now(self) -> None:
        self._refreshing = None
        self._client.refresh()
        folders, self._changed = [folder for folder in self._changed if folder], {}
        self._client.notify_changed({"folders": folders})
