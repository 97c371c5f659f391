"""Which method goes to which feature.

The features are imported when they are first used: ``initialize`` is answered before pydantic, the storage or the SDK
are loaded.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcInternalError, JsonRpcInvalidParams, JsonRpcRequestCancelled

from channelcoder_lsp import protocol

if TYPE_CHECKING:
    from collections.abc import Generator

    from channelcoder_lsp.features.face import Face
    from channelcoder_lsp.server import ChannelCoderServer

logger = logging.getLogger(__name__)

CODE_ACTION_KINDS: list[lsp.CodeActionKind | str] = [
    lsp.CodeActionKind.QuickFix,
    lsp.CodeActionKind.RefactorRewrite,
    "claude",
    "source.review.claude",
]
_EVERY_FILE = lsp.FileOperationRegistrationOptions(
    [lsp.FileOperationFilter(lsp.FileOperationPattern("**/*"), scheme="file")]
)


class _Argument(dict[str, Any]):
    """A command's argument as it came. pygls looks at the annotation, which must be a class of its own."""


def register(server: ChannelCoderServer) -> None:
    """Say which method goes to which feature."""
    _register_lifecycle(server)
    _register_documents(server)
    _register_editor_state(server)
    _register_faces(server)
    for command in protocol.COMMANDS:
        _register_command(server, command)


def _register_lifecycle(server: ChannelCoderServer) -> None:
    @server.feature(lsp.INITIALIZE)
    def initialize(params: lsp.InitializeParams) -> None:
        server.initialization_options = params.initialization_options

    @server.feature(lsp.INITIALIZED)
    def initialized(_params: lsp.InitializedParams) -> None:
        server.build_face()

    @server.feature(lsp.SHUTDOWN)
    async def shutdown(_params: None) -> None:
        server.shutdown_requested = True
        await server.stop()

    @server.feature(lsp.WORKSPACE_DID_CHANGE_CONFIGURATION)
    def configured(params: lsp.DidChangeConfigurationParams) -> None:
        from channelcoder_lsp.features import workspace  # noqa: PLC0415

        async def take(face: Face) -> None:
            await workspace.take_settings(face.client, face.apply_settings, params.settings)
            face.client.refresh()

        server.in_order(take)

    @server.feature(lsp.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS)
    def folders_changed(params: lsp.DidChangeWorkspaceFoldersParams) -> None:
        from channelcoder_lsp.features import workspace  # noqa: PLC0415

        server.in_order(lambda face: workspace.add_folders(face, params.event.added))
        server.in_order(lambda face: workspace.remove_folders(face, params.event.removed))

    @server.feature(lsp.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    def files_changed(params: lsp.DidChangeWatchedFilesParams) -> None:
        from channelcoder_lsp.features import workspace  # noqa: PLC0415

        if (face := server.face_now) is not None:  # else the files are looked at when the session is opened
            workspace.files_changed(face, params.changes)

    @server.feature(lsp.WORKSPACE_DID_RENAME_FILES, _EVERY_FILE)
    def files_renamed(params: lsp.RenameFilesParams) -> None:
        from channelcoder_lsp.features import workspace  # noqa: PLC0415

        server.in_order(lambda face: workspace.renamed(face, params.files))

    @server.feature(lsp.WINDOW_WORK_DONE_PROGRESS_CANCEL)
    def cancelled(params: lsp.WorkDoneProgressCancelParams) -> None:
        from channelcoder_lsp.features import commands, review_commands  # noqa: PLC0415

        if (face := server.face_now) is None:
            return
        if (turn_id := face.turns.turn_of(params.token)) is not None:
            face.client.spawn(commands.cancel(face, protocol.CancelArguments(turn_id)))
        else:
            face.client.spawn(review_commands.cancel_progress(face, params.token))


def _register_documents(server: ChannelCoderServer) -> None:
    @server.feature(lsp.TEXT_DOCUMENT_DID_OPEN)
    def opened(params: lsp.DidOpenTextDocumentParams) -> None:
        from channelcoder_lsp.features import text_sync  # noqa: PLC0415

        server.in_order(lambda face: text_sync.opened(face, params.text_document))

    @server.feature(lsp.TEXT_DOCUMENT_DID_CHANGE)
    def changed(params: lsp.DidChangeTextDocumentParams) -> None:
        from channelcoder_lsp.features import text_sync  # noqa: PLC0415

        document = params.text_document
        if (face := server.face_now) is not None and server.idle:
            # At once, so that a request that follows sees the new text.
            text_sync.changed(face, document.uri, document.version, list(params.content_changes))
            return

        async def later(face: Face) -> None:
            text_sync.changed(face, document.uri, document.version, list(params.content_changes))

        server.in_order(later)

    @server.feature(lsp.TEXT_DOCUMENT_DID_SAVE)
    def saved(params: lsp.DidSaveTextDocumentParams) -> None:
        from channelcoder_lsp.features import text_sync  # noqa: PLC0415

        server.in_order(lambda face: text_sync.saved(face, params.text_document.uri))

    @server.feature(lsp.TEXT_DOCUMENT_DID_CLOSE)
    def closed(params: lsp.DidCloseTextDocumentParams) -> None:
        from channelcoder_lsp.features import text_sync  # noqa: PLC0415

        server.in_order(lambda face: text_sync.closed(face, params.text_document.uri))

    @server.feature(lsp.NOTEBOOK_DOCUMENT_DID_OPEN)
    def notebook_opened(params: lsp.DidOpenNotebookDocumentParams) -> None:
        from channelcoder_lsp.features import text_sync  # noqa: PLC0415

        async def open_cells(face: Face) -> None:
            for item in params.cell_text_documents:
                await text_sync.opened(face, item)

        server.in_order(open_cells)

    @server.feature(lsp.NOTEBOOK_DOCUMENT_DID_CHANGE)
    def notebook_changed(params: lsp.DidChangeNotebookDocumentParams) -> None:
        from channelcoder_lsp.features import text_sync  # noqa: PLC0415

        server.in_order(lambda face: text_sync.notebook_changed(face, params))

    @server.feature(lsp.NOTEBOOK_DOCUMENT_DID_CLOSE)
    def notebook_closed(params: lsp.DidCloseNotebookDocumentParams) -> None:
        from channelcoder_lsp.features import text_sync  # noqa: PLC0415

        async def close_cells(face: Face) -> None:
            for cell in params.cell_text_documents:
                await text_sync.closed(face, cell.uri)

        server.in_order(close_cells)


def _register_editor_state(server: ChannelCoderServer) -> None:
    @server.feature(protocol.EDITOR_METHOD)
    def told(params: Any) -> None:
        from channelcoder_lsp.features.editor_state import editor_told  # noqa: PLC0415

        async def take(face: Face) -> None:
            editor_told(face, params)

        server.in_order(take)


def _register_faces(server: ChannelCoderServer) -> None:
    @server.feature(lsp.TEXT_DOCUMENT_HOVER)
    def hover(params: lsp.HoverParams) -> Generator[Any, Any, lsp.Hover | None]:
        from channelcoder_lsp.features.hover import hover as answer  # noqa: PLC0415

        return answer((yield from server.settled_at_once()), params)

    @server.feature(lsp.TEXT_DOCUMENT_CODE_LENS)
    def code_lens(params: lsp.CodeLensParams) -> Generator[Any, Any, list[lsp.CodeLens]]:
        from channelcoder_lsp.features.code_lens import code_lenses  # noqa: PLC0415

        return code_lenses((yield from server.settled_at_once()), params)

    @server.feature(
        lsp.TEXT_DOCUMENT_DIAGNOSTIC,
        lsp.DiagnosticOptions(
            inter_file_dependencies=False, workspace_diagnostics=True, identifier=protocol.CONTENT_SCHEME
        ),
    )
    def diagnostic(params: lsp.DocumentDiagnosticParams) -> Generator[Any, Any, lsp.DocumentDiagnosticReport]:
        from channelcoder_lsp.features.diagnostics import document_report  # noqa: PLC0415

        return document_report((yield from server.settled_at_once()), params)

    @server.feature(lsp.WORKSPACE_DIAGNOSTIC)
    def workspace_diagnostic(
        params: lsp.WorkspaceDiagnosticParams,
    ) -> Generator[Any, Any, lsp.WorkspaceDiagnosticReport]:
        from channelcoder_lsp.features.diagnostics import workspace_report  # noqa: PLC0415

        return workspace_report((yield from server.settled_at_once()), params)

    @server.feature(lsp.WORKSPACE_SYMBOL)
    def workspace_symbol(params: lsp.WorkspaceSymbolParams) -> Generator[Any, Any, list[lsp.WorkspaceSymbol]]:
        from channelcoder_lsp.features.symbols import workspace_symbols  # noqa: PLC0415

        return workspace_symbols((yield from server.settled_at_once()), params)

    @server.feature(lsp.WORKSPACE_TEXT_DOCUMENT_CONTENT)
    async def document_content(params: lsp.TextDocumentContentParams) -> lsp.TextDocumentContentResult:
        from channelcoder_lsp.domain.errors import ArgumentsError, ChannelCoderError, SessionError  # noqa: PLC0415
        from channelcoder_lsp.features.shown import content  # noqa: PLC0415

        try:
            return lsp.TextDocumentContentResult(await content(await server.settled(), params.uri))
        except (ArgumentsError, SessionError) as problem:
            raise JsonRpcInvalidParams(problem.message) from problem
        except ChannelCoderError as problem:
            raise JsonRpcInternalError(problem.message) from problem

    @server.feature(
        lsp.TEXT_DOCUMENT_CODE_ACTION,
        lsp.CodeActionOptions(code_action_kinds=CODE_ACTION_KINDS, resolve_provider=True),
    )
    def code_action(params: lsp.CodeActionParams) -> Generator[Any, Any, list[lsp.CodeAction]]:
        from channelcoder_lsp.features.code_actions import code_actions  # noqa: PLC0415

        return code_actions((yield from server.settled_at_once()), params)

    @server.feature(lsp.CODE_ACTION_RESOLVE)
    def code_action_resolve(params: lsp.CodeAction) -> Generator[Any, Any, lsp.CodeAction]:
        from channelcoder_lsp.features.code_actions import resolve  # noqa: PLC0415
        from channelcoder_lsp.features.proposal_actions import is_ours  # noqa: PLC0415

        face = yield from server.settled_at_once()
        if is_ours(params):
            proposed: lsp.CodeAction = yield _resolve_proposed, (face, params), {}
            return proposed
        return resolve(face, params)


async def _resolve_proposed(face: Face, action: lsp.CodeAction) -> lsp.CodeAction:
    from channelcoder_lsp.domain.errors import ChannelCoderError  # noqa: PLC0415
    from channelcoder_lsp.features.proposal_actions import resolve  # noqa: PLC0415

    try:
        return await resolve(face, action)
    except ChannelCoderError as problem:
        raise JsonRpcInternalError(problem.message) from problem


def _register_command(server: ChannelCoderServer, command: protocol.Command[Any, Any]) -> None:
    @server.command(command.name)
    async def run(*arguments: _Argument) -> Any:
        from channelcoder_lsp.domain.errors import ArgumentsError, ChannelCoderError, SessionError  # noqa: PLC0415
        from channelcoder_lsp.features.arguments import as_json, parse  # noqa: PLC0415
        from channelcoder_lsp.features.table import HANDLERS  # noqa: PLC0415

        face = await server.settled()
        try:
            return as_json(await HANDLERS[command.name](face, parse(command, arguments)))
        except (ArgumentsError, SessionError) as problem:
            raise JsonRpcInvalidParams(problem.message) from problem
        except ChannelCoderError as problem:
            raise JsonRpcInternalError(problem.message) from problem
        except asyncio.CancelledError as problem:
            raise JsonRpcRequestCancelled(f"{command.name} was cancelled") from problem
