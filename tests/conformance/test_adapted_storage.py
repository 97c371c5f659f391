"""A three-method adapter, adapted, keeps every promise of a storage that records turn by turn."""

from __future__ import annotations

import pytest

from channelcoder_lsp.domain.errors import StorageError
from channelcoder_lsp.domain.records import TurnAsked
from channelcoder_lsp.domain.session import SessionState
from channelcoder_lsp.domain.turn import Turn
from channelcoder_lsp.storage.adapted import AdaptedStorage
from channelcoder_lsp.testing import JOURNAL_PROMISES, STORAGE_PROMISES, sample_session

from .test_guide_adapter import DictionaryStorage


class WithDelete(DictionaryStorage):
    async def delete(self, name):
        del self.database[name]


@pytest.mark.parametrize("promise", [*STORAGE_PROMISES, *JOURNAL_PROMISES], ids=lambda promise: promise.__name__)
async def test_the_promises(promise):
    storage = AdaptedStorage(WithDelete({}))
    await promise(lambda: storage)


async def test_what_another_process_saved_is_seen():
    database = {}
    one = await AdaptedStorage(WithDelete(database)).create(sample_session("mine", turns=1), "mine")
    other = await AdaptedStorage(WithDelete(database)).open("mine")
    await other.append(TurnAsked(turn=Turn(id="turn-9", question="Why?")))
    assert await one.refresh()
    assert "turn-9" in one.head.turns
    assert not await one.refresh()


async def test_without_auto_save_only_save_saves():
    database = {}
    storage = AdaptedStorage(WithDelete(database), auto_save=False)
    journal = await storage.create(SessionState(), "mine")
    await journal.append(TurnAsked(turn=Turn(question="Why?")))
    await journal.close()
    assert database == {}
    await storage.save(await journal.state(), "mine")
    assert list(database) == ["mine"]


async def test_an_adapter_without_delete_says_what_it_lacks():
    storage = AdaptedStorage(DictionaryStorage({}))
    await storage.create(SessionState(), "mine")
    with pytest.raises(StorageError, match=r"DictionaryStorage can't remove sessions. Give it an async method delete"):
        await storage.delete("mine")


async def test_what_could_not_be_saved_did_not_happen():
    class Full(WithDelete):
        async def save(self, state, name=None):
            if state.message_count:
                raise StorageError("The disk is full.")
            return await super().save(state, name)

    journal = await AdaptedStorage(Full({})).create(SessionState(), "mine")
    with pytest.raises(StorageError, match="full"):
        await journal.append(TurnAsked(turn=Turn(id="turn-1", question="Why?")))
    assert journal.head.turns == {}
