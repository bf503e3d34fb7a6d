"""The tables of what is told to others: the outbox of users, publishers' positions, webhooks.

Instants are microseconds since 1970, UTC.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from app.adapters.outbound.sql.columns import BIG, Id, metadata, partial_index

outbox = Table(
    "outbox",
    metadata,
    Column("position", BIG, primary_key=True, autoincrement=True),
    Column("event_id", String, nullable=False),
    Column("name", String(50), nullable=False),
    Column("subject", String, nullable=False),
    Column("occurred_at", BigInteger, nullable=False),
    Column("data", Text, nullable=False, comment="What it says of its subject, JSON."),
    comment="Domain events of users, written in the transaction of the change. Never changed, never removed by us.",
)

publishing_positions = Table(
    "publishing_positions",
    metadata,
    Column("publisher", String(50), primary_key=True),
    Column("log", String(20), primary_key=True),
    Column("position", BigInteger, nullable=False),
    Column("published", BigInteger, nullable=False),
    Column("failed", BigInteger, nullable=False),
)

webhook_endpoints = Table(
    "webhook_endpoints",
    metadata,
    Column("endpoint_id", Id, primary_key=True),
    Column("name", String(100), nullable=False, unique=True),
    Column("url", Text, nullable=False),
    Column("names", Text, nullable=False, comment="What it subscribes to, joined by commas; empty for everything."),
    Column("secrets", Text, nullable=False, comment="JSON: the secrets that sign, newest first, and until when."),
    Column("headers", Text, comment="JSON: names and values that are sent beside ours; null for none."),
    Column("is_active", Boolean(create_constraint=False), nullable=False),
    Column("why_off", Text),
    Column("created_at", BigInteger, nullable=False),
    Column("failing_since", BigInteger, comment="When the row of failures began that lasts still."),
    Column("failed_at", BigInteger, comment="The last failure of that row."),
    Column("failures", Integer, nullable=False, comment="In a row."),
    Column("paused_until", BigInteger, comment="Nothing is sent before, because it is failing."),
    Column(
        "skipped",
        BigInteger,
        nullable=False,
        server_default="0",
        comment="Activities that it was not told because too much waited.",
    ),
)

activity_outbox = Table(
    "activity_outbox",
    metadata,
    Column("position", BIG, primary_key=True, autoincrement=True),
    Column("id", Id, nullable=False, comment="Of the activity."),
    Column("activity", Text, nullable=False, comment="All of it, JSON."),
    comment="Activities that webhooks asked for, noted in the transaction that stored them; emptied every second.",
    sqlite_autoincrement=True,  # who removes what it has read must not meet others under the same positions
)

webhook_deliveries = Table(
    "webhook_deliveries",
    metadata,
    Column("delivery_id", BIG, primary_key=True, autoincrement=True),
    Column("endpoint_id", Id, ForeignKey("webhook_endpoints.endpoint_id", ondelete="CASCADE"), nullable=False),
    Column("event_id", String, nullable=False),
    Column("name", String(50).with_variant(String(120), "postgresql"), nullable=False),
    Column("subject", String, nullable=False),
    Column("body", Text, nullable=False, comment="The envelope, as it is signed and sent."),
    Column("created_at", BigInteger, nullable=False),
    Column("state", String(10), nullable=False, comment="pending, delivered or given_up"),
    Column("attempts", Integer, nullable=False),
    Column(
        "next_attempt_at",
        BigInteger,
        comment="Null when it has ended, and while an earlier one of its endpoint and subject has not.",
    ),
    Column(
        "scheduled_at",
        BigInteger,
        comment="When the schedule has the next attempt, which may be brought forward; null before the first.",
    ),
    Column("ended_at", BigInteger, comment="Null while it is pending."),
    UniqueConstraint("endpoint_id", "event_id", name="uq_webhook_deliveries_once"),
    sqlite_autoincrement=True,  # no id is given twice, not even after the newest was removed
)
_of_endpoint = webhook_deliveries.c.endpoint_id
_subject, _id, _next = (webhook_deliveries.c[name] for name in ("subject", "delivery_id", "next_attempt_at"))


# Of each endpoint and subject one at a time is up; what is due is found among those alone.
partial_index("ix_webhook_deliveries_up", _of_endpoint, _subject, where=_next.is_not(None), unique=True)
partial_index("ix_webhook_deliveries_due", _of_endpoint, _next, _id, where=_next.is_not(None))
partial_index(
    "ix_webhook_deliveries_pending", _of_endpoint, _subject, _id, where=webhook_deliveries.c.ended_at.is_(None)
)
partial_index("ix_webhook_deliveries_given_up", _of_endpoint, _id, where=text("state = 'given_up'"))
Index("ix_webhook_deliveries_endpoint", _of_endpoint, _id)
Index("ix_webhook_deliveries_ended", webhook_deliveries.c.ended_at)

webhook_attempts = Table(
    "webhook_attempts",
    metadata,
    Column("attempt_id", BIG, primary_key=True, autoincrement=True),
    Column("delivery_id", BIG, ForeignKey("webhook_deliveries.delivery_id", ondelete="CASCADE"), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("took_ms", Integer, nullable=False),
    Column("status", Integer, comment="Of the answer; null when there was none."),
    Column("error", Text),
    Index("ix_webhook_attempts_delivery", "delivery_id"),
)
