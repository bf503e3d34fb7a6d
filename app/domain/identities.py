"""Who is one person: what `identify` and `alias` say, and what follows from it. Pure; the definition.

There are two spaces of names, user ids and anonymous ids; the same text in both names two visitors. A key is either: a
user id as it is, an anonymous id behind a mark that no user id can have.

- A claim says that an anonymous id belongs to a user. The earliest claim decides, of equally early ones that with the
  smallest activity id; so the order of arrival means nothing.
- An alias joins two users, for good.
- A person is all users that aliases join, directly or over others, with every anonymous id that belongs to one of them.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from app.domain.activities import ALIAS, IDENTIFY, Activity, ActivityId

Key = str
"""A visitor: a user id, or ANONYMOUS and an anonymous id."""

ANONYMOUS = "\x01"
"""A control character, of which ids have none."""


class Claim(NamedTuple):
    """Says whose an anonymous id is. Of two claims of one id the smaller one holds."""

    at: datetime
    activity_id: ActivityId
    anonymous: Key
    user_id: Key


class Alias(NamedTuple):
    """Says that two users are one person."""

    activity_id: ActivityId
    user_id: Key
    previous: Key


def told(key: Key) -> str:
    """Name a visitor for people."""
    return f"anonymous {key[1:]!r}" if key.startswith(ANONYMOUS) else f"user {key!r}"


def claims_in(statements: Iterable[Activity]) -> Sequence[Claim]:
    """Read the claims; an alias is also one of the id that was used before, of which nobody knows which kind it is."""
    return [
        Claim(_at(said), said.activity_id, ANONYMOUS + said.anonymous_id, said.user_id)
        for said in statements
        if said.type in {IDENTIFY, ALIAS} and said.user_id is not None and said.anonymous_id is not None
    ]


def aliases_in(statements: Iterable[Activity]) -> Sequence[Alias]:
    """Read the aliases; one of a user with itself says nothing."""
    return [
        Alias(said.activity_id, said.user_id, said.anonymous_id)
        for said in statements
        if said.type == ALIAS
        and said.user_id is not None
        and said.anonymous_id is not None
        and said.user_id != said.anonymous_id
    ]


def owners_by(claims: Iterable[Claim]) -> dict[Key, Claim]:
    """Find the claim that holds of each anonymous id."""
    holds: dict[Key, Claim] = {}
    for claim in claims:
        known = holds.get(claim.anonymous)
        if known is None or claim < known:
            holds[claim.anonymous] = claim
    return holds


def persons_by(owners: Mapping[Key, Claim], aliases: Iterable[Alias]) -> dict[Key, Key]:
    """Say of each id that is linked with another which person it is; a person is called by its first user id.

    Takes time and room by the number of linked ids.
    """
    united = _Union()
    for alias in aliases:
        united.join(alias.user_id, alias.previous)
    for claim in owners.values():
        united.join(claim.user_id, claim.anonymous)
    names: dict[Key, Key] = {}
    for key in united.parents:
        root = united.root(key)
        if not key.startswith(ANONYMOUS):
            names[root] = min(names.get(root, key), key)
    return {key: names[united.root(key)] for key in united.parents}


class _Union:
    """Disjoint sets; the smaller one joins the larger one."""

    def __init__(self) -> None:
        self.parents: dict[Key, Key] = {}
        self._sizes: dict[Key, int] = {}

    def root(self, key: Key) -> Key:
        while (parent := self.parents.setdefault(key, key)) != key:
            self.parents[key] = key = self.parents[parent]
        return key

    def join(self, one: Key, other: Key) -> None:
        small, large = sorted((self.root(one), self.root(other)), key=lambda root: self._sizes.get(root, 1))
        if small != large:
            self.parents[small] = large
            self._sizes[large] = self._sizes.get(large, 1) + self._sizes.get(small, 1)


def _at(said: Activity) -> datetime:
    """Say when a claim counts from: one of a public key from when it came, so that it takes nothing from anybody."""
    origin = json.loads(said.origin) if said.origin else {}
    if origin.get("publishable") and "received_at" in origin:
        return datetime.fromisoformat(origin["received_at"])
    return said.occurred_at
