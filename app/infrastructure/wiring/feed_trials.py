"""What `marquee providers try` works with: no Redis, no database, no configuration."""

from functools import partial

from pydantic import ValidationError

from app.adapters.machine.system_clock import SYSTEM_CLOCK
from app.adapters.outbound.providers.fetching.pinned_get import PinnedGet
from app.adapters.outbound.providers.inspection.feed_inspector import FetchingInspector
from app.application.ports.feed_trials import FeedFindings, FeedUnderTrial
from app.application.ports.providers import Provider
from app.application.ports.system import Clock
from app.application.try_feed import TryFeed
from app.infrastructure.settings.setting_mistakes import told
from app.infrastructure.settings.settings import ProviderSettings
from app.infrastructure.settings.start_errors import ConfigurationError
from app.infrastructure.wiring.provider_directory import provider_of
from app.infrastructure.wiring.provider_requests import pinned_get_of

NAME = "trial"


def open_feed_trial(clock: Clock = SYSTEM_CLOCK) -> TryFeed:
    """Make the use case."""
    return TryFeed(FetchingInspector(_get_of, partial(_provider_of, clock=clock)))


def _get_of(feed: FeedUnderTrial) -> PinnedGet:
    return pinned_get_of(_settings(feed))


def _provider_of(feed: FeedUnderTrial, findings: FeedFindings, *, clock: Clock) -> Provider:
    """Make it.

    Raises:
        ConfigurationError: the options are wrong; each mistake by the key under `options`.
    """
    options = dict(findings.options)
    if feed.url.startswith("file:"):
        options.pop("pages", None)  # a file that was saved is a page by itself
    more = {"kind": findings.kind or "", "timezone": findings.timezone, "options": options}
    try:
        return provider_of(_settings(feed, **more), None, clock)
    except ConfigurationError as error:
        raise ConfigurationError([one.removeprefix(f"providers.{NAME}: ") for one in error.mistakes]) from None


def _settings(feed: FeedUnderTrial, **more: object) -> ProviderSettings:
    """Judge what was said as if it stood in the configuration; who asks may go wherever he can go himself.

    Raises:
        ConfigurationError: all that is wrong with it.
    """
    said = {"name": NAME, "url": feed.url, "headers": dict(feed.headers), "timezone": feed.timezone or "UTC", **more}
    make = partial(ProviderSettings, allow_private_networks=True)
    try:
        return make(**{key: value for key, value in said.items() if value})
    except ValidationError as error:
        raise ConfigurationError(list(told(error.errors(), said, "the feed"))) from None
