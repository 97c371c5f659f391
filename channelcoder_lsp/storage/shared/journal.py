"""One session that several machines share, open for recording."""

from __future__ import annotations

import asyncio
import logging
import re
import zlib
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from channelcoder_lsp.domain.errors import SessionNotFoundError, StorageError
from channelcoder_lsp.domain.records import TurnDelta, TurnFinished
from channelcoder_lsp.domain.session import SessionHead
from channelcoder_lsp.storage.shared.backend import Mark
from channelcoder_lsp.storage.shared.leasing import LEASE_SECONDS, leased
from channelcoder_lsp.storage.shared.lines import head_of, head_text, lines_of, record_of, row_after, state_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable
    from contextlib import AbstractAsyncContextManager

    from channelcoder_lsp.domain.records import Record
    from channelcoder_lsp.domain.session import SessionState
    from channelcoder_lsp.domain.transcripts import Transcripts
    from channelcoder_lsp.storage.shared.backend import Backend, Handle, Line, Stored

logger = logging.getLogger(__name__)

KEEP_HEAD_EVERY = 200
"""Records after which the head is kept anew, so that opening the session never reads more than so many."""
GRACE_SECONDS = 3600.0
"""How long a text stays after it was last wanted, though nothing points at it."""
_DIGEST = re.compile("[0-9a-f]{64}")
_MENTIONED = re.compile('"([0-9a-f]{64})"')


class SharedJournal:
    """The port :class:`channelcoder_lsp.domain.storage.Journal` on a back end.

    Records are added after the last one that this journal has seen; where another machine was faster, its records are
    taken in first. So all journals of a session have the same history, in the same order.
    """

    def __init__(
        self,
        backend: Backend,
        handle: Handle,
        stored: Stored,
        lease_seconds: float = LEASE_SECONDS,
        transcripts: Transcripts | None = None,
    ) -> None:
        self._backend = backend
        self._handle = handle
        self.transcripts = transcripts
        """Claude's own copies of the conversation."""
        self._head = SessionHead()
        self._mark = stored.mark
        self._kept = stored.mark
        self._deltas: dict[str, list[int]] = {}
        self._needless: list[int] = []
        self._fence = 0
        self._lease_seconds = lease_seconds
        self._closed = False
        self._one_at_a_time = asyncio.Lock()
        self._become(stored)

    @property
    def name(self) -> str:
        """The session's name."""
        return self._handle.name

    @property
    def location(self) -> str:
        """Where the session is, without credentials."""
        return f"{self._backend.address}/{self.name}"

    @property
    def head(self) -> SessionHead:
        """The session without its messages, as far as this journal has seen."""
        return self._head

    async def append(self, *records: Record, durable: bool = True) -> None:  # noqa: ARG002 - a back end knows no less
        """Record what happened; see :meth:`channelcoder_lsp.domain.storage.Journal.append`.

        Raises:
            LeaseLostError: this journal holds a lease that was given to another one meanwhile.
        """
        async with self._one_at_a_time:
            if self._closed:
                raise StorageError(f"Session {self.name!r} was closed here. Open it again to record in it.")
            if not records:
                return
            while True:
                lines = lines_of(records, self._mark.seq)
                row = row_after(self._head, lines, self._handle, self._backend.address)
                mark = await self._backend.append(self._handle, self._mark, lines, row, self._fence)
                if mark is not None:
                    break
                await self._catch_up()
            self._take_in(lines)
            self._mark = mark
            if self._mark.seq - self._kept.seq >= KEEP_HEAD_EVERY:
                await self._keep_head()

    async def refresh(self) -> bool:
        """Take in what others recorded; whether there was anything."""
        async with self._one_at_a_time:
            return await self._catch_up()

    async def state(self) -> SessionState:
        """The whole session."""
        return state_of(await self._backend.whole(self._handle), self._handle)

    def lease(self) -> AbstractAsyncContextManager[None]:
        """Hold the right to ask a question."""
        return self._leased()

    async def keep_content(self, digest: str, text: str) -> None:
        """Keep the text of a file as it was when a question was asked."""
        data = zlib.compress(text.encode("utf-8", "surrogatepass"))
        await self._backend.keep_content(self._handle, _checked(digest), data)

    async def content(self, digest: str) -> str | None:
        """A text that was kept, or None."""
        data = await self._backend.content(self._handle, _checked(digest))
        if data is None:
            return None
        try:
            return zlib.decompress(data).decode("utf-8", "surrogatepass")
        except (zlib.error, UnicodeDecodeError):
            logger.warning("a text kept with session %r can't be read", self.name)
            return None

    async def fold(self) -> None:
        """Keep the head as it is now, and drop what nobody needs any more."""
        async with self._one_at_a_time:
            await self._catch_up()
            await self._keep_head()
            mentioned = set(_MENTIONED.findall(head_text(self._head)))
            await self._backend.drop_contents(self._handle, mentioned, GRACE_SECONDS)

    async def close(self) -> None:
        """Fold and let go of the session."""
        if not self._closed:
            try:
                await self.fold()
            except SessionNotFoundError:
                pass
            except StorageError as problem:  # all is recorded; opening the session only takes longer
                logger.info("session %r was not folded: %s", self.name, problem)
            self._closed = True

    @asynccontextmanager
    async def _leased(self) -> AsyncIterator[None]:
        async with leased(self._backend, self._handle, self._lease_seconds) as fence:
            self._fence = fence
            try:
                yield
            finally:
                self._fence = 0

    async def _catch_up(self) -> bool:
        lines = await self._backend.since(self._handle, self._mark)
        if lines is None:
            self._become(await self._backend.head(self._handle))
            return True
        self._take_in(lines)
        return bool(lines)

    def _take_in(self, lines: Iterable[Line]) -> None:
        for line in lines:
            record = record_of(line, self._handle)
            self._head.apply(record)
            self._mark = Mark(self._mark.generation, line.seq)
            self._note(record)

    def _note(self, record: Record) -> None:
        """Remember which records nobody needs any more: the pieces of an answer, once all of it is there."""
        if isinstance(record, TurnDelta):
            self._deltas.setdefault(record.turn_id, []).append(record.seq)
        elif isinstance(record, TurnFinished):
            self._needless += self._deltas.pop(record.turn_id, [])

    def _become(self, stored: Stored) -> None:
        head = head_of(stored, self._handle)
        for field in SessionHead.model_fields:
            setattr(self._head, field, getattr(head, field))
        self._mark = Mark(stored.mark.generation, max([stored.mark.seq, *(line.seq for line in stored.lines)]))
        self._kept = stored.mark
        self._deltas, self._needless = {}, []
        for line in stored.lines:
            self._note(record_of(line, self._handle))

    async def _keep_head(self) -> None:
        if self._mark == self._kept and not self._needless:
            return
        with suppress(SessionNotFoundError):
            try:
                await self._backend.keep_head(self._handle, self._mark, head_text(self._head), self._needless)
            except StorageError as problem:  # what was recorded is there; only opening it takes longer
                logger.info("the head of session %r was not kept: %s", self.name, problem)
            else:
                self._kept, self._needless = self._mark, []


def _checked(digest: str) -> str:
    if not _DIGEST.fullmatch(digest):
        raise StorageError(f"{digest!r} is not a SHA-256 in lower-case hexadecimal digits.")
    return digest
