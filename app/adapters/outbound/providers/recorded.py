"""The kind `recorded`: a list of files in place of a provider, one per sync, staying on the last."""

import re
from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path

from app.adapters.machine.system_clock import SYSTEM_CLOCK
from app.adapters.outbound.providers.fetching.fetched_feed import FetchLimits
from app.adapters.outbound.providers.fetching.file_fetch import FileFetch
from app.adapters.outbound.providers.plan_list.feed_reader import FeedReader
from app.adapters.outbound.providers.plan_list.snapshot import XmlSnapshot
from app.adapters.outbound.providers.plan_list_xml import READING
from app.adapters.outbound.providers.reading.reading_memory import ReadingMemory
from app.application.ports.providers import FeedMark, FeedSnapshot, FeedUnchanged, FeedWatcher, Provider
from app.application.ports.system import Clock

_POSITION = re.compile(r"([0-9]{1,9})/[0-9]+")


class RecordedProvider(Provider):
    """Gives the first file to whoever has none, else the one after the file that is marked.

    The position is in the mark, and a mark is saved after a commit: a sync that failed meets the same file again.
    """

    def __init__(  # noqa: PLR0913 - what a provider is made of
        self,
        *,
        name: str,
        files: Sequence[Path],
        timezone: str,
        limits: FetchLimits | None = None,
        clock: Clock = SYSTEM_CLOCK,
        readings: Path | None = None,
        rules: str = "",
    ) -> None:
        """Take the files in their order; `readings` and `rules` as a PlanListXmlProvider does.

        Raises:
            ValueError: there is none.
        """
        if not files:
            raise ValueError("expected at least one file, found none")
        self._name = name
        self._files = [FileFetch(path, limits or FetchLimits(), clock) for path in files]
        self._timezone = timezone
        self._readings = readings
        self._how_read = f"{READING} {name} {timezone} {rules}"
        self._way = blake2b(f"{READING} {timezone}".encode(), digest_size=6).hexdigest()

    async def fetch(self, since: FeedMark | None, watcher: FeedWatcher | None = None) -> FeedSnapshot | None:
        """As the port says; None at the last file while it stays as it is."""
        total = len(self._files)
        done, known = self._position(since)
        position = min(done + 1, total)
        fetch = self._files[position - 1]
        feed = await fetch(known if done >= total else None, watcher)
        if feed is None or isinstance(feed, FeedUnchanged):
            return None
        memory = ReadingMemory(self._readings, self._how_read)
        reader = FeedReader(feed.file, fetch.source, provider=self._name, timezone=self._timezone, memory=memory)
        mark = FeedMark(content=f"{self._way}:{feed.mark.content}", position=f"{position}/{total}")
        more = position < total
        return XmlSnapshot(reader, mark, feed.received, more, watcher)

    def _position(self, since: FeedMark | None) -> tuple[int, FeedMark | None]:
        """Read a mark: how many files are done, and what the last of them held if it was read as it would be now."""
        if since is None:
            return 0, None
        done = _POSITION.fullmatch(since.position or "")
        way, _, content = (since.content or "").partition(":")
        return int(done[1]) if done else 0, FeedMark(content=content) if way == self._way else None
