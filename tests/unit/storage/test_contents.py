"""Kept texts are there as long as something points at them, and not for ever."""

from __future__ import annotations

import os
import time
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest

from channelcoder_lsp.domain.proposal import Proposal, ProposedFile
from channelcoder_lsp.domain.records import ProposalChanged, ReviewChanged, SessionCleared, ThreadOpened, ThreadRemoved
from channelcoder_lsp.domain.review import Review, ReviewedFile, ReviewScope
from channelcoder_lsp.domain.session import SessionState
from channelcoder_lsp.storage.file import contents
from channelcoder_lsp.storage.file.contents import GRACE_SECONDS
from channelcoder_lsp.testing import sample_thread

if TYPE_CHECKING:
    from channelcoder_lsp.domain.thread import Thread
    from channelcoder_lsp.storage.file.journal import FileJournal
    from channelcoder_lsp.storage.file.names import SessionFiles


def digest_of(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def about(text: str, name: str = "thread-1") -> Thread:
    """A thread in a file that has the text."""
    thread = sample_thread()
    return thread.model_copy(
        update={"id": name, "anchor": thread.anchor.model_copy(update={"content": digest_of(text)})}
    )


async def keep(journal: FileJournal, *texts: str) -> None:
    for text in texts:
        await journal.keep_content(digest_of(text), text)


def grow_old(files: SessionFiles, *, but: str = "") -> None:
    """Let it be long ago that the texts were kept."""
    for path in files.contents.iterdir():
        if path.name != digest_of(but):
            os.utime(path, (time.time() - GRACE_SECONDS - 1,) * 2)


def names(files: SessionFiles) -> set[str]:
    return {path.name for path in files.contents.iterdir()}


@pytest.fixture
async def journal(storage):
    journal = await storage.create(SessionState(), "mine")
    yield journal
    await journal.close()


class TestATextThatIsUsedNoMore:
    async def test_goes_with_the_thread_that_used_it(self, journal, files):
        await keep(journal, "one", "two")
        await journal.append(ThreadOpened(thread=about("one")), ThreadOpened(thread=about("two", "thread-2")))
        await journal.fold()
        grow_old(files)
        await journal.append(ThreadRemoved(thread_id="thread-2"))
        await journal.fold()
        assert names(files) == {digest_of("one")}
        assert await journal.content(digest_of("one")) == "one"

    async def test_goes_when_the_session_is_cleared(self, journal, files):
        await keep(journal, "one")
        await journal.append(ThreadOpened(thread=about("one")))
        grow_old(files)
        await journal.append(SessionCleared())
        await journal.close()
        assert names(files) == set()

    async def test_stays_while_a_proposal_or_a_review_uses_it(self, journal, files):
        await keep(journal, "one", "two", "three")
        proposal = Proposal(turn_id="turn-1", files=[ProposedFile(uri="file:///a.py", base=digest_of("one"))])
        review = Review(scope=ReviewScope.SELECTION, files=[ReviewedFile(uri="file:///a", content=digest_of("two"))])
        grow_old(files)
        await journal.append(ProposalChanged(proposal=proposal), ReviewChanged(review=review))
        await journal.fold()
        assert names(files) == {digest_of("one"), digest_of("two")}

    async def test_stays_while_a_key_of_a_newer_version_mentions_it(self, storage, journal, files):
        await keep(journal, "one")
        thread = about("two")
        newer = {**thread.model_dump(), "seen": {"at": digest_of("one")}}
        grow_old(files)
        await journal.append(ThreadOpened(thread=type(thread).model_validate(newer)))
        await journal.fold()
        assert names(files) == {digest_of("one")}

    async def test_stays_for_an_hour(self, journal, files):
        """Whoever kept it may not have recorded yet what it is kept for."""
        await keep(journal, "one", "two")
        grow_old(files, but="one")
        await journal.append(ThreadOpened(thread=about("three")))
        await journal.fold()
        assert names(files) == {digest_of("one")}

    async def test_stays_for_an_hour_after_it_was_wanted_again(self, storage, journal, files):
        await keep(journal, "one")
        grow_old(files)
        await keep(await storage.open("mine"), "one")
        await journal.append(ThreadOpened(thread=about("three")))
        await journal.fold()
        assert await journal.content(digest_of("one")) == "one"

    async def test_stays_if_it_is_recorded_while_the_session_is_folded(self, storage, journal, files, monkeypatch):
        """What comes behind what is being folded counts as well."""
        other = await storage.open("mine")
        await keep(journal, "one", "two")
        grow_old(files)
        await journal.append(ThreadOpened(thread=about("two", "thread-2")))
        at_rest = SessionState.at_rest

        def meanwhile(state: SessionState) -> str:
            other._file.append([ThreadOpened(thread=about("one"))], durable=True)
            return at_rest(state)

        monkeypatch.setattr(SessionState, "at_rest", meanwhile)
        await journal.fold()
        assert names(files) == {digest_of("one"), digest_of("two")}


async def test_what_a_dead_writer_left_goes_too(journal, files):
    await keep(journal, "one")
    (files.contents / "tmp-0").write_bytes(b"half")
    (files.contents / "corrupt-or-a-persons").write_bytes(b"kept")
    grow_old(files)
    (files.contents / "tmp-1").write_bytes(b"half")
    await journal.append(ThreadOpened(thread=about("one")))
    await journal.fold()
    assert names(files) == {digest_of("one"), "corrupt-or-a-persons", "tmp-1"}


async def test_a_text_that_cannot_be_removed_is_no_harm(journal, files, monkeypatch, caplog):
    await keep(journal, "one")
    grow_old(files)
    await journal.append(ThreadOpened(thread=about("two")))

    def refuse(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(contents, "remove", refuse)
    await journal.fold()
    assert list((await journal.state()).threads) == ["thread-1"]
    assert "could not be removed" in caplog.text
