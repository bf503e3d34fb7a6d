"""Webhooks in memory: what both stores of them share, and the endpoints; the reference."""

from collections.abc import Callable, Sequence

from app.application.ports.system import HistoryUnavailableError
from app.application.ports.webhooks import Attempted, WebhookEndpoints
from app.domain.webhook_deliveries import Delivery
from app.domain.webhook_errors import WebhookNameTakenError
from app.domain.webhooks import Endpoint, EndpointId


class MemoryWebhooks:
    """One process's stand-in for three tables."""

    def __init__(self) -> None:
        self.unavailable: str | None = None
        """Set it to a reason, and every port on this store raises HistoryUnavailableError with it."""
        self.endpoints: dict[EndpointId, Endpoint] = {}
        self.deliveries: dict[int, Delivery] = {}
        """In the order of their ids."""
        self.attempts: dict[int, Attempted] = {}
        """The last one of each delivery."""
        self.last_id = 0

    def check(self) -> None:
        """Refuse to serve while unavailable.

        Raises:
            HistoryUnavailableError: see `unavailable`.
        """
        if self.unavailable is not None:
            raise HistoryUnavailableError(self.unavailable)

    def of(self, endpoint_id: EndpointId) -> Sequence[Delivery]:
        """List an endpoint's deliveries in the order of their ids."""
        return [self.deliveries[key] for key in sorted(self.deliveries) if self._owner(key) == endpoint_id]

    def forget(self, delivery_id: int) -> None:
        """Forget a delivery and its attempts."""
        del self.deliveries[delivery_id]
        self.attempts.pop(delivery_id, None)

    def _owner(self, delivery_id: int) -> EndpointId:
        return self.deliveries[delivery_id].message.endpoint_id


class MemoryWebhookEndpoints(WebhookEndpoints):
    """A dict."""

    def __init__(self, store: MemoryWebhooks) -> None:
        self._store = store

    async def add(self, endpoint: Endpoint) -> None:
        """Look for the name first."""
        self._store.check()
        if any(other.name == endpoint.name for other in self._store.endpoints.values()):
            raise WebhookNameTakenError(endpoint.name)
        self._store.endpoints[endpoint.endpoint_id] = endpoint

    async def all(self) -> Sequence[Endpoint]:
        """Sort."""
        self._store.check()
        return sorted(self._store.endpoints.values(), key=lambda endpoint: endpoint.name)

    async def find(self, endpoint_id: EndpointId) -> Endpoint | None:
        """Look it up."""
        self._store.check()
        return self._store.endpoints.get(endpoint_id)

    async def change(self, endpoint_id: EndpointId, change: Callable[[Endpoint], Endpoint]) -> Endpoint | None:
        """Nobody runs between."""
        self._store.check()
        before = self._store.endpoints.get(endpoint_id)
        if before is not None:
            self._store.endpoints[endpoint_id] = change(before)
        return self._store.endpoints.get(endpoint_id)

    async def remove(self, endpoint_id: EndpointId) -> bool:
        """Forget its deliveries, too."""
        self._store.check()
        for delivery in self._store.of(endpoint_id):
            self._store.forget(delivery.delivery_id)
        return self._store.endpoints.pop(endpoint_id, None) is not None
