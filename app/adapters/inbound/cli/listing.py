"""Tables that lose no letter: they are folded where their columns allow it, else each row becomes a paragraph."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal, TypeVar

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from app.adapters.formats.terminal_text import visible
from app.adapters.inbound.cli.saying import print_json, say

GAP = 2
"""Blanks between two columns."""
NARROWEST = 16
"""To which a column that may be folded is narrowed, or to its longest word if that is shorter."""

T = TypeVar("T")
Cell = str | Text
"""Text from outside as `str`; a Text is ours, and may have a style."""


class Listing:
    """Rows under titles. A title that begins with `>` is one of numbers, with `+` one of text that may be folded.

    A column without a title adds nothing that the others do not say: where the room is scarce it goes first. `empty`
    is what is said in place of a table without rows: what there is none of, and what makes one.
    """

    def __init__(self, *titles: str, rows: Iterable[Sequence[Cell]], empty: str) -> None:
        self._columns = [_Column(title) for title in titles]
        self._rows = [[Text(visible(cell)) if isinstance(cell, str) else cell for cell in row] for row in rows]
        self._empty = empty
        for row in self._rows:
            for column, cell in zip(self._columns, row, strict=True):
                column.see(cell)

    @classmethod
    def of(cls, rows: Iterable[T], columns: Mapping[str, Callable[[T], Cell]], *, empty: str) -> "Listing":
        """Make a row of each thing: by title, what its cell says."""
        return cls(*columns, rows=([say_of(row) for say_of in columns.values()] for row in rows), empty=empty)

    def show(self, console: Console | None = None) -> None:
        """Print it as the terminal is wide; what is no terminal gets a row a line, however long."""
        if not self._rows:
            say(self._empty)
            return
        console = console or Console()
        if not console.is_terminal:
            console = Console(width=_natural(self._columns))
        console.print(self._fitted(console.width))

    def _fitted(self, width: int) -> Table:
        places = list(range(len(self._columns)))
        for chosen in (places, [place for place in places if self._columns[place].title]):
            widths = _widths([self._columns[place] for place in chosen], width)
            if widths:
                return self._table(chosen, widths)
        return self._paragraphs()

    def _table(self, places: Sequence[int], widths: Sequence[int]) -> Table:
        table = Table(box=None, pad_edge=False, header_style="bold")
        for place, width in zip(places, widths, strict=True):
            column = self._columns[place]
            table.add_column(Text(column.title), justify=column.justify, width=width, overflow="fold")
        for row in self._rows:
            table.add_row(*(row[place] for place in places))
        return table

    def _paragraphs(self) -> Table:
        table = Table.grid(padding=(0, GAP, 0, 0))
        table.add_column(style="bold", no_wrap=True)
        table.add_column(overflow="fold")
        for number, row in enumerate(self._rows):
            if number:
                table.add_row("", "")
            for column, cell in zip(self._columns, row, strict=True):
                if column.title and cell.plain:
                    table.add_row(Text(column.title), cell)
        return table


class Facts(Listing):
    """One thing, a fact a row: a paragraph wherever it is shown."""

    def __init__(self, facts: dict[str, str]) -> None:
        super().__init__(*facts, rows=[list(facts.values())], empty="")

    def _fitted(self, width: int) -> Table:  # noqa: ARG002 - it has one form
        return self._paragraphs()


def show(as_json: bool, document: Any, *shown: Listing | str | Callable[[], None]) -> None:
    """Print the document, for programs, or the same as tables and lines, or by what prints them, for people."""
    if as_json:
        print_json(document)
        return
    for one in shown:
        if isinstance(one, str):
            say(one)
        else:
            (one.show if isinstance(one, Listing) else one)()


class _Column:
    def __init__(self, title: str) -> None:
        self.title = title[1:] if title.startswith((">", "+")) else title
        self.folds = title.startswith("+")
        self.justify: Literal["left", "right"] = "right" if title.startswith(">") else "left"
        self.natural = self._longest_word = 0
        self.see(Text(self.title))

    def see(self, cell: Text) -> None:
        self.natural = max(self.natural, cell.cell_len)
        self._longest_word = max(self._longest_word, *map(cell_len, cell.plain.split(" ")))

    @property
    def least(self) -> int:
        return min(self._longest_word, NARROWEST) if self.folds else self.natural


def _natural(columns: Sequence[_Column]) -> int:
    return max(1, sum(column.natural for column in columns) + GAP * (len(columns) - 1))


def _widths(columns: Sequence[_Column], width: int) -> list[int] | None:
    """Share the room out: what each needs, or the same to all that have to fold; None: it is too little."""
    room = width - GAP * (len(columns) - 1) - sum(column.least for column in columns)
    if room < 0:
        return None
    widths = [column.least for column in columns]
    wanting = sorted(range(len(columns)), key=lambda place: columns[place].natural - columns[place].least)
    for done, place in enumerate(wanting):
        more = min(columns[place].natural - columns[place].least, room // (len(columns) - done))
        widths[place] += more
        room -= more
    return widths
