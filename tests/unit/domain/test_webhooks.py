"""The rules of webhooks: who hears of what, which secrets sign, when one is left alone."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from app.domain.webhook_deliveries import SCHEDULE, Answer
from app.domain.webhook_errors import InvalidWebhookError
from app.domain.webhooks import (
    FIRST_PAUSE,
    HEARS_BACK,
    LONGEST_GAP,
    LONGEST_PAUSE,
    LONGEST_WISH,
    MOST_SECRETS,
    OVERLAP,
    PAUSE_AFTER,
    Endpoint,
    read_names,
)
from tests.support.access_builders import a_user, created, deleted
from tests.support.builders import NOW
from tests.support.webhook_world import BROKEN, FINE, GONE, a_plan_told, a_secret, an_endpoint

DISABLE_AFTER = timedelta(days=5)
SECOND = timedelta(seconds=1)


def failed(endpoint: Endpoint, times: int = 1, *, answer: Answer = BROKEN, chance: float = 1.0) -> Endpoint:
    """Let it fail, each time as soon as it may be sent to again."""
    for _ in range(times):
        at = max(endpoint.paused_until or NOW, NOW)
        endpoint = endpoint.after(answer, at, at, DISABLE_AFTER, chance)
    return endpoint


@pytest.mark.parametrize(
    ("names", "heard"),
    [
        ((), ["plan", "offline", "created", "deleted"]),
        (("plan.*",), ["plan", "offline"]),
        (("user.*",), ["created", "deleted"]),
        (("user.deleted",), ["deleted"]),
        (("plan.went_offline",), ["offline"]),
        (("plan.changed", "user.created"), ["plan", "offline", "created"]),
    ],
)
def test_an_endpoint_hears_of_what_it_subscribes_to(names: tuple[str, ...], heard: list[str]) -> None:
    facts = {
        "plan": a_plan_told(1, "changed"),
        "offline": a_plan_told(2, "changed", "went_offline"),
        "created": created(a_user()),
        "deleted": deleted(a_user()),
    }

    assert [name for name, fact in facts.items() if an_endpoint(names=names).hears_of(fact, NOW)] == heard


def test_one_that_is_off_hears_of_nothing() -> None:
    assert not an_endpoint().switched_off("because").hears_of(a_plan_told(), NOW)


def test_what_happened_long_before_it_was_added_is_not_told() -> None:
    endpoint = an_endpoint()

    assert endpoint.hears_of(a_plan_told(at=NOW - HEARS_BACK), NOW)
    assert not endpoint.hears_of(a_plan_told(at=NOW - HEARS_BACK - SECOND), NOW)


def test_a_star_among_the_names_is_everything_and_each_name_counts_once() -> None:
    assert read_names(["plan.changed", "*"]) == ()
    assert read_names(["user.*", "plan.changed", "*", "activity.view"]) == ("*", "activity.view")
    assert read_names(["user.*", "plan.changed", "user.*"]) == ("user.*", "plan.changed")


@pytest.mark.parametrize("name", ["plan", "plan.", "plan.gone", "*.changed", "", "nobody.*", "plan.changed "])
def test_a_name_that_nothing_has_is_refused_with_those_that_there_are(name: str) -> None:
    with pytest.raises(InvalidWebhookError, match=r"plan\.listed.*user\.\* and \*") as caught:
        an_endpoint(names=(name,))

    assert caught.value.field == "names"


@pytest.mark.parametrize("name", ["", "a b", "-a", "a" * 65, "ä", "a/b"])
def test_a_name_that_no_command_could_say_is_refused(name: str) -> None:
    with pytest.raises(InvalidWebhookError, match="name: "):
        an_endpoint(name=name)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hook.example.com",
        "ftp://hook.example.com",
        "https://",
        "https://hook.example.com:0/",
        "https://hook.example.com:70000/",
        "https://[::1/",
        "https://hook.example.com/a b",
        "https://hook.example.com/\n",
        "https://hök.example.com/",
        "https://hook.example.com/" + "a" * 2000,
    ],
)
def test_a_url_that_nothing_can_be_sent_to_is_refused(url: str) -> None:
    with pytest.raises(InvalidWebhookError, match="url: expected http"):
        an_endpoint(url=url)


def test_a_url_with_a_password_is_refused_and_not_repeated() -> None:
    with pytest.raises(InvalidWebhookError, match="without user and password") as caught:
        an_endpoint(url="https://ana:hidden@hook.example.com/")

    assert "hidden" not in str(caught.value)


def test_a_secret_is_not_shown_by_accident() -> None:
    assert a_secret().text.startswith("whsec_")
    assert a_secret().text not in repr(an_endpoint())


def test_a_new_secret_signs_together_with_the_old_one_until_that_runs_out() -> None:
    endpoint = an_endpoint().rotated(a_secret(2), NOW)

    assert endpoint.signing(NOW) == (a_secret(2).text, a_secret(1).text)
    assert endpoint.signing(NOW + OVERLAP - SECOND) == (a_secret(2).text, a_secret(1).text)
    assert endpoint.signing(NOW + OVERLAP) == (a_secret(2).text,)


def test_another_rotation_does_not_prolong_a_secret_that_runs_out_and_drops_those_that_have() -> None:
    endpoint = an_endpoint().rotated(a_secret(2), NOW).rotated(a_secret(3), NOW + OVERLAP / 2)

    assert endpoint.signing(NOW + OVERLAP) == (a_secret(3).text, a_secret(2).text)
    assert len(endpoint.rotated(a_secret(4), NOW + OVERLAP).secrets) == 3


def test_a_secret_that_leaked_ends_at_once() -> None:
    assert an_endpoint().rotated(a_secret(2), NOW, timedelta()).secrets == (a_secret(2),)


def test_only_so_many_secrets_sign_at_a_time() -> None:
    endpoint = an_endpoint()
    for number in range(2, MOST_SECRETS + 1):
        endpoint = endpoint.rotated(a_secret(number), NOW)

    with pytest.raises(InvalidWebhookError, match="wait for the oldest"):
        endpoint.rotated(a_secret(9), NOW)


def test_a_success_forgets_the_failures() -> None:
    failing = failed(an_endpoint(), PAUSE_AFTER - 1)

    assert failing.failing_since == NOW
    assert failing.after(FINE, NOW, NOW, DISABLE_AFTER, 0) == an_endpoint()


def test_after_some_failures_in_a_row_it_is_paused_and_each_failure_makes_the_pause_longer() -> None:
    endpoint = failed(an_endpoint(), PAUSE_AFTER - 1)
    assert not endpoint.is_failing
    assert endpoint.may_be_sent_to(NOW)

    endpoint = failed(endpoint)

    assert endpoint.is_failing
    assert endpoint.paused_until == NOW + timedelta(seconds=FIRST_PAUSE)
    assert not endpoint.may_be_sent_to(NOW + timedelta(seconds=FIRST_PAUSE) - SECOND)
    assert endpoint.may_be_sent_to(NOW + timedelta(seconds=FIRST_PAUSE))
    again = failed(endpoint)
    assert again.paused_until == endpoint.paused_until + timedelta(seconds=2 * FIRST_PAUSE)


def test_a_pause_has_an_end_and_a_jitter() -> None:
    endpoint = failed(an_endpoint(), 40)
    begun = endpoint.paused_until
    assert begun

    longest, shortest = (failed(endpoint, chance=chance).paused_until for chance in (1, 0))

    assert longest == begun + timedelta(seconds=LONGEST_PAUSE)
    assert shortest == begun + timedelta(seconds=0.9 * LONGEST_PAUSE)


def test_a_success_after_a_pause_ends_it() -> None:
    endpoint = failed(an_endpoint(), PAUSE_AFTER + 3)
    at = endpoint.paused_until
    assert at

    assert endpoint.after(FINE, at, at, DISABLE_AFTER, 0) == an_endpoint()


def test_what_was_under_way_when_the_pause_began_neither_ends_nor_prolongs_it() -> None:
    endpoint = failed(an_endpoint(), PAUSE_AFTER)

    well = endpoint.after(FINE, NOW, NOW + SECOND, DISABLE_AFTER, 0)
    broken = endpoint.after(BROKEN, NOW, NOW + SECOND, DISABLE_AFTER, 0)

    assert (well.paused_until, well.failures) == (endpoint.paused_until, endpoint.failures)
    assert well.failing_since is None
    assert broken == replace(endpoint, failed_at=NOW + SECOND)


def test_it_may_ask_to_be_left_alone_for_a_while_but_not_for_ever() -> None:
    busy = Answer(status=429, took=0, error="answered 429", retry_after=90)
    endpoint = an_endpoint().after(busy, NOW, NOW, DISABLE_AFTER, 0)
    assert endpoint.paused_until == NOW + timedelta(seconds=90)
    assert not endpoint.is_failing

    for_ever = Answer(status=503, took=0, error="answered 503", retry_after=10**9)
    assert an_endpoint().after(for_ever, NOW, NOW, DISABLE_AFTER, 0).paused_until == NOW + timedelta(
        seconds=LONGEST_WISH
    )
    assert endpoint.after(BROKEN, NOW, NOW, DISABLE_AFTER, 0).paused_until == endpoint.paused_until


def test_410_switches_it_off() -> None:
    endpoint = an_endpoint().after(GONE, NOW, NOW, DISABLE_AFTER, 0)

    assert not endpoint.is_active
    assert endpoint.why_off == "it answered 410 Gone"
    assert not endpoint.may_be_sent_to(NOW)


def failing_until(end: datetime) -> Endpoint:
    """Let it fail from NOW on, once in the longest time that lies between two attempts, until just before `end`."""
    endpoint, at = an_endpoint(), NOW
    while at < end:
        endpoint = endpoint.after(BROKEN, at, at, DISABLE_AFTER, 0)
        at += LONGEST_GAP
    return endpoint


def test_one_that_fails_for_too_long_is_switched_off() -> None:
    endpoint = failing_until(NOW + DISABLE_AFTER - SECOND)

    still = endpoint.after(BROKEN, NOW + DISABLE_AFTER - SECOND, NOW + DISABLE_AFTER - SECOND, DISABLE_AFTER, 0)
    late = endpoint.after(BROKEN, NOW + DISABLE_AFTER, NOW + DISABLE_AFTER, DISABLE_AFTER, 0)

    assert still.is_active
    assert not late.is_active
    assert late.why_off == "it has failed without one success since 2026-01-05 12:00 UTC"


def test_a_time_in_which_nothing_was_sent_is_no_failing() -> None:
    endpoint = failing_until(NOW + timedelta(days=3))
    assert endpoint.failed_at
    at = endpoint.failed_at + LONGEST_GAP + SECOND

    endpoint = endpoint.after(BROKEN, at, at, timedelta(days=3), 0)

    assert endpoint.is_active
    assert (endpoint.failing_since, endpoint.failed_at) == (at, at)


def test_between_two_attempts_lies_no_more_than_the_longest_wait_and_the_longest_wish() -> None:
    assert LONGEST_GAP.total_seconds() > max(1.1 * max(SCHEDULE), LONGEST_WISH)


def test_switched_on_it_begins_anew_and_switched_off_twice_the_first_reason_stays() -> None:
    off = failed(an_endpoint(), PAUSE_AFTER).switched_off("first").switched_off("second")

    assert off.why_off == "first"
    assert off.switched_on() == an_endpoint()


def test_a_pause_that_a_clock_that_was_ahead_began_is_forgotten() -> None:
    ahead = NOW + timedelta(hours=2)
    wrong = replace(an_endpoint(), failing_since=ahead, failed_at=ahead, failures=9, paused_until=ahead + SECOND)
    endless = replace(an_endpoint(), paused_until=NOW + timedelta(days=2))
    right = replace(an_endpoint(), failing_since=NOW, failed_at=NOW, failures=9, paused_until=NOW + SECOND)

    mended = wrong.clamped(NOW)

    assert (mended.failing_since, mended.failed_at, mended.paused_until, mended.failures) == (NOW, NOW, None, 9)
    assert mended.may_be_sent_to(NOW)
    assert endless.clamped(NOW) == an_endpoint()
    assert right.clamped(NOW) == right
    assert an_endpoint().clamped(NOW) == an_endpoint()


def test_one_that_a_clock_that_was_ahead_added_hears_of_what_happens_now() -> None:
    endpoint = an_endpoint(at=NOW + timedelta(days=2))

    assert endpoint.hears_of(a_plan_told(at=NOW), NOW)
