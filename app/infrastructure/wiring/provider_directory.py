"""From the settings of a provider to a provider: the kind names the adapter, all get the same retry and breaker."""

from collections.abc import Sequence
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit, urlunsplit

from app.adapters.machine.system_clock import SystemClock
from app.adapters.outbound.memory.circuit_states import MemoryCircuitStates
from app.adapters.outbound.providers.fetching.fetched_feed import FetchLimits
from app.adapters.outbound.providers.mapped.mapped_provider import MappedProvider
from app.adapters.outbound.providers.mapped.mistakes import InvalidMappingError
from app.adapters.outbound.providers.plan_list_xml import PlanListXmlProvider
from app.adapters.outbound.providers.recorded import RecordedProvider
from app.adapters.outbound.providers.unusable import UnusableProvider
from app.adapters.outbound.resilience.circuit_breaker import BreakerPolicy
from app.adapters.outbound.resilience.resilient_provider import ResilientProvider, RetryPolicy
from app.application.ports.providers import ConfiguredProvider, Provider, ProviderDirectory, ProviderSpec
from app.application.ports.system import CircuitStates, Clock
from app.domain.errors import UnknownProviderError
from app.infrastructure.settings.settings import ProviderSettings, Settings
from app.infrastructure.settings.start_errors import ConfigurationError
from app.infrastructure.time_zones.zone_rules import ZONE_RULES
from app.infrastructure.wiring.provider_modules import NoSuchModuleError, load_attribute
from app.infrastructure.wiring.provider_requests import feed_request_of, pinned_get_of

READINGS = "readings"
"""In the data directory: what of each provider's feed was read well, a cache that may be deleted at any time."""
KEPT = "documents"
"""In the data directory: documents that say more on another day. A cache, which may be deleted at any time."""


class SettingsDirectory(ProviderDirectory):
    """The providers of the settings."""

    def __init__(self, settings: Settings, circuits: CircuitStates, clock: Clock) -> None:
        """Make all of them.

        Raises:
            ConfigurationError: kinds of ours refuse their settings; it has what all of them say.
        """
        self._providers: dict[str, ConfiguredProvider] = {}
        mistakes: list[str] = []
        for found in settings.providers:
            try:
                self._providers[found.name] = _configured(found, settings, circuits, clock)
            except ConfigurationError as error:
                mistakes.extend(error.mistakes)
        if mistakes:
            raise ConfigurationError(mistakes)

    def all(self) -> Sequence[ConfiguredProvider]:
        """See ProviderDirectory."""
        return list(self._providers.values())

    def get(self, name: str) -> ConfiguredProvider:
        """See ProviderDirectory."""
        if name not in self._providers:
            raise UnknownProviderError(name, self._providers)
        return self._providers[name]


def check_providers(settings: Settings) -> ProviderDirectory:
    """Make every provider once, to find out at the start what is wrong with its settings.

    Raises:
        ConfigurationError: see SettingsDirectory.
    """
    return SettingsDirectory(settings, MemoryCircuitStates(), SystemClock())


def _configured(
    found: ProviderSettings, settings: Settings, circuits: CircuitStates, clock: Clock
) -> ConfiguredProvider:
    source, trouble = _source(found, settings, clock)
    if trouble is None:
        source = ResilientProvider(
            source,
            name=found.name,
            states=circuits,
            retry=RetryPolicy(**found.retry.model_dump()),
            breaker=BreakerPolicy(**found.breaker.model_dump()),
            clock=clock,
        )
    return ConfiguredProvider(
        **found.model_dump(include={"name", "kind", "timezone", "interval", "full_every", "enabled"}),
        url=_without_secrets(found),
        gate=found.gate.policy,
        settle=found.settle.policy if found.settle else None,
        max_plans=found.limits.max_plans,
        source=source,
        trouble=trouble,
    )


def _source(found: ProviderSettings, settings: Settings, clock: Clock) -> tuple[Provider, str | None]:
    """Make a provider of its kind; one of a kind from outside that cannot be had, and why."""
    if ":" not in found.kind:
        return provider_of(found, settings.service.data_dir, clock), None
    try:
        return _foreign(found, settings.folder), None
    except (Exception, SystemExit) as error:  # noqa: BLE001 - code of users: whatever it does costs its provider alone
        said = " ".join(str(error).split())
        trouble = said if isinstance(error, NoSuchModuleError) else f"{type(error).__name__}: {said}"
        trouble = f"kind {found.kind!r} cannot be used: {trouble}"
        return UnusableProvider(trouble), trouble


def provider_of(found: ProviderSettings, data_dir: Path | None, clock: Clock) -> Provider:
    """Make a provider of a kind of ours, without retry and breaker; without a data directory it keeps nothing.

    Raises:
        ConfigurationError: it refuses its settings.
    """
    name, zone = found.name, found.timezone
    readings = data_dir / READINGS / name if data_dir else None
    limits = FetchLimits(**found.limits.of_fetch)
    try:
        if found.kind == "recorded":
            return RecordedProvider(
                name=name,
                files=found.files,
                timezone=zone,
                limits=limits,
                clock=clock,
                readings=readings,
                rules=ZONE_RULES,
            )
        get = pinned_get_of(found)
        if found.kind == "mapped":
            return MappedProvider(
                name=name,
                url=found.url,
                timezone=zone,
                options=found.options,
                get=get,
                clock=clock,
                rules=ZONE_RULES,
                kept=data_dir / KEPT / name if data_dir else None,
                readings=readings,
            )
        return PlanListXmlProvider(
            name=name, url=found.url, timezone=zone, get=get, clock=clock, readings=readings, rules=ZONE_RULES
        )
    except InvalidMappingError as error:
        raise ConfigurationError([f"providers.{name}: {mistake}" for mistake in error.mistakes]) from None
    except ValueError as error:
        raise ConfigurationError([f"providers.{name}: {error}"]) from None


def _foreign(found: ProviderSettings, folder: Path) -> Provider:
    """Make a provider of a kind from outside: `package.module:Class`."""
    spec = ProviderSpec(
        name=found.name,
        url=found.url,
        timezone=found.timezone,
        options=found.options,
        request=feed_request_of(found),
    )
    made = load_attribute(found.kind, folder)(spec)
    if not callable(getattr(made, "fetch", None)):
        raise TypeError("it makes no app.application.ports.providers.Provider: it has no fetch")
    return cast("Provider", made)


def _without_secrets(found: ProviderSettings) -> str:
    """Show where a provider is without its user, password and query."""
    if found.kind == "recorded":
        return ", ".join(file.name for file in found.files)
    parts = urlsplit(found.url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, "", ""))
