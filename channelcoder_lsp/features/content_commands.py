"""workspace/executeCommand: what editors ask for that show threads and sessions by themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from channelcoder_lsp import protocol
from channelcoder_lsp.domain.errors import SessionNotFoundError
from channelcoder_lsp.domain.place import AnchorState
from channelcoder_lsp.domain.proposal import ProposalStatus
from channelcoder_lsp.services.owner import is_of_this_machine
from channelcoder_lsp.services.safe_text import plain_text, safe_markdown

if TYPE_CHECKING:
    from channelcoder_lsp.domain.place import Anchor
    from channelcoder_lsp.domain.review import Finding
    from channelcoder_lsp.domain.session import SessionState
    from channelcoder_lsp.domain.turn import Turn
    from channelcoder_lsp.features.face import Face
    from channelcoder_lsp.services.project import Project
    from channelcoder_lsp.services.session import Session

_NOTE_CHARS = 600


async def read(face: Face, arguments: protocol.ThreadArguments) -> protocol.ThreadContent:
    """``channelcoder.thread.read``."""
    project, session = face.projects.with_thread(arguments.thread_id)
    thread = session.thread(arguments.thread_id)
    anchor = project.placed.anchor_of(thread)
    turns = [await session.whole(turn.id) for turn in session.turns_of(thread)]
    waiting = [found.id for found in session.proposals_of(thread) if found.status is ProposalStatus.OPEN]
    return protocol.ThreadContent(
        thread_id=thread.id,
        uri=anchor.uri,
        range=client_range(face, project, anchor),
        state=anchor.state.value,
        status=thread.status.value,
        finding=_finding(thread.finding) if thread.finding is not None else None,
        turns=[_turn(turn, session.text_so_far(turn)) for turn in turns],
        proposal_ids=waiting,
    )


async def read_session(face: Face, arguments: protocol.SessionArguments) -> protocol.SessionContent:
    """``channelcoder.session.read``."""
    project = face.projects.of_folder(arguments.folder)
    session = await project.resume()
    active = session is not None and arguments.name in (None, session.name)
    if session is not None and active:
        name, state = session.name, await session.state()
    elif arguments.name is not None:
        name, state = arguments.name, await face.projects.storage.load(arguments.name)
    else:
        raise SessionNotFoundError("the folder's active session")
    return protocol.SessionContent(
        session=name,
        active=active,
        cost_usd=state.channelcoder.totals.cost_usd,
        turns=[_in_session(project, state, turn, session if active else None) for turn in state.turns.values()],
    )


async def prompts(face: Face, arguments: protocol.FolderArguments) -> protocol.PromptRows:
    """``channelcoder.prompts``."""
    project = face.projects.of_folder(arguments.folder)
    await face.reload_prompts()
    return protocol.PromptRows(
        [
            protocol.PromptRow(
                name=prompt.name,
                title=prompt.title,
                kind=prompt.kind,
                description=prompt.description,
                origin=face.prompts.origin(prompt),
            )
            for prompt in face.prompts.of(project.checkout).values()
        ]
    )


async def status(face: Face, arguments: protocol.FolderArguments) -> protocol.Status:
    """``channelcoder.status``."""
    project = face.projects.of_folder(arguments.folder)
    session, settings = project.session, face.settings()
    head = session.head if session is not None else None
    context = head.channelcoder.context if head is not None else None
    return protocol.Status(
        folder=str(project.checkout.root),
        session=session.name if session is not None else None,
        model=(head.channelcoder.model if head is not None else None) or settings.model,
        messages=head.message_count if head is not None else 0,
        cost_usd=head.channelcoder.totals.cost_usd if head is not None else 0.0,
        waiting=len(head.unfinished()) if head is not None else 0,
        trusted=face.projects.checkouts.is_trusted(project.checkout),
        offline=settings.offline,
        context_tokens=context.tokens if context is not None else None,
        context_window=context.window if context is not None else None,
        context_share=context.share if context is not None else None,
        spending_limit_usd=head.channelcoder.limit_usd if head is not None else None,
        away=face.projects.storage.away,
    )


def client_range(face: Face, project: Project, anchor: Anchor) -> protocol.ClientRange:
    """Where an anchor is, as the client counts; of a file that isn't open as far as that can be known."""
    document, codec = project.documents.get(anchor.uri), face.client.codec
    where = codec.anchor_range(anchor) if document is None else codec.client_range(document.lines, anchor.range)
    return protocol.ClientRange(
        protocol.ClientPosition(where.start.line, where.start.character),
        protocol.ClientPosition(where.end.line, where.end.character),
    )


def _turn(turn: Turn, text: str) -> protocol.TurnContent:
    return protocol.TurnContent(
        turn_id=turn.id,
        question=turn.question,
        answer=safe_markdown(text) if text else "",
        state=turn.state.value,
        error=plain_text(turn.error, max_chars=_NOTE_CHARS) if turn.error else None,
        notes=[plain_text(note, max_chars=_NOTE_CHARS) for note in turn.notes],
        model=turn.model,
        author=None if is_of_this_machine(turn.owner) else turn.author,
        cost_usd=turn.cost_usd,
        asked=turn.asked.isoformat(),
        finished=turn.finished.isoformat() if turn.finished is not None else None,
    )


def _in_session(
    project: Project, state: SessionState, turn: Turn, active: Session | None
) -> protocol.SessionTurnContent:
    """A turn in its session; of one that isn't the active one, places are as they were recorded."""
    thread = state.channelcoder.threads.get(turn.thread_id or "")
    anchor = None if thread is None else project.placed.anchor_of(thread) if active is not None else thread.anchor
    found = anchor is not None and anchor.state is not AnchorState.ORPHANED
    usage = turn.usage
    return protocol.SessionTurnContent(
        turn=_turn(turn, turn.answer if active is None else active.text_so_far(turn)),
        thread_id=turn.thread_id,
        uri=anchor.uri if anchor is not None else None,
        line=anchor.range.start.line if anchor is not None and found else None,
        input_tokens=usage.input_tokens + usage.cache_read_input_tokens + usage.cache_creation_input_tokens,
        output_tokens=usage.output_tokens,
    )


def _finding(finding: Finding) -> protocol.FindingContent:
    return protocol.FindingContent(finding.severity.value, finding.code, safe_markdown(finding.message))
