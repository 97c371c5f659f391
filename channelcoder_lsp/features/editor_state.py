"""What the editor tells of itself: with questions, with requests for code actions, and by ``channelcoder/editor``."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from lsprotocol import types as lsp

from channelcoder_lsp.domain.errors import ArgumentsError
from channelcoder_lsp.domain.place import Diagnostic, Position, Range, Selection, Severity
from channelcoder_lsp.features.arguments import parse_as
from channelcoder_lsp.protocol import EDITOR_METHOD, ClientDiagnostic, ClientRange, EditorNotification

if TYPE_CHECKING:
    from collections.abc import Sequence

    from channelcoder_lsp.features.face import Face
    from channelcoder_lsp.services.threads import Document

logger = logging.getLogger(__name__)

_SEVERITIES = (Severity.ERROR, Severity.WARNING, Severity.INFORMATION, Severity.HINT)


def asked_about(face: Face, document: Document, selection: Selection) -> None:
    """A question was asked about ``selection``."""
    told = face.projects.of(document.uri).told
    told.select(document, selection.range)
    if selection.diagnostics:
        told.diagnose(document, selection.diagnostics, within=selection.range)


def actions_wanted(face: Face, document: Document, span: Range, found: Sequence[lsp.Diagnostic]) -> None:
    """Code actions were asked for: ``span`` is what is selected, and ``found`` what checkers say about it."""
    told = face.projects.of(document.uri).told
    told.select(document, span)
    told.diagnose(document, [_from_lsp(face, document, each) for each in found], within=span)


def editor_told(face: Face, params: Any) -> None:
    """``channelcoder/editor``: the active document, what is selected in it, what checkers say. Never raises."""
    try:
        given = parse_as(EditorNotification, _plain(params))
    except ArgumentsError as problem:
        logger.warning("%s does not fit: %s", EDITOR_METHOD, problem)
        return
    document = face.document(given.active_uri) if given.active_uri is not None else None
    if document is not None and given.selection is not None:
        face.projects.of(document.uri).told.select(document, range_in(face, document.lines, given.selection))
    for each in given.diagnostics or []:
        if (document := face.document(each.uri)) is not None:
            found = [client_diagnostic(face, document, one) for one in each.diagnostics]
            face.projects.of(document.uri).told.diagnose(document, found)


def selected(face: Face, document: Document, given: ClientRange) -> Range:
    """A selection from a command's argument, within the document; an empty one means its line."""
    span = range_in(face, document.lines, given)
    if not span.empty:
        return span
    line, text = span.start.line, document.lines[span.start.line]
    return Range(Position(line, len(text) - len(text.lstrip())), Position(line, len(text)))


def range_in(face: Face, lines: Sequence[str], given: ClientRange) -> Range:
    """A range from a command's argument, within ``lines``."""
    start, end = given.start, given.end
    range_ = lsp.Range(
        lsp.Position(max(0, start.line), max(0, start.character)),
        lsp.Position(max(0, end.line), max(0, end.character)),
    )
    return face.client.codec.range(lines, range_)


def client_diagnostic(face: Face, document: Document, given: ClientDiagnostic) -> Diagnostic:
    """A diagnostic from a command's argument, its range within the document."""
    severity = min(max(given.severity or 1, 1), len(_SEVERITIES))
    return Diagnostic(
        range=range_in(face, document.lines, given.range),
        message=given.message,
        severity=_SEVERITIES[severity - 1],
        source=given.source,
        code=None if given.code is None else str(given.code),
    )


def _from_lsp(face: Face, document: Document, found: lsp.Diagnostic) -> Diagnostic:
    return Diagnostic(
        range=face.client.codec.range(document.lines, found.range),
        message=found.message if isinstance(found.message, str) else found.message.value,
        severity=_SEVERITIES[(found.severity or lsp.DiagnosticSeverity.Error).value - 1],
        source=found.source,
        code=None if found.code is None else str(found.code),
    )


def _plain(value: Any) -> Any:
    """What the protocol's library made of an object that it doesn't know, as plain data again."""
    if hasattr(value, "_asdict"):
        return {key: _plain(item) for key, item in value._asdict().items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value
