"""Recording what happens in a session: nothing that was said is lost when the storage fails for a while."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from typing import TYPE_CHECKING

from anyio import move_on_after

from channelcoder_lsp.domain.errors import ChannelCoderError, SessionNotFoundError, StorageError
from channelcoder_lsp.domain.records import Record, TurnDelta, TurnFinished
from channelcoder_lsp.domain.text import well_formed
from channelcoder_lsp.domain.turn import Turn, TurnState
from channelcoder_lsp.services.events import Listener, SessionEvent, SessionMoved, Trouble, TroubleOver, TurnText
from channelcoder_lsp.services.owner import is_alive, is_of_this_machine, this_process

if TYPE_CHECKING:
    from channelcoder_lsp.domain.session import SessionHead
    from channelcoder_lsp.domain.storage import Journal
    from channelcoder_lsp.services.session import Session

logger = logging.getLogger(__name__)

GONE_SECONDS = 60.0
"""For how long a session must be quiet, with a question of another machine waiting in it, until that machine counts as
gone: one that lives asks for the lease again and again, and has it as soon as it is free."""
SAVE_AGAIN_SECONDS = 3.0
"""How often it is tried to save what could not be saved."""
DELTA_SECONDS = 0.5
"""How often, at most, the text of a streaming answer is written down."""


class Recorder:
    """Writes to the journal of one session and tells its listener.

    A record that must not be lost but can't be written now is applied in memory, kept, and written as soon as that
    works again (``Trouble`` and ``TroubleOver`` tell the user).
    """

    def __init__(self, session: Session, journal: Journal, tell: Listener) -> None:
        self.session = session
        self.journal = journal
        self._tell = tell
        self._unsaved: list[Record] = []
        self._saving: asyncio.Task[None] | None = None
        self._closing = asyncio.Event()
        self._one_at_a_time = asyncio.Lock()
        self._texts: dict[str, str] = {}
        self._streaming: str | None = None
        """The turn that the pending text belongs to."""
        self._pending = ""
        self._replace = False
        self._last_delta = -math.inf
        self._waiting_elsewhere: dict[str, tuple[int, float]] = {}
        """Of questions of other machines: how far the session was when one was seen, with the lease ours, and when."""

    @property
    def waits_elsewhere(self) -> bool:
        """Whether there is a question that another process is to bring to its end."""
        mine = this_process()
        return any(turn.owner != mine for turn in self.head.unfinished())

    @property
    def head(self) -> SessionHead:
        """The session as it is now."""
        return self.journal.head

    def turn(self, turn_id: str) -> Turn | None:
        """The turn, if the session has it."""
        return self.head.turns.get(turn_id)

    def tell(self, event: SessionEvent) -> None:
        """Tell the listener; what it raises is logged and stops nothing here."""
        try:
            self._tell(event)
        except Exception:
            logger.exception("a listener failed on %s", type(event).__name__)

    async def record(self, *records: Record, durable: bool = True, needed: bool = True) -> None:
        """Append ``records``, after those that could not be written before.

        Raises:
            StorageError, SessionNotFoundError: ``needed`` and they could not be written.
        """
        async with self._one_at_a_time:
            try:
                await self.journal.append(*self._unsaved, *records, durable=durable or bool(self._unsaved))
            except (StorageError, SessionNotFoundError) as problem:
                if needed:
                    raise
                self._keep(records, problem)
            else:
                self._saved()

    async def text(self, turn: Turn, text: str, *, replace: bool = False) -> None:
        """Some text of the answer of ``turn`` came: told at once, then written down, at a bounded rate."""
        if self._streaming != turn.id:
            self._drop_pending()
            self._streaming = turn.id
        self._texts[turn.id] = text if replace else self._texts.get(turn.id, "") + text
        self._pending = text if replace else self._pending + text
        self._replace = self._replace or replace
        self.tell(TurnText(self.session, turn, text, replace))
        if time.monotonic() - self._last_delta < DELTA_SECONDS:
            return
        delta = TurnDelta(turn_id=turn.id, text=well_formed(self._pending), replace=self._replace)
        self._pending, self._replace = "", False
        try:
            await self.journal.append(delta, durable=False)
        except (StorageError, SessionNotFoundError) as problem:
            logger.warning("%s: some streamed text is not on disk yet: %s", self.journal.name, problem)
            # Written whole next time, so that what is on disk has no hole.
            self._pending, self._replace = self._texts.get(turn.id, ""), True
        self._last_delta = time.monotonic()

    def text_so_far(self, turn_id: str) -> str:
        """What has come of an answer that is under way, or had come of one that another process was given."""
        turn = self.turn(turn_id)
        return self._texts.get(turn_id) or (turn.answer if turn else "")

    async def finish(self, record: TurnFinished) -> None:
        """Record the end of a turn; it is kept in memory if it can't be written now."""
        self._texts.pop(record.turn_id, None)
        if record.turn_id == self._streaming:
            self._drop_pending()
        record.answer = well_formed(record.answer)
        await self.record(record, needed=False)

    async def refresh(self) -> None:
        """Take in what others recorded, and tell when there was something."""
        if await self.journal.refresh():
            self.tell(SessionMoved(self.session))

    async def bury_the_dead(self) -> None:
        """End the turns whose process died before they were answered; call it with the lease held.

        A turn that was being answered must be dead, since the lease is ours; one that waits may belong to a
        process that lives. Of another machine that can't be seen: it counts as gone once the lease was there to be had
        for :data:`GONE_SECONDS`, and nothing was recorded by anybody.
        """
        mine = this_process()
        gone = [turn for turn in self.head.unfinished() if turn.owner != mine and self._is_gone(turn)]
        for turn in gone:
            when = "while Claude was answering; what had come is kept"
            if turn.state is TurnState.QUEUED:
                when = "before this was sent to Claude"
            error = f"The editor or the server ended {when}. Ask again with Retry."
            await self.finish(TurnFinished(turn_id=turn.id, state=TurnState.FAILED, answer=turn.answer, error=error))
            self.tell(SessionMoved(self.session))

    def _is_gone(self, turn: Turn) -> bool:
        """Whether nobody is at work on a turn; call it with the lease held."""
        if turn.state is not TurnState.QUEUED or not is_alive(turn.owner):
            return True
        if is_of_this_machine(turn.owner):
            return False
        seq, since = self._waiting_elsewhere.get(turn.id, (-1, 0.0))
        if seq != self.head.channelcoder.seq:
            self._waiting_elsewhere[turn.id] = (self.head.channelcoder.seq, time.monotonic())
            return False
        return time.monotonic() - since >= GONE_SECONDS

    async def close(self) -> None:
        """Write what could not be written before, if it can be now, and close the journal."""
        self._closing.set()
        if self._saving is not None:
            await self._saving
        if self._unsaved:
            await self.record(needed=False)
        if self._unsaved:
            logger.error("%s: %d records could not be saved", self.journal.name, len(self._unsaved))
        await self.journal.close()

    def _keep(self, records: tuple[Record, ...], problem: ChannelCoderError) -> None:
        if isinstance(problem, SessionNotFoundError):
            self._unsaved = []
        elif not records:
            return  # It was tried again, and had been told.
        for record in records:
            self.head.apply(record)
        logger.error("%s: %s", self.journal.name, problem)
        if isinstance(problem, SessionNotFoundError):
            self.tell(Trouble(f"The session {self.journal.name!r} was removed while it was in use."))
            return
        self._unsaved = [*self._unsaved, *records]
        self.tell(Trouble(f"{problem} It is kept in memory and saved when it can be."))
        if self._saving is None or self._saving.done():
            self._saving = asyncio.create_task(self._save_again(), name="what could not be saved")

    async def _save_again(self) -> None:
        """Until it is saved: a server that is killed meanwhile would take it along."""
        while self._unsaved:
            with move_on_after(SAVE_AGAIN_SECONDS):
                await self._closing.wait()
                return  # Closing tries once more.
            await self.record(needed=False)

    def _saved(self) -> None:
        if self._unsaved:
            self._unsaved = []
            self.tell(TroubleOver(f"What could not be saved in the session {self.journal.name!r} is saved now."))

    def _drop_pending(self) -> None:
        self._streaming = None
        self._last_delta = -math.inf
        self._pending = ""
        self._replace = False
