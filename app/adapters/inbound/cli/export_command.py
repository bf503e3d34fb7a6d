"""`marquee export`: what is kept, to a file or standard output."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import ExitStack, aclosing, contextmanager
from dataclasses import dataclass
from datetime import tzinfo
from math import inf
from pathlib import Path
from time import monotonic
from typing import Annotated

import typer

from app.adapters.inbound.cli.options import add_group
from app.adapters.inbound.cli.progress import counting
from app.adapters.inbound.cli.running import Opener, resumable, run
from app.adapters.inbound.cli.saying import say
from app.adapters.inbound.export_files.output import (
    NOTED_EVERY,
    Output,
    PackedOutput,
    Question,
    ResumableFile,
    StandardOutput,
)
from app.adapters.inbound.export_files.parquet import check_parquet
from app.adapters.inbound.export_files.portions import FileFormat, Portion, activities_as_lines, as_portions
from app.adapters.inbound.export_files.tables import PLAN_COLUMNS, STATS_COLUMNS
from app.adapters.inbound.reading.instants import read_bound, read_date
from app.application.export_activities import ExportActivities
from app.application.export_plans import ExportPlans
from app.application.export_stats import ExportStats
from app.domain.activity_spans import ActivitySpan, span_of

From = Annotated[
    str | None, typer.Option("--from", metavar="DATE|TIME", help="The first day (of stats.timezone), or instant.")
]
To = Annotated[str | None, typer.Option("--to", metavar="DATE|TIME", help="The last day, or instant, included.")]
FirstDay = Annotated[
    str | None, typer.Option("--from", metavar="DATE", help="The first day; without it ten years end with --to.")
]
LastDay = Annotated[str | None, typer.Option("--to", metavar="DATE", help="The last day, included; today by default.")]
FormatOption = Annotated[FileFormat | None, typer.Option("--format", help="By default what FILE ends with, or ndjson.")]
OutputOption = Annotated[
    Path | None,
    typer.Option("--output", metavar="FILE", help="A new file; the same command again goes on where it was killed."),
]
Gzip = Annotated[bool, typer.Option("--gzip", help="Pack it; a FILE that ends with .gz is packed anyway.")]
Escape = Annotated[
    bool, typer.Option("--escape-formulas", help="CSV: an apostrophe before text that begins with = + - or @.")
]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportParts:
    """What the commands need."""

    export_activities: ExportActivities
    export_plans: ExportPlans
    export_stats: ExportStats
    zone: tzinfo


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody wants."""

    what: str
    from_: str | None
    to: str | None
    format: FileFormat | None
    output: Path | None
    gzip: bool
    escape_formulas: bool

    @property
    def is_packed(self) -> bool:
        """Whether it is to be packed."""
        return self.gzip or (self.output is not None and self.output.suffix == ".gz")

    @property
    def lines(self) -> FileFormat:
        """Choose the format."""
        if self.format is not None or self.output is None:
            return self.format or FileFormat.NDJSON
        ending = Path(self.output.name.removesuffix(".gz")).suffix.removeprefix(".")
        return FileFormat(ending) if ending in [*FileFormat] else FileFormat.NDJSON

    @property
    def goes_on(self) -> bool:
        """Whether a file of it that was begun is gone on with; others begin anew."""
        return self.what == "activities" and self.lines is not FileFormat.PARQUET

    def span(self, zone: tzinfo) -> ActivitySpan:
        """Read the bounds.

        Raises:
            InvalidBoundError: one is neither a date nor a date-time.
            ListEndsBeforeItStartsError: they are the wrong way round.
        """
        return span_of(read_bound("--from", self.from_, zone), read_bound("--to", self.to, zone), zone)

    def question(self, span: ActivitySpan, store: str) -> Question:
        """Say for what a file of it is gone on with."""
        return {
            "what": self.what,
            "from": span.begins.isoformat() if span.begins else None,
            "before": span.ends.isoformat() if span.ends else None,
            "format": self.lines,
            "escape_formulas": str(self.escape_formulas),
            "packed": str(self.is_packed),
            "store": store,
        }


def add_export_commands(cli: typer.Typer, open_parts: Opener[ExportParts]) -> None:
    """Add the group `export` to `cli`."""
    group = add_group(cli, "export", "Take out what is kept: to standard output, or to a file.")

    @group.command()
    def activities(  # noqa: PLR0913, PLR0917 - the options of one command
        from_: From = None,
        to: To = None,
        format_: FormatOption = None,
        output: OutputOption = None,
        gzip: Gzip = False,
        escape_formulas: Escape = False,
    ) -> None:
        """Export activities, by days, as they came; `marquee import` of it gives the same figures.

        What is stored meanwhile may be in it or not.
        """
        _export(open_parts, _export_activities, Asked("activities", from_, to, format_, output, gzip, escape_formulas))

    @group.command()
    def plans(  # noqa: PLR0913, PLR0917 - the options of one command
        from_: From = None,
        to: To = None,
        format_: FormatOption = None,
        output: OutputOption = None,
        gzip: Gzip = False,
        escape_formulas: Escape = False,
    ) -> None:
        """Export the plans that start on some days, each once, as the journal knows them; all without bounds."""
        _export(open_parts, _export_plans, Asked("plans", from_, to, format_, output, gzip, escape_formulas))

    @group.command()
    def stats(  # noqa: PLR0913, PLR0917 - the options of one command
        from_: FirstDay = None,
        to: LastDay = None,
        format_: FormatOption = None,
        output: OutputOption = None,
        gzip: Gzip = False,
        escape_formulas: Escape = False,
    ) -> None:
        """Export the users of each day and its totals by type."""
        _export(open_parts, _export_stats, Asked("stats", from_, to, format_, output, gzip, escape_formulas))


def _export(
    open_parts: Opener[ExportParts], work: Callable[[ExportParts, Asked], Awaitable[None]], asked: Asked
) -> None:
    with resumable():
        run(open_parts, lambda core: work(core, asked))


async def _export_activities(core: ExportParts, asked: Asked) -> None:
    span = asked.span(core.zone)
    with _output(asked, span, core.export_activities.archive.name) as output:
        portions = activities_as_lines(
            core.export_activities, span, asked.lines, output.place, escape_formulas=asked.escape_formulas
        )
        await _write(portions, output, "activities")


async def _export_plans(core: ExportParts, asked: Asked) -> None:
    span = asked.span(core.zone)
    with _output(asked, span, core.export_activities.archive.name) as output:
        portions = as_portions(
            PLAN_COLUMNS, core.export_plans(span), asked.lines, escape_formulas=asked.escape_formulas
        )
        await _write(portions, output, "plans")


async def _export_stats(core: ExportParts, asked: Asked) -> None:
    figures = core.export_stats(read_date("--from", asked.from_), read_date("--to", asked.to))
    with _output(asked, asked.span(core.zone), core.export_activities.archive.name) as output:
        portions = as_portions(STATS_COLUMNS, figures, asked.lines, escape_formulas=asked.escape_formulas)
        await _write(portions, output, "figures")


@contextmanager
def _output(asked: Asked, span: ActivitySpan, store: str) -> Iterator[Output]:
    if asked.lines is FileFormat.PARQUET:
        check_parquet()
    with ExitStack() as stack:
        output: Output = StandardOutput()
        if asked.output is not None:
            noted_every = NOTED_EVERY if asked.goes_on else inf
            output = stack.enter_context(ResumableFile(asked.output, asked.question(span, store), noted_every))
        if output.place:
            say(f"marquee: going on with {asked.output}", err=True)
        yield PackedOutput(output) if asked.is_packed else output


async def _write(portions: AsyncGenerator[Portion, None], output: Output, things: str) -> None:
    """Write one portion while the next ones are read."""
    began, count = monotonic(), 0
    with counting("exported") as progress:
        async with aclosing(portions):
            async for portion in portions:
                await asyncio.to_thread(output.add, portion.content, portion.place)
                count += portion.number
                if progress:
                    progress(count)
        await asyncio.to_thread(output.finish)
    seconds = monotonic() - began
    say(f"marquee: {count:,} {things} in {seconds:.1f} s ({count / max(seconds, 1e-9):,.0f}/s)", err=True)
