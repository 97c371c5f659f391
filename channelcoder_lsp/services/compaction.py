"""Summarising a session, so that Claude goes on from the summary (docs/decisions/compaction.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from channelcoder_lsp.domain.errors import SessionError, SpendingLimitError
from channelcoder_lsp.domain.turn import Turn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from channelcoder_lsp.domain.session import Message, SessionHead
    from channelcoder_lsp.domain.turn import ContextUse

QUESTION = "Compact the conversation"
"""As it stands in the history."""

PROMPT = """\
Summarise our conversation so far. The summary takes its place: you will go on from it in a new conversation and \
will know nothing else of this one. Use no tools. Write Markdown, without a preface, with these parts, each left out \
if there is nothing for it:

- **Aim**: what I want, in my own words where they matter, and what I said about how I want it.
- **Decided**: what was decided and why, and what was tried and given up.
- **Code**: the files, functions and lines that this is about, by name, with what matters of each; short pieces of \
code word for word where the words matter.
- **Problems**: what went wrong, and how it was mended.
- **Open**: what is under way, where exactly it stands, and what comes next; questions without an answer.

Leave out courtesies and what no longer holds. Be exact about names, paths, numbers and error messages.
"""
"""What Claude is told. The tools stay as they are, since the cached conversation is the cheaper one with them."""


def compacting(head: SessionHead) -> Turn:
    """The turn that asks for the summary.

    Raises:
        SessionError: nothing was said since the session began or was compacted last.
    """
    if head.current_session_id is None:
        raise SessionError("There is nothing to compact yet in this session. Ask something first.")
    return Turn(question=QUESTION, prompt=PROMPT, compacts=True)


def since_compaction(head: SessionHead, messages: Sequence[Message]) -> tuple[str | None, Sequence[Message]]:
    """The summary that Claude goes on from, if there is one, and what was said since."""
    if head.channelcoder.compaction is not None:
        turn_id = head.channelcoder.compaction.turn_id
        for number, message in enumerate(messages):
            if message.turn_id == turn_id and message.role == "assistant":
                return message.content, messages[number + 1 :]
    return None, messages


def refuse_beyond_limit(head: SessionHead) -> None:
    """Ask nothing in a session that has cost what it may cost.

    Raises:
        SpendingLimitError: it has.
    """
    if (left := left_usd(head)) is not None and left <= 0:
        ledger = head.channelcoder
        raise SpendingLimitError(ledger.limit_usd or 0.0, ledger.totals.cost_usd)


def left_usd(head: SessionHead) -> float | None:
    """What the session may still cost; None without a limit."""
    limit = head.channelcoder.limit_usd
    return None if limit is None else limit - head.channelcoder.totals.cost_usd


def nearly_full(context: ContextUse) -> str:
    """The sentence for somebody whose conversation has nearly filled Claude's context."""
    share = f"{context.share:.0%}" if context.share is not None else "most"
    return (
        f"This conversation fills {share} of what Claude can take in ({context.tokens:,} of {context.window or 0:,} "
        "tokens). Compact it to go on from a summary; everything that was said stays in the session."
    )
