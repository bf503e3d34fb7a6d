"""Users, keys, the outbox, publishers' positions, webhooks."""

from alembic import op
from sqlalchemy import (
    BigInteger,
    Boolean,
    ForeignKey,
    ForeignKeyConstraint,
    Integer,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
)

from app.adapters.outbound.sql.frozen_columns import BIG, BYTEWISE, UUID, key, optional, partial_index, required

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema forward."""
    op.create_table(
        "access_version",
        key("one", Integer, "Always 1: there is one row at the most."),
        required("version", BigInteger, comment="Grows with every change of who may do what."),
    )
    op.create_table(
        "outbox",
        key("position", BIG, numbered=True),
        required("event_id", String),
        required("name", String(50)),
        required("subject", String),
        required("occurred_at", BigInteger),
        required("data", Text, comment="What it says of its subject, JSON."),
        comment="Domain events of users, written in the transaction of the change. Never changed, never removed by us.",
    )
    op.create_table(
        "publishing_positions",
        key("publisher", String(50)),
        key("log", String(20)),
        required("position", BigInteger),
        required("published", BigInteger),
        required("failed", BigInteger),
    )
    op.create_table(
        "user_counts",
        key("name", String(20), "total, active, deleted; created, updated, deleted_ever"),
        required("count", BigInteger),
    )
    op.create_table(
        "users",
        key("user_id", UUID),
        required("username", String),
        required("username_key", BYTEWISE, comment="The name with its case folded."),
        required("email", String),
        required("email_key", BYTEWISE, comment="The address with its case folded."),
        optional("full_name", String),
        required("role", String(20)),
        required("is_active", Boolean),
        required("created_at", BigInteger),
        required("updated_at", BigInteger),
        optional("deleted_at", BigInteger),
        required("version", Integer, comment="Grows with every change of the row."),
    )
    partial_index("ix_users_email", "users", ["email_key"], "is_active", unique=True)
    partial_index("ix_users_username", "users", ["username_key"], "is_active", unique=True)
    op.create_table(
        "webhook_endpoints",
        key("endpoint_id", UUID),
        required("name", String(100)),
        required("url", Text),
        required("names", Text, comment="What it subscribes to, joined by commas; empty for everything."),
        required("secrets", Text, comment="JSON: the secrets that sign, newest first, and until when."),
        required("is_active", Boolean),
        optional("why_off", Text),
        required("created_at", BigInteger),
        optional("failing_since", BigInteger, comment="When the row of failures began that lasts still."),
        optional("failed_at", BigInteger, comment="The last failure of that row."),
        required("failures", Integer, comment="In a row."),
        optional("paused_until", BigInteger, comment="Nothing is sent before, because it is failing."),
        UniqueConstraint("name"),
    )
    op.create_table(
        "api_keys",
        key("key_id", BYTEWISE, "The public part of the key."),
        required("user_id", UUID, ForeignKey("users.user_id")),
        required("name", String),
        required("digest", LargeBinary(32), comment="SHA-256 of the whole key."),
        required("created_at", BigInteger),
        optional("expires_at", BigInteger),
        optional("revoked_at", BigInteger),
        optional("last_used_at", BigInteger),
    )
    op.create_index("ix_api_keys_user", "api_keys", ["user_id", "created_at"])
    op.create_table(
        "webhook_deliveries",
        key("delivery_id", BIG, numbered=True),
        required("endpoint_id", UUID),
        required("event_id", String),
        required("name", String(50)),
        required("subject", String),
        required("body", Text, comment="The envelope, as it is signed and sent."),
        required("created_at", BigInteger),
        required("state", String(10), comment="pending, delivered or given_up"),
        required("attempts", Integer),
        optional(
            "next_attempt_at",
            BigInteger,
            comment="Null when it has ended, and while an earlier one of its endpoint and subject has not.",
        ),
        optional(
            "scheduled_at",
            BigInteger,
            comment="When the schedule has the next attempt, which may be brought forward; null before the first.",
        ),
        optional("ended_at", BigInteger, comment="Null while it is pending."),
        ForeignKeyConstraint(["endpoint_id"], ["webhook_endpoints.endpoint_id"], ondelete="CASCADE"),
        UniqueConstraint("endpoint_id", "event_id", name="uq_webhook_deliveries_once"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_webhook_deliveries_ended", "webhook_deliveries", ["ended_at"])
    op.create_index("ix_webhook_deliveries_endpoint", "webhook_deliveries", ["endpoint_id", "delivery_id"])
    partial_index(
        "ix_webhook_deliveries_up",
        "webhook_deliveries",
        ["endpoint_id", "subject"],
        "next_attempt_at IS NOT NULL",
        unique=True,
    )
    partial_index(
        "ix_webhook_deliveries_due",
        "webhook_deliveries",
        ["endpoint_id", "next_attempt_at", "delivery_id"],
        "next_attempt_at IS NOT NULL",
    )
    partial_index(
        "ix_webhook_deliveries_pending",
        "webhook_deliveries",
        ["endpoint_id", "subject", "delivery_id"],
        "ended_at IS NULL",
    )
    partial_index(
        "ix_webhook_deliveries_given_up", "webhook_deliveries", ["endpoint_id", "delivery_id"], "state = 'given_up'"
    )
    op.create_table(
        "webhook_attempts",
        key("attempt_id", BIG, numbered=True),
        required("delivery_id", BIG, ForeignKey("webhook_deliveries.delivery_id", ondelete="CASCADE")),
        required("at", BigInteger),
        required("took_ms", Integer),
        optional("status", Integer, comment="Of the answer; null when there was none."),
        optional("error", Text),
    )
    op.create_index("ix_webhook_attempts_delivery", "webhook_attempts", ["delivery_id"])
