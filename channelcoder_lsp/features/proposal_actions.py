"""textDocument/codeAction and codeAction/resolve: proposals, offered where their thread or their change is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lsprotocol import types as lsp

from channelcoder_lsp import protocol
from channelcoder_lsp.domain.proposal import FileKind, ProposalStatus
from channelcoder_lsp.features.proposal_commands import edit_of
from channelcoder_lsp.features.render import title
from channelcoder_lsp.services.hunks import HunkState
from channelcoder_lsp.services.proposals import FileNow, done_by_record
from channelcoder_lsp.services.proposed import hunks_at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from channelcoder_lsp.domain.place import Range
    from channelcoder_lsp.domain.proposal import Proposal, ProposedFile
    from channelcoder_lsp.features.face import Face
    from channelcoder_lsp.services.project import Project
    from channelcoder_lsp.services.session import Session
    from channelcoder_lsp.services.threads import Document

_SHOWS = "claude"
"""The kind of actions that only show, or end an offer."""


def proposal_actions(face: Face, document: Document, span: Range) -> Iterator[lsp.CodeAction]:
    """What was proposed about the code at ``span``, and can be done with it. Reads memory only."""
    project = face.projects.of(document.uri)
    session = project.session
    if session is None or not session.head.proposals or not face.settings().proposals:
        return
    here = hunks_at(list(project.proposed.about(document)), span.start.line, span.last_line)
    offered = {proposal.id: proposal for proposal, _, _ in here}
    for thread in project.placed.threads_at(document.uri, span):
        newest = next((one for one in reversed(session.proposals_of(thread.thread)) if one.files), None)
        if newest is not None and newest.status is not ProposalStatus.DISCARDED:
            offered.setdefault(newest.id, newest)
    offered = {key: proposal for key, proposal in offered.items() if _is_complete(session, proposal)}
    for proposal in offered.values():
        at = [(now.file.uri, index) for one, now, index in here if one is proposal]
        yield from _actions(face, project, session, proposal, at, alone=len(offered) == 1)


async def resolve(face: Face, action: lsp.CodeAction) -> lsp.CodeAction:
    """Fill in the edit, made for the files as they are now.

    Raises:
        ProposalNotFoundError, ArgumentsError, ProposalError, StorageError: there is none; the message says why.
    """
    data = action.data if isinstance(action.data, dict) else {}
    uri, hunk = data.get("uri"), data.get("hunk")
    action.edit = await edit_of(
        face,
        str(data.get("proposalId")),
        uri if isinstance(uri, str) else None,
        hunk if isinstance(hunk, int) else None,
    )
    return action


def is_ours(action: lsp.CodeAction) -> bool:
    """Whether the action applies a proposal."""
    return isinstance(action.data, dict) and "proposalId" in action.data


def _is_complete(session: Session, proposal: Proposal) -> bool:
    """Whether no more is to come: an answer's proposal grows until its end, a finding's is made in one piece."""
    turn = session.head.turns.get(proposal.turn_id)
    return turn is None or turn.review_id is not None or turn.state.finished


def _actions(
    face: Face, project: Project, session: Session, proposal: Proposal, at: list[tuple[str, int]], *, alone: bool
) -> Iterator[lsp.CodeAction]:
    states = [(file, _state(project, proposal, file)) for file in proposal.files if file.discarded is None]
    count = sum(_open_in(file, now) for file, now in states)
    stale = any(_is_stale(now) for _, now in states)
    if not count and not stale:
        return
    turn = session.head.turns.get(proposal.turn_id)
    which = "" if alone or turn is None else f" to “{title(turn.question)}”"
    fixes = turn is not None and (turn.prompt_name == "fix" or turn.review_id is not None)
    kind = lsp.CodeActionKind.QuickFix if fixes else lsp.CodeActionKind.RefactorRewrite
    if count and not stale:
        yield _apply(face, f"Apply Claude's edit{which} ({_what(states)})", kind, {"proposalId": proposal.id})
    if len(at) == 1 and (count > 1 or stale):
        uri, index = at[0]
        arguments = {"proposalId": proposal.id, "uri": uri, "hunk": index}
        yield _apply(face, f"Apply this change{which} only", kind, arguments)
    changed = ", for which the code changed since" if stale else ""
    one = {"proposalId": proposal.id}
    yield _command(f"Preview Claude's edit{which}{changed}", protocol.PROPOSAL_PREVIEW.name, one)
    yield _command(f"Discard Claude's edit{which}", protocol.PROPOSAL_DISCARD.name, one)


def _state(project: Project, proposal: Proposal, file: ProposedFile) -> FileNow | None:
    """What it comes to in a document that is open; None where only the record can tell."""
    document = project.proposed.document_of(file)
    return project.proposed.at_hand(proposal, file, document) if document is not None else None


def _open_in(file: ProposedFile, now: FileNow | None) -> int:
    """How many changes of a file can still be applied."""
    if now is None:
        if file.kind is not FileKind.EDIT:
            return int(not done_by_record(file))
        return sum(hunk.applied is None and hunk.discarded is None for hunk in file.hunks)
    if file.kind is not FileKind.EDIT:
        return int(now.state is HunkState.OPEN)
    return len(now.of(HunkState.OPEN))


def _is_stale(now: FileNow | None) -> bool:
    return now is not None and (now.state is HunkState.STALE or bool(now.of(HunkState.STALE)))


def _what(states: list[tuple[ProposedFile, FileNow | None]]) -> str:
    """``2 changes in shop.py``, ``3 changes in 2 files``, ``new file shop.py``."""
    counts = [(file, count) for file, now in states if (count := _open_in(file, now))]
    total = sum(count for _, count in counts)
    changes = f"{total} change{'' if total == 1 else 's'}"
    if len(counts) > 1:
        return f"{changes} in {len(counts)} files"
    file, _ = counts[0]
    name = (file.path or file.uri).rsplit("/", 1)[-1]
    match file.kind:
        case FileKind.CREATE:
            return f"new file {name}"
        case FileKind.DELETE:
            return f"delete {name}"
    return f"{changes} in {name}"


def _apply(face: Face, label: str, kind: lsp.CodeActionKind, arguments: dict[str, Any]) -> lsp.CodeAction:
    """An action whose edit is made when it is chosen; where the client can't ask for that, a command makes it."""
    name = protocol.PROPOSAL_APPLY.name
    if not face.client.resolves_edits:
        return lsp.CodeAction(title=label, kind=kind, command=lsp.Command(label, name, arguments=[arguments]))
    command = lsp.Command(label, name, arguments=[{**arguments, "done": True}])
    return lsp.CodeAction(title=label, kind=kind, data=arguments, command=command)


def _command(label: str, name: str, arguments: dict[str, Any]) -> lsp.CodeAction:
    return lsp.CodeAction(title=label, kind=_SHOWS, command=lsp.Command(label, name, arguments=[arguments]))
