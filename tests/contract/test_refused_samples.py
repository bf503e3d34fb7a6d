"""What RefusedSamples promises."""

from datetime import timedelta

import pytest

from app.adapters.outbound.redis.refused_samples import SAMPLES, RedisRefusedSamples
from app.application.ports.refused_samples import SAMPLES_KEPT, RefusedSamples
from app.application.ports.system import LiveStateUnavailableError
from app.domain.refused_samples import RefusedSample
from tests.contract.conftest import Backend, MemoryBackend, RedisBackend
from tests.fakes.refused_samples import MemoryRefusedSamples
from tests.support.builders import NOW
from tests.support.redis_server import RedisServer
from tests.support.waiting import eventually


def a_sample(number: int, reason: str = "wrong_type", record: str = '{"user_id":"ana"}') -> RefusedSample:
    return RefusedSample(reason, f"number {number}", record, NOW + timedelta(seconds=number))


@pytest.fixture
def samples(backend: Backend) -> RefusedSamples:
    if isinstance(backend, MemoryBackend):
        return MemoryRefusedSamples(backend.store)
    assert isinstance(backend, RedisBackend)
    return RedisRefusedSamples(backend.client)


async def test_there_are_none_before_the_first(samples: RefusedSamples):
    found = await samples.last()

    assert (list(found.samples), found.is_shared) == ([], True)


async def test_the_newest_of_each_reason_are_kept_and_listed_by_reason(samples: RefusedSamples):
    for number in range(SAMPLES_KEPT + 2):
        samples.note(a_sample(number))
    samples.note(a_sample(9, "empty"))

    found = (await samples.last()).samples

    newest = [a_sample(number) for number in range(SAMPLES_KEPT + 1, 1, -1)]
    assert list(found) == [a_sample(9, "empty"), *newest]


async def test_samples_of_a_user_are_forgotten_and_others_stay(samples: RefusedSamples):
    other = a_sample(2, record='{"user_id":"bob"}')
    for sample in (a_sample(1), other, a_sample(3, "empty")):
        samples.note(sample)

    await samples.forget(["ana"])

    assert list((await samples.last()).samples) == [other]


@pytest.mark.redis_server
async def test_other_processes_see_them_after_a_second_and_forget_them(redis: RedisBackend):
    here, there = RedisRefusedSamples(redis.client), RedisRefusedSamples(redis.client)
    here.note(a_sample(1))
    there.note(a_sample(2))

    async def both() -> bool:
        return len((await RedisRefusedSamples(redis.client).last()).samples) == 2

    await eventually(both)
    assert int(await redis.client.command("TTL", SAMPLES)) > 0
    assert await RedisRefusedSamples(redis.client).forget(["ana"]) == 2
    assert list((await RedisRefusedSamples(redis.client).last()).samples) == []


@pytest.mark.redis_server
async def test_without_a_server_a_process_tells_its_own(server: RedisServer, redis: RedisBackend):
    samples = RedisRefusedSamples(redis.client)
    samples.note(a_sample(1))
    server.kill()

    found = await samples.last()

    assert (list(found.samples), found.is_shared) == ([a_sample(1)], False)
    with pytest.raises(LiveStateUnavailableError):
        await samples.forget(["ana"])
