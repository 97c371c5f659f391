"""workspace/executeCommand: reviews."""

from __future__ import annotations

from typing import TYPE_CHECKING

from channelcoder_lsp import protocol
from channelcoder_lsp.domain.errors import ArgumentsError
from channelcoder_lsp.domain.review import ReviewScope
from channelcoder_lsp.features.editor_state import selected
from channelcoder_lsp.services.review import Target
from channelcoder_lsp.services.review_prompt import PROMPT

if TYPE_CHECKING:
    from channelcoder_lsp.domain.place import Range
    from channelcoder_lsp.domain.review import Review
    from channelcoder_lsp.features.face import Face
    from channelcoder_lsp.services.project import Project


async def review(face: Face, arguments: protocol.ReviewArguments) -> protocol.Reviewing:
    """``channelcoder.review``."""
    project = _project(face, arguments)
    instruction = face.prompts.of(project.checkout)[PROMPT].render({})
    if arguments.resume or arguments.review_id is not None:
        return _reviewing(project, await project.reviews.resume(instruction, arguments.review_id))
    scope = _scope(arguments.scope)
    if arguments.uri is None and scope in (ReviewScope.SELECTION, ReviewScope.FILE):
        raise ArgumentsError(f"uri: a review of a {scope.value} needs the document.")
    target = Target(
        scope,
        instruction,
        uri=arguments.uri,
        range=_selected(face, arguments) if scope is ReviewScope.SELECTION else None,
        base=arguments.base,
    )
    return _reviewing(project, await project.reviews.start(target))


async def cancel_progress(face: Face, token: str | int) -> bool:
    """End the review whose progress has the token; whether there is one."""
    review_id = face.turns.reviews.review_of(token)
    for project in face.projects if review_id is not None else ():
        if await project.reviews.cancel(str(review_id)) is not None:
            return True
    return False


def _project(face: Face, arguments: protocol.ReviewArguments) -> Project:
    if arguments.review_id is not None:
        for project in face.projects:
            if project.session is not None and arguments.review_id in project.session.head.reviews:
                return project
    if arguments.uri is not None:
        return face.projects.of(arguments.uri)
    return face.projects.of_folder(arguments.folder)


def _scope(given: str) -> ReviewScope:
    try:
        return ReviewScope(given)
    except ValueError:
        allowed = ", ".join(scope.value for scope in ReviewScope)
        raise ArgumentsError(f"scope: {given!r} can't be reviewed. There are {allowed}.") from None


def _selected(face: Face, arguments: protocol.ReviewArguments) -> Range:
    """The selection; an empty one means its line."""
    document = face.document(arguments.uri or "")
    if document is None:
        raise ArgumentsError(f"uri: {arguments.uri!r} is not open in the editor. Open it to review a part of it.")
    if arguments.range is None:
        raise ArgumentsError("range: a review of a selection needs the selection.")
    return selected(face, document, arguments.range)


def _reviewing(project: Project, review: Review) -> protocol.Reviewing:
    session = project.session
    return protocol.Reviewing(
        review.id,
        session.name if session is not None else "",
        [file.uri for file in review.files if file.state.under_way],
        [file.turn_id for file in review.files if file.turn_id is not None and file.state.under_way],
        review.notes,
    )
