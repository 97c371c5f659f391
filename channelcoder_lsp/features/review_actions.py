"""textDocument/codeAction: what can be reviewed, and a review that waits to be resumed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lsprotocol import types as lsp

from channelcoder_lsp import protocol
from channelcoder_lsp.domain.review import ReviewScope
from channelcoder_lsp.features.positions import range_as_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from channelcoder_lsp.domain.place import Range
    from channelcoder_lsp.features.face import Face
    from channelcoder_lsp.services.threads import Document

SOURCE_KIND = "source.review.claude"
"""The kind of actions about a whole file or more (LSP 3.17, CodeActionKind: ``source`` is about the whole file)."""
_KIND = "claude"


def review_actions(
    face: Face, document: Document, selected: Range, params: lsp.CodeActionParams
) -> Iterator[lsp.CodeAction]:
    """A review of what is selected; without a selection, or when asked for source actions, of the file and more."""
    uri = {"uri": document.uri}
    if not selected.empty:
        arguments = {**uri, "scope": ReviewScope.SELECTION.value, "range": range_as_json(params.range)}
        yield _action("Claude: Review", arguments, _KIND)
        if not any(str(getattr(kind, "value", kind)).startswith("source") for kind in params.context.only or ()):
            return
    yield _action("Claude: Review this file", {**uri, "scope": ReviewScope.FILE.value}, SOURCE_KIND)
    project = face.projects.of(document.uri)
    if document.path is not None and project is not face.projects.scratch:
        changes = {**uri, "scope": ReviewScope.CHANGES.value}
        yield _action("Claude: Review uncommitted changes", changes, SOURCE_KIND)
    session = project.session
    latest = next(reversed(session.head.reviews.values()), None) if session is not None else None
    if session is None or latest is None or project.reviews.under_way(session, latest):
        return
    if left := latest.unfinished:
        label = f"Claude: Resume the review ({len(left)} of {len(latest.files)} files left)"
        yield _action(label, {"reviewId": latest.id}, SOURCE_KIND)


def _action(label: str, arguments: dict[str, Any], kind: str) -> lsp.CodeAction:
    command = lsp.Command(label, protocol.REVIEW.name, arguments=[arguments])
    return lsp.CodeAction(title=label, kind=kind, command=command)
