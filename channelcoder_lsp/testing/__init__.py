"""Does a session storage keep its promises? For those who write an adapter of their own.

A promise is an async function that takes ``connect``: each call of it gives a storage object on the same, at
first empty, place, as if another process had opened it. It raises ``AssertionError`` with a sentence about
what did not hold. With pytest and its anyio plugin::

    import pytest
    from channelcoder_lsp.testing import STORAGE_PROMISES


    @pytest.mark.anyio
    @pytest.mark.parametrize("promise", STORAGE_PROMISES, ids=lambda promise: promise.__name__)
    async def test_my_storage(promise, my_database):
        await promise(lambda: MyStorage(my_database))

``STORAGE_PROMISES`` are about the guide's three methods (:class:`channelcoder_lsp.domain.storage.SessionStorage`):

- ``save(state, name)`` stores the session whole in place of what was there, under ``name``, else under its
  own name, else under its session id, and returns something that ``load`` takes. It changes nothing in
  ``state`` and keeps no reference to it.
- ``load(name)`` returns an equal session, each time a new one, dates as aware datetimes; texts come back to
  the character, keys that nobody knows come back too. Without a session it raises ``SessionNotFoundError``.
- ``list()`` has every session once, newest first, with name, dates and number of messages.

``JOURNAL_PROMISES`` are about the rest of :class:`channelcoder_lsp.domain.storage.JournaledStorage`:

- ``create`` and ``open`` return a journal; ``SessionExistsError``, ``SessionNotFoundError``.
- ``append`` numbers records 1, 2, 3... without holes, whoever appends, in the order given, applies them and
  what others appended before them to ``head``, and keeps no reference to the caller's objects.
- ``refresh`` takes in what others appended or saved, and says whether there was anything.
- ``head`` stays the same object; ``state``, ``load`` and ``list`` have everything that was appended, whether
  or not the journal was closed, and equal the records applied one by one.
- ``lease`` is held by one at a time, in this process or another, ends with its context however that is left,
  and can be given up while waiting.
- ``keep_content`` and ``content``: a text by its SHA-256, moved and removed with its session; one that the
  session points at (an anchor's ``content``, a proposed file's ``base``) stays, others may go after an hour.
- ``fold`` and ``close`` lose nothing; closing twice is fine, and a closed journal refuses to append.
- ``delete`` and ``rename`` take all that belongs to the session; a journal of it that is open elsewhere
  raises ``SessionNotFoundError`` from then on and brings nothing back, also not into a later session of that
  name.
- ``watch`` gives the names of sessions that change.
"""

from __future__ import annotations

from channelcoder_lsp.testing.journals import JOURNAL_PROMISES
from channelcoder_lsp.testing.samples import long_session, sample_session, sample_thread
from channelcoder_lsp.testing.storages import STORAGE_PROMISES

__all__ = ["JOURNAL_PROMISES", "STORAGE_PROMISES", "long_session", "sample_session", "sample_thread"]
