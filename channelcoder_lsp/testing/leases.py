"""The promises of a session's lease."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from anyio import Event, create_task_group, fail_after, move_on_after

from channelcoder_lsp.domain.session import SessionState
from channelcoder_lsp.domain.storage import Journal, JournaledStorage
from channelcoder_lsp.testing.expect import expect

Connect = Callable[[], JournaledStorage]

_PATIENCE = 20.0
_A_WHILE = 0.3
"""Seconds in which something that must not happen would have happened."""


async def one_holds_the_lease(connect: Connect) -> None:
    """While one has the lease, another waits; then it is its turn."""
    one, other = await connect().create(SessionState(), "mine"), await connect().open("mine")
    got_it = Event()

    async def wait() -> None:
        async with other.lease():
            got_it.set()

    with fail_after(_PATIENCE):
        async with create_task_group() as tasks:
            async with one.lease():
                tasks.start_soon(wait)
                with move_on_after(_A_WHILE):
                    await got_it.wait()
                expect("the other waits", got_it.is_set(), expected=False)
            await got_it.wait()


async def leases_of_two_sessions_are_two(connect: Connect) -> None:
    """A lease is its session's alone."""
    one, other = await connect().create(SessionState(), "one"), await connect().create(SessionState(), "other")
    with fail_after(_PATIENCE):
        async with one.lease(), other.lease():
            pass


async def a_lease_ends_with_its_context(connect: Connect) -> None:
    """However the context is left, the next one gets the lease."""
    one, other = await connect().create(SessionState(), "mine"), await connect().open("mine")
    with fail_after(_PATIENCE):
        try:
            async with one.lease():
                raise LookupError  # noqa: TRY301 - as anything that is done in a turn may
        except LookupError:
            pass
        async with other.lease():
            pass
        with move_on_after(_PATIENCE) as scope:
            async with one.lease():
                scope.cancel()
        async with other.lease():
            pass


async def waiting_can_be_given_up(connect: Connect) -> None:
    """Who gives up waiting keeps nothing, and stands in nobody's way."""
    journals = [await connect().create(SessionState(), "mine")]
    journals += [await connect().open("mine") for _ in range(2)]
    with fail_after(_PATIENCE):
        async with journals[0].lease():
            for waiting in journals[1:]:
                with move_on_after(_A_WHILE):
                    async with waiting.lease():
                        expect("nobody gets a lease that is held", actual=False)
        async with journals[2].lease():
            pass
        async with journals[1].lease():
            pass


async def everybody_gets_the_lease(connect: Connect) -> None:
    """Who lets go of the lease and wants it back at once does not keep the others from it."""
    greedy, modest = await connect().create(SessionState(), "mine"), await connect().open("mine")
    waits, done = Event(), Event()

    async def want(journal: Journal) -> None:
        waits.set()
        async with journal.lease():
            done.set()

    with fail_after(_PATIENCE):
        async with create_task_group() as tasks:
            tasks.start_soon(want, modest)
            await waits.wait()
            while not done.is_set():
                async with greedy.lease():
                    with move_on_after(0.01):
                        await done.wait()


LEASE_PROMISES: tuple[Callable[[Connect], Awaitable[None]], ...] = (
    one_holds_the_lease,
    leases_of_two_sessions_are_two,
    a_lease_ends_with_its_context,
    waiting_can_be_given_up,
    everybody_gets_the_lease,
)
