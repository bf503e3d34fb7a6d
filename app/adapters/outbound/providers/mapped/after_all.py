"""A record that is remembered, read after all: by whoever finds that the catalog says something else of it."""

import threading
from collections.abc import Mapping

from app.adapters.outbound.providers.mapped.compile_mapping import compile_mapping
from app.adapters.outbound.providers.mapped.paths import Record
from app.adapters.outbound.providers.mapped.plan_mapper import PlanMapper
from app.domain.feeds import PlanRecord


class AfterAll:
    """Reads records in the thread of whoever asks, by a mapping of that thread: what lxml compiles must not wander."""

    def __init__(self, options: Mapping[str, object], *, provider: str, timezone: str) -> None:
        """Take what a mapping is compiled of, when somebody asks."""
        self._options = options
        self._provider = provider
        self._timezone = timezone
        self._of_thread = threading.local()

    def read(self, record: Record) -> PlanRecord:
        """Read a record that was a plan by the same rules."""
        [told] = self._mapper().records(record.again() if record.again else record)
        assert isinstance(told, PlanRecord)  # noqa: S101 - it was one when it was read
        return told

    def _mapper(self) -> PlanMapper:
        if not hasattr(self._of_thread, "mapper"):
            mapping = compile_mapping(self._options)
            self._of_thread.mapper = PlanMapper(mapping, provider=self._provider, timezone=self._timezone)
        mapper: PlanMapper = self._of_thread.mapper
        return mapper
