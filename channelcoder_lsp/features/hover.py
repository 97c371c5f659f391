"""textDocument/hover: the findings and answers about the code under the cursor, from memory only."""

from __future__ import annotations

import time
from difflib import unified_diff
from functools import lru_cache
from typing import TYPE_CHECKING

from lsprotocol import types as lsp

from channelcoder_lsp.domain.place import AnchorState, Range
from channelcoder_lsp.domain.text import split_lines, text_in
from channelcoder_lsp.domain.turn import Turn, TurnState
from channelcoder_lsp.features import shown
from channelcoder_lsp.features.face import Rendered
from channelcoder_lsp.features.render import (
    age,
    anchor_note,
    facts,
    fenced,
    finding_label,
    heading,
    inline,
    open_proposals,
    proposal_note,
)
from channelcoder_lsp.services.safe_text import safe_markdown

if TYPE_CHECKING:
    from channelcoder_lsp.domain.proposal import Proposal
    from channelcoder_lsp.features.face import Face
    from channelcoder_lsp.services.placed import ThreadHere
    from channelcoder_lsp.services.threads import Document

_OLDER_SHOWN = 5
_STREAMING_SECONDS = 0.5
_COMPARED_LINES = 60
_CHANGED_LINES = 20
_LINE_CHARS = 200


def hover(face: Face, params: lsp.HoverParams) -> lsp.Hover | None:
    """The threads at the position, the innermost first."""
    uri = params.text_document.uri
    project = face.projects.of(uri)
    if not face.settings().hover or (document := project.documents.get(uri)) is None:
        return None
    position = face.client.codec.position(document.lines, params.position)
    found = project.placed.threads_at(uri, Range(position, position))
    if not found:
        return None
    waiting: dict[str, list[Proposal]] = {}
    if face.settings().proposals:
        ids = {here.thread.id for here in found}
        waiting = open_proposals(found[0].session.head.proposals.values(), ids)
    threads = [_thread(face, document, here, waiting.get(here.thread.id, [])) for here in found]
    kind = lsp.MarkupKind.Markdown if face.client.hover_markdown else lsp.MarkupKind.PlainText
    return lsp.Hover(
        lsp.MarkupContent(kind, "\n\n---\n\n".join(threads)),
        range=face.client.codec.client_range(document.lines, found[0].range),
    )


def _thread(face: Face, document: Document, here: ThreadHere, waiting: list[Proposal]) -> str:
    """One thread: its finding, the newest answer in full as far as it fits, the older ones by title."""
    parts = [_first_line(face, here)]
    finding, limit = here.thread.finding, face.settings().hover_max_chars
    if finding is not None:
        if not (face.client.hovers_diagnostics and face.settings().diagnostics):  # else it would stand there twice
            parts.append(_safe(face, here.thread.id, finding.message, TurnState.DONE, limit))
        if finding.replacement:
            parts += ["What it could be instead:", fenced(finding.replacement[:limit], here.thread.language)]
    older = here.turns[:-1]
    for newest in here.turns[-1:]:
        parts.append(f"> {heading(newest.question)}")
        if text := _answer(face, here.session.text_so_far(newest), newest):
            parts.append(text)
        parts += [f"*{inline(note, max_chars=400)}*" for note in newest.notes]
    if earlier := older[-_OLDER_SHOWN:]:
        titles = [f"- {heading(turn.question)} ({age(turn.asked)})" for turn in reversed(earlier)]
        parts.append("\n".join(["Earlier here:", "", *titles]))
    parts += [f"**{proposal_note(proposal)}** · code actions preview and apply it" for proposal in waiting]
    if here.place.state is AnchorState.EDITED:
        parts.append(_changed(here.thread.anchor.quote, text_in(document.lines, here.range), here.thread.language))
    return "\n\n".join(part for part in parts if part)


def _first_line(face: Face, here: ThreadHere) -> str:
    """Severity, age, cost, the place's state, and a way to the whole thread."""
    facts_ = ["**Claude**"]
    if here.thread.finding is not None:
        facts_.append(finding_label(here.thread.finding))
    if here.turns:
        facts_.append(facts(here.turns[-1]))
    elif here.thread.finding is not None:
        facts_.append(age(here.thread.created))
    else:
        facts_.append("no question yet")
    if note := anchor_note(here.place.state):
        facts_.append(note)
    if face.client.hover_markdown and (link := shown.thread_link(face, here.thread.id)) is not None:
        facts_.append(f"[whole thread]({link})")
    return " · ".join(facts_)


def _answer(face: Face, text: str, turn: Turn) -> str:
    """The answer of ``turn``: safe, bounded, with a word on what is missing and on how it ended."""
    limit = face.settings().hover_max_chars
    rendered = _safe(face, turn.id, text, turn.state, limit)
    match turn.state:
        case TurnState.QUEUED:
            rendered = "*waiting for its turn…*"
        case TurnState.RUNNING:
            rendered = f"{rendered}\n\n*answering…*"
        case TurnState.FAILED:
            rendered = f"{rendered}\n\n**Failed:** {inline(turn.error or '', max_chars=600)}"
        case TurnState.CANCELLED:
            rendered = f"{rendered}\n\n*cancelled*"
    return rendered.strip()


def _safe(face: Face, key: str, text: str, state: TurnState, limit: int) -> str:
    """What Claude wrote, safe and bounded; kept until it changes.

    One that streams is made anew twice a second at most.
    """
    made_from = (len(text), state, limit)
    kept = face.rendered.get(key)
    at = time.monotonic()
    if kept is not None:
        streaming = state is TurnState.RUNNING and kept.made_from[1] is TurnState.RUNNING
        if kept.made_from == made_from or (streaming and at - kept.at < _STREAMING_SECONDS):
            return kept.text
    rendered = safe_markdown(text, max_chars=limit) if text else ""
    if len(text) > limit:
        rendered += '\n\n*This is not all of it: the code action "Show Claude\'s answer" opens the whole.*'
    face.rendered[key] = Rendered(made_from, rendered, at)
    return rendered


@lru_cache(maxsize=256)
def _changed(old: str, new: str, language: str) -> str:
    """What the code was: as a diff where it is short, else by its first lines."""
    before, after = split_lines(old), split_lines(new)
    if max(len(before), len(after)) <= _COMPARED_LINES:
        diff = list(unified_diff(before, after, n=1, lineterm=""))[2:]
        return f"The code changed since:\n\n{fenced(_cut(diff), 'diff')}"
    return f"The code changed since. It was:\n\n{fenced(_cut(before), language)}"


def _cut(lines: list[str]) -> str:
    more = ["…"] if len(lines) > _CHANGED_LINES else []
    return "\n".join([*(line[:_LINE_CHARS] for line in lines[:_CHANGED_LINES]), *more])
