"""textDocument/codeLens: above code that has answers, how many, and a way to go on."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from lsprotocol import types as lsp

from channelcoder_lsp import protocol
from channelcoder_lsp.domain.turn import TurnState
from channelcoder_lsp.features.positions import range_as_json

if TYPE_CHECKING:
    from channelcoder_lsp.features.face import Face
    from channelcoder_lsp.services.placed import ThreadHere


def code_lenses(face: Face, params: lsp.CodeLensParams) -> list[lsp.CodeLens]:
    """One lens with the number of answers for each line with threads, and one to go on with the last of them."""
    uri = params.text_document.uri
    project = face.projects.of(uri)
    if not face.settings().code_lens or (document := project.documents.get(uri)) is None:
        return []
    lenses = []
    for _, group in groupby(project.placed.threads_in(uri), key=lambda here: here.range.start.line):
        threads = list(group)
        newest = max(threads, key=lambda here: here.turns[-1].asked if here.turns else here.thread.created)
        where = face.client.codec.client_range(document.lines, newest.range)
        lenses.append(
            lsp.CodeLens(
                where,
                lsp.Command(_title(threads), protocol.THREAD_SHOW.name, arguments=[{"threadId": newest.thread.id}]),
            )
        )
        if face.client.takes_input:
            arguments = {"uri": uri, "range": range_as_json(where), "threadId": newest.thread.id}
            lenses.append(lsp.CodeLens(where, lsp.Command("Continue", protocol.ASK.name, arguments=[arguments])))
    return lenses


def _title(threads: list[ThreadHere]) -> str:
    turns = [turn for here in threads for turn in here.turns]
    answers = sum(turn.state is TurnState.DONE for turn in turns)
    counted = f"Claude: {answers} answer{'' if answers == 1 else 's'}"
    last = max(turns, key=lambda turn: turn.asked).state if turns else TurnState.DONE
    if any(not turn.state.finished for turn in turns):
        return f"{counted} · answering…" if answers else "Claude is answering…"
    if last is TurnState.DONE:
        return counted
    return f"{counted} · the last one {last.value}" if answers else f"Claude: {last.value}"
