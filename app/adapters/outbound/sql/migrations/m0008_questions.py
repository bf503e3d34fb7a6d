"""What the questions of product people are answered from."""

from alembic import op
from sqlalchemy import BigInteger, Column, Integer, String

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


def _slot() -> Column[int]:
    return Column("slot", Integer, primary_key=True, autoincrement=False, server_default="0")
