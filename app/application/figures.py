"""The catalogue of what processes count for all to read: every Figure that a Tally is given, once.

`/metrics` shows each as `marquee_<name>_total`, but the store's seconds, which are one histogram there.
"""

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass

from app.application.ports.figures import Figure, Tally


@dataclass(frozen=True, slots=True)
class FigureKind:
    """A name, and the names of its labels."""

    name: str
    labels: tuple[str, ...] = ()

    def of(self, *values: str) -> Figure:
        """Name one count."""
        return Figure(self.name, values)


STORED_BATCHES = FigureKind("stored_batches")
"""Transactions that stored activities, be it that all were known already."""
STORED_ACTIVITIES = FigureKind("stored_activities")
"""Activities that were new to the store."""
STORE_SECONDS = FigureKind("store_seconds")
"""Seconds that these transactions took, added up."""
STORE_SECONDS_WITHIN = FigureKind("store_seconds_within", ("seconds",))
"""How many of them took up to so long and longer than the bound before, by the bounds of STORE_BOUNDS, and `+Inf`."""
WEBHOOK_DELIVERIES = FigureKind("webhook_deliveries", ("outcome",))
"""Attempts to deliver a webhook, by how they ended."""
WEBHOOK_OUTCOMES = ("delivered", "failed", "given_up")
"""`failed` ones are tried again."""
CLIENTS_CUT = FigureKind("clients_cut", ("reason",))
"""Clients that were refused or cut off before any application saw what they sent, or while they took an answer."""
CUT_REASONS = (
    "malformed_request",
    "unsupported_transfer_coding",
    "headers_too_large",
    "url_too_long",
    "request_timeout",
    "too_many_pipelined",
    "too_many_connections",
    "silent",
    "slow_reader",
)
"""`silent` ones sent nothing, a `slow_reader` did not take its answer."""
SUBSCRIPTION_MESSAGES = FigureKind("subscription_messages", ("subscription", "fate"))
"""Messages of brokers that were settled, by what became of them: `taken`, `refused`, `put_off`, `given_back`."""
SUBSCRIPTION_ACTIVITIES = FigureKind("subscription_activities", ("subscription", "outcome"))
"""Activities that messages brought: `accepted`, `duplicate` or `refused`."""

NOT_UNDERSTOOD = FigureKind("activities_not_understood", ("reason",))
"""Records that doors refused, by the code of their reason; and `ignored_fields`, `placeholder_users` of those taken."""

STORE_BOUNDS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Seconds."""
STORE_BOUND_NAMES = (*map(str, STORE_BOUNDS), "+Inf")


def count_cut(tally: Tally, reason: str) -> None:
    """Count a client that was cut for one of CUT_REASONS."""
    tally.add(CLIENTS_CUT.of(reason))


def count_messages(tally: Tally, subscription: str, fate: str, messages: int) -> None:
    """Count messages of a broker that were settled."""
    tally.add(SUBSCRIPTION_MESSAGES.of(subscription, fate), messages)


def count_delivered(tally: Tally, subscription: str, outcome: str, types: Mapping[str, int]) -> None:
    """Count activities that came by a broker and had one outcome, by their types, which are not told apart."""
    tally.add(SUBSCRIPTION_ACTIVITIES.of(subscription, outcome), sum(types.values()))


def count_stored(tally: Tally, new: int, seconds: float) -> None:
    """Count a transaction that stored activities, `new` of which were not known."""
    tally.add(STORED_BATCHES.of())
    tally.add(STORED_ACTIVITIES.of(), new)
    tally.add(STORE_SECONDS.of(), seconds)
    tally.add(STORE_SECONDS_WITHIN.of(STORE_BOUND_NAMES[bisect_left(STORE_BOUNDS, seconds)]))
