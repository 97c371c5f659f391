"""One session in its files, open for recording."""

from __future__ import annotations

from typing import TYPE_CHECKING

from anyio import Lock, to_thread

from channelcoder_lsp.domain.session import SessionHead, SessionState
from channelcoder_lsp.storage.file import contents
from channelcoder_lsp.storage.file.appending import JournalFile
from channelcoder_lsp.storage.file.disk import explained
from channelcoder_lsp.storage.file.lease import leased
from channelcoder_lsp.storage.file.loading import load

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from channelcoder_lsp.domain.records import Record
    from channelcoder_lsp.domain.transcripts import Transcripts
    from channelcoder_lsp.storage.file.names import SessionFiles


class FileJournal:
    """The port :class:`channelcoder_lsp.domain.storage.Journal` on files.

    The files are worked on in threads; the head changes in the event loop only, between two of its steps.
    """

    transcripts: Transcripts | None = None
    """The command line's own copies lie on the same machine."""

    def __init__(self, files: SessionFiles) -> None:
        self._files = files
        self._file = JournalFile(files)
        self._one_at_a_time = Lock()
        self._head = SessionHead()

    @property
    def name(self) -> str:
        """The session's name."""
        return self._files.name

    @property
    def location(self) -> str:
        """The path of the snapshot."""
        return str(self._files.snapshot)

    @property
    def head(self) -> SessionHead:
        """The session without its messages, as far as this journal has seen."""
        return self._head

    async def attach(self) -> FileJournal:
        """Read the head; once, before anything else."""
        await to_thread.run_sync(self._file.attach)
        self._take_in()
        return self

    async def append(self, *records: Record, durable: bool = True) -> None:
        """Record what happened; see :meth:`channelcoder_lsp.domain.storage.Journal.append`."""
        async with self._one_at_a_time:
            try:
                await to_thread.run_sync(lambda: self._file.append(records, durable=durable))
            finally:
                self._take_in()

    async def refresh(self) -> bool:
        """Take in what others recorded; whether there was anything."""
        async with self._one_at_a_time:
            try:
                await to_thread.run_sync(self._file.refresh)
            finally:
                news = self._take_in()
            return news

    async def state(self) -> SessionState:
        """The whole session."""
        return await to_thread.run_sync(lambda: load(self._files))

    def lease(self) -> AbstractAsyncContextManager[None]:
        """Hold the right to ask a question."""
        return leased(self._files)

    async def keep_content(self, digest: str, text: str) -> None:
        """Keep the text of a file as it was when a question was asked."""

        def keep() -> None:
            with explained(f"keep a text with session {self.name!r}", self._files.folder):
                contents.keep(self._files, digest, text)

        await to_thread.run_sync(keep)

    async def content(self, digest: str) -> str | None:
        """A text that was kept, or None."""

        def read() -> str | None:
            with explained(f"read a text kept with session {self.name!r}", self._files.folder):
                return contents.kept(self._files, digest)

        return await to_thread.run_sync(read)

    async def fold(self) -> None:
        """Put the session at rest in the guide's form."""
        await to_thread.run_sync(self._file.fold)

    async def close(self) -> None:
        """Put the session at rest and let go of it."""
        async with self._one_at_a_time:
            await to_thread.run_sync(self._file.close)
            self._take_in()

    def _take_in(self) -> bool:
        """Bring the head up to the files; also what a cancelled call left behind."""
        news = self._file.news
        changed = bool(news)
        while news:
            item = news.popleft()
            if isinstance(item, SessionHead):
                self._become(item)
            else:
                self._head.apply(item)
        return changed

    def _become(self, head: SessionHead) -> None:
        for field in SessionHead.model_fields:
            setattr(self._head, field, getattr(head, field))
