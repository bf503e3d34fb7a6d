"""Live displays of work on many activities, on a terminal."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.progress import TimeRemainingColumn as TimeLeftColumn

from app.application.import_activities import ImportWatcher
from app.application.ports.activities import Progress as Told


@contextmanager
def counting(console: Console, title: str) -> Iterator[Told | None]:
    """Show how many activities have been read; nothing where there is no terminal."""
    if not console.is_terminal:
        yield None
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        TextColumn("{task.completed:,.0f} activities"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as display:
        task = display.add_task(title, total=None)
        yield lambda count: display.update(task, completed=count)


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
    if not console.is_terminal:
        yield None
        return
    columns = (
        SpinnerColumn(),
        BarColumn(20),
        TaskProgressColumn(),
        TextColumn("{task.fields[rows]}"),
        TimeLeftColumn(),
    )
    with Progress(*columns, console=console, transient=True) as display:
        yield ImportBar(display)
