"""What a back end keeps of what several journals hand it."""

from __future__ import annotations

from channelcoder_lsp.domain.session import SessionState
from channelcoder_lsp.storage.shared.backend import Mark
from channelcoder_lsp.testing.samples import answered


async def test_a_later_head_stays(place):
    """Whoever is behind does not put an older one in its place, nor does one from before the session was saved."""
    async with place.storage() as storage:
        backend = storage._backend
        journal = await storage.create(SessionState(), "mine")
        for number in range(1, 4):
            await journal.append(*answered(number))
        handle = await backend.find("mine")
        await backend.keep_head(handle, Mark(0, 4), "later", [])
        await backend.keep_head(handle, Mark(0, 2), "earlier", [])
        kept = await backend.head(handle)
        assert (kept.text, kept.mark) == ("later", Mark(0, 4))
        assert [line.seq for line in kept.lines] == [5, 6]
        await storage.save(await storage.load("mine"), "mine")
        await backend.keep_head(handle, Mark(0, 6), "of another history", [])
        assert (await backend.head(handle)).text != "of another history"
        await storage.delete("mine")


async def test_texts_that_are_wanted_stay(place):
    """Others go, but not before they are old."""
    async with place.storage() as storage:
        backend = storage._backend
        await storage.create(SessionState(), "mine")
        handle = await backend.find("mine")
        for digest in ("a", "b"):
            await backend.keep_content(handle, digest, digest.encode())
        await backend.drop_contents(handle, ["a"], 3600)
        assert await backend.content(handle, "b") == b"b"
        await backend.drop_contents(handle, ["a"], -3600)
        assert [await backend.content(handle, digest) for digest in ("a", "b")] == [b"a", None]
        await storage.delete("mine")
