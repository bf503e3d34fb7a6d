"""The settings: `config.yaml`, then MARQUEE__SECTION__KEY from the environment; validated as a whole, frozen.

Durations are seconds, sizes are bytes. `config.yaml` in the repository explains each key.
"""

import re
from datetime import time
from functools import cache, cached_property
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BeforeValidator, Field, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from app.adapters.outbound.providers.demo import RESPONSES
from app.domain.activities import LARGEST_ACTIVITY, LONGEST_SOURCE, LONGEST_USER_ID, PLACEHOLDERS, ActivityRules
from app.domain.funnels import DEFAULT_TYPES, MOST_KEPT
from app.domain.gate import GatePolicy
from app.domain.plan_totals import PURCHASE_TYPES, VIEW_TYPES
from app.domain.settling import SettlePolicy
from app.infrastructure.settings.access_settings import RateLimitSettings, Security
from app.infrastructure.settings.activity_types import ActivityType
from app.infrastructure.settings.field_mapping import field_mapping
from app.infrastructure.settings.publishing_settings import Publishing, Telemetry, Webhooks
from app.infrastructure.settings.request_settings import RequestSettings
from app.infrastructure.settings.settings_section import Seconds, SettingsSection, Share
from app.infrastructure.settings.subscription_settings import SubscriptionSettings, unique

DATABASE_SCHEMES = ("postgresql", "postgres")
REDIS_SCHEMES = ("redis", "rediss", "redis+cluster", "rediss+cluster", "redis+sentinel", "rediss+sentinel", "unix")


@cache
def _timezones() -> frozenset[str]:
    """List them once: it walks through all files of the zones, and every provider has one."""
    return frozenset(available_timezones())


def _timezone(name: str) -> str:
    if name not in _timezones():
        raise ValueError(f"{name!r} is no IANA time zone; expected one such as Europe/Madrid or UTC")
    return name


def _redis_url(url: str) -> str:
    if url != "embedded" and urlsplit(url).scheme not in REDIS_SCHEMES:
        raise ValueError(f"expected 'embedded' or a URL that begins with {', '.join(s + '://' for s in REDIS_SCHEMES)}")
    return url


def _database_url(url: str) -> str:
    if url != "embedded" and urlsplit(url).scheme not in DATABASE_SCHEMES:
        raise ValueError("expected 'embedded' or a URL that begins with postgresql://")
    return url


def _time_of_day(said: Any) -> Any:
    if said is not None and not (isinstance(said, str) and re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", said)):
        raise ValueError('expected a time of day in quotes, such as "03:30"')
    return said


Timezone = Annotated[str, AfterValidator(_timezone)]


def _path(path: Path) -> Path:
    if "\0" in str(path):
        raise ValueError("expected a path, found one with a NUL character")
    return path


class ServiceSettings(SettingsSection):
    """Where and how the service runs."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    workers: Annotated[int, Field(ge=1, le=64)] = 1
    data_dir: Annotated[Path, AfterValidator(_path)] = Path(".marquee")
    drain: Seconds = 10.0
    header_timeout: Seconds = 10.0
    body_timeout: Seconds = 30.0
    keep_alive_timeout: Seconds = 75.0
    max_header_bytes: Annotated[int, Field(ge=1024, le=1024**2)] = 32 * 1024


class Redis(SettingsSection):
    """The live state."""

    url: Annotated[str, AfterValidator(_redis_url)] = "embedded"
    timeout: Seconds = 2.0
    replicas: Annotated[int, Field(ge=0, le=16)] = 0
    fsync: Literal["always", "everysec"] = "always"
    start_timeout: Seconds = 60.0

    @model_validator(mode="after")
    def _has_replicas(self) -> "Redis":
        if self.replicas and self.url == "embedded":
            raise ValueError("replicas: the embedded Redis has none; set 0, or name a server in redis.url")
        return self


class Database(SettingsSection):
    """The history."""

    url: Annotated[str, AfterValidator(_database_url)] = "embedded"
    timeout: Seconds = 5.0


class Search(SettingsSection):
    """How searches are read, and what they are answered from."""

    timezone: Timezone = "UTC"
    unknown_parameters: Literal["refuse", "ignore"] = "refuse"
    index_interval: Annotated[float, Field(ge=1, le=86400)] | None = 10.0

    @property
    def zone(self) -> ZoneInfo:
        """The zone in which naive date-times of a query are read."""
        return ZoneInfo(self.timezone)


class Catalog(SettingsSection):
    """How much of the past Redis keeps."""

    runs_kept: Annotated[int, Field(ge=1, le=100_000)] = 200
    rejections_kept: Annotated[int, Field(ge=1, le=100_000)] = 1000
    change_log_limit: Annotated[int, Field(ge=1000)] = 100_000
    lease: Annotated[float, Field(ge=1, le=600)] = 30.0
    concurrent_syncs: Annotated[int, Field(ge=1, le=1000)] = 32


def _distinct(names: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(names)) != len(names):
        raise ValueError("expected each name once")
    return names


class ActivitySettings(SettingsSection):
    """What the door takes in, and how it is worked off."""

    types: tuple[ActivityType, ...] | None = None
    sources: tuple[Annotated[str, Field(min_length=1, max_length=LONGEST_SOURCE)], ...] | None = None
    max_types: Annotated[int, Field(ge=1, le=1_000_000)] = 10_000
    dimensions: Annotated[
        tuple[Annotated[str, Field(pattern=r"^(source|properties\.[A-Za-z0-9_.$-]{1,100})$")], ...],
        AfterValidator(_distinct),
        Field(max_length=10),
    ] = ("source",)
    max_dimension_values: Annotated[int, Field(ge=1, le=100_000)] = 1000
    array_limit: Annotated[int, Field(ge=1, le=100_000)] = 2000
    batch_limit: Annotated[int, Field(ge=1, le=100_000)] = 100
    max_body_bytes: Annotated[int, Field(ge=LARGEST_ACTIVITY, le=64 * 1024**2)] = 8 * 1024**2
    fields: Annotated[dict[str, str], AfterValidator(field_mapping)] = Field(default_factory=dict)
    unknown_fields: Literal["keep", "refuse"] = "keep"
    placeholder_users: tuple[Annotated[str, Field(min_length=1, max_length=LONGEST_USER_ID)], ...] = PLACEHOLDERS
    cloud_events_user: Annotated[str, Field(pattern="^[a-z0-9]{1,50}$")] | None = "subject"
    dedup_window: Annotated[float, Field(ge=1, le=30 * 86400)] = 120.0
    keep_days: Annotated[int | None, Field(ge=1, le=36_500)] = None
    max_backlog: Annotated[int, Field(ge=1)] = 5_000_000
    max_backlog_bytes: Annotated[int, Field(ge=1)] = 1024**3
    workers: Annotated[int, Field(ge=0, le=64)] = 1
    takeover: Annotated[float, Field(ge=1, le=3600)] = 30.0

    @property
    def no_users(self) -> frozenset[str]:
        """What is no user where the id of one is expected."""
        return frozenset(self.placeholder_users)

    @property
    def rules(self) -> ActivityRules:
        """What the lists say."""
        return ActivityRules(
            None if self.types is None else frozenset(self.types),
            None if self.sources is None else frozenset(self.sources),
        )


class StatsSettings(SettingsSection):
    """How figures over activities are made."""

    timezone: Timezone = "UTC"
    retention_types: Annotated[tuple[ActivityType, ...], Field(max_length=20)] = (
        "view",
        "page_view",
        "cart.added",
        "purchase",
    )
    view_types: Annotated[tuple[ActivityType, ...], Field(max_length=20)] = VIEW_TYPES
    purchase_types: Annotated[tuple[ActivityType, ...], Field(max_length=20)] = PURCHASE_TYPES
    verify_at: Annotated[time | None, BeforeValidator(_time_of_day)] = None
    funnel_types: Annotated[tuple[ActivityType, ...], Field(max_length=MOST_KEPT)] = DEFAULT_TYPES

    @property
    def zone(self) -> ZoneInfo:
        """The zone whose days are counted."""
        return ZoneInfo(self.timezone)


class Limits(SettingsSection):
    """What a fetch may take, and how much of what it brings is read."""

    connect_timeout: Seconds = 5.0
    idle_timeout: Seconds = 15.0
    total_timeout: Seconds = 300.0
    max_wire_bytes: Annotated[int, Field(gt=0)] = 200 * 1024**2
    max_decoded_bytes: Annotated[int, Field(gt=0)] = 1024**3
    max_ratio: Annotated[float, Field(ge=1)] = 250.0
    max_plans: Annotated[int, Field(ge=1)] = 1_000_000

    @property
    def of_fetch(self) -> dict[str, Any]:
        """Those that a fetch keeps, by their names."""
        return self.model_dump(exclude={"max_plans"})


class Retry(SettingsSection):
    """How a fetch that failed is tried again within one run."""

    attempts: Annotated[int, Field(ge=1, le=20)] = 3
    initial: Seconds = 0.5
    maximum: Seconds = 30.0


class Breaker(SettingsSection):
    """When a provider that keeps failing is left alone, and for how long."""

    failures: Annotated[int, Field(ge=1, le=1000)] = 5
    reset_after: Seconds = 60.0


class Gate(SettingsSection):
    """When a snapshot is held until it is confirmed."""

    min_plans: Annotated[int, Field(ge=0)] = 10
    max_withdrawn_share: Share = 0.30
    max_changed_share: Share = 0.50
    approval: Literal["agreement", "required"] = "agreement"

    @property
    def policy(self) -> GatePolicy:
        """What the gate goes by."""
        return GatePolicy(self.min_plans, self.max_withdrawn_share, self.max_changed_share, self.approval == "required")


class Settle(SettingsSection):
    """How long a plan must be absent until it counts as withdrawn."""

    seconds: Seconds | None = None
    runs: Annotated[int, Field(ge=1, le=10_000)] | None = None

    @model_validator(mode="after")
    def _is_one_of_them(self) -> "Settle":
        if (self.seconds is None) is (self.runs is None):
            raise ValueError("expected one of seconds and runs")
        return self

    @property
    def policy(self) -> SettlePolicy:
        """What a sync goes by."""
        return SettlePolicy(seconds=self.seconds or 0.0, runs=self.runs or 1)


def _files(said: Any) -> Any:
    if isinstance(said, str) and said != "demo":
        raise ValueError("expected a list of files, or 'demo' for those that come with Marquee")
    return RESPONSES if said == "demo" else said


class ProviderSettings(RequestSettings):
    """A provider."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
    kind: Annotated[str, Field(pattern=r"^(plan-list-xml|mapped|recorded|[A-Za-z_][\w.]*:[A-Za-z_]\w*)$")] = (
        "plan-list-xml"
    )
    url: str = ""
    files: Annotated[tuple[Path, ...], BeforeValidator(_files)] = ()
    timezone: Timezone = "UTC"
    interval: Annotated[float, Field(ge=0.1, le=7 * 86400)] = 60.0
    full_every: Annotated[float, Field(ge=0, le=366 * 86400)] = 86400.0
    enabled: bool = True
    allow_private_networks: bool = False
    options: dict[str, Any] = Field(default={})
    limits: Limits = Limits()
    retry: Retry = Retry()
    breaker: Breaker = Breaker()
    gate: Gate = Gate()
    settle: Settle | None = None

    @model_validator(mode="after")
    def _has_a_source(self) -> "ProviderSettings":
        if self.kind == "recorded" and not self.files:
            raise ValueError("files: kind 'recorded' needs at least one file")
        if self.kind in {"plan-list-xml", "mapped"} and urlsplit(self.url).scheme not in ("http", "https", "file"):
            raise ValueError(f"url: kind {self.kind!r} needs an http://, https:// or file:// URL")
        return self

    @model_validator(mode="after")
    def _can_be_asked_so(self) -> "ProviderSettings":
        parts, said = urlsplit(self.url), ", ".join(self.differing())
        if said and (self.kind == "recorded" or parts.scheme == "file"):
            raise ValueError(f"{said}: nobody is asked for files, only http:// and https:// URLs take it")
        if self.client_certificate and parts.scheme == "http":
            raise ValueError("client_certificate: needs an https:// URL")
        if "@" in parts.netloc and any(name.lower() == "authorization" for name in self.headers):
            raise ValueError("headers.Authorization: the url has a user already, expected one of the two")
        return self


class Logging(SettingsSection):
    """What is logged, and how."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "console", "json"] = "auto"


def _unique(providers: tuple[ProviderSettings, ...]) -> tuple[ProviderSettings, ...]:
    names = [provider.name for provider in providers]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"two providers of one name: {', '.join(twice)}")
    return providers


class Settings(BaseSettings):
    """All settings. Made by `app.infrastructure.settings.configuration.load_settings`."""

    model_config = SettingsConfigDict(
        env_prefix="MARQUEE__",
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
        nested_model_default_partial_update=True,
    )

    service: ServiceSettings = ServiceSettings()
    redis: Redis = Redis()
    database: Database = Database()
    search: Search = Search()
    catalog: Catalog = Catalog()
    activity: ActivitySettings = ActivitySettings()
    stats: StatsSettings = StatsSettings()
    security: Security = Security()
    rate_limits: RateLimitSettings = RateLimitSettings()
    publishing: Publishing = Publishing()
    webhooks: Webhooks = Webhooks()
    telemetry: Telemetry = Telemetry()
    providers: Annotated[tuple[ProviderSettings, ...], AfterValidator(_unique)] = ()
    subscriptions: Annotated[tuple[SubscriptionSettings, ...], AfterValidator(unique)] = ()
    logging: Logging = Logging()

    @cached_property
    def folder(self) -> Path:
        """Where the file stands that said them, beside which modules of users are looked for. It is no setting."""
        return Path.cwd()

    def from_folder(self, folder: Path) -> "Settings":
        """Note where that is."""
        vars(self)["folder"] = folder
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the signature is pydantic-settings'
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let the environment override the file, and read nothing else."""
        return env_settings, init_settings
