"""Checks of subscriptions: what they need is installed, and the broker lets us read. No message is taken."""

from collections.abc import Sequence

from app.adapters.inbound.subscriptions.subscription import SubscriptionUnavailableError
from app.application.check_installation import Check, Finding, Verdict
from app.infrastructure.settings.settings import Settings
from app.infrastructure.settings.subscription_extras import missing_extra
from app.infrastructure.settings.subscription_settings import SubscriptionSettings
from app.infrastructure.wiring.subscription_parts import probe


def check_subscriptions(settings: Settings) -> list[Check]:
    """Check every subscription that is enabled."""
    return [_check(one) for one in settings.subscriptions if one.enabled]


def _check(subscription: SubscriptionSettings) -> Check:
    subject = f"subscriptions.{subscription.name}"

    async def look() -> Sequence[Finding]:
        if missing := missing_extra(subscription):
            return [Finding(subject, Verdict.PROBLEM, *_parted(missing))]
        try:
            waiting = await probe(subscription)
        except SubscriptionUnavailableError as error:
            return [Finding(subject, Verdict.PROBLEM, str(error), "correct it, or start the broker")]
        return [Finding(subject, Verdict.OK, f"can be read; {waiting:,} messages wait")]

    return Check(subject, look)


def _parted(missing: str) -> tuple[str, str]:
    found, _, remedy = missing.removeprefix("subscriptions: ").partition(": ")
    return found, remedy
