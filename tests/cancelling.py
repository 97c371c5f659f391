"""Cancelling a piece of work in each of its waits: in the first, then, all over again, in the second, to the last."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any

import anyio

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Coroutine, Generator, Iterator

HANGS = 20.0
"""Seconds after which what was cancelled has not come to its end."""
WAYS = ("request", "scope")
"""A task is cancelled once, as for LSP's ``$/cancelRequest``; or it is in a scope of anyio's, which cancels whatever is
awaited on the way out."""


@dataclass
class Cut:
    """One of the waits, to cancel a piece of work in.

    Args:
        at: which, from 1 on.
        way: of :data:`WAYS`.
    """

    at: int
    way: str
    tasks: set[asyncio.Task[Any]] = field(default_factory=set)
    """Those of :meth:`in_tasks_of`."""
    where: str = "never"
    """What was awaited when it was cancelled."""
    _waits: int = 0
    _counting: bool = True
    _cancel: Callable[[], object] = field(default=lambda: None)

    @property
    def done(self) -> bool:
        """Whether it came so far that it was cancelled."""
        return self._waits >= self.at

    async def into(self, work: Coroutine[Any, Any, object]) -> None:
        """Do ``work``, and cancel it in the wait that is this one."""
        with anyio.fail_after(HANGS):
            if self.way == "scope":
                with anyio.CancelScope() as scope:
                    self._cancel = scope.cancel
                    await _Watched(work, self)
                return
            task = asyncio.ensure_future(self._whole(work))
            self._cancel = task.cancel
            await asyncio.wait({task})
            with suppress(asyncio.CancelledError):
                task.result()

    @contextmanager
    def in_tasks_of(self, function: str) -> Iterator[None]:
        """Cancel, meanwhile, the tasks that do the ``async def`` of that qualified name."""

        def make(loop: asyncio.AbstractEventLoop, work: Any, **options: Any) -> asyncio.Task[Any]:
            ours = work.__qualname__ == function
            task = asyncio.Task(self._whole(work) if ours else work, loop=loop, **options)
            if ours:
                self._cancel = task.cancel
                self.tasks.add(task)
            return task

        loop = asyncio.get_running_loop()
        before = loop.get_task_factory()
        loop.set_task_factory(make)
        try:
            yield
        finally:
            loop.set_task_factory(before)
            self._counting = False

    async def _whole(self, work: Coroutine[Any, Any, object]) -> None:
        await _Watched(work, self)

    def waiting(self, work: Coroutine[Any, Any, object]) -> None:
        self._waits += self._counting
        if self._counting and self._waits == self.at:
            self.where = " > ".join(_awaited(work))
            self._cancel()


class _Watched:
    def __init__(self, work: Coroutine[Any, Any, object], cut: Cut) -> None:
        self._work = work
        self._cut = cut

    def __await__(self) -> Generator[Any, Any, object]:
        work = self._work
        try:
            waited = work.send(None)
            while True:
                self._cut.waiting(work)
                try:
                    sent = yield waited
                except BaseException as thrown:  # noqa: BLE001 - it is the work's
                    waited = work.throw(thrown)
                else:
                    waited = work.send(sent)
        except StopIteration as result:
            return result.value


def _awaited(work: Any) -> Generator[str, None, None]:
    """The functions that are being awaited, outermost first."""
    while work is not None:
        if (code := getattr(work, "cr_code", None) or getattr(work, "ag_code", None)) is not None:
            yield str(code.co_qualname if hasattr(code, "co_qualname") else code.co_name)
        work = getattr(work, "cr_await", None) or getattr(work, "ag_await", None)


async def each_wait(way: str, least: int = 1) -> AsyncGenerator[Cut, None]:
    """A cut in each wait of a piece of work, which is to be done anew for each.

    Args:
        way: of :data:`WAYS`.
        least: how many waits it is known to have: else it isn't what was meant to be cut.
    """
    for at in count(1):
        cut = Cut(at, way)
        try:
            yield cut
        finally:
            print(f"cancelled at wait {at}: {cut.where}")  # noqa: T201 - for who reads why a test failed
        if not cut.done:
            assert at > least, f"there were {at - 1} waits only"
            return
