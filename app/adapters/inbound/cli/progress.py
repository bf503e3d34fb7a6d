"""Live displays of work, on a terminal; elsewhere there is nothing, so that logs and pipes stay clean."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import TypeVar

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.progress import TimeRemainingColumn as TimeLeftColumn

from app.application.import_activities import ImportWatcher
from app.application.ports.activities import Progress as Told
from app.application.ports.copies import CopyProgress
from app.application.ports.providers import FeedWatcher

T = TypeVar("T")
WHAT = TextColumn("{task.description}")


@contextmanager
def _live(watch: Callable[[Progress], T], *columns: ProgressColumn) -> Iterator[T | None]:
    """Show lines of these columns on a terminal; `watch` makes what is told of the work."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield None
        return
    with Progress(SpinnerColumn(), *columns, console=console, transient=True) as display:
        yield watch(display)


class _SyncBar(FeedWatcher):
    """Shows the bytes fetched and the records read."""

    def __init__(self, display: Progress, provider: str) -> None:
        self._display = display
        self._task = display.add_task(provider, total=None, records="")

    def fetched(self, received: int, total: int | None) -> None:
        """See FeedWatcher."""
        self._display.update(self._task, completed=received, total=total)

    def read(self, records: int) -> None:
        """See FeedWatcher."""
        self._display.update(self._task, records=f"{records:,} records")


class _ImportBar(ImportWatcher):
    """Shows rows, rate, and the time left as the share of the file tells it."""

    def __init__(self, display: Progress) -> None:
        self._display = display
        self._task = display.add_task("", total=1.0, rows="reading the file once, for its digest")

    def handled(self, rows: int, share: float) -> None:
        """See ImportWatcher."""
        elapsed = self._display.tasks[self._task].elapsed or 0
        rate = f", {rows / elapsed:,.0f} rows/s" if elapsed else ""
        self._display.update(self._task, completed=share, rows=f"{rows:,} rows{rate}")


class _CopyBar(CopyProgress):
    """A line for what is worked on."""

    def __init__(self, display: Progress) -> None:
        self._display = display
        self._task = display.add_task("", total=None)

    def begins(self, what: str, rows: int) -> None:
        """See CopyProgress."""
        self._display.reset(self._task, description=what, total=rows)

    def advances(self, rows: int) -> None:
        """See CopyProgress."""
        self._display.advance(self._task, rows)


def sync_bars() -> AbstractContextManager[Callable[[str], FeedWatcher] | None]:
    """Show syncs, each on a line that is begun with the provider's name."""
    records = TextColumn("{task.fields[records]}")
    columns = WHAT, BarColumn(), DownloadColumn(), records, TimeElapsedColumn()
    return _live(lambda display: partial(_SyncBar, display), *columns)


def import_bar() -> AbstractContextManager[ImportWatcher | None]:
    """Show an import."""
    rows = TextColumn("{task.fields[rows]}")
    return _live(_ImportBar, BarColumn(20), TaskProgressColumn(), rows, TimeLeftColumn())


def copy_bar() -> AbstractContextManager[CopyProgress | None]:
    """Show a copy of the history."""
    return _live(_CopyBar, WHAT, BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())


def counting(title: str) -> AbstractContextManager[Told | None]:
    """Show how many activities have been read."""

    def counter(display: Progress) -> Told:
        task = display.add_task(title, total=None)
        return lambda count: display.update(task, completed=count)

    return _live(counter, WHAT, TextColumn("{task.completed:,.0f} activities"), TimeElapsedColumn())
