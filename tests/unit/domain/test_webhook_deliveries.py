"""When a delivery is tried again."""

from dataclasses import replace
from datetime import timedelta

import pytest

from app.domain.webhook_deliveries import SCHEDULE, Answer, Delivery, DeliveryState
from tests.support.builders import NOW
from tests.support.webhook_world import BROKEN, FINE, a_message


def a_delivery(attempts: int = 0) -> Delivery:
    return Delivery(delivery_id=1, message=a_message(), attempts=attempts, next_attempt_at=NOW)


def test_the_schedule_lasts_about_three_days() -> None:
    assert 2.9 < sum(SCHEDULE) / 86_400 < 3.1


@pytest.mark.parametrize("status", [200, 202, 204, 299])
def test_2xx_is_a_success(status: int) -> None:
    done = a_delivery().after(Answer(status=status, took=1), NOW, 0)

    assert (done.state, done.attempts, done.next_attempt_at, done.ended_at) == (DeliveryState.DELIVERED, 1, None, NOW)


@pytest.mark.parametrize("status", [None, 100, 301, 400, 404, 410, 500])
def test_everything_else_is_a_failure(status: int | None) -> None:
    done = a_delivery().after(Answer(status=status, took=1, error="bad"), NOW, 0.5)

    assert (done.state, done.attempts, done.ended_at) == (DeliveryState.PENDING, 1, None)
    assert done.next_attempt_at == NOW + timedelta(seconds=5)


def test_each_wait_is_that_of_the_schedule_give_or_take_a_tenth() -> None:
    for made, wait in enumerate(SCHEDULE):
        early, late = (a_delivery(made).after(BROKEN, NOW, chance).next_attempt_at for chance in (0.0, 1.0))

        assert early == NOW + timedelta(seconds=0.9 * wait)
        assert late == NOW + timedelta(seconds=1.1 * wait)


def test_after_the_last_attempt_it_is_given_up_and_the_last_attempt_may_succeed() -> None:
    last = a_delivery(len(SCHEDULE))

    assert last.after(BROKEN, NOW, 0).state is DeliveryState.GIVEN_UP
    assert last.after(BROKEN, NOW, 0).ended_at == NOW
    assert last.after(FINE, NOW, 0).state is DeliveryState.DELIVERED


def test_an_attempt_that_was_brought_forward_does_not_count_and_what_is_scheduled_stays_so() -> None:
    waits = a_delivery(3).after(BROKEN, NOW, 0.5)
    scheduled = waits.next_attempt_at
    assert scheduled
    early = replace(waits, next_attempt_at=NOW)

    again = early.after(BROKEN, scheduled - timedelta(seconds=1), 0.5)

    assert again == waits
    assert again.after(BROKEN, scheduled, 0.5).attempts == waits.attempts + 1
    done = early.after(FINE, NOW, 0.5)
    assert (done.state, done.attempts) == (DeliveryState.DELIVERED, waits.attempts + 1)


def test_however_often_it_is_brought_forward_it_is_given_up_when_the_schedule_has_passed() -> None:
    delivery, now = a_delivery(), NOW
    while delivery.ended_at is None:
        delivery = replace(delivery.after(BROKEN, now, 0.5), next_attempt_at=now)
        now += timedelta(seconds=60)

    assert timedelta(seconds=sum(SCHEDULE)) <= now - NOW < timedelta(seconds=sum(SCHEDULE) + 60 * (len(SCHEDULE) + 1))
