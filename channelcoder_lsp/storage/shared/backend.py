"""The port to a back end that several machines share: a database, Redis, a bucket.

A back end keeps, for each session, a *base* (the whole session as it was created or last saved), the records since, the
*head* as of some record, and the row of the list. It knows nothing of what is in them. All texts are well-formed
Unicode; none is interpreted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Collection, Sequence

    from channelcoder_lsp.domain.session import SessionInfo


@dataclass(frozen=True)
class Handle:
    """A session, for as long as it has its name."""

    name: str
    key: str
    """What tells it from any other session, also from a later one of its name."""


def is_listed(name: str) -> bool:
    """Whether it is a session's; others, which no session can have, stand for what is kept beside the sessions."""
    return "/" not in name


@dataclass(frozen=True)
class Mark:
    """How far somebody has read a session."""

    generation: int
    """How often the session was saved whole: each save starts a history of its own."""
    seq: int
    """The number of the last record."""


@dataclass(frozen=True)
class Line:
    """A record as it is stored."""

    seq: int
    text: str


@dataclass(frozen=True)
class Stored:
    """A base or a head, and the records after it."""

    text: str
    mark: Mark
    """What the text is at; the records come after it."""
    lines: Sequence[Line] = ()


@dataclass(frozen=True)
class Whole:
    """A session as it is stored at first, or stored anew."""

    base: str
    head: str
    seq: int
    info: SessionInfo


class Backend(Protocol):
    """Where sessions are kept. Any method may raise ``StorageError``: the back end is away or refuses."""

    @property
    def address(self) -> str:
        """Where it is, for people: a URL without credentials."""
        ...

    async def create(self, handle: Handle, whole: Whole) -> None:
        """Store a new session at generation 0, under a key that nothing else has.

        Raises:
            SessionExistsError: the name is taken.
        """
        ...

    async def find(self, name: str) -> Handle | None:
        """The session of that name."""
        ...

    async def rows(self) -> list[SessionInfo]:
        """The rows of all sessions, in any order, with their names; no history is read."""
        ...

    async def replace(self, handle: Handle, whole: Whole) -> None:
        """Store the session anew, in place of all that was recorded, in the next generation.

        Raises:
            SessionNotFoundError: it has gone, or has another name by now (so in all that follows).
        """
        ...

    async def rename(self, handle: Handle, name: str) -> None:
        """Give the session another name.

        Raises:
            SessionExistsError: the name is taken.
        """
        ...

    async def delete(self, handle: Handle) -> None:
        """Remove the session and all that belongs to it."""
        ...

    async def head(self, handle: Handle) -> Stored:
        """The head that was kept last, and the records after it."""
        ...

    async def whole(self, handle: Handle) -> Stored:
        """The base, and all records."""
        ...

    async def since(self, handle: Handle, mark: Mark) -> Sequence[Line] | None:
        """The records after a mark; None when the session was saved whole meanwhile."""
        ...

    async def append(
        self, handle: Handle, mark: Mark, lines: Sequence[Line], info: SessionInfo, fence: int
    ) -> Mark | None:
        """Add records after ``mark``, and put ``info`` in the place of the session's row: all of it or nothing.

        Args:
            handle: the session.
            mark: what the session must be at.
            lines: the records, numbered from ``mark.seq + 1`` on.
            info: the session's row with these records.
            fence: that of the lease under which they are recorded, 0 for none.

        Returns:
            What the session is at now; None when it was further than ``mark``, and nothing was added.

        Raises:
            LeaseLostError: ``fence`` is not that of the last lease any more.
        """
        ...

    async def keep_head(self, handle: Handle, mark: Mark, head: str, drop: Sequence[int]) -> None:
        """Keep a head, unless a later one is kept, and drop records that nobody needs any more.

        Args:
            handle: the session.
            mark: what the head is at.
            head: the head.
            drop: numbers of records of ``mark``'s generation, not above ``mark.seq``.
        """
        ...

    async def acquire(self, handle: Handle, holder: str, seconds: float) -> int | None:
        """The lease for ``seconds``, as its fence: a number above all earlier ones. None while somebody has it.

        Those who ask again and again get it in the order of their first asking, as far as the back end can tell.
        """
        ...

    async def renew(self, handle: Handle, fence: int, seconds: float) -> bool:
        """Hold a lease for ``seconds`` from now; whether it was still held."""
        ...

    async def release(self, handle: Handle, fence: int) -> None:
        """Let go of a lease, if it is held still."""
        ...

    async def give_up(self, handle: Handle, holder: str) -> None:
        """Ask for the lease no more."""
        ...

    async def keep_content(self, handle: Handle, digest: str, data: bytes) -> None:
        """Keep some bytes under their digest, or mark those that are kept as wanted now."""
        ...

    async def content(self, handle: Handle, digest: str) -> bytes | None:
        """What was kept."""
        ...

    async def drop_contents(self, handle: Handle, keep: Collection[str], older_than: float) -> None:
        """Drop what is not in ``keep`` and was last wanted more than ``older_than`` seconds ago."""
        ...

    def watch(self) -> AsyncGenerator[str, None]:
        """The names of sessions that changed, as they change, by whomever. Ends with its task."""
        ...

    async def clock(self) -> float | None:
        """Its own time, in seconds since 1970, if it tells."""
        return None

    @property
    def away(self) -> str | None:
        """Why it can't be reached, if what is recorded waits elsewhere until it can."""
        return None

    def when_away(self, tell: Callable[[], None]) -> None:  # noqa: ARG002 - for those that go on
        """Have ``tell`` called when :attr:`away` changed."""
        return

    async def close(self) -> None:
        """Let go of connections that the back end made itself."""
        ...
