"""Who sends one bad key after the other. In this process only, in a bounded memory."""

from collections import OrderedDict
from collections.abc import Callable
from time import monotonic

PER_SECOND = 20.0
"""Bad credentials of one client, each of which may be looked up; and as many at once."""
MOST_CLIENTS = 10_000


class FailedCredentials:
    """Counts bad credentials by client; time makes up for them."""

    def __init__(
        self, per_second: float = PER_SECOND, most: int = MOST_CLIENTS, now: Callable[[], float] = monotonic
    ) -> None:
        self._each = 1 / per_second
        self._most = most
        self._now = now
        self._made_up_for_at: OrderedDict[str, float] = OrderedDict()

    def note(self, client: str) -> None:
        """Count one."""
        now = self._now()
        self._made_up_for_at[client] = max(self._made_up_for_at.get(client, now), now) + self._each
        self._made_up_for_at.move_to_end(client)
        if len(self._made_up_for_at) > self._most:
            self._made_up_for_at.popitem(last=False)

    def are_too_many(self, client: str) -> bool:
        """Tell whether no more of this client's should be looked up for now."""
        return self._made_up_for_at.get(client, 0.0) - self._now() > 1 - self._each / 2
