"""The tables of users and keys. Instants are microseconds since 1970, UTC."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, LargeBinary, String, Table, Text

from app.adapters.outbound.sql.columns import BYTEWISE, Id, metadata, partial_index

users = Table(
    "users",
    metadata,
    Column("user_id", Id, primary_key=True),
    Column("username", String, nullable=False),
    Column("username_key", BYTEWISE, nullable=False, comment="The name with its case folded."),
    Column("email", String, nullable=False),
    Column("email_key", BYTEWISE, nullable=False, comment="The address with its case folded."),
    Column("full_name", String),
    Column("role", String(20), nullable=False),
    Column("is_active", Boolean(create_constraint=False), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("deleted_at", BigInteger),
    Column("version", Integer, nullable=False, comment="Grows with every change of the row."),
)
for column in ("username", "email"):
    partial_index(f"ix_users_{column}", users.c[f"{column}_key"], where=users.c.is_active, unique=True)

user_counts = Table(
    "user_counts",
    metadata,
    Column("name", String(20), primary_key=True, comment="total, active, deleted; created, updated, deleted_ever"),
    Column("count", BigInteger, nullable=False),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("key_id", BYTEWISE, primary_key=True, comment="The public part of the key."),
    Column("user_id", Id, ForeignKey("users.user_id"), nullable=False),
    Column("name", String, nullable=False),
    Column("digest", LargeBinary(32), nullable=False, comment="SHA-256 of the whole key."),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger),
    Column("revoked_at", BigInteger),
    Column("last_used_at", BigInteger),
    Column("origins", Text, comment="Of a publishable key, joined by spaces; null: it is a secret one."),
    Column("types", Text, comment="What a publishable key may post, joined by spaces; null: any type."),
    Index("ix_api_keys_user", "user_id", "created_at"),
)

access_version = Table(
    "access_version",
    metadata,
    Column("one", Integer, primary_key=True, autoincrement=False, comment="Always 1: there is one row at the most."),
    Column("version", BigInteger, nullable=False, comment="Grows with every change of who may do what."),
)
