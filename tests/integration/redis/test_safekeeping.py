"""A server of others that drops or forgets what it is given is warned of, once; what it does not tell is no trouble."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack

import pytest

from app.adapters.outbound.redis.connection import RedisClient, connect
from app.adapters.outbound.redis.safekeeping import weaknesses
from app.application.ports.system import LiveStateUnavailableError
from tests.support.redis_server import KINDS, VALKEY_9, RedisServer, redis_cluster, require_server
from tests.support.service import READY_SECONDS, Installation
from tests.support.waiting import until

pytestmark = pytest.mark.redis_server

EVICTING = ("--maxmemory", "64mb", "--maxmemory-policy", "allkeys-lru")
FORGETTING = ("--appendonly", "no")

Serve = Callable[..., RedisClient]


@pytest.fixture(params=[VALKEY_9, *(pytest.param(kind, marks=pytest.mark.faults) for kind in KINDS[1:])])
async def serve(request: pytest.FixtureRequest) -> AsyncIterator[Serve]:
    """Start a server with options, and connect."""
    kind: str = request.param
    require_server(kind)
    async with AsyncExitStack() as stack:

        def start(*options: str, user: str = "") -> RedisClient:
            server = stack.enter_context(RedisServer(*options, kind=kind))
            with server.client() as admin:
                admin.acl_setuser("app", enabled=True, passwords=["+p"], keys="*", categories=["+@all"])
                admin.acl_setuser("poor", enabled=True, passwords=["+p"], keys="*", commands=["+ping"])
            client = connect(server.url.replace("unix://", f"unix://{user}"), timeout=5)
            stack.push_async_callback(client.aclose)
            return client

        yield start


async def reasons(client: RedisClient) -> str:
    return "; ".join(weakness.reason for weakness in await weaknesses(client))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), ""),
        (("--maxmemory-policy", "allkeys-lru"), ""),  # without a limit it never comes to that
        (("--maxmemory", "64mb"), ""),
        (EVICTING, "drops keys once it holds 67108864 bytes (maxmemory-policy allkeys-lru)"),
        (("--maxmemory", "64mb", "--maxmemory-policy", "volatile-ttl"), "volatile-ttl"),
        (FORGETTING, "keeps nothing on its disk"),
        ((*FORGETTING, "--save", "3600", "1"), ""),
    ],
)
async def test_what_endangers_the_data_is_found(serve: Serve, options: tuple[str, ...], said: str) -> None:
    found = await reasons(serve(*options))

    assert said in found
    assert bool(found) == bool(said)


async def test_without_config_the_rest_still_tells_of_evicting(serve: Serve) -> None:
    client = serve(*EVICTING, *FORGETTING, "--rename-command", "CONFIG", "")

    (weakness,) = await weaknesses(client)

    assert "allkeys-lru" in weakness.reason
    assert "noeviction" in weakness.remedy


async def test_a_user_who_may_ask_for_nothing_finds_nothing(serve: Serve) -> None:
    assert await weaknesses(serve(*EVICTING, user="poor:p@")) == ()


async def test_a_server_that_is_away_is_another_matter() -> None:
    client = connect("unix:///nowhere", timeout=1)

    with pytest.raises(LiveStateUnavailableError):
        await weaknesses(client)

    await client.aclose()


@pytest.mark.slow
async def test_a_node_of_a_cluster_is_asked() -> None:
    require_server()
    with redis_cluster() as nodes:
        for node in nodes:
            with node.client() as admin:
                admin.config_set("appendonly", "no")
        client = connect(f"redis+cluster://127.0.0.1:{nodes[0].port}", timeout=5)

        assert "keeps nothing on its disk" in await reasons(client)

        await client.aclose()


@pytest.mark.parametrize(
    ("role", "workers"), [("run", 1), pytest.param("api", 2, marks=pytest.mark.faults), ("scheduler", 1)]
)
def test_whatever_is_started_says_it_once(role: str, workers: int) -> None:
    require_server()
    with RedisServer(*EVICTING, *FORGETTING) as server, Installation() as installation:
        installation.configure(redis={"url": server.url}, service={"workers": workers})
        service = installation.start(role)
        if role == "scheduler":
            until(lambda: any(entry["event"] == "scheduler runs" for entry in service.log), READY_SECONDS)
        else:
            service.until_ready()

        (said,) = [entry for entry in service.log if entry["event"].startswith("redis may lose")]

    assert "allkeys-lru" in said["because"]
    assert "appendonly no" in said["because"]
    assert "noeviction" in said["remedy"]
    assert "appendonly to yes" in said["remedy"]
