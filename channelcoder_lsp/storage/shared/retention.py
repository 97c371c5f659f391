"""How long sessions are kept, as a storage's URL says it."""

from __future__ import annotations

from channelcoder_lsp.domain.errors import ArgumentsError


def retention_seconds(given: str | None) -> float | None:
    """The seconds that ``retention`` says; None: sessions are kept for good.

    Raises:
        ArgumentsError: it is no number of seconds.
    """
    if given is None:
        return None
    try:
        seconds = float(given)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise ArgumentsError(f"retention={given} in the storage's URL must be a number of seconds above 0.")
    return seconds
