"""The shares of the journal that this worker writes: its fair part, and what nobody else takes."""

from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from app.application.journal_shares import ALL_SHARES, fair_number
from app.application.ports.figures import Presence
from app.application.ports.system import Leases, LeaseTakenError

WORKER = "worker"
"""The role of the processes among which shares are divided."""
LOOKS_AHEAD = 5
"""At one of so many looks whatever is free is taken: another worker may run and not journal."""


@dataclass(slots=True, kw_only=True)
class HeldShares:
    """A lease for each share; all are given back at the end of the block, which is when others get their part."""

    prefix: str
    """How the names of the leases begin."""
    leases: Leases
    presence: Presence
    _held: dict[int, AsyncExitStack] = field(default_factory=dict)
    _looks: int = 0

    @property
    def numbers(self) -> frozenset[int]:
        """Which shares are held."""
        return frozenset(self._held)

    async def take(self) -> bool:
        """Take what is free, up to the fair part; tell whether there is more than before.

        Raises:
            LiveStateUnavailableError: what was taken is held on.
        """
        if len(self._held) == len(ALL_SHARES):
            return False
        self._looks += 1
        most = len(ALL_SHARES) if self._looks % LOOKS_AHEAD == 0 else fair_number(await self._workers())
        before = len(self._held)
        for share in ALL_SHARES:
            if share not in self._held and len(self._held) < most:
                await self._try(share)
        return len(self._held) > before

    async def _try(self, share: int) -> None:
        stack = AsyncExitStack()
        try:
            await stack.enter_async_context(self.leases.hold(f"{self.prefix}-{share}"))
        except LeaseTakenError:
            return
        self._held[share] = stack

    async def _workers(self) -> int:
        return sum(process.role == WORKER for process in await self.presence.running())

    async def __aenter__(self) -> Self:
        """Hold none yet."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give all of them back, whatever becomes of one."""
        async with AsyncExitStack() as all_of_them:
            while self._held:
                all_of_them.push_async_exit(self._held.popitem()[1])
