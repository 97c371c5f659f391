"""When something was recorded in a session last, by the database's own clock."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from channelcoder_lsp.storage.database.tables import epoch

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_SESSIONS = sa.table("channelcoder_sessions", sa.column("touched", sa.Float))


def upgrade() -> None:
    """Add the column; for what is there the time begins now."""
    op.add_column("channelcoder_sessions", sa.Column("touched", sa.Float))
    op.execute(sa.update(_SESSIONS).values(touched=epoch()))


def downgrade() -> None:
    """Take it away."""
    op.drop_column("channelcoder_sessions", "touched")
