"""Live displays of work, on a terminal; elsewhere there is nothing, so that logs and pipes stay clean."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import TypeVar

from rich import progress
from rich.console import Console

from app.application.import_activities import ImportWatcher
from app.application.ports.activities import Progress
from app.application.ports.copies import CopyProgress
from app.application.ports.providers import FeedWatcher

T = TypeVar("T")
WHAT = progress.TextColumn("{task.description}")


@contextmanager
def _live(watch: Callable[[progress.Progress], T], *columns: progress.ProgressColumn) -> Iterator[T | None]:
    """Show lines of these columns on a terminal; `watch` makes what is told of the work."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield None
        return
    with progress.Progress(progress.SpinnerColumn(), *columns, console=console, transient=True) as display:
        yield watch(display)


class _SyncBar(FeedWatcher):
    """Shows the bytes fetched and the records read."""

    def __init__(self, display: progress.Progress, provider: str) -> None:
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

    def __init__(self, display: progress.Progress) -> None:
        self._display = display
        self._task = display.add_task("", total=1.0, rows="reading the file once, for its digest")

    def handled(self, rows: int, share: float) -> None:
        """See ImportWatcher."""
        elapsed = self._display.tasks[self._task].elapsed or 0
        rate = f", {rows / elapsed:,.0f} rows/s" if elapsed else ""
        self._display.update(self._task, completed=share, rows=f"{rows:,} rows{rate}")


class _CopyBar(CopyProgress):
    """A line for what is worked on."""

    def __init__(self, display: progress.Progress) -> None:
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
    records = progress.TextColumn("{task.fields[records]}")
    columns = WHAT, progress.BarColumn(), progress.DownloadColumn(), records, progress.TimeElapsedColumn()
    return _live(lambda display: partial(_SyncBar, display), *columns)


def import_bar() -> AbstractContextManager[ImportWatcher | None]:
    """Show an import."""
    rows = progress.TextColumn("{task.fields[rows]}")
    return _live(
        _ImportBar, progress.BarColumn(20), progress.TaskProgressColumn(), rows, progress.TimeRemainingColumn()
    )


def copy_bar() -> AbstractContextManager[CopyProgress | None]:
    """Show a copy of the history."""
    return _live(_CopyBar, WHAT, progress.BarColumn(), progress.MofNCompleteColumn(), progress.TimeElapsedColumn())


def counting(title: str) -> AbstractContextManager[Progress | None]:
    """Show how many activities have been read."""

    def counter(display: progress.Progress) -> Progress:
        task = display.add_task(title, total=None)
        return lambda count: display.update(task, completed=count)

    return _live(counter, WHAT, progress.TextColumn("{task.completed:,.0f} activities"), progress.TimeElapsedColumn())
