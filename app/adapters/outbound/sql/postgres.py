"""An engine for PostgreSQL that works behind a pooler in transaction mode, and follows a failover.

A pooler (PgBouncer) lends a connection for one transaction: nothing is set for a session, nothing is prepared, and
nothing is said at the start but what every pooler knows. So a transaction begins with what it needs, in one message.
"""

from collections.abc import Mapping
from ipaddress import AddressValueError, IPv6Address
from typing import Any

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.engine import ExceptionContext

from app.adapters.outbound.sql.failures import is_failover

_HIGHEST_PORT = 65_535


def postgres_engine(url: str, *, timeout: float, silence: float, connections: int) -> tuple[Engine, str]:
    """Make an engine, and say where the database is, without a password.

    The URL is libpq's: `postgresql://user:password@host1,host2:5433/name?sslmode=require`. With several hosts it is
    the one that takes writes. `timeout` seconds are for each connection and lock, `silence` until a dead one is
    noticed.

    Raises:
        ValueError: the URL is not understood; it is not repeated, for it may hold a password.
    """
    given = _parsed(url)
    several = {"target_session_attrs": "read-write"} if "," in given["host"] else {}
    engine = create_engine(
        URL.create("postgresql+psycopg"),
        connect_args={
            "connect_timeout": max(1, round(timeout)),
            "application_name": "marquee",
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            "tcp_user_timeout": round(silence * 1000),
            "prepare_threshold": None,
            **several,
            **given,
        },
        isolation_level="AUTOCOMMIT",  # transactions begin where we say, see below
        use_native_hstore=False,  # we have none, and looking for it is a question of a session
        pool_size=connections,
        max_overflow=0,
        pool_timeout=timeout,
        pool_pre_ping=True,
        hide_parameters=True,
    )
    lock_timeout = f"SET LOCAL lock_timeout = {round(timeout * 1000)}"

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        level = " ISOLATION LEVEL REPEATABLE READ" if connection.get_execution_options().get("snapshot") else ""
        connection.exec_driver_sql(f"BEGIN{level}; {lock_timeout}")

    @event.listens_for(engine, "handle_error")
    def follow(context: ExceptionContext) -> None:
        if is_failover(context.original_exception):
            context.is_disconnect = True  # and with it all other connections of the pool: they lead to the same server

    return engine, _name(given)


def _parsed(url: str) -> Mapping[str, str]:
    """Let libpq read a URL; one whose password was not encoded would show its parts as host and name: it is refused."""
    try:
        given = conninfo_to_dict(url)
    except ProgrammingError:
        given = {}
    found = {name: str(value) for name, value in given.items() if value is not None}
    if not _is_whole(found):
        raise ValueError(
            "database.url is not understood: expected postgresql://user:password@host:port/name, with / : @ # ? in a "
            "password written as %2F %3A %40 %23 %3F; several hosts as host1:port1,host2:port2"
        ) from None
    return found


def _is_whole(found: Mapping[str, str]) -> bool:
    hosts, database = found.get("host", "").split(","), found.get("dbname", "")
    ports = found.get("port", "").split(",")
    return (
        all(map(_may_be_host, hosts))
        and all(port == "" or (port.isdecimal() and 0 < int(port) <= _HIGHEST_PORT) for port in ports)
        and bool(database)
        and not any(mark in database for mark in "@/:")
    )


def _may_be_host(host: str) -> bool:
    if ":" in host:
        try:
            return bool(IPv6Address(host))
        except AddressValueError:
            return False
    return bool(host) and not any(mark in host for mark in "@ ") and ("/" not in host or host.startswith("/"))


def _name(given: Mapping[str, Any]) -> str:
    hosts = given["host"].split(",")
    ports = given.get("port", "").split(",")
    ports = ports * len(hosts) if len(ports) == 1 else ports
    return ",".join(f"{host}:{port or 5432}" for host, port in zip(hosts, ports, strict=True)) + f"/{given['dbname']}"
