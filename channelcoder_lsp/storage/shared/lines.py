"""Between records and the lines that are stored."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import ValidationError

from channelcoder_lsp.domain.errors import SessionCorruptError
from channelcoder_lsp.domain.ledger import Ledger
from channelcoder_lsp.domain.records import dump_record, parse_record
from channelcoder_lsp.domain.session import SessionHead, SessionInfo, SessionState
from channelcoder_lsp.storage.pruning import prune
from channelcoder_lsp.storage.shared.backend import Line, Whole
from channelcoder_lsp.storage.unknown import refuse_newer

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from channelcoder_lsp.domain.records import Record
    from channelcoder_lsp.storage.shared.backend import Handle, Stored


def lines_of(records: Iterable[Record], seq: int) -> list[Line]:
    """Records as lines; they are numbered from ``seq + 1`` on, which they keep."""
    lines = []
    for number, record in enumerate(records, start=seq + 1):
        record.seq = number
        lines.append(Line(number, dump_record(record)))
    return lines


def record_of(line: Line, handle: Handle) -> Record:
    """The record that a line is.

    Raises:
        StorageError: a newer version has written it.
        SessionCorruptError: it can't be read.
    """
    try:
        record = parse_record(line.text)
    except ValidationError as error:
        refuse_newer(line.text)
        raise SessionCorruptError(
            f"Record {line.seq} of session {handle.name!r} can't be read. What is stored was left as it is; "
            "go on in another session, and restore this one from a backup."
        ) from error
    record.seq = line.seq
    return record


def head_of(stored: Stored, handle: Handle) -> SessionHead:
    """The head, brought up to the last of the records after it.

    Raises:
        StorageError: a newer version has written a record.
        SessionCorruptError: something can't be read.
    """
    try:
        head = SessionHead.model_validate_json(stored.text)
    except ValidationError as error:
        raise _corrupt(handle) from error
    for line in stored.lines:
        head.apply(record_of(line, handle))
    return head


def state_of(stored: Stored, handle: Handle) -> SessionState:
    """The whole session.

    Raises:
        StorageError: a newer version has written a record.
        SessionCorruptError: something can't be read.
    """
    try:
        state = SessionState.model_validate_json(stored.text)
    except ValidationError as error:
        raise _corrupt(handle) from error
    for line in stored.lines:
        state.apply(record_of(line, handle))
    if state.metadata.name is not None:
        state.metadata.name = handle.name
    return state


def whole_of(state: SessionState, name: str, address: str) -> Whole:
    """A session as it is stored at first."""
    return Whole(state.at_rest(), head_text(state), state.channelcoder.seq, row_of(state, name, address))


def head_text(head: SessionHead) -> str:
    """A head as it is stored: with the number of messages, and only the turns that are of use without the history."""
    pruned = SessionHead.model_construct(**{key: getattr(head, key) for key in SessionHead.model_fields})
    kept = prune(pruned)
    counted = kept.model_copy(update={"messageCount": head.message_count})
    return counted.to_json()


def row_of(head: SessionHead, name: str, address: str) -> SessionInfo:
    """The session's row in the list."""
    ledger = head.channelcoder
    return SessionInfo(
        name=name,
        path=f"{address}/{name}",
        created=head.metadata.created,
        last_active=head.metadata.last_active,
        message_count=head.message_count,
        cost_usd=ledger.totals.cost_usd,
        first_question=ledger.first_question,
        checkout=ledger.checkout,
    )


def row_after(head: SessionHead, lines: Sequence[Line], handle: Handle, address: str) -> SessionInfo:
    """The row that the session will have with these lines; ``head`` is left as it is.

    Only what the row is made from is worked out, so the cost does not grow with the session.
    """
    ledger = head.channelcoder
    records = [record_of(line, handle) for line in lines]
    turns = {getattr(record, "turn_id", "") for record in records}
    shadow = SessionHead(
        current_session_id=head.current_session_id,
        metadata=head.metadata.model_copy(),
        channelcoder=Ledger(
            seq=ledger.seq,
            checkout=ledger.checkout,
            turns={turn_id: ledger.turns[turn_id].model_copy() for turn_id in turns if turn_id in ledger.turns},
            totals=ledger.totals.model_copy(deep=True),
            first_question=ledger.first_question,
            cleared=ledger.cleared,
        ),
    )
    shadow.message_count = head.message_count
    for record in records:
        shadow.apply(record)
    return row_of(shadow, handle.name, address)


def _corrupt(handle: Handle) -> SessionCorruptError:
    return SessionCorruptError(
        f"What is stored of session {handle.name!r} can't be read. It was left as it is; go on in another session, "
        "and restore this one from a backup."
    )
