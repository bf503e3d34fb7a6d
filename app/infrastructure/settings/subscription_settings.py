"""The settings of subscriptions: which brokers bring activities, and how."""

from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, model_validator

from app.infrastructure.settings.activity_types import ActivityType
from app.infrastructure.settings.request_settings import ClientCertificate, filled
from app.infrastructure.settings.settings_section import SettingsSection

NATS_SCHEMES = ("nats", "tls")


def _without_user(url: str, schemes: tuple[str, ...]) -> str:
    parts = urlsplit(url)
    if parts.scheme not in schemes or not parts.hostname:
        raise ValueError(f"expected a URL that begins with {' or '.join(scheme + '://' for scheme in schemes)}")
    if "@" in parts.netloc:
        raise ValueError("a URL is logged, so it may have no user: write who we are as keys of their own")
    return url


def _server(url: str) -> str:
    return _without_user(url, NATS_SCHEMES)


def _http(url: str) -> str:
    return _without_user(url, ("http", "https"))


HttpUrl = Annotated[str, AfterValidator(_http)]
JetStreamName = Annotated[str, Field(pattern=r"^[^\s.*>/\\\x00-\x1f\x7f]{1,255}$")]
Subject = Annotated[str, Field(pattern=r"^[^\s\x00-\x1f\x7f]{1,255}$")]
Secret = Annotated[SecretStr, BeforeValidator(filled), Field(min_length=1, max_length=8192)]


class NatsSettings(SettingsSection):
    """A consumer of a stream of NATS JetStream."""

    servers: Annotated[tuple[Annotated[str, AfterValidator(_server)], ...], Field(min_length=1, max_length=20)]
    stream: JetStreamName
    subject: Subject | None = None
    durable: JetStreamName = "marquee"
    user: Secret | None = None
    password: Secret | None = None
    token: Secret | None = None
    ca_file: Path | None = None
    client_certificate: ClientCertificate | None = None

    @model_validator(mode="after")
    def _belong_together(self) -> "NatsSettings":
        if (self.user is None) is not (self.password is None):
            raise ValueError("user, password: expected both or none")
        if self.user and self.token:
            raise ValueError("user, token: expected one of the two")
        return self


class SqsSettings(SettingsSection):
    """A queue of SQS."""

    queue_url: HttpUrl
    region: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,50}$")] | None = None
    endpoint: HttpUrl | None = None
    access_key_id: Secret | None = None
    secret_access_key: Secret | None = None
    session_token: Secret | None = None

    @model_validator(mode="after")
    def _belong_together(self) -> "SqsSettings":
        if (self.access_key_id is None) is not (self.secret_access_key is None):
            raise ValueError("access_key_id, secret_access_key: expected both or none")
        if self.session_token and not self.access_key_id:
            raise ValueError("session_token: belongs to an access_key_id")
        if self.region_of_queue is None:
            raise ValueError("region: cannot be told from the queue_url, so it is to be named")
        return self

    @property
    def region_of_queue(self) -> str | None:
        """The region, named or as the URL of a queue of AWS has it (sqs.eu-west-1.amazonaws.com)."""
        host = (urlsplit(self.queue_url).hostname or "").split(".")
        return self.region or (host[1] if host[0] == "sqs" and "amazonaws" in host else None)

    @property
    def endpoint_of_queue(self) -> str:
        """Where it is asked: the origin of its URL, unless another is named."""
        parts = urlsplit(self.queue_url)
        return self.endpoint or f"{parts.scheme}://{parts.netloc}"


class SubscriptionSettings(SettingsSection):
    """Where a broker has activities for us."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
    nats: NatsSettings | None = None
    sqs: SqsSettings | None = None
    form: Literal["auto", "events", "batch", "ndjson", "cloud_event", "cloud_events", "segment_batch"] = "auto"
    types: tuple[ActivityType, ...] | None = None
    max_in_flight: Annotated[int, Field(ge=1, le=1000)] = 100
    enabled: bool = True

    @model_validator(mode="after")
    def _is_one_of_them(self) -> "SubscriptionSettings":
        if (self.nats is None) is (self.sqs is None):
            raise ValueError("expected one of nats and sqs")
        return self


def unique(subscriptions: tuple[SubscriptionSettings, ...]) -> tuple[SubscriptionSettings, ...]:
    """Let subscriptions pass that differ in their names: ids of what they bring are made of them."""
    names = [one.name for one in subscriptions]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"two subscriptions of one name: {', '.join(twice)}")
    return subscriptions
