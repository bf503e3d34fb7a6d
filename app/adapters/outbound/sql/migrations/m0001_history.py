"""The history: activities, rollups, the journal of the plans."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

UUID = sa.Uuid().with_variant(sa.LargeBinary(16), "sqlite")
BYTEWISE = sa.String().with_variant(sa.String(collation="C"), "postgresql")
EXACT = sa.Numeric().with_variant(sa.Text(), "sqlite")
BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Bring the schema forward."""
    op.create_table(
        "activities",
        sa.Column("id", UUID, nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("occurred_at", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.String(), nullable=True),
        sa.Column("user_id", BYTEWISE, nullable=True),
        sa.Column("value", EXACT, nullable=True),
        sa.Column("properties", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        comment="Every activity that was ever accepted, once. Never changed, never removed by us.",
    )
    op.create_table(
        "daily_totals",
        sa.Column("day", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("type", BYTEWISE, nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("sum", EXACT, nullable=False),
        sa.PrimaryKeyConstraint("day", "type"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "daily_users",
        sa.Column("day", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("users", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("day"),
    )
    op.create_table(
        "import_marks",
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("digest"),
    )
    op.create_table(
        "journal_positions",
        sa.Column("provider", sa.String(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("provider"),
    )
    op.create_table(
        "plan_journal",
        sa.Column("entry_id", BIG, autoincrement=True, nullable=False),
        sa.Column("provider", sa.String(), nullable=False),
        sa.Column("plan_id", UUID, nullable=False),
        sa.Column("kinds", sa.String(), nullable=False, comment="What changed, joined by commas."),
        sa.Column("run_id", sa.String(), nullable=False),
        sa.Column("known_from", sa.BigInteger(), nullable=False),
        sa.Column(
            "known_until",
            sa.BigInteger(),
            nullable=True,
            comment="When the plan's next entry came; null for the newest.",
        ),
        sa.Column("known", sa.Text(), nullable=False, comment="What a sync remembers of the plan, JSON."),
        sa.Column("searchable", sa.Boolean(), nullable=False),
        sa.Column("starts_at", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False, comment="What a search says of the plan, JSON."),
        sa.Column("plan", sa.LargeBinary(), nullable=False, comment="The whole plan, JSON, compressed by zlib."),
        sa.PrimaryKeyConstraint("entry_id"),
    )
    op.create_index(
        "ix_plan_journal_newest",
        "plan_journal",
        ["provider", "plan_id"],
        unique=True,
        sqlite_where=sa.text("known_until IS NULL"),
        postgresql_where=sa.text("known_until IS NULL"),
    )
    op.create_index("ix_plan_journal_plan", "plan_journal", ["plan_id", "entry_id"], unique=False)
    op.create_index("ix_plan_journal_starts", "plan_journal", ["starts_at"], unique=False)

    op.create_table(
        "retention_cells",
        sa.Column("granularity", sa.String(length=4), nullable=False),
        sa.Column("cohort", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("later", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("users", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("granularity", "cohort", "later"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "stats_settings",
        sa.Column(
            "timezone", sa.String(), nullable=False, comment="Whose days the rollups count; one row at the most."
        ),
        sa.PrimaryKeyConstraint("timezone"),
    )
    op.create_table(
        "type_totals",
        sa.Column("type", BYTEWISE, nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("sum", EXACT, nullable=False),
        sa.PrimaryKeyConstraint("type"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "visitors",
        sa.Column("user_id", BYTEWISE, nullable=False),
        sa.Column("first_day", sa.Integer(), nullable=False),
        sa.Column(
            "days", sa.LargeBinary(), nullable=False, comment="A bit for each day from first_day on, little-endian."
        ),
        sa.PrimaryKeyConstraint("user_id"),
        sqlite_with_rowid=False,
    )
