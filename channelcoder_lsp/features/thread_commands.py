"""workspace/executeCommand: what can be done to threads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from channelcoder_lsp import protocol
from channelcoder_lsp.domain.thread import ThreadStatus
from channelcoder_lsp.domain.turn import TurnState
from channelcoder_lsp.features import shown
from channelcoder_lsp.features.content_commands import client_range
from channelcoder_lsp.features.context import chosen
from channelcoder_lsp.features.documents import ListedThread, thread_list
from channelcoder_lsp.features.render import title
from channelcoder_lsp.services.compose import Question

if TYPE_CHECKING:
    from channelcoder_lsp.features.face import Face
    from channelcoder_lsp.services.project import Project

_CODE_CHARS = 2_000


async def show(face: Face, arguments: protocol.ThreadArguments) -> protocol.Shown:
    """``channelcoder.thread.show``."""
    project, session = face.projects.with_thread(arguments.thread_id)
    return await shown.show_thread(face, project, session.thread(arguments.thread_id))


async def list_(face: Face, arguments: protocol.ThreadListArguments) -> protocol.ThreadRows:
    """``channelcoder.thread.list``."""
    of_document = arguments.uri is not None
    project = face.projects.of(arguments.uri or "") if of_document else face.projects.of_folder(arguments.folder)
    session = await project.resume()
    if session is not None:
        await project.on_disk.up_to_date()
    rows = shown.listed(project, session, uri=arguments.uri) if session is not None else []
    document = await shown.show_threads(face, project) if arguments.show else None
    return protocol.ThreadRows(
        [_row(face, project, row) for row in rows],
        thread_list(rows),
        uri=document.uri if document is not None else "",
        shown=document is not None and document.shown,
    )


async def reply(face: Face, arguments: protocol.ReplyArguments) -> protocol.Asked:
    """``channelcoder.thread.reply``."""
    project, session = face.projects.with_thread(arguments.thread_id)
    question = Question(text=arguments.question, thread_id=arguments.thread_id)
    turn = await project.ask(question, chosen(face, project, arguments.context))
    return protocol.Asked(turn.id, turn.thread_id, session.name)


async def resolve(face: Face, arguments: protocol.ThreadArguments) -> protocol.ThreadState:
    """``channelcoder.thread.resolve``."""
    return await _set_status(face, arguments, ThreadStatus.RESOLVED)


async def reopen(face: Face, arguments: protocol.ThreadArguments) -> protocol.ThreadState:
    """``channelcoder.thread.reopen``."""
    return await _set_status(face, arguments, ThreadStatus.OPEN)


async def remove(face: Face, arguments: protocol.ThreadArguments) -> protocol.Done:
    """``channelcoder.thread.remove``."""
    _, session = face.projects.with_thread(arguments.thread_id)
    await session.remove_thread(arguments.thread_id)
    return protocol.Done(session.name)


async def _set_status(face: Face, arguments: protocol.ThreadArguments, status: ThreadStatus) -> protocol.ThreadState:
    _, session = face.projects.with_thread(arguments.thread_id)
    thread = await session.set_status(arguments.thread_id, status)
    return protocol.ThreadState(thread.id, thread.status.value)


def _row(face: Face, project: Project, row: ListedThread) -> protocol.ThreadRow:
    thread, anchor, turns = row.thread, row.anchor, row.turns
    what = thread.finding.message if thread.finding is not None else turns[0].question if turns else ""
    return protocol.ThreadRow(
        thread_id=thread.id,
        uri=anchor.uri,
        path=anchor.path,
        range=client_range(face, project, anchor),
        state=anchor.state.value,
        status=thread.status.value,
        question=title(what),
        turns=len(turns),
        code=anchor.quote[:_CODE_CHARS],
        answers=sum(turn.state is TurnState.DONE for turn in turns),
        waiting=any(not turn.state.finished for turn in turns),
        severity=thread.finding.severity.value if thread.finding is not None else None,
        proposal_ids=[proposal.id for proposal in row.proposals],
        symbol=anchor.symbol,
    )
