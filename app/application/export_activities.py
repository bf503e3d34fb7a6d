"""Take activities out, slice by slice: the next ones are read while whoever asked writes the last one."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from app.application.ports.activity_archive import ActivityArchive, LineForm, Lines, Slice
from app.domain.activities import Activity
from app.domain.activity_spans import ActivitySpan

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Exported(Generic[T]):
    """What a slice became, and where to go on behind it."""

    content: T
    place: str


@dataclass(frozen=True, slots=True)
class ExportActivities:
    """Hand out the activities of a span in the order of the archive. `ahead` slices are read before they are needed."""

    archive: ActivityArchive
    ahead: int = 2

    def __call__(self, span: ActivitySpan, form: LineForm, after: str = "") -> AsyncGenerator[Exported[Lines], None]:
        """Write them on lines, from behind a place on. What is not in the span is left out.

        Raises:
            UnknownPlaceError: `after` is none of this archive's places.
            HistoryUnavailableError: it goes on behind the last place that was handed out.
        """
        return self._read(span, after, lambda wanted: self.archive.lines(span, wanted, form))

    def records(self, span: ActivitySpan) -> AsyncGenerator[Exported[Sequence[Activity]], None]:
        """Hand the same out as activities, from the first one on; errors as above."""
        return self._read(span, "", lambda wanted: self.archive.activities(span, wanted))

    async def _read(
        self, span: ActivitySpan, after: str, read: Callable[[Slice], Awaitable[T]]
    ) -> AsyncGenerator[Exported[T], None]:
        async def exported(wanted: Slice) -> Exported[T]:
            return Exported(await read(wanted), wanted.end)

        begun: deque[asyncio.Task[Exported[T]]] = deque()
        try:
            while wanted := await self.archive.next_slice(span, after):
                begun.append(asyncio.create_task(exported(wanted)))
                after = wanted.end
                if len(begun) > self.ahead:
                    yield await begun.popleft()
            while begun:
                yield await begun.popleft()
        finally:  # whoever asked has gone, or the history has
            for task in begun:
                task.cancel()
            await asyncio.gather(*begun, return_exceptions=True)
