"""The tables, and the one function that databases spell differently."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    Column,
    DateTime,
    Float,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.expression import FunctionElement

metadata = MetaData()

NAME_LENGTH = 200
KEY_LENGTH = 32

sessions = Table(
    "channelcoder_sessions",
    metadata,
    Column("key", String(KEY_LENGTH), primary_key=True),
    Column("tenant", String(NAME_LENGTH), nullable=False),
    Column("name", String(NAME_LENGTH), nullable=False),
    Column("generation", Integer, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("created", DateTime(timezone=True), nullable=False),
    Column("last_active", DateTime(timezone=True), nullable=False),
    Column("message_count", Integer, nullable=False),
    Column("cost_usd", Float, nullable=False),
    Column("first_question", Text),
    Column("checkout", Text),
    Column("fence", Integer, nullable=False, server_default="0"),
    Column("holder", String(KEY_LENGTH)),
    Column("held_until", Float),
    Column("waiting", String(KEY_LENGTH)),
    Column("waiting_until", Float),
    Column("touched", Float),
    UniqueConstraint("tenant", "name", name="channelcoder_sessions_name"),
)
"""A row for each session: the list, how far it is, its lease, and when something was recorded in it last."""

_SESSION = f"{sessions.name}.key"

snapshots = Table(
    "channelcoder_snapshots",
    metadata,
    Column("session", ForeignKey(_SESSION, ondelete="CASCADE"), primary_key=True),
    Column("kind", String(4), primary_key=True),
    Column("generation", Integer, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("text", Text, nullable=False),
)
"""Each session's base and head. They have a table of their own since SQLite writes a changed row whole."""

records = Table(
    "channelcoder_records",
    metadata,
    Column("session", ForeignKey(_SESSION, ondelete="CASCADE"), primary_key=True),
    Column("generation", Integer, primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("text", Text, nullable=False),
)
"""What happened, a row for each record."""

contents = Table(
    "channelcoder_contents",
    metadata,
    Column("session", ForeignKey(_SESSION, ondelete="CASCADE"), primary_key=True),
    Column("digest", String(64), primary_key=True),
    Column("data", LargeBinary, nullable=False),
    Column("wanted", Float, nullable=False),
)
"""Texts of files as they were when a question was asked."""


class epoch(FunctionElement[float]):  # noqa: N801 - written like the function that it is in SQL
    """The database's own clock, in seconds: what leases are measured with, whatever the machines' clocks say."""

    type = Float()
    inherit_cache = True


@compiles(epoch, "sqlite")
def _sqlite(_element: epoch, _compiler: Any, **_options: Any) -> str:
    return "((julianday('now') - 2440587.5) * 86400.0)"


@compiles(epoch, "postgresql")
def _postgresql(_element: epoch, _compiler: Any, **_options: Any) -> str:
    return "extract(epoch from clock_timestamp())::float8"
