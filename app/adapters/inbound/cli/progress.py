"""Live displays on a terminal, and that of a sync."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)

from app.application.ports.providers import FeedWatcher


class ProgressBar(FeedWatcher):
    """Shows the bytes fetched and the records read."""

    def __init__(self, progress: Progress, provider: str) -> None:
        self._progress = progress
        self._task = progress.add_task(provider, total=None, records="")

    def fetched(self, received: int, total: int | None) -> None:
        """See FeedWatcher."""
        self._progress.update(self._task, completed=received, total=total)

    def read(self, records: int) -> None:
        """See FeedWatcher."""
        self._progress.update(self._task, records=f"{records:,} records")


@contextmanager
def live(console: Console, *columns: ProgressColumn) -> Iterator[Progress | None]:
    """Show lines of these columns on a terminal; nothing elsewhere, so that logs and pipes stay clean."""
    if not console.is_terminal:
        yield None
        return
    with Progress(SpinnerColumn(), *columns, console=console, transient=True) as display:
        yield display


@contextmanager
def progress(console: Console) -> Iterator[Progress | None]:
    """Show syncs."""
    name, records = TextColumn("{task.description}"), TextColumn("{task.fields[records]}")
    with live(console, name, BarColumn(), DownloadColumn(), records, TimeElapsedColumn()) as display:
        yield display
