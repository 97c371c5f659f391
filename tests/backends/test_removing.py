"""A session that is removed, or saved anew, leaves nothing behind."""

from __future__ import annotations

from hashlib import sha256

from channelcoder_lsp.domain.session import SessionState
from channelcoder_lsp.testing.samples import answered


async def test_nothing_is_left(place):
    """Neither records nor texts, nor anything of those who asked for its lease."""
    async with place.storage() as storage:
        journal = await storage.create(SessionState(), "mine")
        await journal.append(*answered(1))
        await journal.keep_content(sha256(b"text").hexdigest(), "text")
        await journal.fold()
        await storage.rename("mine", "other")
        journal = await storage.open("other")
        async with journal.lease():
            await storage._backend.acquire(journal._handle, "somebody", 1.0)
            await journal.append(*answered(2))
            assert await place.leftovers()
            await storage.delete("other")
        assert await place.leftovers() == []
        await journal.close()
        assert await place.leftovers() == []


async def test_what_is_saved_anew_drops_what_was_recorded(place):
    async with place.storage() as storage:
        journal = await storage.create(SessionState(), "mine")
        before = len(await place.leftovers())
        await journal.append(*answered(1))
        await storage.save(await storage.load("mine"), "mine")
        assert len(await place.leftovers()) == before
