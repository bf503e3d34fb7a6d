"""From the settings of a provider to a provider: the kind names the adapter, all get the same retry and breaker."""

from collections.abc import Sequence
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit, urlunsplit

from app.adapters.egress.addresses import AddressPolicy
from app.adapters.machine.system_clock import SystemClock
from app.adapters.outbound.memory.circuit_states import MemoryCircuitStates
from app.adapters.outbound.providers.fetched_feed import FetchLimits
from app.adapters.outbound.providers.pinned_get import PinnedGet
from app.adapters.outbound.providers.plan_list_xml import PlanListXmlProvider
from app.adapters.outbound.providers.recorded import RecordedProvider
from app.adapters.outbound.providers.unusable import UnusableProvider
from app.adapters.outbound.resilience.circuit_breaker import BreakerPolicy
from app.adapters.outbound.resilience.resilient_provider import ResilientProvider, RetryPolicy
from app.application.ports.providers import ConfiguredProvider, Provider, ProviderDirectory, ProviderSpec
from app.application.ports.system import CircuitStates, Clock
from app.domain.errors import UnknownProviderError
from app.domain.gate import GatePolicy
from app.infrastructure.settings.settings import ProviderSettings, Settings
from app.infrastructure.settings.start_errors import ConfigurationError
from app.infrastructure.wiring.provider_modules import NoSuchModuleError, load_attribute


class SettingsDirectory(ProviderDirectory):
    """The providers of the settings."""

    def __init__(self, settings: Settings, circuits: CircuitStates, clock: Clock) -> None:
        """Make all of them.

        Raises:
            ConfigurationError: a kind of ours refuses its settings.
        """
        self._providers = {
            found.name: _configured(found, settings.folder, circuits, clock) for found in settings.providers
        }

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


def _configured(found: ProviderSettings, folder: Path, circuits: CircuitStates, clock: Clock) -> ConfiguredProvider:
    source, trouble = _source(found, folder, clock)
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
        **found.model_dump(include={"name", "kind", "timezone", "interval", "enabled"}),
        url=_without_secrets(found),
        gate=GatePolicy(**found.gate.model_dump()),
        max_plans=found.limits.max_plans,
        source=source,
        trouble=trouble,
    )


def _source(found: ProviderSettings, folder: Path, clock: Clock) -> tuple[Provider, str | None]:
    """Make a provider of its kind; one of a kind from outside that cannot be had, and why."""
    if ":" not in found.kind:
        return _ours(found, clock), None
    try:
        return _foreign(found, folder), None
    except (Exception, SystemExit) as error:  # noqa: BLE001 - code of users: whatever it does costs its provider alone
        said = " ".join(str(error).split())
        trouble = said if isinstance(error, NoSuchModuleError) else f"{type(error).__name__}: {said}"
        trouble = f"kind {found.kind!r} cannot be used: {trouble}"
        return UnusableProvider(trouble), trouble


def _ours(found: ProviderSettings, clock: Clock) -> Provider:
    name, zone = found.name, found.timezone
    limits = FetchLimits(**found.limits.of_fetch)
    try:
        if found.kind == "recorded":
            return RecordedProvider(name=name, files=found.files, timezone=zone, limits=limits, clock=clock)
        get = PinnedGet(limits=limits, policy=AddressPolicy(allow_private_networks=found.allow_private_networks))
        return PlanListXmlProvider(name=name, url=found.url, timezone=zone, get=get, clock=clock)
    except ValueError as error:
        raise ConfigurationError([f"providers.{name}: {error}"]) from None


def _foreign(found: ProviderSettings, folder: Path) -> Provider:
    """Make a provider of a kind from outside: `package.module:Class`."""
    spec = ProviderSpec(name=found.name, url=found.url, timezone=found.timezone, options=found.options)
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
