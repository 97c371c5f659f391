"""What a program has of a session whether it asks in it or not: its name, its messages, where it is kept."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import anyio

from channelcoder_lsp.domain.agent import ConnectionRequest
from channelcoder_lsp.domain.errors import ArgumentsError, SessionError, SessionNotFoundError, StorageError
from channelcoder_lsp.domain.ledger import Ledger
from channelcoder_lsp.domain.session import Message, SessionMetadata, SessionState
from channelcoder_lsp.library.all_sessions import AllSessions, journaled, opened
from channelcoder_lsp.library.folder import follow
from channelcoder_lsp.library.importing import take_in
from channelcoder_lsp.library.runtime import Runtime
from channelcoder_lsp.services import archive
from channelcoder_lsp.services.checkouts import Checkout
from channelcoder_lsp.services.session import Session as OpenSession
from channelcoder_lsp.services.tasks import whole

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from typing_extensions import Self

    from channelcoder_lsp.domain.storage import SessionStorage

logger = logging.getLogger(__name__)


class KeptSession(AllSessions):
    """A session in a storage; :class:`~channelcoder_lsp.library.session.Session` asks in it.

    Args:
        name: the name it is stored under; None: under its session id, until :meth:`save` names it.
        storage: where it is kept; None: where the settings say.
        auto_save: record each question and answer at once; without it only :meth:`save` stores anything.
        cwd: the folder that Claude works in; None: the current one.
    """

    def __init__(
        self,
        name: str | None = None,
        storage: SessionStorage | None = None,
        *,
        auto_save: bool = True,
        cwd: str | Path | None = None,
    ) -> None:
        self.cwd = Path(cwd or Path.cwd()).resolve()
        self._runtime = Runtime()
        given = storage if storage is not None else self._runtime.configuration.storage()
        self._given = given
        self._owns_storage = storage is None
        self._storage = journaled(given, auto_save=auto_save)
        self._auto_save = auto_save
        self._name = name
        self._stored: str | None = None
        """The name that it has in the storage, once it is there."""
        self._open: OpenSession | None = None
        self._messages: list[Message] = []
        self._resume: str | None = None
        self._last_id: str | None = None
        """The Claude session when it was closed."""
        self._behind = False
        """Whether somebody else may have asked in it on our behalf."""
        self._opening = asyncio.Lock()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def id(self) -> str | None:
        """The current Claude session id."""
        return self._resume or (self._open.id() if self._open is not None else self._last_id)

    @property
    def name(self) -> str | None:
        """The name it is, or will be, stored under, if it has one."""
        return self._name

    def messages(self) -> list[Message]:
        """What was said, oldest first."""
        return list(self._messages)

    @whole
    async def save(self, name: str | None = None) -> str:
        """Store the session, under ``name`` from now on.

        A storage that can't remove sessions keeps what was said so far under the old name, too.

        Returns:
            Where it is.

        Raises:
            SessionExistsError: another session has the name.
            SessionNameError: it can't be a name.
            StorageError: it could not be stored.
        """
        session = await self._opened()
        wanted = name or self._name
        if not self._auto_save:
            state = await session.state()
            state.metadata.name = wanted
            where = await self._given.save(state, wanted)
            self._name = wanted
            return where
        if wanted is not None and wanted != session.name:
            await self._let_go()
            try:
                if hasattr(self._given, "delete"):
                    await self._storage.rename(session.name, wanted)
                    if self._owns_storage:
                        await follow(session.name, wanted)
                else:  # an adapter with the guide's three methods keeps what it has under the old name
                    await archive.fork(self._storage, session.name, wanted)
                self._name = self._stored = wanted
            finally:
                session = await self._opened()
        return await session.save()

    def set_id(self, session_id: str) -> None:
        """Go on with a Claude session, from the next question on, which is refused where there is none of that id."""
        if not session_id.strip():
            raise ArgumentsError("session_id: it is empty. Give the id of a Claude session.")
        self._resume = session_id.strip()

    async def clear(self) -> None:
        """Forget everything that was said; the next question begins a new conversation.

        Raises:
            StorageError: it could not be recorded.
        """
        self._messages.clear()
        self._resume = None
        if self._open is not None:
            await self._open.clear()

    async def limit(self, usd: float | None) -> None:
        """Say what the session may cost altogether; None: as much as it does.

        What is beyond it is refused: :class:`~channelcoder_lsp.domain.errors.SpendingLimitError`.

        Raises:
            ArgumentsError: it is not an amount.
            StorageError: it could not be recorded.
        """
        await (await self._opened()).limit_spending(usd)

    @whole
    async def fork(self, name: str) -> Self:
        """A copy under another name that goes its own way.

        Raises:
            SessionExistsError: the name is taken.
            StorageError: it can't be stored.
        """
        session = await self._opened()
        await session.save()
        await archive.fork(self._storage, session.name, name)
        return await type(self).load(name, self._given)

    async def export(self, form: archive.Format = "markdown") -> str:
        """The session as a text: ``markdown`` to read, ``json`` with everything, ``guide`` with the guide's keys."""
        return archive.export(await (await self._opened()).state(), form)

    @whole
    async def close(self) -> None:
        """Put the session at rest, and end what was started for it."""
        await self._let_go()
        await self._runtime.close()
        if self._owns_storage:
            await self._storage.close()

    # All sessions

    @classmethod
    async def load(cls, name_or_path: str | Path, storage: SessionStorage | None = None) -> Self:
        """A stored session, to go on with.

        Args:
            name_or_path: its name; or the path of a file with a session, which is copied and never written.
            storage: where it is kept; None: in files.

        Raises:
            SessionNotFoundError: there is none.
            SessionCorruptError: it can't be read; it was set aside.
        """
        session = cls(storage=storage)
        name = str(name_or_path)
        if await session._storage.exists(name):
            state = await session._storage.load(name)
            session._name = state.metadata.name
            session._stored = name
        else:
            state = await session._storage.load(name)
            copy = f"{state.metadata.name or Path(name).stem}-{uuid4().hex[:8]}"
            state.metadata.name = copy
            await (await session._storage.create(state, copy)).close()
            session._name = session._stored = copy
        session._messages = state.messages
        if (folder := state.channelcoder.checkout) and await anyio.Path(folder).is_dir():
            session.cwd = Path(folder)
        await session._opened()
        return session

    @classmethod
    async def import_(cls, path: str | Path, name: str | None = None, storage: SessionStorage | None = None) -> Self:
        """A session from a file, stored under a name, to go on with. The file is only read.

        Args:
            path: a JSON file (the guide's keys, or what :meth:`export` wrote as ``json`` or ``guide``), or a transcript
                of Claude Code (``.jsonl``). A transcript in Claude Code's own folder is gone on with in a copy of its
                conversation; another one Claude is told with the next question.
            name: its name from now on; None: as in the file, or after it.
            storage: where it is kept; None: where the settings say.

        Raises:
            SessionExistsError, SessionNameError: the name is taken, or can't be one.
            SessionError: there is no session in the file, or no file.
            SessionCorruptError: it can't be read.
        """
        async with opened(storage) as sessions:
            stored = await take_in(sessions, Path(path), name, Runtime().configuration.transcripts())
        return await cls.load(stored, storage)

    @whole
    async def _opened(self) -> OpenSession:
        """The session in the storage, made if it isn't there yet."""
        async with self._opening:
            if self._open is None:
                if self._stored is None:
                    self._stored = self._name or str(uuid4())
                    state = SessionState(
                        metadata=SessionMetadata(name=self._name),
                        channelcoder=Ledger(checkout=str(Checkout.of(self.cwd).root)),
                    )
                    journal = await self._storage.create(state, self._stored)
                else:
                    journal = await self._storage.open(self._stored)
                self._open = OpenSession(journal, self._runtime.ports, self._request)
            if self._resume is not None and self._resume != self._open.id():
                await self._open.go_on_with(self._resume)
            self._resume = None
            return self._open

    @asynccontextmanager
    async def _asked_in(self) -> AsyncIterator[OpenSession]:
        """The session in the storage; one that was made for a question that then can't be asked is gone again."""
        fresh = self._stored is None and self._auto_save
        session = await self._opened()
        try:
            yield session
        except Exception:
            if fresh and not (await session.state()).turns:
                await self._forget(session)
            raise

    @whole
    async def _forget(self, session: OpenSession) -> None:
        self._stored, self._resume = None, session.id()
        await self._let_go()
        try:
            await self._storage.delete(session.name)
        except (SessionError, StorageError) as problem:
            logger.info("%s stays, with nothing in it: %s", session.name, problem)

    async def _let_go(self) -> None:
        if self._open is not None:
            session, self._open = self._open, None
            self._last_id = session.id()
            try:
                await session.close()
            except SessionNotFoundError as problem:
                logger.info("%s", problem)

    def _request(self) -> ConnectionRequest:
        settings = self._runtime.ports.settings()
        return ConnectionRequest(cwd=self.cwd, model=settings.model, trusted=self._runtime.trusts(self.cwd))
