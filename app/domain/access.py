"""Who may do what: roles, areas of the service, and the one rule between them. Pure."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from app.domain.errors import DomainError
from app.domain.publishable_keys import Publishable


class Role(StrEnum):
    """What somebody may do; each role may do what those before it may (ADR 0032)."""

    READER = "reader"
    WRITER = "writer"
    OPERATOR = "operator"
    ADMIN = "admin"

    def covers(self, needed: "Role") -> bool:
        """Tell whether this role is enough where `needed` is asked for."""
        return _RANKS[self] >= _RANKS[needed]


_RANKS = {role: rank for rank, role in enumerate(Role)}


class Area(StrEnum):
    """A part of the service that is opened or closed as a whole; every route belongs to one."""

    PAGE = "page"
    """The dashboard's own files: without any figure, so that a browser can ask for a key. Always open."""
    HEALTH = "health"
    SEARCH = "search"
    CATALOG = "catalog"
    STATS = "stats"
    METRICS = "metrics"
    DASHBOARD = "dashboard"
    DOCS = "docs"
    INGEST = "ingest"
    OPERATIONS = "operations"
    ADMIN = "admin"

    @property
    def needs(self) -> Role:
        """The role that is enough for it."""
        return _NEEDS.get(self, Role.READER)


_NEEDS = {Area.INGEST: Role.WRITER, Area.OPERATIONS: Role.OPERATOR, Area.ADMIN: Role.ADMIN}

ALWAYS_OPEN = frozenset({Area.PAGE})
OPENABLE = frozenset(Area) - {Area.PAGE, Area.ADMIN}
"""What the configuration may open to everybody."""
OPEN_ON_LOOPBACK = OPENABLE
OPEN_ELSEWHERE = frozenset({Area.SEARCH, Area.HEALTH})


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody who has shown who they are."""

    name: str
    """For the log: a username, or the subject of a token."""
    role: Role
    caller: str
    """Whom a rate limit counts: the key, or the subject of a token."""
    user_id: UUID | None = None
    """None for a token of another issuer."""
    publishable: Publishable | None = None
    """What the key may do if it is no secret."""

    @property
    def key_id(self) -> str | None:
        """The public part of the key; None for a token of another issuer."""
        kind, _, name = self.caller.partition(":")
        return name if kind == "key" else None


class UnauthenticatedError(DomainError):
    """A key or a token is needed, and none came that is good; the message says why, and never repeats it."""


class NotAllowedError(DomainError):
    """Somebody is known, and their role is not enough."""

    def __init__(self, role: Role, needed: Role) -> None:
        """Name both roles."""
        super().__init__(f"this needs the role {needed}; the role of this key or token is {role}")
        self.needed = needed


class OnlyActivitiesError(DomainError):
    """A publishable key came where something else is asked for than to take activities."""

    def __init__(self) -> None:
        """Say what it is for."""
        super().__init__("a publishable key may post activities and nothing else: send a secret key")


def check(principal: Principal | None, area: Area, anonymous: frozenset[Area]) -> None:
    """Let somebody (None: nobody known) into an area, or refuse them.

    Raises:
        UnauthenticatedError: the area is not among those that are open to everybody, and nobody is known.
        NotAllowedError: the role is not enough.
        OnlyActivitiesError: a publishable key is not for this.
    """
    if area in anonymous or area in ALWAYS_OPEN:
        return
    if principal is None:
        raise UnauthenticatedError(
            f"this needs a key of the role {area.needs}: send `Authorization: Bearer KEY` or `X-API-Key: KEY`"
        )
    if principal.publishable and area is not Area.INGEST:
        raise OnlyActivitiesError
    if not principal.role.covers(area.needs):
        raise NotAllowedError(principal.role, area.needs)
