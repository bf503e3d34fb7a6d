"""`marquee import`: activities from a file or standard input."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Annotated

import typer

from app.adapters.inbound.activity_files.columns import read_mapping
from app.adapters.inbound.activity_files.file_form import Format, SaidOfFile, read_form
from app.adapters.inbound.activity_files.imported_file import ImportedFile
from app.adapters.inbound.activity_files.rejects_file import LARGEST, RejectsFile, rejects_path
from app.adapters.inbound.activity_files.source import open_source
from app.adapters.inbound.answering.stats_answers import ImportSummary, import_answer
from app.adapters.inbound.cli.listing import show
from app.adapters.inbound.cli.options import Json
from app.adapters.inbound.cli.progress import import_bar
from app.adapters.inbound.cli.running import Opener, resumable, run
from app.adapters.inbound.cli.saying import say
from app.adapters.inbound.cli.stats_tables import print_import
from app.adapters.inbound.reading.activity_names import FieldNames
from app.adapters.inbound.reading.reading import USUAL_NAMES
from app.application.import_activities import ImportActivities
from app.application.ports.system import Clock
from app.domain.activities import ActivityRules

File = Annotated[Path, typer.Argument(metavar="FILE", help="CSV or NDJSON, also packed by gzip; - is standard input.")]
Map = Annotated[
    list[str] | None,
    typer.Option("--map", metavar="COLUMN=FIELD", help="Read a column as a field; FIELD may be properties.NAME."),
]
FormatOption = Annotated[Format | None, typer.Option("--format", help="By default the name tells, else the content.")]
Delimiter = Annotated[
    str | None,
    typer.Option(
        metavar="CHARACTER", help="Between cells, or comma, semicolon, tab, pipe; by default the header tells."
    ),
]
Encoding = Annotated[
    str | None, typer.Option(metavar="NAME", help="Such as cp1252 or latin-1; UTF-8 and UTF-16 tell themselves.")
]
Timezone = Annotated[
    str | None, typer.Option(metavar="ZONE", help="Of times without an offset, such as Europe/Madrid; UTC by default.")
]
DecimalComma = Annotated[bool, typer.Option("--decimal-comma", help="Numbers are written as 1.234,50.")]
RejectsOption = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Rows that cannot be used; FILE.rejects.ndjson by default.")
]
MostBytes = Annotated[
    int, typer.Option("--max-rejects-bytes", min=1024, help="How long that file may get; what is left out is counted.")
]
Again = Annotated[bool, typer.Option("--again", help="Also the rows that were imported or rejected before.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportParts:
    """What the command needs."""

    import_activities: ImportActivities
    rules: ActivityRules
    clock: Clock
    no_users: frozenset[str] = USUAL_NAMES.no_users
    """What is no user where the id of one is expected."""


def add_import_command(cli: typer.Typer, open_parts: Opener[ImportParts]) -> None:
    """Add the command `import` to `cli`."""

    @cli.command(name="import")
    def import_(  # noqa: PLR0913, PLR0917 - the options of one command
        file: File,
        columns: Map = None,
        format_: FormatOption = None,
        delimiter: Delimiter = None,
        encoding: Encoding = None,
        timezone: Timezone = None,
        decimal_comma: DecimalComma = False,
        rejects: RejectsOption = None,
        max_rejects_bytes: MostBytes = LARGEST,
        again: Again = False,
        as_json: Json = False,
    ) -> None:
        """Import activities; safe to repeat, and to continue after a kill. Exit code 1: cut short, or no usable row."""

        async def work(core: ImportParts) -> ImportSummary:
            said = SaidOfFile(
                format=format_, delimiter=delimiter, encoding=encoding, timezone=timezone, decimal_comma=decimal_comma
            )
            form = read_form(said)
            kept = RejectsFile(rejects or rejects_path(file), max_rejects_bytes)
            with open_source(file) as source, import_bar() as bar:
                began = monotonic()
                names = FieldNames(read_mapping(columns or ()), no_users=core.no_users)
                rows = ImportedFile(source, core.rules, core.clock, names, form)
                report = await core.import_activities(rows, kept, bar, again=again)
                return ImportSummary(report, monotonic() - began, rows.ignored, str(kept.path), kept.left_out)

        with resumable():
            summary = run(open_parts, work)
        show(as_json, import_answer(summary), partial(print_import, summary))
        if summary.report.trouble:
            say(f"marquee: cut short: {summary.report.trouble}; the same command goes on from there", err=True)
        if summary.report.is_useless:
            say("marquee: no row could be used", err=True)
        raise typer.Exit(1 if summary.report.trouble or summary.report.is_useless else 0)
