"""CircuitStates in memory."""

from collections.abc import Sequence

from app.application.ports.system import CircuitState, CircuitStates


class MemoryCircuitStates(CircuitStates):
    """A dict by provider."""

    def __init__(self) -> None:
        self._states: dict[str, CircuitState] = {}

    async def load(self, provider: str) -> CircuitState:
        """Look it up."""
        return self._states.get(provider, CircuitState("closed"))

    async def load_all(self, providers: Sequence[str]) -> Sequence[CircuitState]:
        """Look them up."""
        return [await self.load(name) for name in providers]

    async def save(self, provider: str, state: CircuitState) -> None:
        """Put it down."""
        self._states[provider] = state
