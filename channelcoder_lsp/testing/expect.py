"""Saying what did not hold, without a test framework."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


def expect(promise: str, actual: object, expected: object = True) -> None:  # noqa: FBT002 - the usual case
    """Check that ``actual`` equals ``expected``.

    Raises:
        AssertionError: it doesn't; the message starts with ``promise``.
    """
    if actual != expected:
        raise AssertionError(f"{promise}\n  expected: {expected!r}\n  actual:   {actual!r}")


@contextmanager
def expect_raises(promise: str, error: type[Exception]) -> Iterator[None]:
    """Check that what is done in the context raises ``error``.

    Raises:
        AssertionError: it doesn't; the message starts with ``promise``.
    """
    try:
        yield
    except error as raised:
        expect(f"{promise}: the error has a message", bool(str(raised)))
    else:
        raise AssertionError(f"{promise}\n  expected: {error.__name__}\n  actual:   nothing was raised")
