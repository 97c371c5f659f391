"""A proposal as a Markdown document: what it would change now."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from channelcoder_lsp.domain.proposal import FileKind
from channelcoder_lsp.features.render import heading, inline
from channelcoder_lsp.services.hunks import HunkNow, HunkState
from channelcoder_lsp.services.proposals import new_lines, summary
from channelcoder_lsp.services.safe_unicode import without_hidden

if TYPE_CHECKING:
    from collections.abc import Sequence

    from channelcoder_lsp.domain.proposal import Proposal
    from channelcoder_lsp.services.proposed import Target

_CONTEXT_LINES = 3
_BACKTICKS = re.compile("`+")
_HIDDEN = "*There are characters in it that are not shown here: look at the code before you apply it.*"


def proposal_document(proposal: Proposal, question: str, targets: Sequence[Target], index: int | None) -> str:
    """What ``proposal`` would change now, file by file.

    Args:
        proposal: the proposal.
        question: what was asked.
        targets: its files as they are now.
        index: only this change of the file; None: all.
    """
    parts = [
        f"# Claude's edit{f': {heading(question)}' if question else ''}",
        f"*{inline(summary(proposal), max_chars=400)}*",
    ]
    for target in targets:
        parts += _file(target, index)
    return "\n\n".join(parts) + "\n"


def _file(target: Target, index: int | None) -> list[str]:
    name = inline(target.name, max_chars=200)
    state = _state(target.now.state, target.now.reason)
    match target.now.file.kind:
        case FileKind.CREATE:
            return [f"## {name}: new file, {state}", *_diff([f"+{line}" for line in new_lines(target.now.file)])]
        case FileKind.DELETE:
            return [f"## {name}: to be deleted, {state}"]
    parts = [f"## {name}"]
    for hunk in target.now.hunks:
        if index in (None, hunk.index):
            line = (hunk.hunk.start if hunk.state is HunkState.STALE else hunk.start) + 1
            where = f"line {line}{' as it was' if hunk.state is HunkState.STALE else ''}"
            parts.append(f"### Change {hunk.index + 1}, {where}: {_state(hunk.state, hunk.reason)}")
            parts += _diff(_hunk(target, hunk))
    return parts


def _hunk(target: Target, hunk: HunkNow) -> list[str]:
    """The lines of a diff: against the text now, or for a stale change against the one that it is about."""
    old, put = target.lines or [""], hunk.hunk.lines
    start, end = hunk.start, hunk.end
    if hunk.state is HunkState.STALE:
        old, start, end = target.base or [], hunk.hunk.start, hunk.hunk.end
    before, after = old[max(0, start - _CONTEXT_LINES) : start], old[end : end + _CONTEXT_LINES]
    taken = old[start:end]
    if hunk.state is HunkState.APPLIED:
        taken = (target.base or [])[hunk.hunk.start : hunk.hunk.end]
    counts = f"-{start - len(before) + 1},{len(before) + len(taken) + len(after)}"
    new_counts = f"+{start - len(before) + 1},{len(before) + len(put) + len(after)}"
    return [
        f"@@ {counts} {new_counts} @@",
        *(f" {line}" for line in before),
        *(f"-{line}" for line in taken),
        *(f"+{line}" for line in put),
        *(f" {line}" for line in after),
    ]


def _state(state: HunkState, reason: str | None) -> str:
    match state:
        case HunkState.OPEN:
            return "can be applied"
        case HunkState.APPLIED:
            return "applied"
    return f"can't be applied, {reason}"


def _diff(lines: Sequence[str]) -> list[str]:
    text = "\n".join(lines)
    shown = without_hidden(text)
    longest = max((len(found) for found in _BACKTICKS.findall(shown)), default=0)
    fence = "`" * max(3, longest + 1)
    return [f"{fence}diff\n{shown}\n{fence}", *([_HIDDEN] if shown != text else [])]
