"""Checks of providers: their modules load, their files can be read, their servers answer. Nothing is parsed."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from app.adapters.outbound.providers.fetching.http_fetch import ANYTHING, HttpFetch
from app.adapters.outbound.providers.fetching.urls import path_of
from app.adapters.outbound.providers.plan_list_xml import ACCEPTED
from app.application.check_installation import Check, Finding, Verdict
from app.application.ports.providers import FeedError
from app.infrastructure.checks.threads import in_thread
from app.infrastructure.settings.settings import ProviderSettings, Settings
from app.infrastructure.settings.start_errors import ConfigurationError
from app.infrastructure.startup.mapping_warnings import mapping_warnings
from app.infrastructure.wiring import provider_directory
from app.infrastructure.wiring.provider_requests import pinned_get_of

_FETCHED = {"plan-list-xml": ACCEPTED, "mapped": ANYTHING}
"""The kinds that fetch a URL, with what they ask for."""


def check_providers(settings: Settings) -> list[Check]:
    """Check every provider that is enabled."""
    if not settings.providers:
        return [Check("providers", _none)]
    return [_check(settings, provider) for provider in settings.providers if provider.enabled]


async def _none() -> Sequence[Finding]:
    return [Finding("providers", Verdict.WARNING, "none is configured", "name one under `providers`")]


def _check(settings: Settings, provider: ProviderSettings) -> Check:
    subject = f"providers.{provider.name}"

    async def look() -> Sequence[Finding]:
        alone = settings.model_copy(update={"providers": (provider,)})
        try:
            directory = await in_thread(lambda: provider_directory.check_providers(alone))
            if trouble := directory.get(provider.name).trouble:
                return [Finding(subject, Verdict.PROBLEM, trouble, "correct the module, or name another kind")]
            found = await _reached(provider)
        except ConfigurationError as error:
            return [Finding(subject, Verdict.PROBLEM, mistake, "correct it") for mistake in error.mistakes]
        except FeedError as error:
            return [Finding(subject, Verdict.PROBLEM, str(error), "correct its url, or ask the provider")]
        except OSError as error:
            words = f"{error.filename}: cannot be read: {error.strerror}"
            return [Finding(subject, Verdict.PROBLEM, words, "correct the path, or its permissions")]
        warnings = [Finding(subject, Verdict.WARNING, said, "map it") for said in mapping_warnings(provider)]
        return [Finding(subject, Verdict.OK, found), *warnings]

    return Check(subject, look)


async def _reached(provider: ProviderSettings) -> str:
    if provider.kind == "recorded":
        for file in provider.files:
            await in_thread(partial(_read, file))
        return f"{len(provider.files)} files can be read"
    if provider.kind not in _FETCHED:
        return f"{provider.kind} loads; `marquee sync {provider.name} --dry-run` says whether its source answers"
    if urlsplit(provider.url).scheme == "file":
        await in_thread(partial(_read, path_of(provider.url)))
        return f"{path_of(provider.url)} can be read"
    fetch = HttpFetch(provider.url, pinned_get_of(provider), accept=_FETCHED[provider.kind])
    await fetch.probe()
    return f"{fetch.source} answers"


def _read(file: Path) -> None:
    if file.exists() and not file.is_file():
        raise IsADirectoryError(None, "it is no regular file", str(file))
    with file.open("rb") as opened:
        opened.read(1)
