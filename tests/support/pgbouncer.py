"""A PgBouncer of a test's own, before the server of a test's database."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest
from sqlalchemy import make_url

from tests.support.ports import free_port
from tests.support.waiting import until


@contextmanager
def pgbouncer(url: str, *, mode: str = "transaction", connections: int = 3) -> Iterator[str]:
    """Start one that lends few connections to many; the URL through it. Without the program the test is skipped."""
    program = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if program is None:
        pytest.skip("NO PGBOUNCER: install Debian's package pgbouncer")
    directory, port = Path(tempfile.mkdtemp(prefix="mq-")), free_port()
    server = make_url(url)
    login = f"user={server.username}" + (f" password={server.password}" if server.password else "")
    (directory / "pgbouncer.ini").write_text(
        f"[databases]\n{server.database} = host={server.host} port={server.port or 5432} {login}\n"
        "[pgbouncer]\nlisten_addr = 127.0.0.1\nunix_socket_dir =\nauth_type = any\nmax_client_conn = 200\n"
        f"listen_port = {port}\npool_mode = {mode}\ndefault_pool_size = {connections}\n"
    )
    directory.chmod(0o755)
    as_nobody = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups") if os.getuid() == 0 else ()
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen(
            (*as_nobody, program, str(directory / "pgbouncer.ini")), stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
    try:
        until(lambda: _listens(port) or process.poll() is not None)
        assert process.poll() is None, (directory / "log").read_text()
        yield server.set(host="127.0.0.1", port=port).render_as_string(hide_password=False)
    finally:
        process.terminate()
        process.wait(10)
        shutil.rmtree(directory)


def _listens(port: int) -> bool:
    with suppress(OSError), closing(socket.create_connection(("127.0.0.1", port), 1)):
        return True
    return False
