"""Which project a session is of, on every machine, and whether it is that project's active one."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_TABLE = "channelcoder_sessions"


def upgrade() -> None:
    """Add the columns; of what is there it is told once it is asked in."""
    op.add_column(_TABLE, sa.Column("project", sa.Text))
    op.add_column(_TABLE, sa.Column("chosen", sa.Integer))


def downgrade() -> None:
    """Take them away."""
    op.drop_column(_TABLE, "chosen")
    op.drop_column(_TABLE, "project")
