"""textDocument/codeAction: what can be done with threads, and with diagnostics of ours and of other servers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lsprotocol import types as lsp

from channelcoder_lsp import protocol
from channelcoder_lsp.features.diagnostics import SOURCE
from channelcoder_lsp.features.positions import range_as_json
from channelcoder_lsp.features.render import subject, title
from channelcoder_lsp.services.safe_text import plain_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from channelcoder_lsp.domain.place import Range
    from channelcoder_lsp.features.face import Face
    from channelcoder_lsp.services.placed import ThreadHere
    from channelcoder_lsp.services.threads import Document

_KIND = "claude"
_DIAGNOSTICS = 3
_QUESTION_CHARS = 600
FIX = "fix"
"""The prompt that diagnostics are fixed with."""


def thread_actions(
    face: Face, document: Document, span: Range, params: lsp.CodeActionParams
) -> Iterator[lsp.CodeAction]:
    """Reply to and resolve the threads on the lines of ``span``; those of a shown finding are its quick fixes."""
    threads = face.projects.of(document.uri).placed.threads_at(document.uri, span)
    ours = {thread_id: each for each in params.context.diagnostics if (thread_id := thread_of(each)) is not None}
    for here in threads:
        turns, thread = here.turns, {"threadId": here.thread.id}
        which = f": {title(subject(here.thread, turns))}" if len(threads) > 1 else ""
        finding = ours.get(here.thread.id)
        actions = []
        if here.thread.finding is not None:
            if finding is not None:
                actions += _fix(face, document, params.text_document.uri, here, finding)
            actions.append(_action(f"Show Claude's finding{which}", protocol.THREAD_SHOW, thread))
        elif len(turns) > 1:
            actions.append(_action(f"Show the whole thread{which}", protocol.THREAD_SHOW, thread))
        if face.client.takes_input:
            actions.append(_action(f"Reply to Claude…{which}", protocol.THREAD_REPLY, thread))
        actions.append(_action(f"Resolve this thread{which}", protocol.THREAD_RESOLVE, thread))
        for action in actions:
            if finding is not None:
                action.kind, action.diagnostics = lsp.CodeActionKind.QuickFix, [finding]
            yield action


def diagnostic_actions(face: Face, document: Document, params: lsp.CodeActionParams) -> Iterator[lsp.CodeAction]:
    """Ask about, or fix, what other servers say; findings of ours are left to their threads."""
    others = [each for each in params.context.diagnostics if thread_of(each) is None]
    for found in others[:_DIAGNOSTICS]:
        message = title(found.message)
        about: dict[str, Any] = {
            "uri": params.text_document.uri,
            "range": range_as_json(found.range),
            "diagnostics": [diagnostic_as_json(found)],
        }
        actions = []
        if _has_fix(face, document):
            actions.append(_action(f"Fix with Claude: {message}", protocol.ASK, {**about, "prompt": FIX}))
        question = {**about, "question": _question(found)}
        actions.append(_action(f"Ask Claude about: {message}", protocol.ASK, question))
        for action in actions:
            action.kind, action.diagnostics = lsp.CodeActionKind.QuickFix, [found]
            yield action


def thread_of(diagnostic: lsp.Diagnostic) -> str | None:
    """The thread whose finding ``diagnostic`` shows, if it is one of ours."""
    data = diagnostic.data
    thread_id = data.get("threadId") if diagnostic.source == SOURCE and isinstance(data, dict) else None
    return thread_id if isinstance(thread_id, str) else None


def diagnostic_as_json(found: lsp.Diagnostic) -> dict[str, Any]:
    """``found`` as it stands in a command's arguments."""
    return {
        "range": range_as_json(found.range),
        "message": found.message,
        "severity": found.severity.value if found.severity else None,
        "source": found.source,
        "code": found.code,
    }


def _fix(face: Face, document: Document, uri: str, here: ThreadHere, finding: lsp.Diagnostic) -> list[lsp.CodeAction]:
    """Have a finding fixed in its thread, unless an edit is offered already."""
    proposed = face.settings().proposals and any(one.files for one in here.session.proposals_of(here.thread))
    if proposed or not _has_fix(face, document):
        return []
    arguments = {
        "uri": uri,
        "range": range_as_json(face.client.codec.client_range(document.lines, here.range)),
        "prompt": FIX,
        "threadId": here.thread.id,
        "diagnostics": [diagnostic_as_json(finding)],
    }
    return [_action(f"Fix with Claude: {title(finding.message)}", protocol.ASK, arguments)]


def _has_fix(face: Face, document: Document) -> bool:
    prompt = face.prompts.of(face.projects.of(document.uri).checkout).get(FIX)
    return prompt is not None and prompt.fits(document.language)


def _question(found: lsp.Diagnostic) -> str:
    checker = " ".join(str(part) for part in (found.source, found.code) if part is not None)
    by = f" ({plain_text(checker, max_chars=80)})" if checker else ""
    message = plain_text(found.message, max_chars=_QUESTION_CHARS)
    return f"{message}{by}: what does this mean here, and what should be done about it?"


def _action(label: str, command: protocol.Command[Any, Any], arguments: dict[str, Any]) -> lsp.CodeAction:
    return lsp.CodeAction(title=label, kind=_KIND, command=lsp.Command(label, command.name, arguments=[arguments]))
