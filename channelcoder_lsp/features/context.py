"""What a command's argument names to be sent along with a question."""

from __future__ import annotations

from typing import TYPE_CHECKING

from channelcoder_lsp.features.editor_state import range_in
from channelcoder_lsp.services.context import ChosenContext, Folders, Wanted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from channelcoder_lsp.domain.place import Range
    from channelcoder_lsp.features.face import Face
    from channelcoder_lsp.protocol import ClientContext, ClientRange
    from channelcoder_lsp.services.project import Project
    from channelcoder_lsp.services.threads import Document


def chosen(face: Face, project: Project, given: Sequence[ClientContext]) -> ChosenContext | None:
    """What ``given`` names, for a question in ``project``; open documents are taken as they are now.

    Raises:
        ArgumentsError: an entry contradicts itself.
    """
    if not given:
        return None
    folders = Folders(
        root=project.checkout.root,
        opened={each.checkout.root: each.deny_list() for each in face.projects},
        denied=[face.settings().sessions],
        deny_list=project.deny_list(),
    )
    return ChosenContext([_wanted(face, number, entry) for number, entry in enumerate(given)], folders)


def _wanted(face: Face, number: int, entry: ClientContext) -> Wanted:
    return Wanted(
        field=f"context.{number}",
        uri=entry.uri,
        document=_document(face, entry.uri) if entry.uri is not None else None,
        part=_part(face, entry.range) if entry.range is not None else None,
        symbol=entry.symbol,
        text=entry.text,
        label=entry.label,
        changes=entry.changes,
    )


def _document(face: Face, uri: str) -> Document | None:
    """The document, if it is open in any folder."""
    found = (project.documents.get(uri) for project in face.projects)
    return next((document for document in found if document is not None), None)


def _part(face: Face, given: ClientRange) -> Callable[[Sequence[str]], Range]:
    return lambda lines: range_in(face, lines, given)
