"""Which turn is being worked at, so that what is logged meanwhile says it."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_turn: ContextVar[str | None] = ContextVar("turn", default=None)


def turn_in_hand() -> str | None:
    """The id of the turn that the running task works at."""
    return _turn.get()


@contextmanager
def working_at(turn_id: str | None) -> Iterator[None]:
    """The running task, and tasks that it starts meanwhile, work at the turn; None: at none, as what outlives it."""
    token = _turn.set(turn_id)
    try:
        yield
    finally:
        _turn.reset(token)
