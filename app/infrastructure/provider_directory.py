"""From the settings of a provider to a provider: the kind names the adapter, all get the same retry and breaker."""

import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit, urlunsplit

from app.adapters.addresses import AddressPolicy
from app.adapters.outbound.memory.circuit_states import MemoryCircuitStates
from app.adapters.outbound.providers.fetched_feed import FetchLimits
from app.adapters.outbound.providers.pinned_get import PinnedGet
from app.adapters.outbound.providers.plan_list_xml import PlanListXmlProvider
from app.adapters.outbound.providers.recorded import RecordedProvider
from app.adapters.outbound.resilience.circuit_breaker import BreakerPolicy
from app.adapters.outbound.resilience.resilient_provider import ResilientProvider, RetryPolicy
from app.application.ports.providers import ConfiguredProvider, Provider, ProviderDirectory, ProviderSpec
from app.application.ports.system import CircuitStates, Clock
from app.domain.errors import UnknownProviderError
from app.domain.gate import GatePolicy
from app.infrastructure.clock import SystemClock
from app.infrastructure.configuration import ConfigurationError
from app.infrastructure.settings import ProviderSettings, Settings


class SettingsDirectory(ProviderDirectory):
    """The providers of the settings."""

    def __init__(self, settings: Settings, circuits: CircuitStates, clock: Clock) -> None:
        """Make all of them.

        Raises:
            ConfigurationError: a kind cannot be had or refuses its settings.
        """
        self._providers = {found.name: _configured(found, circuits, clock) for found in settings.providers}

    def all(self) -> Sequence[ConfiguredProvider]:
        """See ProviderDirectory."""
        return list(self._providers.values())

    def get(self, name: str) -> ConfiguredProvider:
        """See ProviderDirectory."""
        if name not in self._providers:
            raise UnknownProviderError(name, self._providers)
        return self._providers[name]


def check_providers(settings: Settings) -> None:
    """Make every provider once, to find out at the start what is wrong with its settings.

    Raises:
        ConfigurationError: see SettingsDirectory.
    """
    SettingsDirectory(settings, MemoryCircuitStates(), SystemClock())


def _configured(found: ProviderSettings, circuits: CircuitStates, clock: Clock) -> ConfiguredProvider:
    try:
        kind = _source(found, clock)
    except ValueError as error:
        raise ConfigurationError([f"providers.{found.name}: {error}"]) from None
    source = ResilientProvider(
        kind,
        name=found.name,
        states=circuits,
        retry=RetryPolicy(**found.retry.model_dump()),
        breaker=BreakerPolicy(**found.breaker.model_dump()),
        clock=clock,
    )
    return ConfiguredProvider(
        name=found.name,
        kind=found.kind,
        url=_without_secrets(found),
        timezone=found.timezone,
        interval=found.interval,
        enabled=found.enabled,
        gate=GatePolicy(**found.gate.model_dump()),
        source=source,
    )


def _source(found: ProviderSettings, clock: Clock) -> Provider:
    limits = FetchLimits(**found.limits.model_dump())
    if found.kind == "recorded":
        return RecordedProvider(name=found.name, files=found.files, timezone=found.timezone, limits=limits, clock=clock)
    if found.kind == "plan-list-xml":
        get = PinnedGet(limits=limits, policy=AddressPolicy(allow_private_networks=found.allow_private_networks))
        return PlanListXmlProvider(name=found.name, url=found.url, timezone=found.timezone, get=get, clock=clock)
    return _foreign(found)


def _foreign(found: ProviderSettings) -> Provider:
    """Make a provider of a kind from outside: `package.module:Class`, looked for beside the command too."""
    module, _, name = found.kind.partition(":")
    if str(Path.cwd()) not in sys.path:
        sys.path.append(str(Path.cwd()))
    spec = ProviderSpec(name=found.name, url=found.url, timezone=found.timezone, options=found.options)
    try:
        made = getattr(import_module(module), name)(spec)
    except Exception as error:
        words = f"providers.{found.name}.kind: {found.kind!r} cannot be used: {type(error).__name__}: {error}"
        raise ConfigurationError([words]) from error
    if not callable(getattr(made, "fetch", None)):
        expected = "app.application.ports.providers.Provider"
        raise ConfigurationError([f"providers.{found.name}.kind: {found.kind!r} makes no {expected}: it has no fetch"])
    return cast("Provider", made)


def _without_secrets(found: ProviderSettings) -> str:
    """Show where a provider is without its user, password and query."""
    if found.kind == "recorded":
        return ", ".join(file.name for file in found.files)
    parts = urlsplit(found.url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, "", ""))
