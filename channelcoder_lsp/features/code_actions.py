"""textDocument/codeAction and codeAction/resolve: questions to ask, and answers to take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lsprotocol import types as lsp

from channelcoder_lsp import protocol
from channelcoder_lsp.domain.place import AnchorState, Range
from channelcoder_lsp.domain.session import HEAD_TEXT_LIMIT
from channelcoder_lsp.domain.turn import TurnState
from channelcoder_lsp.features import edits
from channelcoder_lsp.features.editor_state import actions_wanted
from channelcoder_lsp.features.positions import range_as_json
from channelcoder_lsp.features.proposal_actions import proposal_actions
from channelcoder_lsp.features.render import title
from channelcoder_lsp.features.review_actions import SOURCE_KIND, review_actions
from channelcoder_lsp.features.thread_actions import diagnostic_actions, diagnostic_as_json, thread_actions
from channelcoder_lsp.services.comments import questions_in
from channelcoder_lsp.services.review_prompt import PROMPT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from channelcoder_lsp.domain.turn import Turn
    from channelcoder_lsp.features.face import Face
    from channelcoder_lsp.services.placed import ThreadHere
    from channelcoder_lsp.services.threads import Document

KIND = "claude"
"""The kind of actions that only ask or show; those that change code have LSP's own kinds."""
KINDS: list[lsp.CodeActionKind | str] = [
    lsp.CodeActionKind.QuickFix,
    lsp.CodeActionKind.RefactorRewrite,
    KIND,
    SOURCE_KIND,
]


def code_actions(face: Face, params: lsp.CodeActionParams) -> list[lsp.CodeAction]:
    """What can be asked about the range, and what was answered about it.

    Honours ``only`` and ``triggerKind``: an editor that asks by itself at each move of the cursor is offered
    questions about a selection only, so that its light bulb means something.
    """
    uri = params.text_document.uri
    document = face.document(uri)
    if not face.settings().code_actions or document is None:
        return []
    span = face.client.codec.range(document.lines, params.range)
    actions_wanted(face, document, span, params.context.diagnostics)
    automatic = params.context.trigger_kind is lsp.CodeActionTriggerKind.Automatic
    proposed = proposal_actions(face, document, span)
    actions = [*_comments(face, document, span), *proposed, *_answers(face, document, span)]
    actions += [*thread_actions(face, document, span, params), *diagnostic_actions(face, document, params)]
    if not (automatic and span.empty):
        actions += _questions(face, params, fixes=bool(params.context.diagnostics))
    return [action for action in actions if _wanted(action, params.context.only)]


def resolve(face: Face, action: lsp.CodeAction) -> lsp.CodeAction:
    """Fill in the edit of an action that was chosen, at the place where the code is now."""
    data = action.data
    if not isinstance(data, dict) or "turnId" not in data:
        return action
    document = face.document(str(data.get("uri")))
    if document is None:
        return action
    for here in face.projects.of(document.uri).placed.threads_in(document.uri):
        for turn in here.turns:
            if turn.id == data["turnId"]:
                blocks = edits.blocks_of(here.session.text_so_far(turn))
                make = edits.replace if data.get("replace") else edits.insert_below
                block = data.get("block", 0)
                if isinstance(block, int) and 0 <= block < len(blocks):
                    action.edit = make(face.client, document, here, blocks[block])
    return action


def _comments(face: Face, document: Document, span: Range) -> Iterator[lsp.CodeAction]:
    """A question for each comment on the selected lines that asks one."""
    keyword = face.settings().comment_keyword
    for question in questions_in(document.lines, span.start.line, span.last_line, keyword):
        inside = face.projects.of(document.uri).placed.threads_at(document.uri, question.comment)
        arguments = {
            "uri": document.uri,
            "range": range_as_json(face.client.codec.client_range(document.lines, question.target)),
            "question": question.text,
            "commentLine": question.comment.start.line,
            **({"threadId": inside[0].thread.id} if inside else {}),
        }
        verb = "Reply to Claude" if inside else "Ask Claude"
        yield _command(f"{verb}: {title(question.text)}", protocol.ASK.name, arguments, lsp.CodeActionKind.QuickFix)


def _questions(face: Face, params: lsp.CodeActionParams, *, fixes: bool) -> Iterator[lsp.CodeAction]:
    """The question that the user types, and one for each prompt."""
    arguments: dict[str, Any] = {"uri": params.text_document.uri, "range": range_as_json(params.range)}
    if params.context.diagnostics:
        arguments["diagnostics"] = [diagnostic_as_json(found) for found in params.context.diagnostics]
    if face.client.takes_input:
        yield _command("Ask Claude…", protocol.ASK.name, arguments, KIND)
    document = face.document(params.text_document.uri)
    language = document.language if document is not None else ""
    prompts = face.prompts.of(face.projects.of(params.text_document.uri).checkout)
    for prompt in [prompt for prompt in prompts.values() if prompt.fits(language)]:
        if prompt.name == PROMPT and document is not None:
            selected = face.client.codec.range(document.lines, params.range)
            yield from review_actions(face, document, selected, params)
            continue
        action = _command(
            f"Claude: {prompt.title}", protocol.ASK.name, {**arguments, "prompt": prompt.name}, prompt.kind
        )
        if fixes and prompt.kind == lsp.CodeActionKind.QuickFix:
            action.diagnostics = list(params.context.diagnostics)
        yield action


def _answers(face: Face, document: Document, span: Range) -> Iterator[lsp.CodeAction]:
    """For each thread here: its newest answer to show, its code to take; a failed turn to ask again."""
    for here in face.projects.of(document.uri).placed.threads_at(document.uri, span):
        if not here.turns:
            continue
        turn = here.turns[-1]
        arguments = {"turnId": turn.id}
        if not turn.state.finished:
            yield _command(f"Cancel: {title(turn.question)}", protocol.CANCEL.name, arguments, KIND)
        elif turn.state is not TurnState.DONE:
            yield _command(f"Retry: {title(turn.question)}", protocol.RETRY.name, arguments, KIND)
        yield _command(f"Show Claude's answer: {title(turn.question)}", protocol.TURN_SHOW.name, arguments, KIND)
        if turn.state is TurnState.DONE and not _proposes(here, turn):
            yield from _code(face, document, here)


def _proposes(here: ThreadHere, turn: Turn) -> bool:
    """Whether the answer came with a proposal, which is offered instead of code in its text."""
    return any(one.turn_id == turn.id and one.files for one in here.session.proposals_of(here.thread))


def _code(face: Face, document: Document, here: ThreadHere) -> Iterator[lsp.CodeAction]:
    turn = here.turns[-1]
    text = here.session.text_so_far(turn)
    blocks = edits.blocks_of(text)
    for number, code in enumerate(blocks):
        which = f" (block {number + 1} of {len(blocks)})" if len(blocks) > 1 else ""
        since = ", which changed since" if here.place.state is AnchorState.EDITED else ""
        for label, replaces, make in (
            (f"Insert the code from the answer{which}", False, edits.insert_below),
            (f"Replace the selection with it{since}{which}", True, edits.replace),
        ):
            if len(text) >= HEAD_TEXT_LIMIT:
                # What is in memory may be cut within the block: the command reads the whole.
                command = (protocol.ANSWER_REPLACE if replaces else protocol.ANSWER_INSERT).name
                arguments = {"turnId": turn.id, "block": number}
                yield _command(f"Claude: {label}", command, arguments, lsp.CodeActionKind.RefactorRewrite)
                continue
            action = lsp.CodeAction(
                title=f"Claude: {label}",
                kind=lsp.CodeActionKind.RefactorRewrite,
                data={"uri": document.uri, "turnId": turn.id, "block": number, "replace": replaces},
            )
            if not face.client.resolves_edits:
                action.edit = make(face.client, document, here, code)
            yield action


def _command(label: str, command: str, arguments: dict[str, Any], kind: lsp.CodeActionKind | str) -> lsp.CodeAction:
    return lsp.CodeAction(title=label, kind=kind, command=lsp.Command(label, command, arguments=[arguments]))


def _wanted(action: lsp.CodeAction, only: Sequence[lsp.CodeActionKind | str] | None) -> bool:
    """Whether a kind in ``only`` is the action's kind or one above it (LSP 3.17, CodeActionKind)."""
    if not only:
        return True
    kind = _text(action.kind or "")
    return any(kind == wanted or kind.startswith(f"{wanted}.") or not wanted for wanted in map(_text, only))


def _text(kind: lsp.CodeActionKind | str) -> str:
    return kind.value if isinstance(kind, lsp.CodeActionKind) else kind
