"""The startup check of mappings: what an operator should know of them, though they can be used."""

from collections.abc import Sequence

import structlog

from app.adapters.outbound.providers.mapped.compile_mapping import compile_mapping
from app.infrastructure.settings.settings import ProviderSettings, Settings

log = structlog.get_logger()


def warn_of_mappings(settings: Settings) -> None:
    """Say at each start of the scheduler, in a line each, what mappings do without."""
    for provider in settings.providers:
        for said in mapping_warnings(provider):
            log.warning(said, provider=provider.name)


def mapping_warnings(provider: ProviderSettings) -> Sequence[str]:
    """Give the lines of a provider; none of a kind that has no mapping.

    Raises:
        InvalidMappingError: its options make none.
    """
    return compile_mapping(provider.options).warnings if provider.kind == "mapped" else ()
