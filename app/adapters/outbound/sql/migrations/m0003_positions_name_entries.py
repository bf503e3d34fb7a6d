"""Positions in the change log name the entry that they stand for."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema forward; a position that is there already names nothing, and is believed once."""
    entry = sa.Column(
        "entry", sa.String(64), nullable=False, server_default="", comment="Names the entry at that place."
    )
    op.add_column("journal_positions", entry)
