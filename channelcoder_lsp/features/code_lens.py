"""textDocument/codeLens: at code that has threads, what they hold, and what can be done with them."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

from lsprotocol import types as lsp

from channelcoder_lsp import protocol
from channelcoder_lsp.domain.turn import TurnState
from channelcoder_lsp.features.render import count, open_proposals, plain, subject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from channelcoder_lsp.domain.proposal import Proposal
    from channelcoder_lsp.features.face import Face
    from channelcoder_lsp.services.placed import ThreadHere

_SUBJECT_CHARS = 50
_THREADS_SHOWN = 3


def code_lenses(face: Face, params: lsp.CodeLensParams) -> list[lsp.CodeLens]:
    """For each open thread: ``Claude: 2 answers``, ``Reply``, ``Resolve``, and what to do with an edit that waits.

    Several threads on one line are numbered; of more than three the rest is one lens, which shows the list.
    """
    uri = params.text_document.uri
    project = face.projects.of(uri)
    if not face.settings().code_lens or (document := project.documents.get(uri)) is None:
        return []
    threads = project.placed.threads_in(uri)
    waiting: dict[str, list[Proposal]] = {}
    if threads and face.settings().proposals:
        waiting = open_proposals(threads[0].session.head.proposals.values())
    lenses = []
    for _, group in groupby(threads, key=lambda here: here.range.start.line):
        on_line = list(group)
        for number, here in enumerate(on_line[:_THREADS_SHOWN], 1):
            which = f" ({number})" if len(on_line) > 1 else ""
            where = face.client.codec.client_range(document.lines, here.range)
            commands = _commands(face, here, waiting.get(here.thread.id, []), which)
            lenses += [lsp.CodeLens(where, command) for command in commands]
        if (more := len(on_line) - _THREADS_SHOWN) > 0:
            where = face.client.codec.client_range(document.lines, on_line[_THREADS_SHOWN].range)
            label = f"Claude: {count(more, 'more thread')}"
            lenses.append(lsp.CodeLens(where, _command(label, protocol.THREAD_LIST, uri=uri, show=True)))
    return lenses


def _commands(face: Face, here: ThreadHere, waiting: list[Proposal], which: str) -> Iterator[lsp.Command]:
    thread = {"threadId": here.thread.id}
    yield _command(_title(here, f"Claude{which}"), protocol.THREAD_SHOW, **thread)
    if waiting:
        proposal = {"proposalId": waiting[-1].id}
        if face.client.applies_edits:
            yield _command(f"Apply{which}", protocol.PROPOSAL_APPLY, **proposal)
        yield _command(f"Preview{which}", protocol.PROPOSAL_PREVIEW, **proposal)
    if face.client.takes_input:
        yield _command(f"Reply{which}", protocol.THREAD_REPLY, **thread)
    yield _command(f"Resolve{which}", protocol.THREAD_RESOLVE, **thread)


def _command(label: str, command: protocol.Command[Any, Any], **arguments: Any) -> lsp.Command:
    return lsp.Command(label, command.name, arguments=[arguments])


def _title(here: ThreadHere, claude: str) -> str:
    """A finding in short; how many answers there are, and whether one is on its way or failed."""
    turns, finding = here.turns, here.thread.finding
    answers = sum(turn.state is TurnState.DONE for turn in turns)
    told = []
    if finding is not None:
        told = [finding.severity.value, plain(subject(here.thread, turns), max_chars=_SUBJECT_CHARS)]
    if answers or (not told and not turns):
        told.append(count(answers, "answer"))
    if any(not turn.state.finished for turn in turns):
        if not told:
            return f"{claude} is answering…"
        told.append("answering…")
    elif turns and (last := turns[-1].state) is not TurnState.DONE:
        told.append(f"the last one {last.value}" if answers else last.value)
    return f"{claude}: {' · '.join(told)}"
