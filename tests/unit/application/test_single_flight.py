"""Work that many want at the same time is done once; who comes later has it done again."""

import asyncio

import pytest

from app.application.single_flight import SingleFlight, SingleFlights


class Work:
    """Counts its runs; each ends when it is let."""

    def __init__(self) -> None:
        self.runs: list[str] = []
        self.may_end = asyncio.Event()
        self.error: Exception | None = None

    async def __call__(self, key: str = "") -> int:
        self.runs.append(key)
        await self.may_end.wait()
        if self.error:
            raise self.error
        return len(self.runs)


@pytest.fixture
def work() -> Work:
    return Work()


async def test_all_who_ask_at_the_same_time_share_one_run(work: Work) -> None:
    flight = SingleFlight(work)
    asking = [asyncio.create_task(flight()) for _ in range(3)]
    await asyncio.sleep(0)

    work.may_end.set()

    assert await asyncio.gather(*asking) == [1, 1, 1]
    assert await flight() == 2


async def test_whoever_leaves_does_not_end_it_for_the_others(work: Work) -> None:
    flight = SingleFlight(work)
    leaving, staying = asyncio.create_task(flight()), asyncio.create_task(flight())
    await asyncio.sleep(0)

    leaving.cancel()
    work.may_end.set()

    assert await staying == 1
    assert leaving.cancelled()


async def test_its_error_is_everybodys_and_the_next_one_begins_anew(work: Work) -> None:
    flight = SingleFlight(work)
    work.error = ValueError("away")
    work.may_end.set()

    assert [type(error) for error in await asyncio.gather(flight(), flight(), return_exceptions=True)] == [
        ValueError
    ] * 2
    work.error = None
    assert await flight() == 2


async def test_each_key_has_a_run_of_its_own(work: Work) -> None:
    flights = SingleFlights(work)
    asking = [asyncio.create_task(flights(key)) for key in ("a", "b", "a")]
    await asyncio.sleep(0)

    work.may_end.set()
    await asyncio.gather(*asking)

    assert work.runs == ["a", "b"]


async def test_a_key_begins_anew_after_an_error(work: Work) -> None:
    flights = SingleFlights(work)
    work.error = ValueError("away")
    work.may_end.set()

    with pytest.raises(ValueError, match="away"):
        await flights("a")
    work.error = None

    assert await flights("a") == 2


async def test_a_flight_says_whether_it_goes_on_and_can_be_ended(work: Work) -> None:
    flight = SingleFlight(work)
    await flight.aclose()
    assert not flight.is_flying

    asking = asyncio.create_task(flight())
    await asyncio.sleep(0)
    seen = [flight.is_flying]
    await flight.aclose()
    seen.append(flight.is_flying)

    assert seen == [True, False]
    with pytest.raises(asyncio.CancelledError):
        await asking
