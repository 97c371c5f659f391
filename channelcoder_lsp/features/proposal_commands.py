"""workspace/executeCommand: what can be done to proposals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from channelcoder_lsp import protocol
from channelcoder_lsp.domain.errors import ArgumentsError, ProposalError
from channelcoder_lsp.domain.proposal import FileKind, ProposalStatus
from channelcoder_lsp.features import shown
from channelcoder_lsp.features.proposal_document import proposal_document
from channelcoder_lsp.features.workspace_edits import workspace_edit
from channelcoder_lsp.services.hunks import HunkNow, HunkState, applied_to
from channelcoder_lsp.services.proposals import discard as discarded
from channelcoder_lsp.services.proposals import new_lines, summary

if TYPE_CHECKING:
    from lsprotocol import types as lsp

    from channelcoder_lsp.domain.proposal import Proposal
    from channelcoder_lsp.features.face import Face
    from channelcoder_lsp.services.project import Project
    from channelcoder_lsp.services.proposed import Target
    from channelcoder_lsp.services.session import Session

CONFIRM_SECONDS = 600.0
"""How long a person may think about an edit that the editor asks to confirm."""
TOLD_SECONDS = 3.0
"""How long an editor may take to tell what an edit that it applied has changed; some gather changes for a while."""
_AGAIN = "Ask again about the code as it is now."
_NAMED = 5


async def apply(face: Face, arguments: protocol.ProposalApplyArguments) -> protocol.Applied:
    """``channelcoder.proposal.apply``."""
    project, session = face.projects.with_proposal(arguments.proposal_id)
    targets = await _chosen(project, session, arguments.proposal_id, arguments.uri, arguments.hunk)
    if arguments.done:
        return await _take_note(project, session, arguments, targets)
    if all(target.now.state is HunkState.APPLIED and not hunks for target, hunks in _open(targets, arguments.hunk)):
        return protocol.Applied(applied=True, reason="It is applied already.")
    confirm = face.settings().confirm_edits and not arguments.looked
    edit = _edit(face, session.proposal(arguments.proposal_id), targets, arguments.hunk, confirm=confirm)
    wanted = _numbers(targets, arguments.hunk)
    touched = [target.uri for target, hunks in _open(targets, arguments.hunk) if hunks]
    edits = {uri: document.edits for uri in touched if (document := project.documents.get(uri)) is not None}
    applied, reason = await face.client.apply(edit, "Claude's edit", seconds=CONFIRM_SECONDS)
    if applied:
        await project.documents.changed(edits, TOLD_SECONDS)
        await project.proposed.note(session, arguments.proposal_id, wanted)
    return protocol.Applied(applied, reason)


async def edit_of(face: Face, proposal_id: str, uri: str | None, hunk: int | None) -> lsp.WorkspaceEdit:
    """The edit that applies a proposal, a file of it, or one change, to the files as they are now.

    Raises:
        ProposalNotFoundError, ArgumentsError: there is no such proposal, file or change.
        ProposalError: it can't be applied.
        StorageError: what it is about can't be read.
    """
    project, session = face.projects.with_proposal(proposal_id)
    targets = await _chosen(project, session, proposal_id, uri, hunk)
    return _edit(face, session.proposal(proposal_id), targets, hunk, confirm=face.settings().confirm_edits)


async def preview(face: Face, arguments: protocol.ProposalArguments) -> protocol.Shown:
    """``channelcoder.proposal.preview``."""
    project, session = face.projects.with_proposal(arguments.proposal_id)
    targets = await _chosen(project, session, arguments.proposal_id, arguments.uri, arguments.hunk)
    proposal = session.proposal(arguments.proposal_id)
    turn = session.head.turns.get(proposal.turn_id)
    question = turn.question if turn is not None else ""
    return await shown.show_proposal(face, proposal, proposal_document(proposal, question, targets, arguments.hunk))


async def read(face: Face, arguments: protocol.ProposalArguments) -> protocol.ProposalContent:
    """``channelcoder.proposal.read``."""
    project, session = face.projects.with_proposal(arguments.proposal_id)
    targets = await _chosen(project, session, arguments.proposal_id, arguments.uri, arguments.hunk)
    proposal = session.proposal(arguments.proposal_id)
    turn = session.head.turns.get(proposal.turn_id)
    return protocol.ProposalContent(
        proposal_id=proposal.id,
        thread_id=proposal.thread_id,
        status=proposal.status.value,
        question=turn.question if turn is not None else "",
        files=[_content(target, arguments.hunk) for target in targets],
        confirm=face.settings().confirm_edits,
    )


def _content(target: Target, index: int | None) -> protocol.ProposedFileContent:
    file, before = target.now.file, target.lines
    after: list[str] | None
    match file.kind:
        case FileKind.DELETE:
            after = None
        case FileKind.CREATE:
            after = new_lines(file)
        case FileKind.EDIT:
            wanted = [hunk for hunk in target.now.hunks if index in (None, hunk.index)]
            after = applied_to(before, wanted) if before is not None else None
    return protocol.ProposedFileContent(
        uri=target.uri,
        path=file.path,
        kind=file.kind.value,
        state=target.now.state.value,
        reason=target.now.reason,
        before="\n".join(before) if before is not None else None,
        after="\n".join(after) if after is not None else None,
    )


async def discard(face: Face, arguments: protocol.ProposalArguments) -> protocol.ProposalState:
    """``channelcoder.proposal.discard``."""
    project, session = face.projects.with_proposal(arguments.proposal_id)
    targets = await _chosen(project, session, arguments.proposal_id, arguments.uri, arguments.hunk)
    proposal = session.proposal(arguments.proposal_id)
    if arguments.uri is None and arguments.hunk is None:
        proposal = discarded(proposal)
    for target in targets if arguments.uri is not None or arguments.hunk is not None else ():
        edited = target.now.file.kind is FileKind.EDIT
        proposal = discarded(proposal, target.now.file.uri, arguments.hunk if edited else None)
    await session.keep_proposal(proposal)
    return protocol.ProposalState(proposal.id, proposal.status.value)


async def _chosen(
    project: Project, session: Session, proposal_id: str, uri: str | None, hunk: int | None
) -> list[Target]:
    """The files that are meant, as they are now."""
    proposal = session.proposal(proposal_id)
    if proposal.status is ProposalStatus.DISCARDED:
        raise ProposalError(f"This edit was discarded. {_AGAIN}")
    targets = await project.proposed.targets(session, proposal)
    if uri is not None:
        targets = [target for target in targets if uri in (target.uri, target.now.file.uri)]
        if not targets:
            raise ArgumentsError(f"uri: the proposal does nothing to {uri!r}, or that part of it was discarded.")
    if hunk is not None:
        if len(targets) != 1:
            raise ArgumentsError("uri: the proposal has several files. Say which one the change is in.")
        now = targets[0].now
        if now.hunk(hunk) is None and (now.file.kind is FileKind.EDIT or hunk != 0):
            raise ArgumentsError(f"hunk: there is no change {hunk} in {targets[0].name}, or it was discarded.")
    return targets


def _open(targets: list[Target], index: int | None) -> list[tuple[Target, list[HunkNow]]]:
    """The files with what can be applied in them."""
    return [
        (target, [hunk for hunk in target.now.of(HunkState.OPEN) if index is None or hunk.index == index])
        for target in targets
    ]


def _numbers(targets: list[Target], index: int | None) -> dict[str, set[int]]:
    return {target.now.file.uri: {hunk.index for hunk in hunks} for target, hunks in _open(targets, index)}


def _edit(
    face: Face, proposal: Proposal, targets: list[Target], index: int | None, *, confirm: bool
) -> lsp.WorkspaceEdit:
    """Nothing is awaited between the texts that ``targets`` were made from and the versions in the edit."""
    if stale := [told for target in targets for told in _stale(target, index)]:
        more = f" and {len(stale) - _NAMED} more" if len(stale) > _NAMED else ""
        part = "; what else is open can be applied change by change" if index is None else ""
        raise ProposalError(f"Nothing was applied: {'; '.join(stale[:_NAMED])}{more}{part}. {_AGAIN}")
    wanted = [
        (target, hunks)
        for target, hunks in _open(targets, index)
        if hunks or (target.now.file.kind is not FileKind.EDIT and target.now.state is HunkState.OPEN)
    ]
    if not wanted:
        raise ProposalError("Nothing was applied: the edit is applied already.")
    return workspace_edit(face.client, wanted, label=f"Claude: {summary(proposal)}", confirm=confirm)


def _stale(target: Target, index: int | None) -> list[str]:
    """What can't be applied in a file, and why."""
    if target.now.file.kind is not FileKind.EDIT:
        return [f"{target.name}: {target.now.reason}"] if target.now.state is HunkState.STALE else []
    return [
        f"{target.name}, line {hunk.hunk.start + 1} as it was: {hunk.reason}"
        for hunk in target.now.of(HunkState.STALE)
        if index is None or hunk.index == index
    ]


async def _take_note(
    project: Project, session: Session, arguments: protocol.ProposalApplyArguments, targets: list[Target]
) -> protocol.Applied:
    """The editor says that it applied the edit; where its buffers are known, that is seen."""
    index = arguments.hunk
    missing = [
        target.name
        for target in targets
        if target.document is not None and target.now.file.kind is not FileKind.DELETE and not _is_in(target, index)
    ]
    done = {
        target.now.file.uri: {hunk.index for hunk in target.now.hunks if index in (None, hunk.index)}
        for target in targets
    }
    await project.proposed.note(session, arguments.proposal_id, done)
    if missing:
        return protocol.Applied(applied=False, reason=f"{', '.join(missing)} does not have the change.")
    return protocol.Applied(applied=True)


def _is_in(target: Target, index: int | None) -> bool:
    if target.now.file.kind is not FileKind.EDIT:
        return target.now.state is HunkState.APPLIED
    wanted = [hunk for hunk in target.now.hunks if index in (None, hunk.index)]
    return all(hunk.state is HunkState.APPLIED for hunk in wanted)
