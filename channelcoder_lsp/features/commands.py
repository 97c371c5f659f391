"""workspace/executeCommand: asking, answers, and the rest that is not about sessions as such.

No command waits for Claude: a question is recorded, its ids are returned, and the answer comes later.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from channelcoder_lsp import protocol
from channelcoder_lsp.domain.errors import ArgumentsError, SessionBusyError
from channelcoder_lsp.domain.place import Selection
from channelcoder_lsp.domain.text import text_in
from channelcoder_lsp.features import edits, shown
from channelcoder_lsp.features.context import chosen
from channelcoder_lsp.features.editor_state import asked_about, client_diagnostic, selected
from channelcoder_lsp.services.comments import find_question
from channelcoder_lsp.services.compose import Question

if TYPE_CHECKING:
    from channelcoder_lsp.domain.turn import Turn
    from channelcoder_lsp.features.face import Face
    from channelcoder_lsp.services.placed import ThreadHere
    from channelcoder_lsp.services.project import Project
    from channelcoder_lsp.services.session import Session
    from channelcoder_lsp.services.threads import Document


async def ask(face: Face, arguments: protocol.AskArguments) -> protocol.Asked:
    """``channelcoder.ask``."""
    document = face.document(arguments.uri)
    if document is None:
        raise ArgumentsError(f"uri: {arguments.uri!r} is not open in the editor. Open the file and ask again.")
    project = face.projects.of(arguments.uri)
    selection = _selection(face, document, arguments)
    asked_about(face, document, selection)
    text, instruction = _what_to_ask(face, arguments, selection)
    comment = arguments.comment_line
    question = Question(
        text=text,
        instruction=instruction,
        prompt_name=arguments.prompt,
        selection=selection,
        thread_id=arguments.thread_id,
    )
    turn = await project.ask(question, chosen(face, project, arguments.context))
    if comment is not None and face.settings().remove_comment:
        _take_comment_away(face, document, comment, text)
    return _asked(project, turn)


async def continue_(face: Face, arguments: protocol.ContinueArguments) -> protocol.Asked:
    """``channelcoder.continue``."""
    if arguments.uri is not None:
        project = face.projects.of(arguments.uri)
    else:
        project = face.projects.of_folder(arguments.folder)
    turn = await project.ask(Question(text=arguments.question), chosen(face, project, arguments.context))
    return _asked(project, turn)


async def cancel(face: Face, arguments: protocol.CancelArguments) -> protocol.Cancelled:
    """``channelcoder.cancel``."""
    if arguments.turn_id is not None:
        _, session = face.projects.with_turn(arguments.turn_id)
        turns = [(session, session.turn(arguments.turn_id))]
    else:
        sessions = [session for project in face.projects for session in project.sessions]
        turns = [(session, turn) for session in sessions for turn in session.head.unfinished()]
    ended = [(session, turn) for session, turn in turns if not turn.state.finished]
    cancelled = []
    for session, turn in reversed(ended):
        try:
            cancelled.append((await session.cancel(turn.id)).id)
        except SessionBusyError:
            if arguments.turn_id is not None:
                raise
    return protocol.Cancelled(cancelled[::-1])


async def retry(face: Face, arguments: protocol.TurnArguments) -> protocol.Asked:
    """``channelcoder.retry``."""
    project, session = face.projects.with_turn(arguments.turn_id)
    return _asked(project, await session.retry(arguments.turn_id))


async def trust(face: Face, arguments: protocol.TrustArguments) -> protocol.Trusted:
    """``channelcoder.trust``."""
    project = face.projects.of_folder(arguments.folder)
    face.projects.checkouts.set_trusted(project.checkout, trusted=arguments.trusted)
    await face.reload_prompts()
    return protocol.Trusted(str(project.checkout.root), face.projects.checkouts.is_trusted(project.checkout))


async def model(face: Face, arguments: protocol.ModelArguments) -> protocol.ModelInUse:
    """``channelcoder.model``."""
    session = await face.projects.of_folder(arguments.folder).session_to_ask_in()
    await session.choose_model(arguments.model)
    return protocol.ModelInUse(session.name, session.head.channelcoder.model)


async def turn_show(face: Face, arguments: protocol.TurnArguments) -> protocol.Shown:
    """``channelcoder.turn.show``."""
    _, session = face.projects.with_turn(arguments.turn_id)
    return await shown.show_turn(face, session, await session.whole(arguments.turn_id))


async def answer_insert(face: Face, arguments: protocol.AnswerArguments) -> protocol.Applied:
    """``channelcoder.answer.insert``."""
    document, here, code = await _code_of(face, arguments)
    edit = edits.insert_below(face.client, document, here, code)
    return protocol.Applied(*await face.client.apply(edit, "Insert Claude's code"))


async def answer_replace(face: Face, arguments: protocol.AnswerArguments) -> protocol.Applied:
    """``channelcoder.answer.replace``."""
    document, here, code = await _code_of(face, arguments)
    edit = edits.replace(face.client, document, here, code)
    return protocol.Applied(*await face.client.apply(edit, "Replace with Claude's code"))


def _what_to_ask(face: Face, arguments: protocol.AskArguments, selection: Selection) -> tuple[str, str | None]:
    """The question as it stands in the history, and what Claude is told beyond it."""
    if arguments.prompt is None:
        if arguments.question is None or not arguments.question.strip():
            raise ArgumentsError("question: there is nothing to ask. Give a question, or the name of a prompt.")
        return arguments.question, None
    prompts = face.prompts.of(face.projects.of(arguments.uri).checkout)
    prompt = prompts.get(arguments.prompt)
    if prompt is None:
        raise ArgumentsError(f"prompt: there is no prompt {arguments.prompt!r}. There are {', '.join(prompts)}.")
    text = f"{prompt.title}: {arguments.question}" if arguments.question else prompt.title
    values = {
        "question": arguments.question or "",
        "selection": selection.text,
        "path": selection.path or selection.uri,
        "language": selection.language,
    }
    return text, prompt.instruction(values)


def _selection(face: Face, document: Document, arguments: protocol.AskArguments) -> Selection:
    """What is asked about; an empty range means its line."""
    span = selected(face, document, arguments.range)
    return Selection(
        uri=document.uri,
        path=document.path,
        language=document.language,
        version=document.version,
        range=span,
        text=text_in(document.lines, span),
        document="\n".join(document.lines),
        diagnostics=[
            found
            for found in (client_diagnostic(face, document, given) for given in arguments.diagnostics)
            if found.range.touches(span)
        ],
    )


def _take_comment_away(face: Face, document: Document, line: int, text: str) -> None:
    """Delete the comment that asked, if it still stands there."""
    found = find_question(document.lines, line, face.settings().comment_keyword)
    if found is None or found.text != text:
        return
    face.client.send_edit(edits.remove(face.client, document, found.comment), "Take the question away")


async def _code_of(face: Face, arguments: protocol.AnswerArguments) -> tuple[Document, ThreadHere, str]:
    project, session = face.projects.with_turn(arguments.turn_id)
    turn = await session.whole(arguments.turn_id)
    blocks = edits.blocks_of(session.text_so_far(turn))
    if not 0 <= arguments.block < len(blocks):
        raise ArgumentsError(f"block: the answer has {len(blocks)} code blocks; {arguments.block} is not one.")
    for document in project.documents:
        for here in project.placed.threads_in(document.uri):
            if here.thread.id == turn.thread_id:
                return document, here, blocks[arguments.block]
    raise ArgumentsError(
        f"turnId: the code that {arguments.turn_id!r} is about is in no open document, or can't be found in it. "
        "Open the file, or copy the code from the answer."
    )


def _asked(project: Project, turn: Turn) -> protocol.Asked:
    session: Session | None = project.session
    return protocol.Asked(turn.id, turn.thread_id, session.name if session else "")
