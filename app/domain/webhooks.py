"""Webhooks: who is told of what at which URL, signed with which secrets, and when one that fails is left alone."""

import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from urllib.parse import urlsplit
from uuid import UUID

from app.domain.activity_notices import asks_for, covers, is_name
from app.domain.backoff import Backoff
from app.domain.domain_events import NAMES, DomainEvent
from app.domain.webhook_deliveries import Answer
from app.domain.webhook_errors import InvalidWebhookError
from app.domain.webhook_headers import Header, check_headers, merged

EndpointId = UUID

ENDPOINT_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
LONGEST_URL = 2000
SECRET_PREFIX, SECRET_BYTES = "whsec_", 32
MOST_SECRETS = 4
"""That sign at a time; each makes the header longer."""
OVERLAP = timedelta(hours=24)
"""How long a secret signs on after it was replaced."""
HEARS_BACK = timedelta(hours=1)
"""An endpoint is told of what happened so long before it was added, if it is told then only: a change is as old as the
look at the feed that found it, and seen in the catalog later."""

PAUSE_AFTER = 5
"""Failures in a row after which an endpoint is left alone between single attempts."""
FIRST_PAUSE, LONGEST_PAUSE = 5.0, 300.0
LONGEST_WISH = 24 * 3600.0
"""Seconds for which an endpoint may ask to be left alone."""
LONGEST_GAP = timedelta(hours=25)
"""Between two attempts, while there is something to be sent: more than any wait of the schedule, and any wish."""

GONE = 410
EVERYTHING = "*"
"""All domain events; beside names of activities, which it leaves out."""
ANY_ACTIVITY = "activity.* (or of one type: activity.view)"


@dataclass(frozen=True, slots=True)
class Secret:
    """What messages are signed with, as a receiver is told it: `whsec_` and base64."""

    text: str = field(repr=False)
    until: datetime | None = None
    """When it runs out; None for the newest."""


def secret_of(random: bytes) -> Secret:
    """Make a secret of SECRET_BYTES random bytes."""
    return Secret(SECRET_PREFIX + b64encode(random).decode("ascii"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """A webhook: one receiver's URL, and how it fares."""

    endpoint_id: EndpointId
    name: str
    url: str
    names: tuple[str, ...] = ()
    """What it is told of: names such as `plan.changed`, `user.*`, `activity.purchase`; everything but activities when
    none."""
    secrets: tuple[Secret, ...]
    """Newest first."""
    headers: tuple[Header, ...] = ()
    """Sent beside ours."""
    is_active: bool = True
    """Nothing is collected for one that is not, and nothing sent."""
    why_off: str | None = None
    created_at: datetime
    failing_since: datetime | None = None
    """The first failure since the last success, and since it was last left alone for want of anything to send."""
    failed_at: datetime | None = None
    """The last failure since the last success."""
    failures: int = 0
    """In a row."""
    paused_until: datetime | None = None
    skipped: int = 0
    """Activities that it was not told because too much waited; about, when a worker was killed."""

    def __post_init__(self) -> None:
        """Refuse what could not be named, sent to or subscribed to.

        Raises:
            InvalidWebhookError: of the first part that breaks a rule.
        """
        if not ENDPOINT_NAME.fullmatch(self.name):
            raise InvalidWebhookError("name", "1 to 64 of A-Z a-z 0-9 . _ -, the first a letter or a digit")
        _check_url(self.url)
        for name in self.names:
            _check_name(name)
        check_headers(self.headers)

    def hears_of(self, fact: DomainEvent, now: datetime) -> bool:
        """Tell whether it is to be told of a domain event; one that seems to be made after `now` was made by now."""
        if not self.is_active or fact.occurred_at < min(self.created_at, now) - HEARS_BACK:
            return False
        everything = not self.names or EVERYTHING in self.names
        return everything or any(covers(wanted, name) for wanted in self.names for name in fact.names)

    def hears_of_activities(self, type_: str) -> bool:
        """Tell whether it is to be told of activities of a type: only when it asks for them, by a name or a star."""
        return self.is_active and asks_for(self.names, type_)

    def with_skipped(self, number: int) -> "Endpoint":
        """Count activities that it is not told."""
        return replace(self, skipped=self.skipped + number)

    def signing(self, now: datetime) -> tuple[str, ...]:
        """Give the secrets that sign now, newest first."""
        return tuple(secret.text for secret in self.secrets if secret.until is None or now < secret.until)

    def rotated(self, secret: Secret, now: datetime, overlap: timedelta = OVERLAP) -> "Endpoint":
        """Sign with a new secret, and with those before it until they run out.

        Raises:
            InvalidWebhookError: too many would sign at a time.
        """
        ends_at = now + overlap
        older = [Secret(old.text, min(old.until or ends_at, ends_at)) for old in self.secrets]
        kept = (secret, *(old for old in older if old.until and now < old.until))
        if len(kept) > MOST_SECRETS:
            raise InvalidWebhookError("secret", f"{MOST_SECRETS} sign already: wait for the oldest to run out")
        return replace(self, secrets=kept)

    def with_headers(self, changes: Mapping[str, str | None]) -> "Endpoint":
        """Send other headers from now on: those that are named, where None takes one away; others stay.

        Raises:
            InvalidWebhookError: one of them may not be sent.
        """
        return replace(self, headers=merged(self.headers, changes))

    @property
    def is_failing(self) -> bool:
        """Whether it has failed so often that only single attempts are made."""
        return self.failures >= PAUSE_AFTER

    def may_be_sent_to(self, now: datetime) -> bool:
        """Tell whether anything may be sent now."""
        return self.is_active and (self.paused_until is None or self.paused_until <= now)

    def clamped(self, now: datetime) -> "Endpoint":
        """Forget a pause that a wrong clock made: one that began in the future, or lasts longer than any may."""
        in_future = self.failed_at is not None and self.failed_at > now
        too_long = self.paused_until is not None and self.paused_until > now + timedelta(seconds=LONGEST_WISH)
        if not in_future and not too_long:
            return self
        since = self.failing_since and min(self.failing_since, now)
        return replace(self, failing_since=since, failed_at=self.failed_at and now, paused_until=None)

    def switched_on(self) -> "Endpoint":
        """Begin anew."""
        return replace(self._well(), is_active=True, why_off=None)

    def switched_off(self, why: str) -> "Endpoint":
        """Send nothing any more; itself when it is off already."""
        return replace(self, is_active=False, why_off=why) if self.is_active else self

    def after(
        self, answer: Answer, begun_at: datetime, now: datetime, disable_after: timedelta, chance: float
    ) -> "Endpoint":
        """Judge it by the answer to an attempt that began at `begun_at`; `chance` (0 to 1) is for the jitter.

        What began before a pause and ended in it neither ends nor prolongs the pause: it says nothing new.
        """
        is_straggler = self.paused_until is not None and begun_at < self.paused_until
        if answer.is_success:
            return replace(self, failing_since=None, failed_at=None) if is_straggler else self._well()
        if answer.status == GONE:
            return self.switched_off("it answered 410 Gone")
        is_tried = self.failed_at is not None and now - self.failed_at <= LONGEST_GAP
        since = (self.failing_since if is_tried else None) or now
        if now - since >= disable_after:
            return self.switched_off(f"it has failed without one success since {since:%Y-%m-%d %H:%M} UTC")
        failures = self.failures if is_straggler else self.failures + 1
        pauses = [self.paused_until, _wished(answer, now), None if is_straggler else _pause(failures, now, chance)]
        until = max((pause for pause in pauses if pause is not None), default=None)
        return replace(self, failing_since=since, failed_at=now, failures=failures, paused_until=until)

    def _well(self) -> "Endpoint":
        return replace(self, failing_since=None, failed_at=None, failures=0, paused_until=None)


def read_names(names: Sequence[str]) -> tuple[str, ...]:
    """Take what somebody wants to hear of, each once; `*` among them is everything but activities."""
    found = tuple(dict.fromkeys(names))
    if EVERYTHING not in found:
        return found
    activities = [name for name in found if is_name(name)]
    return (EVERYTHING, *activities) if activities else ()


def _check_name(name: str) -> None:
    if name != EVERYTHING and not is_name(name) and not any(covers(name, known) for known in NAMES):
        subjects = sorted({f"{known.partition('.')[0]}.*" for known in NAMES})
        choice = ", ".join((*NAMES, ANY_ACTIVITY, *subjects))
        raise InvalidWebhookError("names", f"nothing is called {name[:64]!r}; choose from {choice} and *")


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        fine = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        fine = False
    if not fine or len(url) > LONGEST_URL or not url.isascii() or not url.isprintable() or " " in url:
        raise InvalidWebhookError(
            "url", f"expected http:// or https:// and a host, up to {LONGEST_URL} printable ASCII characters"
        )
    if "@" in parts.netloc:
        raise InvalidWebhookError("url", "expected one without user and password; the signature shows who sends")


def _wished(answer: Answer, now: datetime) -> datetime | None:
    return now + timedelta(seconds=min(answer.retry_after, LONGEST_WISH)) if answer.retry_after else None


def _pause(failures: int, now: datetime, chance: float) -> datetime | None:
    if failures < PAUSE_AFTER:
        return None
    seconds = Backoff(FIRST_PAUSE, LONGEST_PAUSE).delay(failures - PAUSE_AFTER + 1)
    return now + timedelta(seconds=seconds * (0.9 + 0.1 * chance))
