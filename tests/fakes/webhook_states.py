"""WebhookStates in memory: the reference."""

from collections import Counter
from collections.abc import Mapping

from app.application.ports.webhooks import WebhookStates
from tests.fakes.webhook_endpoints import MemoryWebhooks


class MemoryWebhookStates(WebhookStates):
    """A look at all of them."""

    def __init__(self, store: MemoryWebhooks) -> None:
        self._store = store

    async def counts(self) -> Mapping[str | None, int]:
        """Count."""
        self._store.check()
        return Counter(endpoint.why_off for endpoint in self._store.endpoints.values())
