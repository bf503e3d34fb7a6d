"""Who is one person: claims, aliases, and the visitors whom they join."""

from alembic import op
from sqlalchemy import BigInteger, Integer, LargeBinary

from app.adapters.outbound.sql.frozen_columns import BYTEWISE, UUID, key, optional, partial_index, required

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema forward; until somebody says more, every visitor is alone."""
    op.execute("ALTER TABLE visitors RENAME COLUMN user_id TO visitor")
    op.add_column(
        "visitors", optional("person", BYTEWISE, comment="Who it is together with others; null: it is alone.")
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute("COMMENT ON COLUMN visitors.visitor IS 'A user id; or U+0001 and an anonymous id.'")
    partial_index("ix_visitors_person", "visitors", ["person"], "person IS NOT NULL")
    op.create_table(
        "persons",
        key("person", BYTEWISE, "One of its user ids."),
        required("first_day", Integer),
        required("days", LargeBinary, comment="Those of all its visitors together."),
        required("ids", Integer, comment="How many visitors it is; two at least."),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "claims",
        key("activity_id", UUID),
        required("anonymous_id", BYTEWISE),
        required("at", BigInteger, comment="From when on it counts; the earliest one of an id holds."),
        required("user_id", BYTEWISE),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_claims_anonymous", "claims", ["anonymous_id", "at", "activity_id"])
    op.create_index("ix_claims_user", "claims", ["user_id"])
    op.create_table(
        "aliases",
        key("activity_id", UUID),
        required("user_id", BYTEWISE),
        required("previous_id", BYTEWISE),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_aliases_user", "aliases", ["user_id"])
    op.create_index("ix_aliases_previous", "aliases", ["previous_id"])
