"""Claude's transcripts on a server: as the SDK wants them, in order, once, and gone with their session."""

from __future__ import annotations

import asyncio
import json

import pytest
from anyio import fail_after
from claude_agent_sdk.testing import run_session_store_conformance

from backends.places import PATIENCE, arrived, kept_away
from channelcoder_lsp.claude import mirror
from channelcoder_lsp.claude.mirror import Mirror
from channelcoder_lsp.domain.errors import SessionNotFoundError
from channelcoder_lsp.domain.session import SessionState
from channelcoder_lsp.domain.transcripts import copy_transcripts
from channelcoder_lsp.services.archive import fork
from channelcoder_lsp.services.copying import copy_session
from channelcoder_lsp.storage.database.opening import open_backend
from channelcoder_lsp.storage.shared.outbox import Outbox
from channelcoder_lsp.storage.shared.storage import SharedStorage
from channelcoder_lsp.testing.samples import answered


class EachProject:
    """A session for each of the SDK's projects: ours belong to a session, not to a folder."""

    def __init__(self, storage, projects):
        self._storage = storage
        self._projects = projects
        self._mirrors = {}

    async def _mirror(self, key):
        project = key["project_key"]
        if project not in self._mirrors:
            journal = await self._storage.create(SessionState(), project)
            self._mirrors[project] = Mirror(journal.transcripts, self._projects)
        return self._mirrors[project]

    async def append(self, key, entries):
        await (await self._mirror(key)).append(key, entries)

    async def load(self, key):
        return await (await self._mirror(key)).load(key)

    async def list_subkeys(self, key):
        return await (await self._mirror(key)).list_subkeys(key)


async def test_is_what_the_sdk_wants(place, tmp_path):
    stores = 0

    async with place.storage() as storage:

        class Apart(EachProject):
            """Each store that the suite makes has sessions of its own."""

            def __init__(self):
                nonlocal stores
                stores += 1
                super().__init__(storage, tmp_path / "claude")
                self._number = stores

            async def _mirror(self, key):
                return await super()._mirror({**key, "project_key": f"store-{self._number}-{key['project_key']}"})

        await run_session_store_conformance(Apart)
    assert stores


async def test_they_are_there_for_others_and_go_with_the_session(place):
    """Two machines write; nothing of it is listed, and nothing is left when the session is removed."""
    async with place.storage() as here, place.storage() as there:
        one = await here.create(SessionState(), "mine")
        await one.append(*answered(1))
        await one.transcripts.add("claude-1", "", ['{"n": 1}', '{"n": 2}'])
        other = await there.open("mine")
        assert await other.transcripts.lines("claude-1") == {"": ['{"n": 1}', '{"n": 2}']}
        await other.transcripts.add("claude-1", "", ['{"n": 3}'])
        await other.transcripts.add("claude-1", "agents/a", ['{"a": 1}'])
        await one.transcripts.add("claude-1", "", ['{"n": 4}'])
        await one.transcripts.add("claude-2", "", ['{"other": true}'])
        told = await one.transcripts.lines("claude-1")
        assert [json.loads(line)["n"] for line in told[""]] == [1, 2, 3, 4]
        assert told["agents/a"] == ['{"a": 1}']
        assert [row.name for row in await here.list()] == ["mine"]
        await here.rename("mine", "other")
        assert (await (await here.open("other")).transcripts.lines("claude-2")) == {"": ['{"other": true}']}
        await here.delete("other")
        assert await place.leftovers() == []
        assert await one.transcripts.lines("claude-1") == {}


async def test_what_was_removed_is_begun_anew_but_not_of_a_session_that_is_gone(place):
    """Whoever had them open goes on; a session that is removed in the middle of an answer leaves nothing."""
    async with place.storage() as here, place.storage() as there:
        one = await here.create(SessionState(), "mine")
        await one.transcripts.add("claude-1", "", ["1"])
        other = await there.open("mine")
        await other.transcripts.add("claude-1", "", ["2"])
        await one.transcripts.delete()
        await other.transcripts.add("claude-2", "", ["3"])
        await one.transcripts.add("claude-2", "", ["4"])
        assert await one.transcripts.lines("claude-1") == {}
        assert await other.transcripts.lines("claude-2") == {"": ["3", "4"]}
        await here.delete("mine")
        for journal in (one, other):
            with pytest.raises(SessionNotFoundError):
                await journal.transcripts.add("claude-2", "", ["5"])
        assert await place.leftovers() == []


async def test_they_go_along_with_a_fork_and_a_copy(place):
    """As far as another session goes on from them."""
    async with place.storage() as storage:
        journal = await storage.create(SessionState(), "mine")
        await journal.append(*answered(1))
        claude = journal.head.current_session_id
        await journal.transcripts.add(claude, "", ["1", "2"])
        await fork(storage, "mine", "forked")
        await copy_session(storage, storage, "mine", "copied")
        for name in ("forked", "copied"):
            assert await (await storage.open(name)).transcripts.lines(claude) == {"": ["1", "2"]}


async def test_what_waits_while_the_server_is_away_arrives(own_postgres, tmp_path):
    """In order and once, also what is of a session that was begun meanwhile; not what is of one that was removed."""
    here, there = (SharedStorage(Outbox(open_backend(own_postgres.url), tmp_path / name)) for name in ("here", "there"))
    journal = await here.create(SessionState(), "mine")
    gone = await here.create(SessionState(), "gone")
    await journal.append(*answered(1))
    await journal.transcripts.add("claude-1", "", ["1"])
    await gone.transcripts.add("claude-2", "", ["a"])
    own_postgres.stop("immediate")
    await journal.transcripts.add("claude-1", "", ["2"])
    await journal.transcripts.add("claude-1", "", ["3"])
    await gone.transcripts.add("claude-2", "", ["b"])
    new = await here.create(SessionState(), "new")
    await new.transcripts.add("claude-3", "", ["x"])
    with kept_away(here._backend):
        own_postgres.start()
        with fail_after(PATIENCE):
            while "gone" not in {row.name for row in await there.list()}:  # noqa: ASYNC110 - nothing tells
                await asyncio.sleep(0.05)
        await there.delete("gone")
    await arrived(here._backend)
    assert await (await there.open("mine")).transcripts.lines("claude-1") == {"": ["1", "2", "3"]}
    assert await (await there.open("new")).transcripts.lines("claude-3") == {"": ["x"]}
    assert {row.name for row in await there._backend.rows() if "kept" in row.name} == set()
    for storage in (here, there):
        await storage.close()


async def test_what_is_added_in_the_middle_of_a_removal_goes_too(place):
    async with place.storage() as here, place.storage() as there:
        one = await here.create(SessionState(), "mine")
        await one.transcripts.add("claude-1", "", ["1"])
        remove = there._backend.delete

        async def slowly(handle) -> None:
            if handle.name == "mine":
                await one.transcripts.add("claude-1", "", ["2"])
            await remove(handle)

        there._backend.delete = slowly
        await there.delete("mine")
        assert await place.leftovers() == []


async def test_what_began_while_the_server_was_away_is_not_kept_of_a_session_that_was_removed(own_postgres, tmp_path):
    here, there = (SharedStorage(Outbox(open_backend(own_postgres.url), tmp_path / name)) for name in ("here", "there"))
    gone = await here.create(SessionState(), "gone")
    await there.list()
    with kept_away(here._backend):
        assert await here.exists("gone")
        await gone.transcripts.add("claude-1", "", ["1"])
        new = await here.create(SessionState(), "new")
        await new.transcripts.add("claude-2", "", ["2"])
        await there.delete("gone")
    await arrived(here._backend)
    assert await (await there.open("new")).transcripts.lines("claude-2") == {"": ["2"]}
    assert len(await there._backend.rows()) == 2, "the new session and its transcripts"
    for storage in (here, there):
        await storage.close()


async def test_a_copy_has_what_is_missing_once(place):
    async with place.storage() as storage:
        source, target = await storage.create(SessionState(), "one"), await storage.create(SessionState(), "two")
        await source.transcripts.add("claude-1", "", ["1", "2", "3"])
        await target.transcripts.add("claude-1", "", ["1", "2"])
        for _ in range(2):
            await copy_transcripts(source.transcripts, target.transcripts, ["claude-1", "claude-2"])
            assert await target.transcripts.lines("claude-1") == {"": ["1", "2", "3"]}
        await copy_transcripts(source.transcripts, None, ["claude-1"])


async def test_transcripts_that_hang_are_done_without(place, tmp_path, monkeypatch):
    """The question is asked all the same, before the SDK gives up."""
    async with place.storage() as storage:
        journal = await storage.create(SessionState(), "mine")
        await journal.transcripts.add("claude-1", "", ['{"uuid": "1"}'])
        lines = journal.transcripts.lines
        journal.transcripts.lines = lambda _: asyncio.Event().wait()
        key = {"project_key": "here", "session_id": "claude-1"}
        kept = Mirror(journal.transcripts, tmp_path)
        with monkeypatch.context() as patience:
            patience.setattr(mirror, "LOAD_SECONDS", 0.1)
            assert await kept.load(key) is None
        journal.transcripts.lines = lines
        assert await kept.load(key) == [{"uuid": "1"}]
