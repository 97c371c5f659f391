"""The open connections of all sessions, the one used longest ago first."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from channelcoder_lsp.services.worker import Worker


class WarmConnections:
    """Keeps at most ``limit()`` connections open, as far as they are idle: a busy one is never closed."""

    def __init__(self, limit: Callable[[], int]) -> None:
        self._limit = limit
        self._open: list[Worker] = []

    def make_room(self, worker: Worker) -> None:
        """Before ``worker`` opens a connection: let go of idle ones that would be too many."""
        others = [other for other in self._open if other is not worker]
        surplus = len(others) + 1 - self._limit()
        for other in [other for other in others if not other.busy][: max(0, surplus)]:
            other.release()

    def opened(self, worker: Worker) -> None:
        """``worker`` has opened, or used, its connection."""
        self.closed(worker)
        self._open.append(worker)

    def closed(self, worker: Worker) -> None:
        """``worker`` has closed its connection."""
        if worker in self._open:
            self._open.remove(worker)
