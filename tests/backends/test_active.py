"""The active session of a project, as each back end keeps it."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

from anyio import fail_after

from backends.places import PATIENCE, Place, arrived
from channelcoder_lsp.domain.session import SessionState
from channelcoder_lsp.storage.database.opening import open_backend
from channelcoder_lsp.storage.shared.outbox import Outbox
from channelcoder_lsp.storage.shared.storage import SharedStorage


async def test_what_one_chose_is_active_for_all(place):
    """The last one; for each project its own; no list shows where that is kept."""
    async with place.storage() as here, place.storage() as there:
        assert await here.active_sessions.active("shop") is None
        await here.active_sessions.choose("shop", "one")
        await there.active_sessions.choose("till", "other")
        assert await there.active_sessions.active("shop") == "one"
        await there.active_sessions.choose("shop", "two")
        assert await here.active_sessions.active("shop") == "two"
        assert await here.active_sessions.active("till") == "other"
        assert await here.list() == []


async def test_it_stays_however_often_it_was_chosen(place):
    async with place.storage() as here, place.storage() as there:
        for number in range(210):
            await here.active_sessions.choose("shop", f"session-{number}")
        assert await there.active_sessions.active("shop") == "session-209"


async def test_several_that_choose_first_at_once(place):
    """All are recorded, and all see the same one."""
    async with place.storage() as here, place.storage() as there:
        machines = [here.active_sessions, there.active_sessions]
        await asyncio.gather(*(machine.choose("shop", f"{at}") for at, machine in enumerate(machines)))
        first, second = [await machine.active("shop") for machine in machines]
        assert first == second
        assert first in {"0", "1"}


async def test_another_tenant_has_its_own(place):
    async with place.storage() as here, Place(place.url, f"{place.tenant}-2").storage() as there:
        await here.active_sessions.choose("shop", "one")
        assert await there.active_sessions.active("shop") is None
        await there.active_sessions.choose("shop", "two")
        assert await here.active_sessions.active("shop") == "one"


async def test_whoever_watches_is_told(place):
    """And hears of no session that is none."""
    async with place.storage() as here, place.storage() as there:
        await there.active_sessions.choose("shop", "one")
        told = asyncio.Event()
        here.active_sessions.when_chosen(told.set)
        async with aclosing(here.watch()) as names:
            heard = asyncio.create_task(anext(names))
            with fail_after(PATIENCE):
                number = 0
                while not told.is_set():  # it may not listen yet
                    await there.active_sessions.choose("shop", f"{number}")
                    number += 1
                    await asyncio.wait({asyncio.create_task(told.wait())}, timeout=1)
                await there.create(SessionState(), "mine")
                assert await heard == "mine"


async def test_what_is_chosen_while_the_server_is_away_arrives(own_postgres, tmp_path):
    """Also by a machine that has never chosen before, after another one has."""
    here, there = (SharedStorage(Outbox(open_backend(own_postgres.url), tmp_path / name)) for name in ("here", "there"))
    await here.list()
    await there.active_sessions.choose("shop", "theirs")
    own_postgres.stop("immediate")
    await here.active_sessions.choose("shop", "mine")
    assert await here.active_sessions.active("shop") == "mine"
    own_postgres.start()
    await arrived(here._backend)
    with fail_after(PATIENCE):
        while await there.active_sessions.active("shop") != "mine":  # noqa: ASYNC110 - it may not have noticed yet
            await asyncio.sleep(0.05)
    assert len(await there._backend.rows()) == 1
    for storage in (here, there):
        await storage.close()
