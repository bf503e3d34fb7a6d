"""Live displays of work on many activities, on a terminal."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.progress import TimeRemainingColumn as TimeLeftColumn

from app.adapters.inbound.cli.progress import live
from app.application.import_activities import ImportWatcher
from app.application.ports.activities import Progress as Told


@contextmanager
def counting(console: Console, title: str) -> Iterator[Told | None]:
    """Show how many activities have been read; nothing where there is no terminal."""
    what, count = TextColumn("{task.description}"), TextColumn("{task.completed:,.0f} activities")
    with live(console, what, count, TimeElapsedColumn()) as display:
        yield _counter(display, title) if display else None


def _counter(display: Progress, title: str) -> Told:
    task = display.add_task(title, total=None)
    return lambda count: display.update(task, completed=count)


class ImportBar(ImportWatcher):
    """Shows rows, rate, and the time left as the share of the file tells it."""

    def __init__(self, display: Progress) -> None:
        self._display = display
        self._task = display.add_task("", total=1.0, rows="reading the file once, for its digest")

    def handled(self, rows: int, share: float) -> None:
        """See ImportWatcher."""
        elapsed = self._display.tasks[self._task].elapsed or 0
        rate = f", {rows / elapsed:,.0f} rows/s" if elapsed else ""
        self._display.update(self._task, completed=share, rows=f"{rows:,} rows{rate}")


@contextmanager
def import_bar(console: Console) -> Iterator[ImportBar | None]:
    """Show an import; nothing where there is no terminal."""
    rows = TextColumn("{task.fields[rows]}")
    with live(console, BarColumn(20), TaskProgressColumn(), rows, TimeLeftColumn()) as display:
        yield ImportBar(display) if display else None
