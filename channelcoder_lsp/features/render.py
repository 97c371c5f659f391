"""The pieces that hovers, lenses, lists and documents are made of. What Claude wrote is made safe here."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from channelcoder_lsp.domain.model import now
from channelcoder_lsp.domain.place import AnchorState
from channelcoder_lsp.domain.proposal import ProposalStatus
from channelcoder_lsp.domain.text import split_lines
from channelcoder_lsp.services.owner import is_of_this_machine
from channelcoder_lsp.services.proposals import summary
from channelcoder_lsp.services.safe_text import plain_text

if TYPE_CHECKING:
    from collections.abc import Container, Iterable
    from datetime import datetime

    from channelcoder_lsp.domain.place import Anchor
    from channelcoder_lsp.domain.proposal import Proposal
    from channelcoder_lsp.domain.review import Finding
    from channelcoder_lsp.domain.thread import Thread
    from channelcoder_lsp.domain.turn import Turn

_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_TITLE_CHARS = 80
_LABEL_CHARS = 50
_MARKS = re.compile(r"[\\`*_\[\]<>&~|]|^[#+-]")
_STATES = {
    AnchorState.MOVED: "the code moved since",
    AnchorState.EDITED: "the code changed since",
}


def anchor_note(state: AnchorState) -> str:
    """What to know of a place that is not where, or not what, it was."""
    return _STATES.get(state, "")


def facts(turn: Turn) -> str:
    """Age, model and cost in one line."""
    parts = [age(turn.finished or turn.asked)]
    if turn.model:
        parts.append(inline(turn.model, max_chars=60))
    if turn.cost_usd:
        parts.append(f"${turn.cost_usd:.4f}")
    if turn.author and not is_of_this_machine(turn.owner):
        parts.append(inline(turn.author, max_chars=60))
    return " · ".join(parts)


def title(text: str) -> str:
    """A question in one short line."""
    return plain(text, max_chars=_TITLE_CHARS)


@lru_cache(maxsize=2048)
def plain(text: str, *, max_chars: int, one_line: bool = True) -> str:
    """:func:`plain_text`, kept: lenses and diagnostics are asked for again and again."""
    return plain_text(text, max_chars=max_chars, one_line=one_line)


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


def count(number: int, noun: str) -> str:
    """``no answers``, ``1 answer``, ``2 answers``."""
    return f"1 {noun}" if number == 1 else f"{number or 'no'} {noun}s"


def subject(thread: Thread, turns: list[Turn]) -> str:
    """What a thread is about: the first line of its finding, else its first question. As it was written."""
    if thread.finding is not None:
        return thread.finding.message.strip().partition("\n")[0]
    return turns[0].question if turns else "no question yet"


def file_and_subject(anchor: Anchor, thread: Thread, turns: list[Turn]) -> str:
    """A thread's name where documents are listed, without a slash: ``shop.py: Why is this slow?``."""
    asked = plain_text(subject(thread, turns), max_chars=_LABEL_CHARS)
    return f"{PurePosixPath(where(anchor)).name}: {asked}".replace("/", " ")


def finding_label(finding: Finding) -> str:
    """A finding's severity and code in one line of Markdown: ``warning (bug)``."""
    code = f" ({inline(finding.code, max_chars=60)})" if finding.code else ""
    return f"{finding.severity.value}{code}"


def proposal_note(proposal: Proposal) -> str:
    """What a proposal would change and what became of it, in one line of Markdown."""
    return f"Edit proposed: {inline(summary(proposal), max_chars=200)}"


def where(anchor: Anchor) -> str:
    """An anchor's file, as people name it."""
    return plain_text(anchor.path or anchor.uri, max_chars=200)


def lines_of(anchor: Anchor) -> str:
    """``line 4``, ``lines 4 to 6``."""
    first, last = anchor.range.start.line + 1, anchor.range.last_line + 1
    return f"line {first}" if first == last else f"lines {first} to {last}"


def fenced(text: str, language: str = "") -> str:
    """``text`` as a code block whose fence no line of it can close."""
    ticks = max([2, *(len(line) - len(line.lstrip("`")) for line in map(str.strip, split_lines(text)))])
    fence = "`" * (ticks + 1)
    word = "".join(char for char in language if char.isalnum() or char in "+-_")
    return f"{fence}{word}\n{text}\n{fence}"


def open_proposals(
    proposals: Iterable[Proposal], thread_ids: Container[str] | None = None
) -> dict[str, list[Proposal]]:
    """The proposals that wait to be applied by thread, oldest first; one look at each, however many threads there are.

    Args:
        proposals: a session's.
        thread_ids: only those of these threads.
    """
    waiting: dict[str, list[Proposal]] = {}
    for proposal in proposals:
        thread_id = proposal.thread_id
        if proposal.status is not ProposalStatus.OPEN or thread_id is None or not proposal.files:
            continue
        if thread_ids is None or thread_id in thread_ids:
            waiting.setdefault(thread_id, []).append(proposal)
    return waiting
