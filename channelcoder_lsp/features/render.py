"""Turns as Markdown: for hovers, and as documents of their own. What Claude wrote is made safe here."""

from __future__ import annotations

import re
import time
from functools import lru_cache
from typing import TYPE_CHECKING

from channelcoder_lsp.domain.model import now
from channelcoder_lsp.domain.place import AnchorState
from channelcoder_lsp.domain.text import split_lines
from channelcoder_lsp.domain.thread import ThreadStatus
from channelcoder_lsp.domain.turn import Turn, TurnState
from channelcoder_lsp.features.face import Rendered
from channelcoder_lsp.services.safe_text import plain_text, safe_markdown

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from channelcoder_lsp.domain.place import Anchor
    from channelcoder_lsp.domain.session import SessionState
    from channelcoder_lsp.domain.thread import Thread
    from channelcoder_lsp.features.face import Face
    from channelcoder_lsp.services.placed import ThreadHere

_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_TITLE_CHARS = 80
_MARKS = re.compile(r"[\\`*_\[\]<>&~|]|^[#+-]")
_OLDER_SHOWN = 5
_STREAMING_SECONDS = 0.5
_STATES = {
    AnchorState.MOVED: "the code moved since",
    AnchorState.EDITED: "the code changed since",
}


def hover_markdown(face: Face, found: Sequence[ThreadHere]) -> str:
    """The threads at one place: the newest answer of each in full, as far as it fits, the older ones by title."""
    return "\n\n---\n\n".join(_thread_hover(face, here) for here in found)


def _thread_hover(face: Face, here: ThreadHere) -> str:
    if not here.turns:
        return "**Claude** · no question yet"
    *older, newest = here.turns
    parts = [f"**Claude** · {facts(newest)}{_anchor_note(here)}", f"> {heading(newest.question)}"]
    if text := answer(face, here.session.text_so_far(newest), newest):
        parts.append(text)
    parts += [f"*{inline(note, max_chars=400)}*" for note in newest.notes]
    if older:
        earlier = [f"- {heading(turn.question)} ({age(turn.asked)})" for turn in reversed(older[-_OLDER_SHOWN:])]
        parts.append("\n".join(["Earlier here:", "", *earlier]))
    return "\n\n".join(parts)


def _anchor_note(here: ThreadHere) -> str:
    note = _STATES.get(here.place.state)
    return f" · {note}" if note else ""


def answer(face: Face, text: str, turn: Turn) -> str:
    """The answer of ``turn`` for a hover: safe, bounded, with a word on what is missing; kept until it changes.

    One that streams is made anew twice a second at most.
    """
    limit = face.settings().hover_max_chars
    made_from = (len(text), turn.state, limit)
    kept = face.rendered.get(turn.id)
    at = time.monotonic()
    if kept is not None:
        streaming = turn.state is TurnState.RUNNING and kept.made_from[1] is TurnState.RUNNING
        if kept.made_from == made_from or (streaming and at - kept.at < _STREAMING_SECONDS):
            return kept.text
    rendered = safe_markdown(text, max_chars=limit) if text else ""
    if len(text) > limit:
        rendered += '\n\n*This is not all of it: the code action "Show Claude\'s answer" opens the whole.*'
    match turn.state:
        case TurnState.QUEUED:
            rendered = "*waiting for its turn…*"
        case TurnState.RUNNING:
            rendered = f"{rendered}\n\n*answering…*".strip()
        case TurnState.FAILED:
            rendered = f"{rendered}\n\n**Failed:** {inline(turn.error or '', max_chars=600)}".strip()
        case TurnState.CANCELLED:
            rendered = f"{rendered}\n\n*cancelled*".strip()
    face.rendered[turn.id] = Rendered(made_from, rendered, at)
    return rendered


def facts(turn: Turn) -> str:
    """Age, model and cost in one line."""
    parts = [age(turn.finished or turn.asked)]
    if turn.model:
        parts.append(inline(turn.model, max_chars=60))
    if turn.cost_usd:
        parts.append(f"${turn.cost_usd:.4f}")
    if turn.author:
        parts.append(inline(turn.author, max_chars=60))
    return " · ".join(parts)


def title(text: str) -> str:
    """A question in one short line."""
    return plain_text(text, max_chars=_TITLE_CHARS)


def heading(text: str) -> str:
    """A question in one short line of Markdown."""
    return inline(text, max_chars=_TITLE_CHARS)


@lru_cache(maxsize=1024)
def inline(text: str, *, max_chars: int) -> str:
    """``text`` in one line of Markdown in which it means nothing: questions come from comments in code, too."""
    return _MARKS.sub(r"\\\g<0>", plain_text(text, max_chars=max_chars))


def age(moment: datetime) -> str:
    """How long ago, in the largest unit that fits."""
    seconds = max(0, int((now() - moment).total_seconds()))
    for size, unit in ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit} ago"
    return "just now"


def turn_document(turn: Turn, text: str) -> str:
    """A turn whole: question, answer, then exactly what was sent, and what it took."""
    usage = turn.usage
    rows = [
        ("state", turn.state.value),
        ("model", turn.model or ""),
        ("asked", turn.asked.isoformat(timespec="seconds")),
        ("finished", turn.finished.isoformat(timespec="seconds") if turn.finished else ""),
        ("cost", f"${turn.cost_usd:.4f}"),
        (
            "tokens",
            (
                f"{usage.input_tokens} in, {usage.output_tokens} out, {usage.cache_read_input_tokens} read from "
                f"and {usage.cache_creation_input_tokens} written to the cache"
            ),
        ),
        ("tools", "; ".join(f"{tool.name} {tool.detail}".strip() for tool in turn.tools)),
        ("Claude session", turn.session_id or ""),
        ("id", turn.id),
    ]
    table = ["| | |", "| --- | --- |", *(f"| {name} | {_cell(value)} |" for name, value in rows if value)]
    parts = [
        f"# {heading(turn.question)}",
        _body(turn, text),
        "## What was sent",
        _fenced(turn.prompt),
        *_notes(turn),
    ]
    return "\n\n".join([*parts, "## What it took", "\n".join(table)]) + "\n"


def thread_document(thread: Thread, turns: Sequence[Turn], texts: Sequence[str]) -> str:
    """A thread whole: the code it is about as it was, and its turns, oldest first."""
    anchor = thread.anchor
    where = anchor.path or anchor.uri
    first, last = anchor.range.start.line + 1, anchor.range.last_line + 1
    parts = [f"# {inline(where, max_chars=200)}, lines {first} to {last}"]
    if anchor.quote:
        parts += [
            f"The code when it was asked about ({anchor.state.value}):",
            _fenced(anchor.quote, thread.language),
        ]
    for turn, text in zip(turns, texts, strict=True):
        parts += [f"## {heading(turn.question)}", f"*{facts(turn)}*", _body(turn, text), *_notes(turn)]
    return "\n\n".join(parts) + "\n"


def thread_list(rows: Sequence[tuple[Thread, Anchor, Sequence[Turn]]]) -> str:
    """All threads as a document: the open ones by file, those whose code is gone with the code as it was, the resolved.

    Args:
        rows: each thread, where it is now, and its turns.
    """
    if not rows:
        return "# Threads\n\nNone yet. Select code and ask.\n"
    orphaned = [row for row in rows if row[0].status is ThreadStatus.OPEN and row[1].state is AnchorState.ORPHANED]
    here = [row for row in rows if row[0].status is ThreadStatus.OPEN and row[1].state is not AnchorState.ORPHANED]
    resolved = [row for row in rows if row[0].status is ThreadStatus.RESOLVED]
    parts = ["# Threads"]
    for path in sorted({anchor.path or anchor.uri for _, anchor, _ in here}):
        lines = [_thread_line(*row) for row in here if (row[1].path or row[1].uri) == path]
        parts += [f"## {plain_text(path, max_chars=200)}", "\n".join(lines)]
    if orphaned:
        parts.append("## The code is gone")
        for thread, anchor, turns in orphaned:
            where = plain_text(anchor.path or anchor.uri, max_chars=200)
            parts += [f"{_thread_line(thread, anchor, turns)} in {where}, where this was:"]
            parts.append(_fenced(anchor.quote, thread.language))
    if resolved:
        lines = [f"{_thread_line(*row)} in {plain_text(row[1].path or row[1].uri, max_chars=200)}" for row in resolved]
        parts += ["## Resolved", "\n".join(lines)]
    return "\n\n".join(parts) + "\n"


def _thread_line(_thread: Thread, anchor: Anchor, turns: Sequence[Turn]) -> str:
    first, last = anchor.range.start.line + 1, anchor.range.last_line + 1
    lines = f"line {first}" if first == last else f"lines {first} to {last}"
    question = title(turns[0].question) if turns else "no question yet"
    note = _STATES.get(anchor.state)
    return f"- {question} ({lines}, {len(turns)} turn{'' if len(turns) == 1 else 's'}{f', {note}' if note else ''})"


def transcript(name: str, state: SessionState) -> str:
    """A session's messages, oldest first, as a document."""
    totals = state.channelcoder.totals
    parts = [
        f"# Session {inline(name, max_chars=200)}",
        f"{len(state.messages)} messages · {totals.turns} questions · ${totals.cost_usd:.4f}",
    ]
    for message in state.messages:
        when = message.timestamp.isoformat(timespec="seconds")
        if message.role == "user":
            parts += [f"## {heading(message.content)}", f"*{when}*{_about(state, message.turn_id)}"]
            if len(message.content) > _TITLE_CHARS or "\n" in message.content:
                parts.append(_fenced(message.content))
        else:
            parts.append(safe_markdown(message.content))
    parts += [
        f"**{turn.state.value}:** {inline(turn.error, max_chars=600)} ({heading(turn.question)})"
        for turn in state.turns.values()
        if turn.error
    ]
    return "\n\n".join(parts) + "\n"


def _about(state: SessionState, turn_id: str | None) -> str:
    turn = state.turns.get(turn_id or "")
    thread = state.threads.get(turn.thread_id or "") if turn else None
    if thread is None:
        return ""
    anchor = thread.anchor
    return f" · {inline(anchor.path or anchor.uri, max_chars=200)}:{anchor.range.start.line + 1}"


def _body(turn: Turn, text: str) -> str:
    body = safe_markdown(text).rstrip("\n") if text else ""
    if turn.error:
        body = f"{body}\n\n**Failed:** {inline(turn.error, max_chars=600)}".strip()
    return body or f"*{turn.state.value}*"


def _notes(turn: Turn) -> list[str]:
    return [f"*{inline(note, max_chars=400)}*" for note in turn.notes]


def _fenced(text: str, language: str = "") -> str:
    """``text`` as a code block whose fence no line of it can close."""
    ticks = max([2, *(len(line) - len(line.lstrip("`")) for line in map(str.strip, split_lines(text)))])
    fence = "`" * (ticks + 1)
    word = "".join(char for char in language if char.isalnum() or char in "+-_")
    return f"{fence}{word}\n{text}\n{fence}"


def _cell(value: str) -> str:
    return inline(value, max_chars=400)
