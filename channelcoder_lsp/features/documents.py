"""Threads, turns and sessions as Markdown documents: the whole of what hovers and lenses show a part of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from channelcoder_lsp.domain.permission import Decision
from channelcoder_lsp.domain.place import AnchorState
from channelcoder_lsp.domain.thread import ThreadStatus
from channelcoder_lsp.features.render import (
    anchor_note,
    count,
    facts,
    fenced,
    finding_label,
    heading,
    inline,
    lines_of,
    proposal_note,
    subject,
    where,
)
from channelcoder_lsp.services.safe_text import safe_markdown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from channelcoder_lsp.domain.permission import Permission
    from channelcoder_lsp.domain.place import Anchor
    from channelcoder_lsp.domain.proposal import Proposal
    from channelcoder_lsp.domain.session import SessionState
    from channelcoder_lsp.domain.thread import Thread
    from channelcoder_lsp.domain.turn import Turn

_TITLE_CHARS = 80
_DECISIONS = {
    Decision.ONCE: "allowed once",
    Decision.SESSION: "allowed for the session",
    Decision.DENY: "not allowed",
}


@dataclass(frozen=True)
class ListedThread:
    """A thread, where it is now, its turns and its proposals."""

    thread: Thread
    anchor: Anchor
    turns: list[Turn]
    proposals: list[Proposal]


def turn_document(turn: Turn, text: str) -> str:
    """A turn whole: question, answer, then exactly what was sent, what was consented to, and what it took."""
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
        fenced(turn.prompt),
        *_notes(turn),
    ]
    if turn.permissions:
        parts.append("## What it asked to do")
        for permission in turn.permissions:
            parts += _permission(permission)
    return "\n\n".join([*parts, "## What it took", "\n".join(table)]) + "\n"


def thread_document(row: ListedThread, texts: Sequence[str]) -> str:
    """A thread whole: its code as it was, its finding, its turns, oldest first, and what was proposed.

    Args:
        row: the thread, its turns whole.
        texts: the answers so far.
    """
    thread, anchor = row.thread, row.anchor
    resolved = ", resolved" if thread.status is ThreadStatus.RESOLVED else ""
    gone = anchor.state is AnchorState.ORPHANED
    place = "the code is gone" if gone else lines_of(anchor)
    parts = [f"# {inline(where(anchor), max_chars=200)}, {place}{resolved}"]
    if thread.finding is not None:
        parts += [f"**{finding_label(thread.finding)}**", safe_markdown(thread.finding.message).rstrip("\n")]
        if thread.finding.replacement:
            parts += ["What it could be instead:", fenced(thread.finding.replacement, thread.language)]
    if anchor.quote:
        parts += ["The code when it was asked about:", fenced(anchor.quote, thread.language)]
    if anchor.state is AnchorState.EDITED and anchor.current:
        parts += ["The code now:", fenced(anchor.current, thread.language)]
    for turn, text in zip(row.turns, texts, strict=True):
        parts += [f"## {heading(turn.question)}", f"*{facts(turn)}*", _body(turn, text), *_notes(turn)]
    if row.proposals:
        parts += ["## Edits", "\n".join(f"- {proposal_note(proposal)}" for proposal in row.proposals)]
    return "\n\n".join(parts) + "\n"


def thread_list(rows: Sequence[ListedThread]) -> str:
    """Threads as a document: open ones by file, those whose code is gone with the code as it was, resolved ones."""
    if not rows:
        return "# Threads\n\nNone yet. Select code and ask.\n"
    open_ = [row for row in rows if row.thread.status is ThreadStatus.OPEN]
    orphaned = [row for row in open_ if row.anchor.state is AnchorState.ORPHANED]
    here = [row for row in open_ if row.anchor.state is not AnchorState.ORPHANED]
    resolved = [row for row in rows if row.thread.status is ThreadStatus.RESOLVED]
    parts = ["# Threads"]
    by_file: dict[str, list[ListedThread]] = {}
    for row in sorted(here, key=lambda row: (row.anchor.path or row.anchor.uri, row.anchor.range)):
        by_file.setdefault(where(row.anchor), []).append(row)
    for path, of_file in by_file.items():
        parts += [f"## {inline(path, max_chars=200)}", "\n".join(map(_thread_line, of_file))]
    if orphaned:
        parts.append("## The code is gone")
        for row in orphaned:
            parts += [f"{_thread_line(row)} in {_file(row)}, where this was:"]
            parts.append(fenced(row.anchor.quote, row.thread.language))
    if resolved:
        parts += ["## Resolved", "\n".join(f"{_thread_line(row)} in {_file(row)}" for row in resolved)]
    return "\n\n".join(parts) + "\n"


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
                parts.append(fenced(message.content))
        else:
            parts.append(safe_markdown(message.content))
    parts += [
        f"**{turn.state.value}:** {inline(turn.error, max_chars=600)} ({heading(turn.question)})"
        for turn in state.turns.values()
        if turn.error
    ]
    return "\n\n".join(parts) + "\n"


def _thread_line(row: ListedThread) -> str:
    finding = row.thread.finding
    severity = f"{finding.severity.value}: " if finding is not None else ""
    notes = [lines_of(row.anchor), count(len(row.turns), "turn"), anchor_note(row.anchor.state)]
    if finding is not None and not row.turns:
        notes[1] = ""
    notes += [proposal_note(proposal) for proposal in row.proposals]
    return f"- {severity}{heading(subject(row.thread, row.turns))} ({', '.join(filter(None, notes))})"


def _file(row: ListedThread) -> str:
    return inline(where(row.anchor), max_chars=200)


def _permission(permission: Permission) -> list[str]:
    reason = f": {inline(permission.reason, max_chars=400)}" if permission.reason else ""
    said = f"**{inline(permission.tool, max_chars=100)}**: {_DECISIONS[permission.decision]}{reason}"
    return [said, fenced(permission.detail)] if permission.detail else [said]


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


def _cell(value: str) -> str:
    return inline(value, max_chars=400)
