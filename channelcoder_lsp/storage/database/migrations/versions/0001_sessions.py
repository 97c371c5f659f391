"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make them."""
    op.create_table(
        "channelcoder_sessions",
        sa.Column("key", sa.String(32), primary_key=True),
        sa.Column("tenant", sa.String(200), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("generation", sa.Integer, nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_active", sa.DateTime(timezone=True), nullable=False),
        sa.Column("message_count", sa.Integer, nullable=False),
        sa.Column("cost_usd", sa.Float, nullable=False),
        sa.Column("first_question", sa.Text),
        sa.Column("checkout", sa.Text),
        sa.Column("fence", sa.Integer, nullable=False, server_default="0"),
        sa.Column("holder", sa.String(32)),
        sa.Column("held_until", sa.Float),
        sa.Column("waiting", sa.String(32)),
        sa.Column("waiting_until", sa.Float),
        sa.UniqueConstraint("tenant", "name", name="channelcoder_sessions_name"),
    )
    for name, columns in _OF_A_SESSION.items():
        op.create_table(
            name,
            sa.Column(
                "session",
                sa.String(32),
                sa.ForeignKey("channelcoder_sessions.key", ondelete="CASCADE"),
                primary_key=True,
            ),
            *columns,
        )


def downgrade() -> None:
    """Remove them, with all sessions."""
    for name in (*_OF_A_SESSION, "channelcoder_sessions"):
        op.drop_table(name)


_KEY = "channelcoder_sessions.key"
_OF_A_SESSION = {
    "channelcoder_snapshots": (
        sa.Column("kind", sa.String(4), primary_key=True),
        sa.Column("generation", sa.Integer, nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
    ),
    "channelcoder_records": (
        sa.Column("generation", sa.Integer, primary_key=True),
        sa.Column("seq", sa.Integer, primary_key=True),
        sa.Column("text", sa.Text, nullable=False),
    ),
    "channelcoder_contents": (
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sa.Column("wanted", sa.Float, nullable=False),
    ),
}
