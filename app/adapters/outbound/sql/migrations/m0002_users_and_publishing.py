"""Users, keys, the outbox, publishers' positions, webhooks."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

UUID = sa.Uuid().with_variant(sa.LargeBinary(16), "sqlite")
BYTEWISE = sa.String().with_variant(sa.String(collation="C"), "postgresql")
BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Bring the schema forward."""
    op.create_table(
        "access_version",
        sa.Column(
            "one", sa.Integer(), autoincrement=False, nullable=False, comment="Always 1: there is one row at the most."
        ),
        sa.Column("version", sa.BigInteger(), nullable=False, comment="Grows with every change of who may do what."),
        sa.PrimaryKeyConstraint("one"),
    )
    op.create_table(
        "outbox",
        sa.Column("position", BIG, autoincrement=True, nullable=False),
        sa.Column("event_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(length=50), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("occurred_at", sa.BigInteger(), nullable=False),
        sa.Column("data", sa.Text(), nullable=False, comment="What it says of its subject, JSON."),
        sa.PrimaryKeyConstraint("position"),
        comment="Domain events of users, written in the transaction of the change. Never changed, never removed by us.",
    )
    op.create_table(
        "publishing_positions",
        sa.Column("publisher", sa.String(length=50), nullable=False),
        sa.Column("log", sa.String(length=20), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("published", sa.BigInteger(), nullable=False),
        sa.Column("failed", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("publisher", "log"),
    )
    op.create_table(
        "user_counts",
        sa.Column(
            "name",
            sa.String(length=20),
            nullable=False,
            comment="total, active, deleted; created, updated, deleted_ever",
        ),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "users",
        sa.Column("user_id", UUID, nullable=False),
        sa.Column("username", sa.String(), nullable=False),
        sa.Column("username_key", BYTEWISE, nullable=False, comment="The name with its case folded."),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("email_key", BYTEWISE, nullable=False, comment="The address with its case folded."),
        sa.Column("full_name", sa.String(), nullable=True),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("deleted_at", sa.BigInteger(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False, comment="Grows with every change of the row."),
        sa.PrimaryKeyConstraint("user_id"),
    )
    op.create_index(
        "ix_users_email",
        "users",
        ["email_key"],
        unique=True,
        sqlite_where=sa.text("is_active"),
        postgresql_where=sa.text("is_active"),
    )
    op.create_index(
        "ix_users_username",
        "users",
        ["username_key"],
        unique=True,
        sqlite_where=sa.text("is_active"),
        postgresql_where=sa.text("is_active"),
    )
    op.create_table(
        "webhook_endpoints",
        sa.Column("endpoint_id", UUID, nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column(
            "names", sa.Text(), nullable=False, comment="What it subscribes to, joined by commas; empty for everything."
        ),
        sa.Column(
            "secrets", sa.Text(), nullable=False, comment="JSON: the secrets that sign, newest first, and until when."
        ),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("why_off", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column(
            "failing_since", sa.BigInteger(), nullable=True, comment="When the row of failures began that lasts still."
        ),
        sa.Column("failed_at", sa.BigInteger(), nullable=True, comment="The last failure of that row."),
        sa.Column("failures", sa.Integer(), nullable=False, comment="In a row."),
        sa.Column(
            "paused_until", sa.BigInteger(), nullable=True, comment="Nothing is sent before, because it is failing."
        ),
        sa.PrimaryKeyConstraint("endpoint_id"),
        sa.UniqueConstraint("name"),
    )
    op.create_table(
        "api_keys",
        sa.Column("key_id", BYTEWISE, nullable=False, comment="The public part of the key."),
        sa.Column("user_id", UUID, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False, comment="SHA-256 of the whole key."),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.Column("last_used_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["users.user_id"],
        ),
        sa.PrimaryKeyConstraint("key_id"),
    )
    op.create_index("ix_api_keys_user", "api_keys", ["user_id", "created_at"], unique=False)
    op.create_table(
        "webhook_deliveries",
        sa.Column("delivery_id", BIG, autoincrement=True, nullable=False),
        sa.Column("endpoint_id", UUID, nullable=False),
        sa.Column("event_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(length=50), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False, comment="The envelope, as it is signed and sent."),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False, comment="pending, delivered or given_up"),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column(
            "next_attempt_at",
            sa.BigInteger(),
            nullable=True,
            comment="Null when it has ended, and while an earlier one of its endpoint and subject has not.",
        ),
        sa.Column(
            "scheduled_at",
            sa.BigInteger(),
            nullable=True,
            comment="When the schedule has the next attempt, which may be brought forward; null before the first.",
        ),
        sa.Column("ended_at", sa.BigInteger(), nullable=True, comment="Null while it is pending."),
        sa.ForeignKeyConstraint(["endpoint_id"], ["webhook_endpoints.endpoint_id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("delivery_id"),
        sa.UniqueConstraint("endpoint_id", "event_id", name="uq_webhook_deliveries_once"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_webhook_deliveries_ended", "webhook_deliveries", ["ended_at"], unique=False)
    op.create_index(
        "ix_webhook_deliveries_endpoint", "webhook_deliveries", ["endpoint_id", "delivery_id"], unique=False
    )
    op.create_index(
        "ix_webhook_deliveries_up",
        "webhook_deliveries",
        ["endpoint_id", "subject"],
        unique=True,
        sqlite_where=sa.text("next_attempt_at IS NOT NULL"),
        postgresql_where=sa.text("next_attempt_at IS NOT NULL"),
    )
    op.create_index(
        "ix_webhook_deliveries_due",
        "webhook_deliveries",
        ["endpoint_id", "next_attempt_at", "delivery_id"],
        unique=False,
        sqlite_where=sa.text("next_attempt_at IS NOT NULL"),
        postgresql_where=sa.text("next_attempt_at IS NOT NULL"),
    )
    op.create_index(
        "ix_webhook_deliveries_pending",
        "webhook_deliveries",
        ["endpoint_id", "subject", "delivery_id"],
        unique=False,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index(
        "ix_webhook_deliveries_given_up",
        "webhook_deliveries",
        ["endpoint_id", "delivery_id"],
        unique=False,
        sqlite_where=sa.text("state = 'given_up'"),
        postgresql_where=sa.text("state = 'given_up'"),
    )
    op.create_table(
        "webhook_attempts",
        sa.Column("attempt_id", BIG, autoincrement=True, nullable=False),
        sa.Column("delivery_id", BIG, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("took_ms", sa.Integer(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True, comment="Of the answer; null when there was none."),
        sa.Column("error", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["delivery_id"], ["webhook_deliveries.delivery_id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("attempt_id"),
    )
    op.create_index("ix_webhook_attempts_delivery", "webhook_attempts", ["delivery_id"], unique=False)
