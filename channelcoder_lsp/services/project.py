"""A project: an open folder, its active session, and the threads in its open documents."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import anyio.to_thread

from channelcoder_lsp.domain.agent import ConnectionRequest
from channelcoder_lsp.domain.errors import (
    SessionCorruptError,
    SessionExistsError,
    SessionNotFoundError,
)
from channelcoder_lsp.domain.ledger import Ledger
from channelcoder_lsp.domain.session import SessionMetadata, SessionState
from channelcoder_lsp.domain.uri import path_of, uri_of
from channelcoder_lsp.services.checkouts import Checkout, Checkouts
from channelcoder_lsp.services.events import SessionMoved, Trouble
from channelcoder_lsp.services.leaving import LeftSessions
from channelcoder_lsp.services.on_disk import ThreadsOnDisk
from channelcoder_lsp.services.placed import PlacedThreads
from channelcoder_lsp.services.proposed import ProposedEdits
from channelcoder_lsp.services.replies import reply, selection_in, selection_on_disk
from channelcoder_lsp.services.review import Reviews
from channelcoder_lsp.services.review_sources import Sources
from channelcoder_lsp.services.session import Session, SessionPorts
from channelcoder_lsp.services.sharing import share_active
from channelcoder_lsp.services.tasks import whole
from channelcoder_lsp.services.threads import Document, thread_about
from channelcoder_lsp.services.told import EditorTold
from channelcoder_lsp.services.toolbox import Toolbox
from channelcoder_lsp.services.uncommitted import uncommitted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from channelcoder_lsp.domain.deny_list import DenyList
    from channelcoder_lsp.domain.storage import JournaledStorage
    from channelcoder_lsp.domain.thread import Thread
    from channelcoder_lsp.domain.turn import Turn
    from channelcoder_lsp.services.compose import Question
    from channelcoder_lsp.services.context import ChosenContext, ContextItem

logger = logging.getLogger(__name__)


class Project:
    """One folder (or the scratch folder, for what lies in none) with its active session.

    Args:
        checkout: the folder.
        storage: where its sessions are.
        checkouts: which of them is active.
        ports: what sessions work with.
    """

    def __init__(
        self, checkout: Checkout, storage: JournaledStorage, checkouts: Checkouts, ports: SessionPorts
    ) -> None:
        self.checkout = checkout
        self.session: Session | None = None
        self.placed = PlacedThreads(checkout.root, lambda: self.session)
        self.documents = self.placed.documents
        self.reviews = Reviews(self, ports)
        self.told = EditorTold()
        self.proposed = ProposedEdits(checkout.root, self.documents, lambda: self.session)
        self.left = LeftSessions()
        self.on_disk = ThreadsOnDisk(
            checkout.root,
            self.placed,
            session=lambda: self.session,
            repository=lambda: ports.repositories(checkout.root),
            tell=ports.tell,
        )
        self._storage = storage
        self._checkouts = checkouts
        self._ports = ports
        self._opening = asyncio.Lock()
        self._asking = asyncio.Lock()
        self._making = asyncio.Lock()
        """Of several questions that find no session the first makes it."""

    def relative(self, uri: str) -> str | None:
        """The path of a document as anchors keep it: relative to the root, with forward slashes."""
        path = path_of(uri)
        if path is None:
            return None
        for candidate in (path, Checkout.of(path).root):
            try:
                return candidate.relative_to(self.checkout.root).as_posix()
            except ValueError:
                continue
        return str(path)

    def deny_list(self) -> DenyList:
        """Which files are kept from Claude, as settings and rules are now. Blocks for a moment."""
        return self._ports.deny_list(self.checkout.root)

    # Sessions

    @property
    def sessions(self) -> list[Session]:
        """Those that are open: the active one, and those whose questions are still being answered."""
        return [*([self.session] if self.session is not None else []), *self.left]

    async def resume(self) -> Session | None:
        """The active session, opened if it isn't yet; None while the project has none."""
        async with self._opening:
            name = self._checkouts.active_session(self.checkout)
            if self.session is not None and self.session.name == name:
                return self.session
            if name is None:
                return None
            try:
                return await self._use(name)
            except SessionNotFoundError:
                logger.warning("the active session %s of %s is gone", name, self.checkout.root)
                self._checkouts.set_active_session(self.checkout, None)
                return None

    async def session_to_ask_in(self) -> Session:
        """The active session; a new one if there is none.

        Raises:
            StorageError: it can't be opened or made.
        """
        async with self._making:
            if (session := await self.resume()) is not None:
                return session
            await self.share()
            async with self._checkouts.choosing(self.checkout):
                return await self.resume() or await self.new_session()

    async def share(self) -> None:
        """Have the same session be active as in the project's checkouts elsewhere, where they share it."""
        await share_active(
            self.checkout,
            self._checkouts,
            self._storage.active_sessions,
            self._ports.settings(),
            lambda: self._ports.repositories(self.checkout.root),
        )

    @whole
    async def new_session(self, name: str | None = None) -> Session:
        """Start a new session and make it the active one.

        Raises:
            SessionExistsError, SessionNameError: ``name`` is taken, or can't be a name.
            StorageError: it can't be made.
        """
        async with self._opening:
            for candidate in [name] if name is not None else self.checkout.session_names():
                state = SessionState(
                    metadata=SessionMetadata(name=candidate),
                    channelcoder=Ledger(checkout=str(self.checkout.root)),
                )
                try:
                    journal = await self._storage.create(state, candidate)
                except SessionExistsError:
                    if name is not None:
                        raise
                    continue
                await journal.close()
                await self._close(candidate)  # one of that name was removed by another process
                self._checkouts.set_active_session(self.checkout, candidate)
                return await self._use(candidate)
        raise AssertionError("session_names() never ends")

    @whole
    async def switch(self, name: str) -> Session:
        """Make the session ``name`` the active one. What is being asked in the one before is still answered.

        Raises:
            SessionNotFoundError: there is none.
            StorageError: it can't be opened.
        """
        async with self._opening:
            session = await self._use(name)
            self._checkouts.set_active_session(self.checkout, name)
            return session

    @asynccontextmanager
    async def without_session(self, name: str) -> AsyncIterator[None]:
        """Let go of the session ``name`` for as long as the context is, if it is open here."""
        async with self._opening:
            await self._close(name)
            yield

    def renamed(self, name: str, new_name: str) -> None:
        """The session ``name`` has another name now: it stays the active one if it was."""
        if self._checkouts.active_session(self.checkout) == name:
            self._checkouts.set_active_session(self.checkout, new_name)

    @whole
    async def close(self) -> None:
        """Record where the threads are and close the session."""
        await self.on_disk.close()
        async with self._opening:
            await self._close()

    @whole
    async def _use(self, name: str) -> Session:
        if self.session is not None and self.session.name == name:
            return self.session
        session = await self.left.take_back(name) or await self._opened(name)
        before = await self._let_go()
        self.session = session
        if before is not None and before.asking:
            self.left.leave(before)
        elif before is not None:
            await before.close()
        await self.placed.place_new()
        await self.proposed.load()
        self.on_disk.look_soon()
        self._ports.tell(SessionMoved(session))
        return session

    async def _opened(self, name: str) -> Session:
        try:
            journal = await self._storage.open(name)
        except SessionCorruptError as problem:
            # Said once; what could be rescued is in its place by now.
            self._ports.tell(Trouble(problem.message))
            journal = await self._storage.open(name)
        session = Session(journal, self._ports, lambda: self._connection(toolbox))
        toolbox = Toolbox(
            session,
            self.checkout.root,
            self.documents,
            self.told,
            relative=self.relative,
            denied=[self._ports.settings().sessions],
            deny_list=self.deny_list,
        )
        return session

    async def _let_go(self) -> Session | None:
        """The active session, which is none any more; it is still to be closed."""
        session, self.session = self.session, None
        if session is not None:
            await self.reviews.stop(session)
            await self.placed.record(session)
        return session

    @whole
    async def _close(self, name: str | None = None) -> None:
        """Close the session ``name`` if it is open here, or without a name all; what is being asked in it ends."""
        if self.session is not None and name in (None, self.session.name) and (session := await self._let_go()):
            await session.close()
        await self.left.close(name)

    def _connection(self, toolbox: Toolbox) -> ConnectionRequest:
        settings = self._ports.settings()
        return ConnectionRequest(
            cwd=self.checkout.root,
            model=settings.model,
            trusted=self._checkouts.is_trusted(self.checkout),
            more_tools=tuple(settings.tools),
            editor=toolbox,
        )

    # Asking

    async def ask(self, question: Question, context: ChosenContext | None = None) -> Turn:
        """Ask ``question`` in the active session, in a thread about its selection if it has one.

        Questions are recorded, and so asked, in the order of the calls.

        Args:
            question: what to ask.
            context: what else to send along; what of it isn't open is read now.

        Raises:
            ArgumentsError, ThreadNotFoundError, StorageError: see :meth:`Session.ask`.
        """
        thread, selection = None, question.selection
        if selection is not None and question.thread_id is None:
            thread = thread_about(selection)
            # Followed before anything is awaited: the document may change from here on.
            self.documents.follow(selection.uri, thread)
        try:
            async with self._asking:
                if context is not None:
                    question = replace(question, context=await context.items(self._uncommitted))
                if (left_out := self._checkouts.tell_left_out(self.checkout)) is not None:
                    question = replace(question, notes=(left_out,))
                return await self._ask(question, thread)
        except BaseException:
            if thread is not None and selection is not None:
                self.documents.forget(selection.uri, thread.id)
            raise

    async def _uncommitted(self, field: str) -> ContextItem:
        repository = self._ports.repositories(self.checkout.root)
        return await uncommitted(field, Sources(self, repository), repository)

    async def _ask(self, question: Question, thread: Thread | None) -> Turn:
        session = await self.session_to_ask_in()
        try:
            if thread is not None and (same := self._same_place(thread)) is not None:
                replied = await self._reply(replace(question, thread_id=same), same)
                turn = await session.ask(replied)
                self.documents.forget(thread.anchor.uri, thread.id)
                return turn
            if question.thread_id is not None:
                question = await self._reply(question, question.thread_id)
            return await session.ask(question, thread)
        except SessionNotFoundError:  # removed by another process a moment ago
            self._checkouts.set_active_session(self.checkout, None)
            return await (await self.new_session()).ask(question, thread)

    def _same_place(self, new: Thread) -> str | None:
        """The thread about exactly the code that ``new`` is about, if there is one: asking again goes on with it."""
        document = self.documents.get(new.anchor.uri)
        place = document.places.get(new.id) if document is not None else None
        if place is None:
            return None
        same = (here.thread.id for here in self.placed.threads_in(new.anchor.uri) if here.range == place.range)
        return next(same, None)

    async def _reply(self, question: Question, thread_id: str) -> Question:
        """``question`` with the thread's code as it is now, and what else it takes along from the thread."""
        session = await self.session_to_ask_in()
        thread = session.thread(thread_id)
        if question.selection is None:
            document = self.placed.document_of(thread)
            if document is not None:
                selection = selection_in(document, thread)
            elif thread.anchor.path is not None:
                path = self.checkout.root / thread.anchor.path
                kept = await session.text_when_asked(thread)
                selection = await anyio.to_thread.run_sync(selection_on_disk, path, thread, kept)
            else:
                selection = None
            question = replace(question, selection=selection)
        return reply(question, session, thread)

    # Documents

    async def opened(self, document: Document) -> None:
        """A document was opened: find the places of its threads again."""
        self.documents.add(document)
        if await self.resume() is not None:
            await self.placed.opened(document)
            await self.proposed.load()
            self.on_disk.document_opened(document)

    async def closed(self, uri: str) -> None:
        """A document was closed: record where its threads are; on disk they may be elsewhere."""
        self.told.forget(uri)
        await self.placed.closed(uri)
        self.on_disk.look_soon()

    async def renamed_files(self, old: Path, new: Path) -> None:
        """A file or folder was renamed: its threads go with it."""
        session = self.session
        before, after = self.relative(old.as_uri()), self.relative(new.as_uri())
        if session is None or before is None or after is None:
            return
        await self.proposed.renamed(before, after)
        for thread in list(session.head.threads.values()):
            path = thread.anchor.path
            if path is not None and (path == before or path.startswith(f"{before}/")):
                moved = after + path[len(before) :]
                anchor = thread.anchor.moved_to(moved, uri_of(self.checkout.root / moved))
                await session.keep_anchor(thread.id, anchor)
