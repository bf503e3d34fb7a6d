"""What ForgottenNames and QueuedActivities promise, over every adapter; and what is told to webhooks."""

from datetime import timedelta
from uuid import UUID, uuid4

from app.application.ports.forgetting import Forgetting
from app.domain.activities import ALIAS, IDENTIFY, Activity
from app.domain.removal import ToRemove, digests_of
from tests.contract.conftest import Backend
from tests.support.activity_backends import ActivityBackend
from tests.support.builders import NOW, an_activity

ANA = ToRemove(users=frozenset({"ana"}))


def said(number: int, type_: str, user: str, anonymous: str, *, hours: int = 0) -> Activity:
    return Activity(UUID(int=number), type_, NOW + timedelta(hours=hours), user_id=user, anonymous_id=anonymous)


async def test_anonymous_ids_belong_to_whose_claim_holds(activity_backend: ActivityBackend) -> None:
    claims = [said(1, IDENTIFY, "ana", "x"), said(2, IDENTIFY, "eva", "x", hours=1), said(3, IDENTIFY, "ana", "y")]
    earlier = [said(4, IDENTIFY, "eva", "y", hours=-1), said(5, ALIAS, "ana", "z")]
    await activity_backend.store().store([*claims, *earlier])

    assert await activity_backend.forgotten_names().anonymous_of({"ana"}) == {"x", "z"}
    assert await activity_backend.forgotten_names().anonymous_of({"eva", "who"}) == {"y"}


async def test_names_are_found_by_their_digests(activity_backend: ActivityBackend) -> None:
    both = an_activity(1, user="ana", source="shop")
    await activity_backend.store().store(
        [both, an_activity(2, user="eva"), said(3, "view", "eva", "x"), said(4, IDENTIFY, "leo", "ana")]
    )

    for wanted in (
        ToRemove(users=frozenset({"ana", "leo"})),
        ToRemove(anonymous=frozenset({"x", "ana"}), sources=frozenset({"shop"})),
        ToRemove(),
    ):
        assert await activity_backend.forgotten_names().matching(digests_of(wanted)) == wanted
    unknown = ToRemove(users=frozenset({"x"}), sources=frozenset({"ana"}))
    assert await activity_backend.forgotten_names().matching(digests_of(unknown)) == ToRemove()


async def test_a_database_notes_what_it_has_forgotten(activity_backend: ActivityBackend) -> None:
    names = activity_backend.forgotten_names()
    one, other = (Forgetting(uuid4(), NOW, frozenset()) for _ in range(2))

    for forgetting in (one, other, one):
        await names.note(forgetting)

    assert await names.noted() == {one.forgetting_id, other.forgetting_id}


async def test_what_waits_is_found_also_when_a_worker_has_it_in_hand(backend: Backend) -> None:
    queue, inbox = backend.activity_queue(), backend.activity_inbox()
    for number in range(1, 61):
        await queue.append([an_activity(number, user="ana" if number % 3 else "eva")])
    assert await inbox.take()

    found = await backend.queued_activities().ids_of(ANA)

    assert sorted(one.int for one in found) == [number for number in range(1, 61) if number % 3]
    assert await backend.queued_activities().ids_of(ToRemove(users=frozenset({"who"}))) == []


async def test_nothing_waits_in_an_empty_queue(backend: Backend) -> None:
    assert await backend.queued_activities().ids_of(ANA) == []
    assert await backend.queued_activities().forget_letters(ANA) == []


async def test_letters_keep_what_others_did_and_can_be_retried(backend: Backend) -> None:
    inbox = backend.activity_inbox()
    together = [an_activity(1, user="ana"), an_activity(2, user="eva"), an_activity(3, user="eva")]
    for some in (together, [an_activity(4, user="ana")], [an_activity(5, user="eva")]):
        await backend.activity_queue().append(some)
        (batch,) = await inbox.take()
        await inbox.bury(batch, some, "broken")

    gone = await backend.queued_activities().forget_letters(ANA)

    assert sorted(one.int for one in gone) == [1, 4]
    letters = await backend.dead_letters().list(10)
    assert sorted([one.activity_id.int for one in letter.activities] for letter in letters) == [[2, 3], [5]]
    assert {letter.reason for letter in letters} == {"broken"}
    assert await backend.dead_letters().retry([letter.letter_id for letter in letters]) == 2
    retried = [one.activity_id.int for batch in await inbox.take() for one in batch.activities]
    assert sorted(retried) == [2, 3, 5]
