"""A database that an earlier version has made."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from channelcoder_lsp.domain.records import SessionOffered
from channelcoder_lsp.storage import database
from channelcoder_lsp.storage.database.opening import open_backend
from channelcoder_lsp.storage.shared.storage import SharedStorage
from channelcoder_lsp.testing import sample_session


def go_back(file: Path, revision: str) -> None:
    """Give the tables the columns that they had."""
    config = Config()
    config.set_main_option("script_location", str(Path(database.__file__).parent / "migrations"))
    engine = sa.create_engine(f"sqlite:///{file}")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, revision)
    engine.dispose()


async def test_sessions_from_before_projects_had_ids_are_there(tmp_path):
    """They are listed and loaded as ever, as sessions of no known project, until that is recorded."""
    file = tmp_path / "sessions.db"
    storage = SharedStorage(open_backend(f"sqlite:///{file}"))
    state = sample_session("mine")
    state.channelcoder.project = state.channelcoder.chosen = None
    await storage.save(state, "mine")
    await storage.close()
    go_back(file, "0002")
    storage = SharedStorage(open_backend(f"sqlite:///{file}"))
    (row,) = await storage.list()
    assert (row.name, row.project, row.chosen) == ("mine", None, None)
    assert (await storage.load("mine")).messages == state.messages
    journal = await storage.open("mine")
    await journal.append(SessionOffered(project="git:example.org/shop", chosen=0))
    (row,) = await storage.list()
    assert (row.project, row.chosen) == ("git:example.org/shop", 0)
    await journal.close()
    await storage.close()
