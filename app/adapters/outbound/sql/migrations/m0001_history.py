"""The history: activities, rollups, the journal of the plans."""

from alembic import op
from sqlalchemy import BigInteger, Boolean, Integer, LargeBinary, String, Text

from app.adapters.outbound.sql.frozen_columns import BIG, BYTEWISE, EXACT, UUID, key, optional, partial_index, required

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema forward."""
    op.create_table(
        "activities",
        key("id", UUID),
        required("type", String),
        required("occurred_at", BigInteger),
        optional("source", String),
        optional("user_id", BYTEWISE),
        optional("value", EXACT),
        optional("properties", Text),
        comment="Every activity that was ever accepted, once. Never changed, never removed by us.",
    )
    op.create_table(
        "daily_totals",
        key("day", Integer),
        key("type", BYTEWISE),
        required("count", BigInteger),
        required("sum", EXACT),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "daily_users",
        key("day", Integer),
        required("users", BigInteger),
    )
    op.create_table(
        "import_marks",
        key("digest", String),
        required("rows", BigInteger),
    )
    op.create_table(
        "journal_positions",
        key("provider", String),
        required("epoch", BigInteger),
        required("sequence", BigInteger),
    )
    op.create_table(
        "plan_journal",
        key("entry_id", BIG, numbered=True),
        required("provider", String),
        required("plan_id", UUID),
        required("kinds", String, comment="What changed, joined by commas."),
        required("run_id", String),
        required("known_from", BigInteger),
        optional("known_until", BigInteger, comment="When the plan's next entry came; null for the newest."),
        required("known", Text, comment="What a sync remembers of the plan, JSON."),
        required("searchable", Boolean),
        required("starts_at", BigInteger),
        required("ends_at", BigInteger),
        required("summary", Text, comment="What a search says of the plan, JSON."),
        required("plan", LargeBinary, comment="The whole plan, JSON, compressed by zlib."),
    )
    partial_index("ix_plan_journal_newest", "plan_journal", ["provider", "plan_id"], "known_until IS NULL", unique=True)
    op.create_index("ix_plan_journal_plan", "plan_journal", ["plan_id", "entry_id"])
    op.create_index("ix_plan_journal_starts", "plan_journal", ["starts_at"])
    op.create_table(
        "retention_cells",
        key("granularity", String(4)),
        key("cohort", Integer),
        key("later", Integer),
        required("users", BigInteger),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "stats_settings",
        key("timezone", String, "Whose days the rollups count; one row at the most."),
    )
    op.create_table(
        "type_totals",
        key("type", BYTEWISE),
        required("count", BigInteger),
        required("sum", EXACT),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "visitors",
        key("user_id", BYTEWISE),
        required("first_day", Integer),
        required("days", LargeBinary, comment="A bit for each day from first_day on, little-endian."),
        sqlite_with_rowid=False,
    )
