import pytest
from redis.asyncio import Connection, SSLConnection, UnixDomainSocketConnection

from app.adapters.outbound.redis.cluster import slot_of
from app.adapters.outbound.redis.redis_url import read_url


@pytest.mark.parametrize(
    ("url", "name", "kind", "hosts"),
    [
        ("redis://u:s3cret@h:7000/2", "redis://h:7000/2", "server", [("h", 7000)]),
        ("rediss://:s3cret@h", "rediss://h:6379", "server", [("h", 6379)]),
        ("redis://", "redis://localhost:6379", "server", [("localhost", 6379)]),
        ("unix://u:s3cret@/tmp/a.sock?db=2", "unix:///tmp/a.sock", "server", []),
        ("redis+cluster://u:s3cret@h1:7000", "redis+cluster://h1:7000", "cluster", [("h1", 7000)]),
        (
            "rediss+cluster://u:s3cret@h1:7000,h2,[::1]:7002",
            "rediss+cluster://h1:7000,h2:6379,[::1]:7002",
            "cluster",
            [("h1", 7000), ("h2", 6379), ("::1", 7002)],
        ),
        (
            "redis+sentinel://u:s3cret@h1,h2:7001/events/3?sentinel_password=s3cret",
            "redis+sentinel://h1:26379,h2:7001/events/3",
            "sentinel",
            [("h1", 26379), ("h2", 7001)],
        ),
    ],
)
def test_a_url_says_where_redis_is_and_its_name_holds_no_secret(
    url: str, name: str, kind: str, hosts: list[tuple[str, int]]
) -> None:
    found = read_url(url)

    assert (found.name, found.kind, list(found.hosts)) == (name, kind, hosts)


def test_a_password_is_decoded_and_belongs_to_the_servers_and_not_to_the_sentinels() -> None:
    found = read_url(
        "rediss+sentinel://me:p%40ss%2F@h/events/3"
        "?ssl_cert_reqs=none&sentinel_username=watcher&sentinel_password=of-its-own&client_name=marquee"
    )

    assert found.connection_class is SSLConnection
    assert found.service == "events"
    assert found.options == {
        "username": "me",
        "password": "p@ss/",
        "db": 3,
        "client_name": "marquee",
        "ssl_cert_reqs": "none",
    }
    assert found.sentinel_options == {"username": "watcher", "password": "of-its-own", "ssl_cert_reqs": "none"}


def test_a_server_is_reached_as_its_scheme_says() -> None:
    assert read_url("redis://h").connection_class is Connection
    assert read_url("redis+cluster://u:p@h,h2").options == {"username": "u", "password": "p"}
    socket = read_url("unix:///run/a.sock")
    assert (socket.connection_class, socket.options) == (UnixDomainSocketConnection, {"path": "/run/a.sock"})


@pytest.mark.parametrize(
    "url",
    [
        "redis://h1,h2",
        "redis://h/three",
        "redis://h/1?sentinel_password=s3cret",
        "redis+cluster://h/1",
        "redis+cluster://h?db=1",
        "redis+cluster://h1:s3cret,h2",
        "redis+sentinel://h1,h2",
        "redis+sentinel://:s3cret@h1/",
        "redis+sentinel://h1/events/zero",
        "redis+sentinel://h1/events?socket_timeout=60",
        "redis+else://h1",
    ],
)
def test_a_url_that_means_nothing_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(ValueError, match=r"redis\+sentinel://") as caught:
        read_url(url)

    assert "s3cret" not in str(caught.value)


def test_a_command_belongs_to_the_slot_of_its_first_key() -> None:
    slot = slot_of(("GET", "{a}:x"))

    assert slot == slot_of(("EVALSHA", "digest", 2, "{a}:y", "{a}:z", "an argument"))
    assert slot == slot_of(("EVAL", "source", 1, "{a}:y"))
    assert slot == slot_of(("XREAD", "COUNT", 1, "STREAMS", "{a}:log", "0-0"))
    assert slot == slot_of(("XREADGROUP", "GROUP", "g", "c", "STREAMS", "{a}:log", ">"))
    assert slot == slot_of(("SET", b"a", 1))
    assert 0 <= slot_of(("PING",)) < 16384
