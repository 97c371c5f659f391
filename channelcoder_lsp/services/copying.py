"""Copying a session from one storage into another: once, and all of it, however often it is begun anew.

A session is created in one step, then the texts that it mentions are put beside it, then all of it is read back. So
whatever a copy was interrupted in, the next one finds either no session or the same one, and goes on from there.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Literal

from anyio import fail_after

from channelcoder_lsp.domain.errors import (
    ChannelCoderError,
    SessionBusyError,
    SessionExistsError,
    SessionNotFoundError,
    StorageError,
    StorageNotWritableError,
    StorageUnreachableError,
)
from channelcoder_lsp.domain.records import TurnFinished
from channelcoder_lsp.domain.transcripts import copy_transcripts
from channelcoder_lsp.domain.turn import TurnState

if TYPE_CHECKING:
    from channelcoder_lsp.domain.session import SessionState
    from channelcoder_lsp.domain.storage import Journal, JournaledStorage

Outcome = Literal["copied", "completed", "there", "refused"]

_BUSY_SECONDS = 60.0
"""How long a question that is being answered in the session to be completed is waited for."""
_MENTIONED = re.compile('"([0-9a-f]{64})"')
_FATAL = (StorageUnreachableError, StorageNotWritableError)
"""What would befall the next session, too."""


@dataclass(frozen=True)
class Copied:
    """What became of one session.

    Args:
        name: its name where it was copied from.
        new_name: its name where it was copied to.
        outcome: ``copied``: it was not there. ``completed``: what was there was its beginning, or some of its texts
            were missing. ``there``: all of it was there already. ``refused``: it was left out.
        messages: how many it has; 0 if it was left out.
        reason: why it was left out, and what to do.
    """

    name: str
    new_name: str
    outcome: Outcome
    messages: int = 0
    reason: str = ""


async def copy_session(source: JournaledStorage, target: JournaledStorage, name: str, new_name: str) -> Copied:
    """Copy one session: its messages, threads, turns, proposals, reviews, chain, unknown keys, and kept texts.

    A question that has no answer yet is not taken along as one that waits, since nobody would answer it there: it
    ends in the copy with Retry. A later copy puts the answer in its place.

    Args:
        source: where it is.
        target: where it is copied to.
        name: its name there.
        new_name: its name in ``target``.

    Raises:
        StorageUnreachableError, StorageNotWritableError: one of the two can't be used; the next session would not fare
            better.
    """
    try:
        journal = await source.open(name)
        try:
            state = _settled(await journal.state())
            if state.metadata.name is not None:
                state.metadata.name = new_name
            state.channelcoder.copied = digest = digest_of(state)
            outcome = await _put(target, state, new_name, digest)
            outcome = await _keep_texts(journal, target, state, new_name, outcome)
            await _keep_transcripts(journal, target, state, new_name)
        finally:
            await journal.close()
    except _FATAL:
        raise
    except ChannelCoderError as problem:
        return Copied(name, new_name, "refused", reason=problem.message)
    return Copied(name, new_name, outcome, len(state.messages))


def digest_of(state: SessionState) -> str:
    """What tells a session's content from any other: without its name, and without how the storage numbers records."""
    data = json.loads(state.at_rest())
    data.get("metadata", {}).pop("name", None)
    for key in ("seq", "copied"):
        data.get("channelcoder", {}).pop(key, None)
    return sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()


def _settled(state: SessionState) -> SessionState:
    """The session with an end to each question that has none."""
    for turn in state.unfinished():
        error = "The session was copied before this was answered. Ask again with Retry."
        # By the clock of the question: the copy is to be the same whenever it is made.
        at = turn.started or turn.asked
        state.apply(TurnFinished(turn_id=turn.id, at=at, state=TurnState.FAILED, answer=turn.answer, error=error))
    return state


async def _put(target: JournaledStorage, state: SessionState, name: str, digest: str) -> Outcome:
    """Have the session there, without its texts."""
    if not await target.exists(name):
        try:
            await (await target.create(state, name)).close()
        except SessionExistsError:
            if not await target.exists(name):  # one whose name differs in case only
                raise
        else:
            return "copied"
    if digest_of(there := await target.load(name)) == digest:
        return "there"
    _refuse_unless_begun(there, state, name)
    journal = await target.open(name)
    try:
        with fail_after(_BUSY_SECONDS):
            async with journal.lease():  # nobody is in the middle of a question
                _refuse_unless_begun(await target.load(name), state, name)
                await target.save(state, None if state.metadata.name is None else name)
    except TimeoutError:
        raise SessionBusyError(f"Session {name!r} is being asked in there. Copy it again when that is done.") from None
    finally:
        await journal.close()
    return "completed"


async def _keep_texts(
    source: Journal, target: JournaledStorage, state: SessionState, name: str, outcome: Outcome
) -> Outcome:
    """Put the texts that the session mentions beside it, and read everything back."""
    journal = await target.open(name)
    try:
        for digest in sorted(set(_MENTIONED.findall(state.at_rest()))):
            text = await source.content(digest)
            if text is None or await journal.content(digest) == text:
                continue
            await journal.keep_content(digest, text)
            if await journal.content(digest) != text:
                raise StorageError(f"A text that was kept with session {name!r} reads differently. Copy it again.")
            outcome = "completed" if outcome == "there" else outcome
    finally:
        await journal.close()
    if outcome != "there" and digest_of(await target.load(name)) != state.channelcoder.copied:
        raise StorageError(
            f"Session {name!r} reads differently from what was copied: somebody may have asked in it meanwhile. Copy "
            "it again, or choose another name with --as."
        )
    return outcome


async def _keep_transcripts(source: Journal, target: JournaledStorage, state: SessionState, name: str) -> None:
    """Have Claude's own copies of the conversation there as well, as far as both places keep them."""
    journal = await target.open(name)
    try:
        await copy_transcripts(source.transcripts, journal.transcripts, state.session_chain)
    finally:
        await journal.close()


def _refuse_unless_begun(there: SessionState, state: SessionState, name: str) -> None:
    """Refuse to put ``state`` in the place of what is there, if something would be lost.

    Nothing is, when that is empty, or the beginning of the same session: nobody has added to it since it was copied
    there, or all that it has, the other one has, too.
    """
    if not (there.messages or there.turns or there.threads or there.session_chain):
        return
    untouched = there.channelcoder.copied == digest_of(there)
    if there.metadata.created == state.metadata.created and (
        _asked(there) == _asked(state)[: len(_asked(there))] if untouched else _has_all(state, there)
    ):
        return
    raise StorageError(
        f"There is another session named {name!r} there. Copy this one under a name of its own: "
        f"`channelcoder session copy --as NEW-NAME ... {name}`."
    )


def _asked(state: SessionState) -> list[str]:
    return [message.to_json(exclude={"session_id"}) for message in state.messages if message.role == "user"]


def _has_all(state: SessionState, there: SessionState) -> bool:
    messages = [message.to_json() for message in there.messages]
    if messages != [message.to_json() for message in state.messages[: len(messages)]]:
        return False
    return all(
        _is_in(getattr(there, kind), getattr(state, kind)) for kind in ("threads", "turns", "proposals", "reviews")
    )


def _is_in(there: dict[str, Any], here: dict[str, Any]) -> bool:
    """Whether each is here as well, and is as it is there; a thread may have more questions here."""
    return all(key in here and _plain(value) == _plain(here[key]) for key, value in there.items())


def _plain(value: Any) -> str:
    plain: str = value.to_json(exclude={"turn_ids"})
    return plain


async def names_to_copy(source: JournaledStorage, wanted: list[str]) -> list[str]:
    """The sessions that are meant: those that were named, else all, the oldest first.

    Raises:
        SessionNotFoundError: one that was named is not there.
    """
    if not wanted:
        return [info.name for info in reversed(await source.list())]
    for name in wanted:
        if not await source.exists(name):
            raise SessionNotFoundError(name)
    return wanted
