"""What subscriptions need beside Marquee: an extra for each kind of broker."""

from collections.abc import Mapping
from importlib.util import find_spec

from app.infrastructure.settings.settings import Settings
from app.infrastructure.settings.start_errors import ConfigurationError
from app.infrastructure.settings.subscription_settings import SubscriptionSettings

PACKAGES = {"nats": "nats", "sqs": "aiobotocore"}
"""By extra: what is imported of it."""


def check_extras(settings: Settings, packages: Mapping[str, str] = PACKAGES) -> None:
    """See that what the subscriptions need is installed.

    Raises:
        ConfigurationError: it is not.
    """
    mistakes = [said for one in settings.subscriptions if one.enabled and (said := missing_extra(one, packages))]
    if mistakes:
        raise ConfigurationError(mistakes)


def missing_extra(subscription: SubscriptionSettings, packages: Mapping[str, str] = PACKAGES) -> str | None:
    """Say what is not installed that a subscription needs; None when all of it is."""
    extra = "nats" if subscription.nats else "sqs"
    if find_spec(packages[extra]) is not None:
        return None
    missing = f"subscriptions: {subscription.name!r} needs {packages[extra]}, which is not installed"
    return f"{missing}: run `.venv/bin/pip install -e '.[{extra}]'` in the project's folder, or leave it out"
