"""The language server: the start and the end of it all.

``initialize`` is answered before pydantic, the storage or the SDK are imported: what the features work with (the
:class:`~channelcoder_lsp.features.face.Face`) is built when the client says ``initialized``.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Generator
from typing import TYPE_CHECKING, Any, TypeVar

from lsprotocol import types as lsp
from pygls.exceptions import FeatureRequestError, JsonRpcServerNotInitialized
from pygls.lsp.server import LanguageServer

from channelcoder_lsp.methods import register
from channelcoder_lsp.rpc import Rpc
from channelcoder_lsp.version import __version__

if TYPE_CHECKING:
    from channelcoder_lsp.features.face import Face

logger = logging.getLogger(__name__)

T = TypeVar("T")
Build = Callable[["ChannelCoderServer"], Awaitable["Face"]]

_NOTEBOOKS = lsp.NotebookDocumentSyncOptions(
    notebook_selector=[
        lsp.NotebookDocumentFilterWithCells(
            cells=[lsp.NotebookCellLanguage("*")], notebook=lsp.NotebookDocumentFilterNotebookType("*")
        )
    ],
    save=True,
)
_STOP_SECONDS = 20.0


class ChannelCoderServer(LanguageServer):
    """One server for one editor.

    Args:
        build: makes what the features work with; called once, when the client is initialized.
    """

    protocol: Rpc

    def __init__(self, build: Build) -> None:
        super().__init__(
            "channelcoder-lsp",
            __version__,
            notebook_document_sync=_NOTEBOOKS,
            protocol_cls=Rpc,
        )
        self._build = build
        self._face: asyncio.Future[Face] | None = None
        self._building: asyncio.Task[None] | None = None
        self._in_order: asyncio.Task[Any] | None = None
        self._stopping: asyncio.Task[None] | None = None
        self.ending = asyncio.Event()
        """Set once the server stops: nothing is expected from the client any more."""
        self.initialization_options: Any = None
        self.shutdown_requested = False
        register(self)

    def report_server_error(self, error: Exception, source: object) -> None:
        """Log it: a person at an editor can do nothing about it. Of a request the answer says it."""
        if source is not FeatureRequestError:
            logger.error("a message could not be handled: %s", error, exc_info=error)

    async def face(self) -> Face:
        """What the features work with, once it is there.

        Raises:
            JsonRpcServerNotInitialized: the client has not said ``initialized`` yet.
            ChannelCoderError: it can't be built.
        """
        if self._face is None:
            raise JsonRpcServerNotInitialized("The client has not sent 'initialized' yet.")
        return await asyncio.shield(self._face)

    @property
    def face_now(self) -> Face | None:
        """What the features work with, if it is there already."""
        done = self._face is not None and self._face.done() and not self._face.cancelled()
        return self._face.result() if self._face is not None and done and not self._face.exception() else None

    def build_face(self) -> None:
        """Start building what the features work with."""
        if self._face is None:
            self._face = asyncio.get_running_loop().create_future()
            self._building = asyncio.create_task(self._build_face(self._face))

    async def _build_face(self, face: asyncio.Future[Face]) -> None:
        from channelcoder_lsp.features import workspace  # noqa: PLC0415 - after initialize was answered

        try:
            built = await self._build(self)
            folders = list(self.workspace.folders.values())
            root = self.workspace.root_uri
            if not folders and root:
                folders = [lsp.WorkspaceFolder(uri=root, name=root)]
            await workspace.add_folders(built, folders)
            built.projects.watch()
            face.set_result(built)
            built.client.spawn(built.client.watch_files(workspace.EVERY_FILE))
        except Exception as problem:
            logger.exception("the server could not be made ready")
            self.window_show_message(
                lsp.ShowMessageParams(lsp.MessageType.Error, f"ChannelCoder can't start: {problem}")
            )
            face.set_exception(problem)
            face.exception()

    def in_order(self, work: Callable[[Face], Awaitable[None]]) -> None:
        """Run ``work`` when the face is there and all such work before it is done.

        Document notifications use it: an open, a change and a close of one document must keep their order.
        """
        before = self._in_order

        async def after() -> None:
            if before is not None:
                await asyncio.wait({before})
            try:
                await work(await self.face())
            except Exception:
                logger.exception("a notification could not be handled")

        self._in_order = asyncio.create_task(after())

    @property
    def idle(self) -> bool:
        """Whether no document notification waits."""
        return self._in_order is None or self._in_order.done()

    async def settled(self) -> Face:
        """What the features work with, when the document notifications so far were handled.

        Raises:
            JsonRpcServerNotInitialized, ChannelCoderError: see :meth:`face`.
        """
        face = await self.face()
        while self._in_order is not None and not self._in_order.done():
            await asyncio.wait({self._in_order})
        return face

    def settled_at_once(self) -> Generator[Any, Any, Face]:
        """:meth:`settled` for handlers that are generators.

        pygls runs those without a task as long as nothing is to be awaited; a task costs as much as a hover.
        """
        if (face := self.face_now) is not None and self.idle:
            return face
        settled: Face = yield self.settled, (), {}
        return settled

    async def stop(self) -> None:
        """Interrupt what is being asked, put all sessions at rest, end the CLIs.

        Asked for twice (an editor that says ``shutdown`` and hangs up at once), it is done once and waited for.
        """
        self.ending.set()
        if self._stopping is None:
            self._stopping = asyncio.create_task(self._stop(), name="stop")
        await asyncio.shield(self._stopping)

    async def _stop(self) -> None:
        if under_way := {task for task in (self._building, self._in_order) if task is not None}:
            await asyncio.wait(under_way, timeout=_STOP_SECONDS)
        if (face := self.face_now) is not None:
            await face.projects.close()
            await face.close()
