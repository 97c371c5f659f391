"""Findings without a review: threads opened through the services."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from channelcoder_lsp.domain.place import Position, Range, Selection, Severity
from channelcoder_lsp.domain.proposal import Hunk, Proposal, ProposedFile
from channelcoder_lsp.domain.review import Finding
from channelcoder_lsp.services.threads import thread_about

if TYPE_CHECKING:
    from channelcoder_lsp.domain.thread import Thread

    from .editor import Editor

LINES = (3, 0), (5, 17)


async def found(
    editor: Editor,
    uri: str,
    message: str = "It adds with a loop; use `sum`.",
    *,
    where: Any = LINES,
    proposed: bool = False,
    **more: Any,
) -> Thread:
    """Open a thread with a finding at the place of an open document; with ``proposed`` an edit comes with it."""
    project = editor.face.projects.of(uri)
    document = project.documents.get(uri)
    assert document is not None
    start, end = where
    text = "\n".join(document.lines)
    span = Range(Position(*start), Position(*end))
    thread = thread_about(Selection(uri=uri, path=document.path, language="python", range=span, text="", document=text))
    values = {"severity": Severity.WARNING, "code": "bug", **more}
    thread.finding = Finding(review_id="review-1", turn_id="turn-1", message=message, **values)
    session = await project.session_to_ask_in()
    await session.open_thread(thread, text)
    if proposed:
        await session.keep_proposal(proposal_for(thread, base=await session.keep_text(text)))
    await project.placed.place_new()
    return session.thread(thread.id)


def proposal_for(thread: Thread, base: str | None = None) -> Proposal:
    """An edit of the thread's first line, and of another file."""
    line = thread.anchor.range.start.line
    here = ProposedFile(
        uri=thread.anchor.uri, path=thread.anchor.path, base=base, hunks=[Hunk(start=line, end=line + 1, lines=["x"])]
    )
    other = ProposedFile(uri="file:///b.py", path="b.py", hunks=[Hunk(start=0, end=0, lines=["y"])])
    return Proposal(turn_id="turn-1", thread_id=thread.id, files=[here, other])
