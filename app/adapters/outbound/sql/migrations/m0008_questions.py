"""What the questions of product people are answered from."""

from alembic import op
from sqlalchemy import BigInteger, Boolean, Column, Integer, LargeBinary, String, Text, false

from app.adapters.outbound.sql.frozen_columns import BIG, BYTEWISE, EXACT, UUID, key, optional, partial_index, required

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
    op.create_table(
        "plan_totals",
        key("day", Integer),
        key("plan_id", BYTEWISE, "A UUID as text, in small letters."),
        key("kind", String(8), "view or purchase."),
        _slot(),
        required("count", BigInteger),
        required("sum", EXACT),
        sqlite_with_rowid=False,
    )
    for table in ("claims", "aliases"):
        said: Column[bool] = Column("frozen", Boolean(create_constraint=False), nullable=False, server_default=false())
        op.add_column(table, said)
    op.add_column(
        "stats_settings",
        Column("frozen_before", Integer, comment="Raw activities of days before it have left; null: none has."),
    )
    op.add_column("stats_settings", Column("frozen_until", BigInteger, comment="When that day began."))
    op.create_table(
        "dimension_totals",
        key("dimension", BYTEWISE),
        key("type", BYTEWISE, "Empty: of all types."),
        key("day", Integer),
        key("value", BYTEWISE, "= and the value; - for none; * for those without room."),
        _slot(),
        required("count", BigInteger),
        required("sum", EXACT),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "dimension_values",
        key("dimension", BYTEWISE),
        key("value", BYTEWISE, "One that is admitted; * when none is any more."),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "stats_counted",
        key("one", Integer, "There is one row at the most."),
        required("generation", BigInteger, comment="Raised when the rollups are emptied or made anew."),
        required("figures", Text, comment="Which of them count all activities, and by what, JSON."),
    )
    op.create_table(
        "active_users",
        key("type", BYTEWISE, "With which type of activity; empty: with any."),
        key("granularity", String, "Of any type only weeks and months: daily_users has days."),
        key("period", Integer),
        _slot(),
        required("users", BigInteger),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "type_retention_cells",
        key("type", BYTEWISE, "First and later active with it; empty: with any, by months."),
        key("granularity", String),
        key("cohort", Integer),
        key("later", Integer),
        _slot(),
        required("users", BigInteger),
        sqlite_with_rowid=False,
    )
    by_type = "The same of each type of activity (packed_days.py); null: none is kept."
    op.add_column("visitors", optional("types", LargeBinary, comment=by_type))
    op.add_column("persons", optional("types", LargeBinary, comment=by_type))
    op.create_table(
        "imports",
        key("import_id", BIG, numbered=True),
        required("mark", String, comment="What it is recognised by: a digest of import_marks."),
        required("file", String),
        required("reading", String, comment="How it is read, for people."),
        required("begun_at", BigInteger),
        optional("ended_at", BigInteger),
        required("rows", BigInteger, comment="Of the file that were handled."),
        required("stored", BigInteger, comment="Activities that carried its id; exact."),
        required("state", String(8)),
        optional("first_day", Integer, comment="The earliest day (UTC) of what it stored."),
        optional("last_day", Integer),
    )
    partial_index("ix_imports_mark", "imports", ["mark"], "state <> 'undone'", unique=True)
    op.create_table(
        "forgettings",
        key("forgetting_id", UUID, "As in the list that lies outside the database."),
        required("at", BigInteger),
        comment="Whom this database has forgotten: one that is set back lacks the newest, and forgets them again.",
        sqlite_with_rowid=False,
    )
    _extend_webhooks()
    _keep_instants()


def _keep_instants() -> None:
    op.create_table(
        "funnel_instants",
        key("type", BYTEWISE),
        key("day", Integer),
        _slot(),
        key("part", Integer, "0: the one that still grows."),
        required("visitors", LargeBinary, comment="Their numbers, 8 bytes each, little-endian; ascending."),
        required("instants", LargeBinary, comment="When each did it, 8 bytes each."),
        comment="When visitors did what funnels are asked of; part 0 is in the order of arrival.",
        sqlite_with_rowid=False,
    )
    types = optional("funnel_types", String, comment="Whose instants are kept, joined by commas; null: of none.")
    op.add_column("stats_settings", types)


def _extend_webhooks() -> None:
    headers = "JSON: names and values that are sent beside ours; null for none."
    op.add_column("webhook_endpoints", optional("headers", Text, comment=headers))
    skipped = "Activities that it was not told because too much waited."
    op.add_column(
        "webhook_endpoints", Column("skipped", BigInteger, nullable=False, server_default="0", comment=skipped)
    )
    op.create_table(
        "activity_outbox",
        key("position", BIG, numbered=True),
        required("id", UUID, comment="Of the activity."),
        required("activity", Text, comment="All of it, JSON."),
        sqlite_autoincrement=True,
        comment="Activities that webhooks asked for, noted in the transaction that stored them; emptied every second.",
    )
    if op.get_bind().dialect.name == "postgresql":  # SQLite holds no text to a length
        op.alter_column("webhook_deliveries", "name", type_=String(120))


def _slot() -> Column[int]:
    return Column("slot", Integer, primary_key=True, autoincrement=False, server_default="0")
