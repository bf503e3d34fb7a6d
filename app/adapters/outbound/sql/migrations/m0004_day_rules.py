"""By which time zone rules days are counted."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema forward."""
    op.add_column(
        "stats_settings",
        sa.Column("tzdata", sa.String(), nullable=True, comment="Of which version the rules are; null: nobody knows."),
    )
    op.add_column(
        "stats_settings",
        sa.Column("rules", sa.LargeBinary(), nullable=True, comment="The zone's file of that version (TZif)."),
    )
