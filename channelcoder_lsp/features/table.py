"""Which function answers which command."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from channelcoder_lsp import protocol
from channelcoder_lsp.features import (
    commands,
    content_commands,
    proposal_commands,
    review_commands,
    session_commands,
    thread_commands,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from channelcoder_lsp.features.face import Face

HANDLERS: Mapping[str, Callable[[Face, Any], Awaitable[Any]]] = {
    protocol.ASK.name: commands.ask,
    protocol.CONTINUE.name: commands.continue_,
    protocol.CANCEL.name: commands.cancel,
    protocol.RETRY.name: commands.retry,
    protocol.TRUST.name: commands.trust,
    protocol.MODEL.name: commands.model,
    protocol.SESSION_NEW.name: session_commands.new,
    protocol.SESSION_LIST.name: session_commands.list_,
    protocol.SESSION_SWITCH.name: session_commands.switch,
    protocol.SESSION_RENAME.name: session_commands.rename,
    protocol.SESSION_REMOVE.name: session_commands.remove,
    protocol.SESSION_CLEAR.name: session_commands.clear,
    protocol.SESSION_SAVE.name: session_commands.save,
    protocol.SESSION_FORK.name: session_commands.fork,
    protocol.SESSION_COMPACT.name: session_commands.compact,
    protocol.SESSION_LIMIT.name: session_commands.limit,
    protocol.SESSION_SEARCH.name: session_commands.search,
    protocol.SESSION_EXPORT.name: session_commands.export,
    protocol.SESSION_SHOW.name: session_commands.show,
    protocol.SESSION_READ.name: content_commands.read_session,
    protocol.TURN_SHOW.name: commands.turn_show,
    protocol.PROMPTS.name: content_commands.prompts,
    protocol.STATUS.name: content_commands.status,
    protocol.THREAD_READ.name: content_commands.read,
    protocol.THREAD_SHOW.name: thread_commands.show,
    protocol.THREAD_LIST.name: thread_commands.list_,
    protocol.THREAD_REPLY.name: thread_commands.reply,
    protocol.THREAD_RESOLVE.name: thread_commands.resolve,
    protocol.THREAD_REOPEN.name: thread_commands.reopen,
    protocol.THREAD_REMOVE.name: thread_commands.remove,
    protocol.REVIEW.name: review_commands.review,
    protocol.PROPOSAL_APPLY.name: proposal_commands.apply,
    protocol.PROPOSAL_PREVIEW.name: proposal_commands.preview,
    protocol.PROPOSAL_READ.name: proposal_commands.read,
    protocol.PROPOSAL_DISCARD.name: proposal_commands.discard,
    protocol.ANSWER_INSERT.name: commands.answer_insert,
    protocol.ANSWER_REPLACE.name: commands.answer_replace,
}
