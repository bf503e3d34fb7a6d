"""Two PostgreSQL servers of a test's own, a primary and its synchronous standby, for failovers."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from tests.support.ports import free_port
from tests.support.waiting import until


@dataclass(frozen=True)
class Server:
    programs: Path
    directory: Path
    port: int

    @property
    def url(self) -> str:
        return f"postgresql://marquee@127.0.0.1:{self.port}/postgres"

    def run(self, program: str, *arguments: str) -> None:
        """PostgreSQL does not run as root."""
        as_user = ("setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups") if os.getuid() == 0 else ()
        command = (*as_user, str(self.programs / program), *arguments)
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, cwd="/tmp")  # noqa: S108

    def start(self) -> None:
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off"
        self.run("pg_ctl", "-D", str(self.directory), "-w", "-l", f"{self.directory}.log", "-o", options, "start")

    def stop(self) -> None:
        if (self.directory / "postmaster.pid").exists():
            self.run("pg_ctl", "-D", str(self.directory), "-m", "immediate", "stop")

    def tell(self, *statements: str) -> None:
        with psycopg.connect(self.url, autocommit=True) as admin:
            for statement in statements:
                admin.execute(statement)


@dataclass(frozen=True)
class PostgresPair:
    first: Server
    second: Server

    @property
    def url(self) -> str:
        """Both of them, as a user names them."""
        return f"postgresql://marquee@127.0.0.1:{self.first.port},127.0.0.1:{self.second.port}/postgres"

    def demote(self) -> None:
        """The first takes no writes any more, from nobody; who is connected stays so."""
        self.first.tell("ALTER SYSTEM SET default_transaction_read_only = on", "SELECT pg_reload_conf()")

    def promote(self) -> None:
        self.second.tell("ALTER SYSTEM RESET synchronous_standby_names", "SELECT pg_reload_conf()")
        self.second.tell("SELECT pg_promote()")

    def stop_first(self) -> None:
        self.first.stop()


@contextmanager
def postgres_pair() -> Iterator[PostgresPair]:
    """Start both; the second has all that the first has told anybody to be committed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        pytest.skip("NO POSTGRESQL PROGRAMS: install Debian's package postgresql")
    folder = Path(tempfile.mkdtemp(prefix="mq-"))
    if os.getuid() == 0:
        shutil.chown(folder, "postgres")
    first, second = (Server(found[-1].parent, folder / name, free_port()) for name in ("first", "second"))
    pair = PostgresPair(first, second)
    try:
        first.run("initdb", "-D", str(first.directory), "-U", "marquee", "-A", "trust")
        first.start()
        first.tell("SELECT pg_create_physical_replication_slot('second')")
        source = f"host=127.0.0.1 port={first.port} user=marquee"
        first.run("pg_basebackup", "-D", str(second.directory), "-d", source, "-R", "-S", "second", "-c", "fast")
        second.start()
        first.tell("ALTER SYSTEM SET synchronous_standby_names = '*'", "SELECT pg_reload_conf()")
        with psycopg.connect(first.url, autocommit=True) as admin:
            state = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'"
            until(lambda: admin.execute(state).fetchone() == (1,))
        yield pair
    finally:
        for server in (second, first):
            server.stop()
        shutil.rmtree(folder)
