"""The settings of what is told to others: domain events, webhooks, traces."""

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from app.infrastructure.settings.settings_section import SettingsSection, Share


class Publishing(SettingsSection):
    """Who is told of domain events, beside webhooks."""

    log: bool = False
    redis_stream: bool = False
    stream_length: Annotated[int, Field(ge=100, le=100_000_000)] = 100_000
    source: Annotated[str, Field(min_length=1, max_length=200)] = "/marquee"


class Webhooks(SettingsSection):
    """How webhooks are delivered."""

    timeout: Annotated[float, Field(ge=0.1, le=60)] = 10.0
    allow_private_networks: bool = False
    keep_days: Annotated[int, Field(ge=4, le=3650)] = 30
    disable_after: Annotated[float, Field(ge=60, le=30 * 86400)] = 5 * 86400.0
    max_pending: Annotated[int, Field(ge=100, le=10_000_000)] = 100_000

    @property
    def log_kept(self) -> timedelta:
        """For how long the log of deliveries is."""
        return timedelta(days=self.keep_days)

    @property
    def failing_allowed(self) -> timedelta:
        """How long an endpoint may fail before it is switched off."""
        return timedelta(seconds=self.disable_after)


class Telemetry(SettingsSection):
    """Traces."""

    otlp_endpoint: Annotated[str, Field(pattern=r"^https?://")] | None = None
    sample: Share = 0.01
    service_name: Annotated[str, Field(min_length=1, max_length=100)] = "marquee"
