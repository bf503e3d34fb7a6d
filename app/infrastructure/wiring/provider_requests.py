"""From the settings of a provider to how it is asked."""

from app.adapters.egress.addresses import AddressPolicy
from app.adapters.egress.trust import tls_context
from app.adapters.outbound.providers.fetching.fetched_feed import FetchLimits
from app.adapters.outbound.providers.fetching.pinned_get import PinnedGet
from app.application.ports.providers import FeedRequest
from app.infrastructure.settings.settings import ProviderSettings


def feed_request_of(found: ProviderSettings) -> FeedRequest:
    """Say how it is asked."""
    shown = found.client_certificate
    return FeedRequest(
        method=found.method,
        headers={name: value.get_secret_value() for name, value in found.headers.items()},
        user_agent=found.user_agent,
        body=found.body.get_secret_value() if found.body else None,
        content_type=found.content_type,
        ca_file=found.ca_file,
        certificate=shown.certificate if shown else None,
        key=shown.key if shown else None,
    )


def pinned_get_of(found: ProviderSettings) -> PinnedGet:
    """Make what asks it.

    Raises:
        ValueError: one of its files cannot be used.
    """
    request = feed_request_of(found)
    trusted = identified = None
    try:
        if request.ca_file:
            trusted = tls_context(request.ca_file)
        if request.certificate:
            identified = tls_context(request.ca_file, request.certificate, request.key)
    except ValueError as error:
        raise ValueError(f"{'client_certificate' if trusted or not request.ca_file else 'ca_file'}: {error}") from None
    return PinnedGet(
        limits=FetchLimits(**found.limits.of_fetch),
        policy=AddressPolicy(allow_private_networks=found.allow_private_networks),
        trusted=trusted,
        identified=identified,
        request=request,
    )
