"""By which time zone rules days are counted."""

from alembic import op
from sqlalchemy import LargeBinary, String

from app.adapters.outbound.sql.frozen_columns import optional

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema forward."""
    tzdata = optional("tzdata", String, comment="Of which version the rules are; null: nobody knows.")
    op.add_column("stats_settings", tzdata)
    rules = optional("rules", LargeBinary, comment="The zone's file of that version (TZif).")
    op.add_column("stats_settings", rules)
