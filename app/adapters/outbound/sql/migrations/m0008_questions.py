"""What the questions of product people are answered from."""

from alembic import op
from sqlalchemy import BigInteger, Boolean, Column, Integer, false

from app.adapters.outbound.sql.frozen_columns import BIG, BYTEWISE, EXACT, key, required

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema forward; `marquee stats rebuild` fills what is new from the activities that are there."""
    op.create_table(
        "hourly_totals",
        key("hour", BIG, "The second at which it begins, UTC."),
        key("type", BYTEWISE),
        _slot(),
        required("count", BigInteger),
        required("sum", EXACT),
        sqlite_with_rowid=False,
    )
    for table in ("claims", "aliases"):
        said = Column("frozen", Boolean(create_constraint=False), nullable=False, server_default=false())
        op.add_column(table, said)
    op.add_column(
        "stats_settings",
        Column("frozen_before", Integer, comment="Raw activities of days before it have left; null: none has."),
    )
    op.add_column("stats_settings", Column("frozen_until", BigInteger, comment="When that day began."))


def _slot() -> Column[int]:
    return Column("slot", Integer, primary_key=True, autoincrement=False, server_default="0")
