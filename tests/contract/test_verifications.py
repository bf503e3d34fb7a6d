"""What Verifications promises."""

from datetime import timedelta

import pytest

from app.adapters.outbound.redis.figures import RedisVerifications
from app.application.ports.figures import Verification, Verifications
from tests.contract.conftest import Backend, MemoryBackend, RedisBackend
from tests.fakes.verifications import MemoryVerifications
from tests.support.builders import NOW


@pytest.fixture
def verifications(backend: Backend) -> Verifications:
    if isinstance(backend, MemoryBackend):
        return MemoryVerifications(backend.store)
    assert isinstance(backend, RedisBackend)
    return RedisVerifications(backend.client)


async def test_there_is_none_before_the_first(verifications: Verifications):
    assert await verifications.last() is None


async def test_the_last_one_that_was_noted_counts(verifications: Verifications):
    await verifications.note(Verification(NOW, differs=True))
    await verifications.note(Verification(NOW + timedelta(microseconds=1), differs=False))

    assert await verifications.last() == Verification(NOW + timedelta(microseconds=1), differs=False)
