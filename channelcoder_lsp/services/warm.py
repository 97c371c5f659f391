"""The open connections of all sessions, the one used longest ago first."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from channelcoder_lsp.services.worker import Worker


class WarmConnections:
    """Keeps at most ``limit()`` connections open, as far as they are idle: a busy one is never closed."""

    def __init__(self, limit: Callable[[], int]) -> None:
        self._limit = limit
        self._open: list[Worker] = []

    def make_room(self, worker: Worker) -> None:
        """Before ``worker`` opens a connection: let go of idle ones that would be too many."""
        others = [other for other in self._open if other is not worker]
        self._release(others, len(others) + 1 - self._limit())

    def settle(self) -> None:
        """After a question: let go of idle connections that are too many, since busy ones were not closed before."""
        self._release(list(self._open), len(self._open) - self._limit())

    def opened(self, worker: Worker) -> None:
        """``worker`` has opened, or used, its connection."""
        self.closed(worker)
        self._open.append(worker)

    def closed(self, worker: Worker) -> None:
        """``worker`` has closed its connection."""
        if worker in self._open:
            self._open.remove(worker)

    def _release(self, workers: Sequence[Worker], surplus: int) -> None:
        for worker in [worker for worker in workers if not worker.busy][: max(0, surplus)]:
            self.closed(worker)
            worker.release()
