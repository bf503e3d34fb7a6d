"""Ask a scheduler to sync a provider now."""

from collections.abc import Callable
from dataclasses import dataclass

from app.application.ports.providers import ProviderDirectory
from app.application.ports.system import SyncRequest, SyncRequests
from app.domain.errors import NoSchedulerError


@dataclass(frozen=True, slots=True)
class RequestSync:
    """Ask for a sync without doing it: an API process must not parse feeds while it answers searches."""

    directory: ProviderDirectory
    requests: SyncRequests
    new_run_id: Callable[[], str]

    async def __call__(self, provider: str, *, approve: bool = False, full: bool = False) -> str:
        """Return the id under which the run will be reported.

        Raises:
            UnknownProviderError: it is not configured.
            NoSchedulerError: nobody would do it.
            LiveStateUnavailableError: nobody can be asked.
        """
        request = SyncRequest(self.directory.get(provider).name, self.new_run_id(), approve, full)
        if not await self.requests.put(request):
            raise NoSchedulerError
        return request.run_id
