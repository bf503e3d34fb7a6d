"""Which activities are to go, and the digests by which names are recognised."""

from datetime import UTC, datetime
from uuid import UUID

from app.domain.activities import Activity
from app.domain.activity_spans import ActivitySpan
from app.domain.identities import ANONYMOUS
from app.domain.removal import ToRemove, digest_of, digests_of

AT = datetime(2026, 1, 5, tzinfo=UTC)
VIEW = Activity(UUID(int=1), "view", AT, source="shop", user_id="ana", anonymous_id="x")


def test_an_activity_goes_by_its_user_source_id_or_import() -> None:
    assert ToRemove(users=frozenset({"ana"})).holds(VIEW)
    assert ToRemove(sources=frozenset({"shop"})).holds(VIEW)
    assert ToRemove(ids=frozenset({UUID(int=1)})).holds(VIEW)
    assert ToRemove(import_id=7).holds(VIEW, 7)
    assert not ToRemove(import_id=7).holds(VIEW, 8)
    assert not ToRemove().holds(VIEW)
    assert not ToRemove(sources=frozenset({"shop"}), span=ActivitySpan(ends=AT)).holds(VIEW)


def test_what_was_done_as_a_user_is_not_the_anonymous_visitors() -> None:
    x = ToRemove(anonymous=frozenset({"x"}))

    assert not x.holds(VIEW)
    assert x.holds(VIEW._replace(user_id=None))
    assert x.holds(VIEW._replace(type="$identify"))


def test_a_statement_goes_with_whoever_it_names() -> None:
    alias = VIEW._replace(type="$alias", user_id="eva", anonymous_id="ana")

    assert ToRemove(users=frozenset({"ana"})).holds(alias)
    assert not ToRemove(users=frozenset({"ana"})).holds(alias._replace(type="view"))


def test_digests_tell_users_anonymous_ids_and_sources_apart() -> None:
    all_three = ToRemove(users=frozenset({"x"}), anonymous=frozenset({"x"}), sources=frozenset({"x"}))

    assert digests_of(all_three) == {digest_of("user", "x"), digest_of("anonymous", "x"), digest_of("source", "x")}
    assert len(digests_of(all_three)) == 3
    assert all_three.visitors == [ANONYMOUS + "x", "x"]
