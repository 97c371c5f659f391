"""The open folders, and which of them a document belongs to (design decision 5)."""

from __future__ import annotations

import asyncio
import logging
from contextlib import AsyncExitStack, aclosing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from channelcoder_lsp.domain.errors import (
    ArgumentsError,
    ChannelCoderError,
    ProposalNotFoundError,
    SessionBusyError,
    SessionNotFoundError,
    ThreadNotFoundError,
    TurnNotFoundError,
)
from channelcoder_lsp.domain.uri import path_of
from channelcoder_lsp.services.checkouts import Checkout, Checkouts
from channelcoder_lsp.services.project import Project
from channelcoder_lsp.services.tasks import end, whole

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Iterator

    from channelcoder_lsp.domain.session import SessionInfo
    from channelcoder_lsp.domain.storage import JournaledStorage
    from channelcoder_lsp.services.session import Session, SessionPorts

logger = logging.getLogger(__name__)

_WATCH_AGAIN_SECONDS = 30.0


class Projects:
    """All projects of one server.

    Args:
        storage: where sessions are kept.
        checkouts: what is remembered about folders.
        ports: what sessions work with.
        scratch: a folder of our own, for what lies in no open folder: Claude is shown nothing else.
    """

    def __init__(self, storage: JournaledStorage, checkouts: Checkouts, ports: SessionPorts, scratch: Path) -> None:
        self.storage = storage
        self.checkouts = checkouts
        self._ports = ports
        self._scratch_folder = scratch
        self._scratch: Project | None = None
        self._projects: dict[Path, Project] = {}
        self._watching: list[asyncio.Task[None]] = []
        self._background: set[asyncio.Task[None]] = set()

    def __iter__(self) -> Iterator[Project]:
        scratch = [self._scratch] if self._scratch is not None else []
        return iter([*self._projects.values(), *scratch])

    async def add(self, folder: Path) -> Project:
        """A folder was opened; its active session is opened as well, if it has one."""
        checkout = Checkout.of(folder)
        if checkout.root not in self._projects:
            self._projects[checkout.root] = self._project(checkout)
        project = self._projects[checkout.root]
        await self._resume(project)
        await self._rehome()
        self._in_background(self._share(project), f"share {checkout.root}")
        return project

    @whole
    async def remove(self, folder: Path) -> None:
        """A folder was closed: its session is closed too, at rest."""
        if (project := self._projects.pop(Checkout.of(folder).root, None)) is not None:
            await project.close()
            await self._rehome(project)

    def of(self, uri: str) -> Project:
        """The project that owns a document: the innermost open folder that holds it, else the scratch one.

        For an open document that is known without a look at the disk.
        """
        return next((project for project in self if project.documents.get(uri) is not None), None) or self._owner(uri)

    def of_folder(self, folder: str | None) -> Project:
        """The project of a folder's URI or path; without one the only open folder, else the scratch one.

        Raises:
            ArgumentsError: the folder is not open.
        """
        if folder is None:
            return next(iter(self._projects.values()), None) or self.scratch
        path = path_of(folder) if "://" in folder else Path(folder)
        checkout = Checkout.of(path) if path else None
        for project in self:
            if project.checkout == checkout:
                return project
        raise ArgumentsError(f"folder: {folder!r} is not open in the editor. Open it, or leave the folder out.")

    @property
    def scratch(self) -> Project:
        """The project of files outside all folders and of unsaved buffers."""
        if self._scratch is None:
            self._scratch_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._scratch = self._project(Checkout.of(self._scratch_folder))
        return self._scratch

    def with_turn(self, turn_id: str) -> tuple[Project, Session]:
        """The project that has the turn in an open session, and that session.

        Raises:
            TurnNotFoundError: none has it.
        """
        for project in self:
            for session in project.sessions:
                if turn_id in session.head.turns:
                    return project, session
        raise TurnNotFoundError(turn_id)

    def with_thread(self, thread_id: str) -> tuple[Project, Session]:
        """The project whose active session has the thread.

        Raises:
            ThreadNotFoundError: none has it.
        """
        for project in self:
            if project.session is not None and thread_id in project.session.head.threads:
                return project, project.session
        raise ThreadNotFoundError(thread_id)

    def with_proposal(self, proposal_id: str) -> tuple[Project, Session]:
        """The project whose active session has the proposal.

        Raises:
            ProposalNotFoundError: none has it.
        """
        for project in self:
            if project.session is not None and proposal_id in project.session.head.proposals:
                return project, project.session
        raise ProposalNotFoundError(proposal_id)

    async def list_sessions(self, project: Project) -> list[SessionInfo]:
        """All sessions of the storage, this project's first, the newest first among them."""
        sessions = await self.storage.list()
        root = str(project.checkout.root)
        return sorted(sessions, key=lambda info: info.checkout != root)

    @whole
    async def rename_session(self, name: str, new_name: str) -> None:
        """Give a session another name; where it is active it stays so.

        Raises:
            SessionBusyError: something is being asked in it.
            SessionNotFoundError, SessionExistsError, SessionNameError: as they say.
            StorageError: it can't be written.
        """
        if any(session.name == name and session.asking for project in self for session in project.sessions):
            raise SessionBusyError(
                f"The session {name!r} can't be renamed while Claude answers in it. Wait for the answer, or cancel it."
            )
        holders = [project for project in self if project.session and project.session.name == name]
        try:
            async with AsyncExitStack() as held:
                # Nobody finds the session gone, and the folder without one, before the folder has the new name.
                for project in self:
                    await held.enter_async_context(project.without_session(name))
                await self.storage.rename(name, new_name)
                for project in self:
                    project.renamed(name, new_name)
        finally:
            for project in holders:
                await self._resume(project)

    @whole
    async def remove_session(self, name: str) -> None:
        """Remove a session and everything that belongs to it.

        Raises:
            SessionNotFoundError: there is none.
            StorageError: it can't be removed.
        """
        if not await self.storage.exists(name):
            raise SessionNotFoundError(name)
        for project in self:
            async with project.without_session(name):
                pass
            if self.checkouts.active_session(project.checkout) == name:
                self.checkouts.set_active_session(project.checkout, None)
        await self.storage.delete(name)

    def watch(self) -> None:
        """Follow what other processes do to the open sessions, until :meth:`close`."""
        if not self._watching:
            follow = (self._storage_changes, self._folder_changes, self._choices)
            self._watching = [asyncio.create_task(self._watch(each), name=f"watch: {each.__name__}") for each in follow]

    @whole
    async def close(self) -> None:
        """Close everything, at rest."""
        await end(self._watching)
        self._watching = []
        for task in list(self._background):
            task.cancel()
        for project in self:
            try:
                await project.close()
            except ChannelCoderError:
                logger.exception("closing the session of %s", project.checkout.root)

    def _project(self, checkout: Checkout) -> Project:
        return Project(checkout, self.storage, self.checkouts, self._ports)

    async def _resume(self, project: Project) -> None:
        try:
            session = await project.resume()
        except ChannelCoderError as problem:
            logger.warning("%s", problem)
            return
        if session is not None:
            self._in_background(_recover(session), f"recover {session.name}")

    def _in_background(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def _rehome(self, *gone: Project) -> None:
        """After folders came or went: give each open document to the project that owns it now."""
        for project in [*self, *gone]:
            for document in project.documents:
                owner = self._owner(document.uri)
                if owner is not project:
                    await project.placed.closed(document.uri)
                    document.path = owner.relative(document.uri)
                    document.places.clear()
                    await owner.opened(document)

    def _owner(self, uri: str) -> Project:
        if (path := path_of(uri)) is None:
            return self.scratch
        return self._holding(path) or self._holding(Checkout.of(path).root) or self.scratch

    def _holding(self, path: Path) -> Project | None:
        """The project of the innermost open folder that holds ``path``."""
        roots = [root for root in self._projects if Checkout(root).contains(path)]
        return self._projects[max(roots, key=lambda root: len(root.parts))] if roots else None

    async def _watch(self, follow: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await follow()
            except ChannelCoderError as problem:
                logger.warning("changes by other processes are not seen for now: %s", problem)
            except Exception:
                logger.exception("watching the sessions stopped; it starts again in a moment")
            await asyncio.sleep(_WATCH_AGAIN_SECONDS)

    async def _storage_changes(self) -> None:
        async with aclosing(self.storage.watch()) as names:
            async for name in names:
                await self._changed(name)

    async def _folder_changes(self) -> None:
        """Go over to the session that another process made the active one, unless something is being asked here."""
        async with aclosing(self.checkouts.changes()) as changes:
            async for _ in changes:
                for project in self:
                    await self._share(project)

    async def _choices(self) -> None:
        """The same, where it was on another machine."""
        chosen = asyncio.Event()
        if (elsewhere := self.storage.active_sessions) is not None:
            elsewhere.when_chosen(chosen.set)
        while True:
            await chosen.wait()
            chosen.clear()
            for project in self:
                await self._share(project)

    async def _share(self, project: Project) -> None:
        await project.share()
        await self._follow(project)

    async def _follow(self, project: Project) -> None:
        active = self.checkouts.active_session(project.checkout)
        session = project.session
        if active is not None and (session is None or (session.name != active and not session.asking)):
            await self._resume(project)

    async def _changed(self, name: str) -> None:
        for project in self:
            if project.session is not None and project.session.name == name:
                try:
                    await project.session.refresh()
                    await project.placed.place_new()
                    await project.proposed.load()
                except ChannelCoderError as problem:
                    logger.warning("taking in changes of %s: %s", name, problem)


async def _recover(session: Session) -> None:
    try:
        await session.recover()
    except ChannelCoderError as problem:
        logger.warning("%s: %s", session.name, problem)
