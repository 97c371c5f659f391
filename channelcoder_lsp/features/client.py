"""The client: what it can do, and what is sent to it.

Requests are sent only where the client's capabilities have them, and none is waited for without a bound: some
clients never answer.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import uuid4

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException

from channelcoder_lsp.features.positions import PositionCodec
from channelcoder_lsp.protocol import CHANGED_METHOD, TURN_METHOD

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from pygls.lsp.server import LanguageServer

logger = logging.getLogger(__name__)

ANSWER_SECONDS = 10.0
"""How long a client may take to answer a request that a person need not answer."""

T = TypeVar("T")


class Client:
    """The editor on the other side.

    Args:
        server: the connection to it.
        ending: set once nothing is expected from it any more; None: that is never said.
    """

    def __init__(self, server: LanguageServer, ending: asyncio.Event | None = None) -> None:
        self._server = server
        self._ending = ending or asyncio.Event()
        self._capabilities = server.client_capabilities
        self._tasks: set[asyncio.Task[Any]] = set()
        self._when_refreshed: list[Callable[[], None]] = []
        self.codec = PositionCodec(str(server.workspace.position_encoding or lsp.PositionEncodingKind.Utf16.value))

    # What it can do

    @property
    def takes_input(self) -> bool:
        """Whether it asks the user for a question before it sends a command that needs one."""
        return self._ours("input")

    @property
    def follows_turns(self) -> bool:
        """Whether it wants ``channelcoder/turn`` notifications."""
        return self._ours("turns")

    @property
    def follows_changes(self) -> bool:
        """Whether it wants ``channelcoder/changed`` notifications."""
        return self._ours("changes")

    @property
    def hovers_diagnostics(self) -> bool:
        """Whether it shows the diagnostics of a place where it shows the hover."""
        return self._ours("diagnosticsOnHover")

    @property
    def hover_markdown(self) -> bool:
        """Whether hovers may be Markdown."""
        hover = self._capabilities.text_document and self._capabilities.text_document.hover
        formats = (hover.content_format if hover else None) or [lsp.MarkupKind.Markdown]
        return lsp.MarkupKind.Markdown in formats

    @property
    def resolves_edits(self) -> bool:
        """Whether it asks for a code action's edit when it is chosen (``codeAction/resolve``)."""
        text = self._capabilities.text_document
        support = text.code_action.resolve_support if text and text.code_action else None
        return support is not None and "edit" in support.properties

    @property
    def versioned_edits(self) -> bool:
        """Whether workspace edits may name the document's version."""
        edit = self._capabilities.workspace and self._capabilities.workspace.workspace_edit
        return bool(edit and edit.document_changes)

    @property
    def confirms_edits(self) -> bool:
        """Whether it can ask the person before it applies an edit (change annotations)."""
        edit = self._capabilities.workspace and self._capabilities.workspace.workspace_edit
        return bool(edit and edit.document_changes and edit.change_annotation_support)

    def changes_files(self, operation: lsp.ResourceOperationKind) -> bool:
        """Whether workspace edits may create, or delete, files."""
        edit = self._capabilities.workspace and self._capabilities.workspace.workspace_edit
        operations = (edit.resource_operations if edit and edit.document_changes else None) or []
        return operation in operations

    @property
    def shows_progress(self) -> bool:
        """Whether the server may start progress by itself."""
        window = self._capabilities.window
        return bool(window and window.work_done_progress)

    @property
    def applies_edits(self) -> bool:
        """Whether it takes edits (``workspace/applyEdit``)."""
        workspace = self._capabilities.workspace
        return bool(workspace and workspace.apply_edit)

    @property
    def has_configuration(self) -> bool:
        """Whether it can be asked for settings."""
        workspace = self._capabilities.workspace
        return bool(workspace and workspace.configuration)

    @property
    def shows_documents(self) -> bool:
        """Whether it opens a document when asked to."""
        window = self._capabilities.window
        return bool(window and window.show_document and window.show_document.support)

    @property
    def watches_files(self) -> bool:
        """Whether it can be asked to tell of files that change on disk."""
        workspace = self._capabilities.workspace
        watched = workspace.did_change_watched_files if workspace else None
        return bool(watched and watched.dynamic_registration)

    @property
    def pulls_diagnostics(self) -> bool:
        """Whether it asks for diagnostics by itself (LSP 3.17); else they are published to it."""
        text = self._capabilities.text_document
        return text is not None and text.diagnostic is not None

    @property
    def relates_diagnostics(self) -> bool:
        """Whether it shows what a diagnostic is related to."""
        text = self._capabilities.text_document
        given = (text.diagnostic if self.pulls_diagnostics else text.publish_diagnostics) if text else None
        return bool(given and given.related_information)

    @property
    def fetches_documents(self) -> bool:
        """Whether it asks for the text of ``channelcoder:`` documents (LSP 3.18, workspace/textDocumentContent)."""
        workspace = self._capabilities.workspace
        return workspace is not None and workspace.text_document_content is not None

    def _ours(self, key: str) -> bool:
        experimental = self._capabilities.experimental
        ours = experimental.get("channelcoder") if isinstance(experimental, dict) else None
        return isinstance(ours, dict) and bool(ours.get(key))

    # What is sent

    def trace(self, message: str, verbose: str = "") -> None:
        """Say what is done (``$/logTrace``), if that is wanted; ``verbose``: more, for who wants more."""
        if (wanted := self._server.protocol.trace) is not lsp.TraceValue.Off:
            more = verbose if wanted is lsp.TraceValue.Verbose else ""
            self._server.protocol.notify(lsp.LOG_TRACE, lsp.LogTraceParams(message, more or None))

    def say(self, message: str, kind: lsp.MessageType = lsp.MessageType.Info) -> None:
        """Show one sentence to the user."""
        self._server.window_show_message(lsp.ShowMessageParams(kind, message))

    def refresh(self) -> None:
        """Have what the editor shows of ours drawn anew."""
        workspace = self._capabilities.workspace
        if workspace and workspace.code_lens and workspace.code_lens.refresh_support:
            self.spawn(self._answered(self._server.workspace_code_lens_refresh_async(None)))
        for draw in self._when_refreshed:
            draw()

    def when_refreshed(self, draw: Callable[[], None]) -> None:
        """Have ``draw`` called at each :meth:`refresh`: for what isn't drawn anew by asking for it again."""
        self._when_refreshed.append(draw)

    def publish_diagnostics(self, uri: str, version: int | None, items: list[lsp.Diagnostic]) -> None:
        """Show ``items``, and nothing else of ours, at a document."""
        params = lsp.PublishDiagnosticsParams(uri=uri, diagnostics=items, version=version)
        self._server.text_document_publish_diagnostics(params)

    def refresh_diagnostics(self) -> None:
        """Have the diagnostics pulled anew, if the client can be told."""
        workspace = self._capabilities.workspace
        if workspace and workspace.diagnostics and workspace.diagnostics.refresh_support:
            self.spawn(self._answered(self._server.workspace_diagnostic_refresh_async(None)))

    def refresh_document(self, uri: str) -> None:
        """Have a document of ours fetched anew by a client that fetches them."""
        params = lsp.TextDocumentContentRefreshParams(uri)
        self.spawn(self._answered(self._server.workspace_text_document_content_refresh_async(params)))

    async def watch_files(self, pattern: str) -> None:
        """Have the editor tell of files that change on disk, if it can."""
        if not self.watches_files:
            return
        options = lsp.DidChangeWatchedFilesRegistrationOptions([lsp.FileSystemWatcher(glob_pattern=pattern)])
        registration = lsp.Registration(str(uuid4()), lsp.WORKSPACE_DID_CHANGE_WATCHED_FILES, options)
        await self._answered(self._server.client_register_capability_async(lsp.RegistrationParams([registration])))

    def notify_turn(self, params: dict[str, Any]) -> None:
        """Send ``channelcoder/turn`` to a client that asked for it."""
        if self.follows_turns:
            self._server.protocol.notify(TURN_METHOD, params)

    def notify_changed(self, params: dict[str, Any]) -> None:
        """Send ``channelcoder/changed`` to a client that asked for it."""
        if self.follows_changes:
            self._server.protocol.notify(CHANGED_METHOD, params)

    async def configuration(self, section: str) -> dict[str, Any] | None:
        """The editor's settings of ``section``, or None where they can't be had."""
        if not self.has_configuration:
            return None
        params = lsp.ConfigurationParams([lsp.ConfigurationItem(section=section)])
        answer = await self._answered(self._server.workspace_configuration_async(params))
        found = answer[0] if answer else None
        return found if isinstance(found, dict) else {}

    async def apply(
        self, edit: lsp.WorkspaceEdit, label: str, *, seconds: float = ANSWER_SECONDS
    ) -> tuple[bool, str | None]:
        """Have ``edit`` applied; whether it was, and if not, why.

        Args:
            edit: the edit.
            label: what an undo list calls it.
            seconds: how long the client may take; more where a person is asked first.
        """
        if not self.applies_edits:
            return False, "This editor does not take edits from a server; copy the code from the answer."
        answer = await self._answered(self._send_edit(edit, label), seconds)
        if answer is None:
            return False, "The editor did not answer."
        return answer.applied, answer.failure_reason

    def send_edit(self, edit: lsp.WorkspaceEdit, label: str) -> None:
        """Have ``edit`` applied by a client that takes edits; nobody waits for what becomes of it.

        It is on its way when this returns, so a command that calls it is answered after it. That order matters: Emacs
        up to 29 leaves what came in one piece with an answer, and after it, unread until the server says something
        more (bug#60088).
        """
        if self.applies_edits:
            self.spawn(self._answered(self._send_edit(edit, label)))

    def _send_edit(self, edit: lsp.WorkspaceEdit, label: str) -> asyncio.Future[lsp.ApplyWorkspaceEditResult]:
        params = lsp.ApplyWorkspaceEditParams(edit=edit, label=label)
        answer: asyncio.Future[lsp.ApplyWorkspaceEditResult] = self._server.protocol.send_request_async(
            lsp.WORKSPACE_APPLY_EDIT, params
        )
        return answer

    async def choose(self, message: str, titles: Sequence[str]) -> str | None:
        """Have a person choose one of ``titles``; None when the message was dismissed or can't be shown.

        It waits for as long as the person takes. When it is cancelled the message is withdrawn, if the client can.
        """
        request = str(uuid4())
        actions = [lsp.MessageActionItem(title) for title in titles]
        params = lsp.ShowMessageRequestParams(lsp.MessageType.Warning, message, actions)
        answer = self._server.protocol.send_request_async(lsp.WINDOW_SHOW_MESSAGE_REQUEST, params, msg_id=request)
        answer.add_done_callback(_seen)
        try:
            # What pygls waits for must not be cancelled: the client answers a withdrawn request, too.
            chosen = await asyncio.shield(answer)
        except asyncio.CancelledError:
            self._server.cancel_request(lsp.CancelParams(request))
            raise
        except JsonRpcException as problem:
            logger.warning("the client could not ask: %s", problem)
            return None
        return chosen.title if chosen is not None and chosen.title in titles else None

    async def show_document(self, uri: str) -> bool:
        """Have a document opened; whether it was."""
        if not self.shows_documents:
            return False
        answer = await self._answered(
            self._server.window_show_document_async(lsp.ShowDocumentParams(uri=uri, take_focus=True))
        )
        return answer is not None and answer.success

    async def begin_progress(self, token: str, title: str, message: str) -> bool:
        """Show progress that can be cancelled; whether the client wants it."""
        if not self.shows_progress:
            return False
        progress = self._server.work_done_progress
        try:
            await asyncio.wait_for(progress.create_async(token), ANSWER_SECONDS)
        except (asyncio.TimeoutError, JsonRpcException) as problem:
            logger.warning("the client did not take progress %s: %r", token, problem)
            return False
        progress.begin(token, lsp.WorkDoneProgressBegin(title, cancellable=True, message=message))
        return True

    def report_progress(self, token: str, message: str) -> None:
        """Say how far it is."""
        self._server.work_done_progress.report(token, lsp.WorkDoneProgressReport(message=message))

    def end_progress(self, token: str, message: str) -> None:
        """Take the progress away."""
        self._server.work_done_progress.end(token, lsp.WorkDoneProgressEnd(message=message))
        self._server.work_done_progress.tokens.pop(token, None)

    def spawn(self, work: Coroutine[Any, Any, Any]) -> None:
        """Run ``work`` beside the message loop; what it raises is logged."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    async def settled(self) -> None:
        """Return when all that was spawned so far is done."""
        if self._tasks:
            await asyncio.wait(set(self._tasks))

    def _finished(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (problem := task.exception()) is not None:
            logger.error("background work failed", exc_info=problem)

    async def _answered(self, request: Any, seconds: float = ANSWER_SECONDS) -> Any:
        """The client's answer, or None when there is none in time, it is an error, or the server stops meanwhile."""
        answer, ending = asyncio.ensure_future(request), asyncio.create_task(self._ending.wait())
        try:
            await asyncio.wait({answer, ending}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            if answer.done():
                return answer.result()
            if not ending.done():
                logger.warning("the client did not answer in %.0f s", seconds)
        except JsonRpcException as problem:
            logger.warning("the client refused: %s", problem)
        finally:
            ending.cancel()
            if not answer.done():
                # Not cancelled: an answer that comes late would be reported as a fault of the server.
                self._tasks.add(answer)
                answer.add_done_callback(self._tasks.discard)
                answer.add_done_callback(_seen)
        return None


def _seen(answer: asyncio.Future[Any]) -> None:
    """Nobody may be waiting any more for what a client answers: that is no fault to be told."""
    if not answer.cancelled():
        answer.exception()
