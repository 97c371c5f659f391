"""workspace/symbol: threads by path, question, answer, finding and code; resolved ones, too.

A thread whose code is gone is never shown at a place in code: it leads to its document where that was made, else to
the start of the file, and says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol import types as lsp

from channelcoder_lsp.domain.place import AnchorState
from channelcoder_lsp.domain.thread import ThreadStatus
from channelcoder_lsp.features.render import anchor_note, subject, title, where
from channelcoder_lsp.features.shown import thread_link

if TYPE_CHECKING:
    from channelcoder_lsp.domain.place import Anchor
    from channelcoder_lsp.domain.thread import Thread
    from channelcoder_lsp.domain.turn import Turn
    from channelcoder_lsp.features.face import Face
    from channelcoder_lsp.services.project import Project

_MOST = 200
_LOOKED_AT_CHARS = 2_000
_ANSWER_CHARS = 300


def workspace_symbols(face: Face, params: lsp.WorkspaceSymbolParams) -> list[lsp.WorkspaceSymbol]:
    """The threads that ``query`` matches: open ones first, then the newest first, 200 at most. Reads memory only.

    A thread matches when each word of the query is somewhere in it, or the query's characters are in its title and
    path in that order.
    """
    if not face.settings().workspace_symbols:
        return []
    words = params.query.casefold().split()
    found = []
    for project in face.projects:
        if (session := project.session) is None:
            continue
        for thread in session.head.threads.values():
            turns = session.turns_of(thread)
            if _matches(words, thread, turns):
                last = turns[-1].asked if turns else thread.created
                found.append((thread.status is ThreadStatus.OPEN, last, project, thread, turns))
    found.sort(key=lambda row: row[:2], reverse=True)
    return [_symbol(face, project, thread, turns) for _, _, project, thread, turns in found[:_MOST]]


def _matches(words: list[str], thread: Thread, turns: list[Turn]) -> bool:
    anchor = thread.anchor
    name = f"{subject(thread, turns)} {anchor.path or anchor.uri}"
    texts = [name, anchor.symbol or "", thread.finding.message if thread.finding is not None else ""]
    texts += [text for turn in turns for text in (turn.question[:_LOOKED_AT_CHARS], turn.answer[:_ANSWER_CHARS])]
    texts.append(anchor.quote[:_LOOKED_AT_CHARS])
    everything = "\n".join(texts).casefold()
    if all(word in everything for word in words):
        return True
    characters = iter(name.casefold())
    return all(wanted in characters for wanted in "".join(words))


def _symbol(face: Face, project: Project, thread: Thread, turns: list[Turn]) -> lsp.WorkspaceSymbol:
    anchor = project.placed.anchor_of(thread)
    gone = anchor.state is AnchorState.ORPHANED
    notes = [
        where(anchor),
        "resolved" if thread.status is ThreadStatus.RESOLVED else "",
        "the code is gone" if gone else anchor_note(anchor.state),
    ]
    return lsp.WorkspaceSymbol(
        location=_no_code(face, thread, anchor) if gone else _location(face, project, anchor),
        name=title(subject(thread, turns)),
        kind=lsp.SymbolKind.Event,
        container_name=" · ".join(filter(None, notes)),
        data={"threadId": thread.id},
    )


def _location(face: Face, project: Project, anchor: Anchor) -> lsp.Location:
    document, codec = project.documents.get(anchor.uri), face.client.codec
    if document is None:
        return lsp.Location(anchor.uri, codec.anchor_range(anchor))
    return lsp.Location(anchor.uri, codec.client_range(document.lines, anchor.range))


def _no_code(face: Face, thread: Thread, anchor: Anchor) -> lsp.Location:
    start = lsp.Range(lsp.Position(0, 0), lsp.Position(0, 0))
    return lsp.Location(thread_link(face, thread.id) or anchor.uri, start)
