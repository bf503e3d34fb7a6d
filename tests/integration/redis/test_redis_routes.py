"""The way to Redis: through a cluster whose slots move, by Sentinels, and with replicas that have to confirm."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator

import pytest
from redis.crc import key_slot
from redis.exceptions import ResponseError

from app.adapters.outbound.redis.activity_queue import RedisActivityQueue
from app.adapters.outbound.redis.connection import RedisClient, connect
from app.adapters.outbound.redis.lua import Script
from app.adapters.outbound.redis.queue_watch import RedisQueueWatch
from app.adapters.outbound.redis.shared_look import PAUSE
from app.application.ports.system import LiveStateUnavailableError
from tests.support.builders import an_activity
from tests.support.redis_cluster import ReplicatedCluster
from tests.support.redis_sentinel import SentinelServer, SentinelSet, TcpServer, replicas_online, sentinel_set
from tests.support.redis_server import RedisServer, admin, free_ports, redis_cluster
from tests.support.waiting import until

pytestmark = pytest.mark.redis_server

KEY, OTHER = "a-key", "{a-key}:other"
SLOT = key_slot(KEY.encode())
TIMEOUT = 2.0
_COPY = Script("return redis.call('SET', KEYS[2], redis.call('GET', KEYS[1]))")


@pytest.fixture(scope="module")
def shared_cluster() -> Iterator[ReplicatedCluster]:
    with redis_cluster() as nodes:
        yield ReplicatedCluster(nodes)


@pytest.fixture
def cluster(shared_cluster: ReplicatedCluster) -> ReplicatedCluster:
    for node in shared_cluster.nodes:
        with node.client() as client:
            client.flushall()
    return shared_cluster


@pytest.fixture
async def client(cluster: ReplicatedCluster) -> AsyncIterator[RedisClient]:
    made = connect(cluster.url, timeout=2.5 * TIMEOUT)
    yield made
    await made.aclose()


@pytest.fixture
def pair() -> Iterator[tuple[TcpServer, TcpServer]]:
    """A primary and its replica."""
    primary, replica = free_ports(2)
    with TcpServer(primary) as first, TcpServer(replica, "--replicaof", "127.0.0.1", str(primary)) as second:
        until(lambda: replicas_online(first) == 1)
        yield first, second


async def test_a_key_that_an_open_slot_has_not_yet_is_found_on_its_other_side(
    cluster: ReplicatedCluster, client: RedisClient
):
    with cluster.slot_open(SLOT) as (_, target):
        await client.command("SET", KEY, "1")
        found = await asyncio.gather(*(client.command("GET", KEY) for _ in range(50)))
        with target.client() as there:
            admin(there, "ASKING")
            stands = admin(there, "GET", KEY)
        with pytest.raises(LiveStateUnavailableError, match="moving these keys"):  # one here, the other nowhere
            await client.run(_COPY, [KEY, OTHER])

    assert (found, stands) == ([b"1"] * 50, b"1")


async def test_a_slot_that_moved_is_followed_and_nobody_elses_reading_is_cut(
    cluster: ReplicatedCluster, client: RedisClient
):
    source = cluster.primary_of(KEY)
    reading = asyncio.create_task(client.command("BLPOP", "another-list", 0.8))
    await client.command("SET", KEY, "1")
    for target in [node for node in cluster.nodes if node is not source] * 3:
        cluster.move_slot(SLOT, cluster.primary_of(KEY), target)
        assert await client.command("GET", KEY) == b"1"

    assert await reading is None
    cluster.move_slot(SLOT, cluster.primary_of(KEY), source)


async def test_many_commands_go_together_and_what_has_moved_is_followed(
    cluster: ReplicatedCluster, client: RedisClient
):
    keys = [f"key-{number}" for number in range(250)]
    own = Script("return redis.call('INCRBY', KEYS[1], ARGV[1])")
    one_by_one = [await client.command("GET", key) for key in keys[:3]]
    source = cluster.primary_of(keys[0])
    cluster.move_slot(key_slot(keys[0].encode()), source, next(n for n in cluster.nodes if n is not source))
    counted = await client.run_many(own, [([key], [number]) for number, key in enumerate(keys)])
    found = await client.many([("GET", key) for key in keys])
    with pytest.raises(ResponseError, match="integer"):  # a mistake of ours stays one
        await client.many([("SET", keys[7], "word"), ("GET", keys[1]), ("INCR", keys[7])])

    assert one_by_one == [None] * 3
    assert counted == list(range(250))
    assert found == [str(number).encode() for number in range(250)]
    assert await client.many([]) == []


async def test_any_seed_will_do(cluster: ReplicatedCluster):
    (free,) = free_ports(1)
    url = re.sub(r"//", f"//127.0.0.1:{free},", cluster.url)
    client = connect(url, timeout=5 * TIMEOUT)

    assert await asyncio.gather(*(client.command("INCR", f"key-{number}") for number in range(50))) == [1] * 50
    await client.aclose()


async def test_a_server_that_is_named_by_the_wrong_scheme_says_so(cluster: ReplicatedCluster):
    first = cluster.nodes[0].port
    stranger = next(key for key in ("a", "b", "c", "d", "e") if cluster.primary_of(key).port != first)
    single = connect(f"redis://127.0.0.1:{first}", timeout=TIMEOUT)
    with pytest.raises(LiveStateUnavailableError, match=r"say redis\+cluster://"):
        await single.command("GET", stranger)
    await single.aclose()

    (port,) = free_ports(1)
    with TcpServer(port):
        for scheme, path, words in (("cluster", "", "no node of a cluster"), ("sentinel", "/events", "no Sentinel")):
            wrong = connect(f"redis+{scheme}://127.0.0.1:{port}{path}", timeout=TIMEOUT)
            with pytest.raises(LiveStateUnavailableError, match=words):
                await wrong.command("GET", "x")
            await wrong.aclose()


async def test_a_promise_waits_for_the_replica_and_so_does_its_repetition(pair: tuple[TcpServer, TcpServer]):
    primary, replica = pair
    client = connect(primary.url, timeout=TIMEOUT)
    queue = RedisActivityQueue(client, replicas=1)
    new = [an_activity(number) for number in range(3)]
    first = await queue.append(new[:1])

    replica.pause()
    for _ in range(2):  # the second time they stand in the queue already
        with pytest.raises(LiveStateUnavailableError, match="0 of 1 replicas confirmed it"):
            await queue.append(new)
    replica.resume()
    again = await queue.append(new)
    await client.aclose()

    assert (list(first), list(again)) == ([], [0, 1, 2])


async def test_a_replica_that_is_missing_is_told_with_the_figures(pair: tuple[TcpServer, TcpServer]):
    primary, replica = pair
    client = connect(primary.url, timeout=TIMEOUT)
    watch, careless = RedisQueueWatch(client, replicas=1), RedisQueueWatch(client)
    whole = await watch.figures()
    replica.pause()
    alone, unaware = await watch.figures(), await careless.figures()
    replica.resume()
    again = await watch.figures()
    await client.aclose()

    assert (whole.refusal, unaware.refusal, again.refusal) == (None, None, None)
    assert "0 of 1 replicas confirmed it" in (alone.refusal or "")


async def test_what_is_posted_together_waits_for_the_replica_once(pair: tuple[TcpServer, TcpServer]):
    primary, _ = pair
    client = connect(primary.url, timeout=TIMEOUT)
    queue = RedisActivityQueue(client, replicas=1)

    await asyncio.gather(*(queue.append([an_activity(number)]) for number in range(200)))
    await client.aclose()

    with primary.client() as operator:
        waits, appends = (operator.info("commandstats")[f"cmdstat_{name}"]["calls"] for name in ("wait", "xadd"))
    assert waits == appends < 20


async def test_without_replicas_nothing_is_promised_that_needs_one():
    with RedisServer() as server:
        client = connect(server.url, timeout=0.3)
        with pytest.raises(LiveStateUnavailableError, match=r"0 of 2 replicas confirmed it.*redis\.replicas"):
            await RedisActivityQueue(client, replicas=2).append([an_activity(1)])
        await client.aclose()


@pytest.fixture(scope="module")
def sentinels() -> Iterator[SentinelSet]:
    with sentinel_set() as made:
        yield made


@pytest.mark.faults
async def test_a_service_that_no_sentinel_knows_is_away(sentinels: SentinelSet):
    client = connect(sentinels.url.replace("/events", "/others"), timeout=TIMEOUT)
    with pytest.raises(LiveStateUnavailableError, match="no Sentinel knows a primary of 'others'"):
        await client.command("GET", "x")
    await client.aclose()


async def test_a_sentinel_may_have_a_password_of_its_own():
    at, port = free_ports(2)
    with TcpServer(at) as primary, SentinelServer(port, at, password="of-its-own") as guarded:
        url = f"redis+sentinel://127.0.0.1:{guarded.port}/events/3"
        for options in ("", "?sentinel_password=wrong"):
            outside = connect(url + options, timeout=TIMEOUT)
            with pytest.raises(LiveStateUnavailableError, match="user and password"):
                await outside.command("GET", "in")
            await outside.aclose()
        inside = connect(f"{url}?sentinel_password=of-its-own", timeout=TIMEOUT)
        await inside.command("SET", "in", "3")
        await inside.aclose()

        with primary.client() as operator:
            operator.select(3)
            assert operator.get("in") == b"3"


@pytest.mark.faults
async def test_a_primary_that_is_known_serves_on_while_no_sentinel_answers(sentinels: SentinelSet):
    known, stranger = (connect(sentinels.url, timeout=TIMEOUT) for _ in range(2))
    await known.command("SET", "a", "1")
    for sentinel in sentinels.sentinels:
        sentinel.kill()
    try:
        for _ in range(13):
            await asyncio.sleep(0.1)
            assert await known.command("INCR", "a")
        with pytest.raises(ResponseError):  # whatever failed, it has to be looked for again
            await known.command("HSET", "a", "b", "c")
        await asyncio.sleep(2 * PAUSE)
        assert await known.command("INCR", "a") == 15
        with pytest.raises(LiveStateUnavailableError, match="cannot be reached"):
            await stranger.command("GET", "a")
    finally:
        for sentinel in sentinels.sentinels:
            sentinel.start()
    assert await stranger.command("GET", "a") == b"15"
    await known.aclose()
    await stranger.aclose()


@pytest.mark.faults
async def test_a_primary_that_slept_through_its_failover_gets_no_writes_when_it_wakes(sentinels: SentinelSet):
    client = connect(sentinels.url, timeout=TIMEOUT)
    await client.command("SET", "a", "1")
    former = sentinels.primary()
    former.pause()
    try:
        with pytest.raises(LiveStateUnavailableError, match="does not answer in time"):
            await client.command("SET", "a", "2")
        successor = await asyncio.to_thread(sentinels.wait_for_failover, former)
        await asyncio.sleep(0.2)
        await client.command("SET", "a", "3")
    finally:
        former.resume()
    await client.command("SET", "a", "4")
    await client.aclose()

    with successor.client() as operator:
        assert operator.get("a") == b"4"
