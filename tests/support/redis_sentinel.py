"""A primary with two replicas, and the three Sentinels that watch them."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.support.redis_server import RedisServer, admin, free_ports
from tests.support.waiting import until

SERVICE = "events"


class TcpServer(RedisServer):
    """A server on a port of the loopback as well."""

    def __init__(self, port: int, *options: str) -> None:
        self.port = port
        super().__init__("--repl-diskless-sync-delay", "0", *options)

    def _listen(self) -> list[str]:
        return ["--bind", "127.0.0.1", "--port", str(self.port), "--unixsocket", str(self.socket)]


class SentinelServer(TcpServer):
    """It keeps what it learns in its configuration."""

    def __init__(self, port: int, primary: int, *, password: str = "") -> None:
        super().__init__(port)
        self._password = password
        said = (
            f"port {port}\nbind 127.0.0.1\nunixsocket {self.socket}\ndir {self.directory}\n"
            f"sentinel monitor {SERVICE} 127.0.0.1 {primary} 2\n"
            f"sentinel down-after-milliseconds {SERVICE} 1000\n"
            f"sentinel failover-timeout {SERVICE} 5000\n"
            f"sentinel parallel-syncs {SERVICE} 2\n"
        )
        config = self.directory / "sentinel.conf"
        config.write_text(said + (f"requirepass {password}\n" if password else ""))
        self._command = [self._command[0], str(config), "--sentinel"]

    def client(self) -> Redis:
        return Redis(
            unix_socket_path=str(self.socket),
            password=self._password or None,
            socket_timeout=2,
            retry=Retry(NoBackoff(), 0),
        )


class SentinelSet:
    def __init__(self, servers: Sequence[TcpServer], sentinels: Sequence[SentinelServer]) -> None:
        self.servers = servers
        self.sentinels = sentinels

    @property
    def url(self) -> str:
        hosts = ",".join(f"127.0.0.1:{sentinel.port}" for sentinel in self.sentinels)
        return f"redis+sentinel://{hosts}/{SERVICE}"

    def primary(self) -> TcpServer:
        """Who the first Sentinel says it is."""
        with self.sentinels[0].client() as client:
            _, port = admin(client, "SENTINEL GET-MASTER-ADDR-BY-NAME", SERVICE)
        return next(server for server in self.servers if server.port == int(port))

    def wait_for_failover(self, former: TcpServer) -> TcpServer:
        until(lambda: self.primary() is not former)
        return self.primary()


@contextmanager
def sentinel_set() -> Iterator[SentinelSet]:
    """Run them, ready for a failover."""
    primary, *others = free_ports(6)
    servers = [TcpServer(primary), *(TcpServer(port, "--replicaof", "127.0.0.1", str(primary)) for port in others[:2])]
    sentinels = [SentinelServer(port, primary) for port in others[2:]]
    try:
        for server in servers:
            server.start()
        until(lambda: replicas_online(servers[0]) == 2)
        for sentinel in sentinels:
            sentinel.start()
        until(lambda: all(_sees_all(sentinel) for sentinel in sentinels))
        yield SentinelSet(servers, sentinels)
    finally:
        for process in (*sentinels, *servers):
            process.close()


def replicas_online(server: TcpServer) -> int:
    with server.client() as client:
        return len(admin(client, "ROLE")[2])


def _sees_all(sentinel: SentinelServer) -> bool:
    with sentinel.client() as client:
        found = client.sentinel_masters()[SERVICE]
        return bool(found["num-other-sentinels"] == 2 and found["num-slaves"] == 2)
