"""Several teams on one server."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from uuid import uuid4

import pytest
from anyio import create_task_group, fail_after

from backends.places import PATIENCE, Place
from channelcoder_lsp.domain.errors import SessionNotFoundError
from channelcoder_lsp.domain.records import ModelChosen
from channelcoder_lsp.domain.session import SessionState
from channelcoder_lsp.testing.samples import answered


@pytest.fixture
async def teams(place):
    """Storages of tenants whose names could be taken for parts of each other."""
    one = uuid4().hex
    async with AsyncExitStack() as stack:
        names = [one, f"{one}:", f"{one}}}", f"{one[:-1]}*", ""]
        yield [await stack.enter_async_context(Place(place.url, tenant).storage()) for tenant in names]


async def test_tenants_do_not_see_each_other(teams):
    """The same name is another session in each; what is removed or renamed is one's own."""
    names = [f"mine-{uuid4().hex}" for _ in teams]
    for team, name in zip(teams, names, strict=True):
        journal = await team.create(SessionState(), "same")
        await team.create(SessionState(), name)
        await journal.append(*answered(1))
    for team, name in zip(teams, names, strict=True):
        assert {row.name for row in await team.list()} == {"same", name}
        for other in set(names) - {name}:
            assert not await team.exists(other)
            with pytest.raises(SessionNotFoundError):
                await team.open(other)
    await teams[0].rename("same", "renamed")
    await teams[1].delete("same")
    assert [await team.exists("same") for team in teams] == [False, False, True, True, True]
    for team in teams[2:]:
        assert list((await team.load("same")).turns) == ["turn-1"]
    for team, name in zip(teams, names, strict=True):
        for left in {"same", "renamed", name}:
            if await team.exists(left):
                await team.delete(left)


async def test_what_others_change_is_not_told(teams):
    team, *others = teams
    journals = [await other.create(SessionState(), "theirs") for other in others]
    mine = await team.create(SessionState(), "mine")
    told = []
    heard = asyncio.Event()

    async def watch() -> None:
        async for name in team.watch():
            told.append(name)
            heard.set()

    with fail_after(PATIENCE):
        async with create_task_group() as tasks:
            tasks.start_soon(watch)
            while not heard.is_set():  # it takes a moment until the watching has begun
                for journal in [*journals, mine]:
                    await journal.append(ModelChosen(model="model"))
                await asyncio.sleep(0.01)
            heard.clear()
            for journal in [*journals, mine]:
                await journal.append(ModelChosen(model="model"))
            await heard.wait()
            tasks.cancel_scope.cancel()
    assert set(told) == {"mine"}
    for other in others:
        await other.delete("theirs")
