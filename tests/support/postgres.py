"""A PostgreSQL database of a test's own, on the server that MARQUEE_TEST_POSTGRES_URL names, or on this machine's."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from secrets import token_hex

import psycopg
import pytest
from sqlalchemy import make_url

POSTGRES_URL = os.environ.get("MARQUEE_TEST_POSTGRES_URL", "postgresql://root@127.0.0.1:5432/postgres")


@contextmanager
def postgres_database() -> Iterator[str]:
    """Make a database, drop it after; without a server the test is skipped, loudly, and fails in CI."""
    name = f"mq_{token_hex(6)}"
    try:
        admin = psycopg.connect(POSTGRES_URL, autocommit=True, connect_timeout=5)
    except psycopg.OperationalError as error:
        reason = f"NO POSTGRESQL: none answers at MARQUEE_TEST_POSTGRES_URL or on this machine ({error})"
        pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)
    with admin:
        admin.execute(f"CREATE DATABASE {name}")
    try:
        yield make_url(POSTGRES_URL).set(database=name).render_as_string(hide_password=False)
    finally:
        with psycopg.connect(POSTGRES_URL, autocommit=True) as again:
            again.execute(f"DROP DATABASE {name} WITH (FORCE)")
