"""The promises of the guide's three methods can be kept by an adapter as the guide shows it."""

from __future__ import annotations

from uuid import uuid4

import pytest

from channelcoder_lsp.domain.errors import SessionNotFoundError
from channelcoder_lsp.domain.session import SessionInfo, SessionState
from channelcoder_lsp.testing import STORAGE_PROMISES


class DictionaryStorage:
    """The guide's "Custom Storage Implementation", with a dictionary for a database."""

    def __init__(self, database):
        self.database = database

    async def save(self, state, name=None):
        key = name or state.metadata.name or state.current_session_id or uuid4().hex
        data = SessionState.model_validate_json(state.at_rest())
        data.metadata.name = name or state.metadata.name
        self.database[key] = data.at_rest()
        return key

    async def load(self, name_or_path):
        if name_or_path not in self.database:
            raise SessionNotFoundError(name_or_path)
        return SessionState.model_validate_json(self.database[name_or_path])

    async def list(self):
        rows = []
        for key, data in self.database.items():
            state = SessionState.model_validate_json(data)
            rows.append(
                SessionInfo(
                    name=key,
                    path=key,
                    created=state.metadata.created,
                    last_active=state.metadata.last_active,
                    message_count=len(state.messages),
                )
            )
        return sorted(rows, key=lambda row: row.last_active, reverse=True)


@pytest.mark.parametrize("promise", STORAGE_PROMISES, ids=lambda promise: promise.__name__)
async def test_the_guides_methods(promise):
    database = {}
    await promise(lambda: DictionaryStorage(database))


@pytest.mark.parametrize(
    ("broken", "promise"),
    [
        ("forgets", "what_is_saved_is_loaded"),
        ("shares", "nothing_is_shared_with_the_caller"),
        ("unsorted", "the_list_is_sorted"),
        ("silent", "a_missing_session_is_named"),
    ],
)
async def test_a_promise_that_is_broken_is_noticed(broken, promise):
    """An adapter that forgets, shares, doesn't sort or invents a session fails."""

    class Broken(DictionaryStorage):
        kept = {}  # noqa: RUF012 - one for all connections is what is wrong with it

        async def save(self, state, name=None):
            if broken == "forgets":
                state = state.model_copy(update={"messages": state.messages[1:]})
            key = await super().save(state, name)
            self.kept[key] = state
            return key

        async def load(self, name_or_path):
            if broken == "shares":
                return self.kept[name_or_path]
            if broken == "silent" and name_or_path not in self.database:
                return SessionState()
            return await super().load(name_or_path)

        async def list(self):
            rows = await super().list()
            return rows[::-1] if broken == "unsorted" else rows

    database = {}
    check = next(each for each in STORAGE_PROMISES if each.__name__ == promise)
    with pytest.raises(AssertionError, match="expected"):
        await check(lambda: Broken(database))
