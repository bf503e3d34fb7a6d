"""Every table, for what has to see them all: migrations and the test that compares them."""

from app.adapters.outbound.sql import access_schema, publishing_schema, schema
from app.adapters.outbound.sql.columns import metadata

__all__ = ["access_schema", "metadata", "publishing_schema", "schema"]
