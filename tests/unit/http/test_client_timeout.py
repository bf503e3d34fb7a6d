"""The timeout of a connection, look by look, and whom a sweep evicts."""

import asyncio

from app.adapters.inbound.http.connection.client_timeout import PROGRESS, ClientTimeout, Stage
from app.adapters.inbound.http.connection.connection_limits import ConnectionLimits
from app.adapters.inbound.http.connection.connection_sweep import ConnectionSweep, WatchedConnection

LIMITS = ConnectionLimits(header_timeout=3, body_timeout=5, write_timeout=4)
FIRST, SECOND = object(), object()


def looks_until_the_end(timeout: ClientTimeout, stage: Stage, request: object = FIRST, untaken: int = 0) -> int:
    looks = 1
    while not timeout.is_over(stage, request, untaken, 1.0):
        looks += 1
    return looks


def test_time_begins_with_the_look_that_finds_a_stage() -> None:
    assert looks_until_the_end(ClientTimeout(LIMITS), Stage.HEAD) == 1 + 3
    assert looks_until_the_end(ClientTimeout(LIMITS), Stage.BODY) == 1 + 5
    assert looks_until_the_end(ClientTimeout(LIMITS), Stage.WRITE, untaken=10) == 1 + 4


def test_another_request_has_time_of_its_own() -> None:
    timeout = ClientTimeout(LIMITS)
    for _ in range(3):
        assert not timeout.is_over(Stage.HEAD, FIRST, 0, 1.0)

    assert looks_until_the_end(timeout, Stage.HEAD, SECOND) == 1 + 3


def test_a_bodys_time_stands_still_while_nobody_reads_it_and_then_goes_on() -> None:
    timeout = ClientTimeout(LIMITS)
    for _ in range(3):
        assert not timeout.is_over(Stage.BODY, FIRST, 0, 1.0)
    for _ in range(100):
        assert not timeout.is_over(None, FIRST, 0, 1.0)

    assert looks_until_the_end(timeout, Stage.BODY) == 3


def test_an_answer_that_is_taken_bit_by_bit_may_take_for_ever() -> None:
    timeout = ClientTimeout(LIMITS)
    untaken = 100 * PROGRESS

    while untaken > PROGRESS:
        assert not timeout.is_over(Stage.WRITE, FIRST, untaken, 3.0)
        untaken -= PROGRESS


def test_an_answer_that_is_taken_too_slowly_is_not_for_ever() -> None:
    timeout = ClientTimeout(LIMITS)
    untaken, seconds = 100 * PROGRESS, 0

    while not timeout.is_over(Stage.WRITE, FIRST, untaken, 1.0):
        untaken -= PROGRESS // 8
        seconds += 1

    assert seconds <= 5


def test_what_is_written_meanwhile_is_not_held_against_the_client() -> None:
    timeout = ClientTimeout(LIMITS)

    for untaken in (10, PROGRESS * 4, PROGRESS * 3, PROGRESS * 2, PROGRESS, PROGRESS * 5, PROGRESS * 4):
        assert not timeout.is_over(Stage.WRITE, FIRST, untaken, 3.0)


def test_who_makes_no_progress_with_an_answer_or_a_body_is_slow() -> None:
    taking, sending, stalled = (ClientTimeout(LIMITS) for _ in range(3))

    for look in range(5):
        taking.is_over(Stage.WRITE, FIRST, 100 * PROGRESS - look * PROGRESS, 1.0)
        sending.is_over(Stage.BODY, FIRST, 0, 1.0, received=look * PROGRESS)
        stalled.is_over(Stage.BODY, FIRST, 0, 1.0, received=look * PROGRESS // 8)

    assert (taking.stalled_seconds, sending.stalled_seconds, stalled.stalled_seconds) == (0.0, 0.0, 4.0)


def test_progress_with_a_body_gives_no_more_time_for_it() -> None:
    timeout = ClientTimeout(LIMITS)

    looks = 1
    while not timeout.is_over(Stage.BODY, FIRST, 0, 1.0, received=looks * PROGRESS):
        looks += 1

    assert looks == 1 + 5


def test_who_is_answered_or_idle_is_not_slow() -> None:
    timeout = ClientTimeout(LIMITS)
    for end in (timeout.note_idle, timeout.restart, lambda: timeout.is_over(None, FIRST, 0, 1.0)):
        for _ in range(3):
            timeout.is_over(Stage.WRITE, FIRST, 10, 1.0)

        end()

        assert timeout.stalled_seconds == 0.0


class Noted(WatchedConnection):
    """Notes what a sweep does to it."""

    def __init__(
        self,
        *,
        asked: bool = True,
        idle: bool = True,
        address: str = "10.0.0.1",
        stalled_seconds: float | None = None,
    ) -> None:
        self.address = address
        self.waited = stalled_seconds
        self.ages: list[float] = []
        self.asked = asked
        self.idle = idle
        self.evicted = False
        self.examined = 0

    @property
    def has_asked_nothing(self) -> bool:
        self.examined += 1
        return not self.asked

    @property
    def is_idle(self) -> bool:
        self.examined += 1
        return self.idle

    @property
    def is_waited_for(self) -> bool:
        self.examined += 1
        return self.waited is not None

    @property
    def stalled_seconds(self) -> float:
        self.examined += 1
        return self.waited or 0.0

    def check_timeout(self, seconds: float) -> None:
        self.ages.append(seconds)

    def evict(self) -> None:
        self.evicted = True


async def test_what_a_process_missed_while_it_was_stopped_is_nobodys_fault() -> None:
    sweep = ConnectionSweep(asyncio.get_running_loop(), shortest=0.1, most=10)
    connection = Noted()
    sweep.join(connection)

    stopped_until = asyncio.get_running_loop().time() + 0.3
    while asyncio.get_running_loop().time() < stopped_until:
        pass
    await asyncio.sleep(0.05)

    assert connection.ages
    assert max(connection.ages) <= 0.04 + 1e-9


async def test_all_of_many_connections_are_looked_at_but_not_those_that_left() -> None:
    sweep = ConnectionSweep(asyncio.get_running_loop(), shortest=0.1, most=10_000)
    connections = [Noted() for _ in range(1200)]
    for connection in connections:
        sweep.join(connection)
    sweep.leave(connections[-1])

    async with asyncio.timeout(10):
        while not all(connection.ages for connection in connections[:-1]):  # noqa: ASYNC110 - a fact, not a signal
            await asyncio.sleep(0.01)

    assert connections[-1].ages == []


async def test_a_sweep_without_connections_rests_and_begins_again_with_the_next() -> None:
    sweep = ConnectionSweep(asyncio.get_running_loop(), shortest=0.1, most=10)
    first, second = Noted(), Noted()
    sweep.join(first)
    sweep.leave(first)
    await asyncio.sleep(0.1)
    sweep.join(second)

    await asyncio.sleep(0.1)

    assert (first.ages, bool(second.ages)) == ([], True)


async def test_of_too_many_the_oldest_that_asked_nothing_is_evicted_else_an_idle_one_else_the_new_one() -> None:
    for others, expected in (
        ([Noted(idle=False), Noted(), Noted(asked=False), Noted(asked=False)], 2),
        ([Noted(idle=False), Noted(), Noted()], 1),
        ([Noted(idle=False), Noted(idle=False)], -1),
    ):
        sweep = ConnectionSweep(asyncio.get_running_loop(), shortest=1, most=len(others))
        all_of_them = [*others, Noted(asked=False)]
        for connection in all_of_them:
            sweep.join(connection)

        assert [connection for connection in all_of_them if connection.evicted] == [all_of_them[expected]]


async def test_at_the_limit_a_new_connection_costs_as_much_as_below_it() -> None:
    sweep = ConnectionSweep(asyncio.get_running_loop(), shortest=1, most=1000)
    others = [Noted(idle=False) for _ in range(1000)]
    new = [Noted(asked=False) for _ in range(100)]
    for connection in others:
        sweep.join(connection)

    for connection in new:
        sweep.join(connection)

    assert sum(connection.examined for connection in [*others, *new]) <= 4 * len(others)
    assert all(connection.evicted for connection in new)


def busy(address: str, *slownesses: float | None) -> list[Noted]:
    return [Noted(idle=False, address=address, stalled_seconds=stalled_seconds) for stalled_seconds in slownesses]


async def evicted_for(others: list[Noted], new: str) -> int | None:
    """Fill a server; tell which of the others was evicted for a connection from `new`, None when itself was."""
    sweep = ConnectionSweep(asyncio.get_running_loop(), shortest=1, most=len(others), slow=15)
    for connection in others:
        sweep.join(connection)
    newest = Noted(asked=False, address=new)
    sweep.join(newest)
    found = [at for at, connection in enumerate(others) if connection.evicted]
    assert len(found) + newest.evicted == 1
    return found[0] if found else None


async def test_of_an_address_with_too_many_connections_the_slowest_is_evicted_for_another_address() -> None:
    assert await evicted_for([*busy("a", 1, 3, None, 2, 0, 0), *busy("b", 9, 9)], "c") == 1
    assert await evicted_for([*busy("a", 1, 3, None, 2, 0, 0, 0), *busy("b", 9)], "c") == 1
    assert await evicted_for([*busy("a", 0, 0, None, 0, 0, 0, 0), *busy("b", 9)], "c") == 6
    assert await evicted_for([*busy("a", 9, 9), *busy("b", 20, 2, 3, 4, 9, 9)], "c") == 2


async def test_who_waits_for_us_is_never_evicted() -> None:
    assert await evicted_for(busy("a", *[None] * 8), "b") is None


async def test_where_nobody_has_more_than_a_share_the_new_one_is_evicted() -> None:
    assert await evicted_for([one for name in "abcdefgh" for one in busy(name, 20)], "i") is None


async def test_behind_a_proxy_only_who_makes_no_progress_for_long_is_evicted() -> None:
    assert await evicted_for(busy("proxy", *[14] * 8), "proxy") is None
    assert await evicted_for(busy("proxy", 14, 14, 16, 14, 17, 14, 14, 14), "proxy") == 4


async def test_who_got_on_since_the_last_look_is_not_the_slowest_any_more() -> None:
    sweep = ConnectionSweep(asyncio.get_running_loop(), shortest=1, most=8)
    others = busy("a", 1, 2, 3, 4, 5, 6, 7, 8)
    new = [Noted(asked=False, address=name) for name in "bc"]
    for connection in others:
        sweep.join(connection)

    sweep.join(new[0])
    new[0].asked, new[0].idle, others[6].waited = True, False, 0.0
    sweep.join(new[1])

    assert [at for at, connection in enumerate(others) if connection.evicted] == [5, 7]


async def test_an_address_has_its_share_again_once_its_connections_have_left() -> None:
    sweep = ConnectionSweep(asyncio.get_running_loop(), shortest=1, most=16)
    crowd, others = busy("a", 1, 2, 3), [one for name in "bcdefghijklmno" for one in busy(name, 9)]
    for connection in [*crowd, *others[:13]]:
        sweep.join(connection)

    sweep.leave(crowd[0])
    sweep.leave(crowd[0])
    sweep.join(others[13])
    new = Noted(asked=False, address="p")
    sweep.join(new)

    assert new.evicted
    assert not any(connection.evicted for connection in [*crowd, *others])


async def test_a_connection_that_became_idle_is_evicted_once_it_was_looked_at() -> None:
    sweep = ConnectionSweep(asyncio.get_running_loop(), shortest=0.1, most=2)
    first, second, *new = (Noted(idle=False), Noted(idle=False), *(Noted(asked=False) for _ in range(3)))
    for connection in (first, second, new[0]):
        sweep.join(connection)
    sweep.leave(new[0])
    second.idle = True
    await asyncio.sleep(0.05)

    for connection in new[1:]:
        sweep.join(connection)

    assert [one.evicted for one in (first, second, *new)] == [False, True, True, True, False]


async def test_connections_that_come_at_once_do_not_all_take_the_place_of_the_same_one() -> None:
    sweep = ConnectionSweep(asyncio.get_running_loop(), shortest=1, most=2)
    silent, idle, new, newer = Noted(asked=False), Noted(), Noted(asked=False), Noted(asked=False)

    for connection in (silent, idle, new, newer):
        sweep.join(connection)

    assert [one.evicted for one in (silent, idle, new, newer)] == [True, False, True, False]
