"""The events and time zones of an iCalendar file as blocks of lines, whatever else stands in it."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO

from app.adapters.outbound.providers.icalendar.faults import CutCalendarError, NoCalendarError
from app.adapters.outbound.providers.icalendar.lines import Line, read_lines

MAX_BLOCK = 1024 * 1024
"""Bytes of the lines of one event or one time zone."""
EVENT = "VEVENT"
ZONE = "VTIMEZONE"

_MAX_DEPTH = 16
_USUAL = 4 * 1024  # bytes: few events have more
_SHOWN = 60


@dataclass(slots=True)
class Block:
    """One VEVENT, without what is nested in it (alarms), or one VTIMEZONE with all its parts."""

    kind: str
    calendar: int
    """Which VCALENDAR of the file it stands in, from 1."""
    number: int
    """The line of its BEGIN."""
    offset: int
    """Where that begins in the file, in bytes."""
    lines: list[Line] = field(default_factory=list)
    """Without BEGIN and END of the block itself."""
    fault: str | None = None
    """Why it is not whole; its lines are those that were read."""
    size: int = 0

    def add(self, line: Line) -> None:
        """Keep a line, as long as there is room."""
        self.size += len(line.content)
        if self.size <= MAX_BLOCK:
            self.lines.append(line)
        elif self.fault is None:
            self.fault = f"it has more than {MAX_BLOCK:,} bytes, expected at most as many"


class Components:
    """Reads the blocks of a file, in its order; counts in `ignored` the components that are neither event nor zone."""

    def __init__(self, file: IO[bytes], ignored: Counter[str] | None = None) -> None:
        self._file = file
        self.ignored: Counter[str] = Counter() if ignored is None else ignored
        self._calendar = 0
        self._inside = False
        """Whether a VCALENDAR is open."""
        self._cut: CutCalendarError | None = None
        self._block: Block | None = None
        self._stack: list[str] = []
        """What is open inside the block, or inside the calendar where no block is."""

    def blocks(self) -> Iterator[Block]:
        """Read the whole file.

        Raises:
            NoCalendarError: it does not begin as a calendar.
            CutCalendarError: after the last block: an end of a calendar is missing.
        """
        number = 1
        for line in read_lines(self._file):
            number = line.number
            if not self._calendar:
                _require_calendar(line)
            yield from self._take(line)
        if not self._calendar:
            raise NoCalendarError("the document is empty, expected BEGIN:VCALENDAR")
        yield from self._end_of_document()
        if self._inside:
            self._miss(number)
        if self._cut:
            raise self._cut

    def block_at(self, *, calendar: int, number: int, offset: int) -> Block:
        """Read one event once more; `number` and `offset` are those of its Block."""
        self._calendar, self._inside = calendar, True
        for line in read_lines(self._file, number=number, offset=offset, at_once=_USUAL):
            for block in self._take(line):
                return block
        (block,) = self._end_of_document()
        return block

    def _take(self, line: Line) -> Iterator[Block]:
        verb, _, name = line.content.partition(b":")
        verb = verb.upper() if len(verb) < 6 else b""  # noqa: PLR2004 - BEGIN has five letters
        if verb == b"BEGIN":
            yield from self._begin(_name(name), line)
        elif verb == b"END":
            yield from self._end(_name(name), line)
        elif self._block and (not self._stack or self._block.kind == ZONE):
            self._block.add(line)

    def _begin(self, name: str, line: Line) -> Iterator[Block]:
        if name == "VCALENDAR":
            yield from self._break_off("the next calendar begins inside of it")
            if self._inside:
                self._miss(line.number)
            self._calendar += 1
            self._inside = True
        elif name in {EVENT, ZONE}:
            yield from self._break_off(f"the next {name} begins inside of it")
            self._block = Block(name, self._calendar, line.number, line.offset)
        else:
            self._open(name, line)

    def _open(self, name: str, line: Line) -> None:
        if self._block is None and not self._stack:
            self.ignored[name] += 1
        if len(self._stack) < _MAX_DEPTH:
            self._stack.append(name)
        elif self._block:
            self._block.fault = f"there are more than {_MAX_DEPTH} components inside each other, line {line.number}"
        if self._block and self._block.kind == ZONE:
            self._block.add(line)

    def _end(self, name: str, line: Line) -> Iterator[Block]:
        if name == "VCALENDAR":
            yield from self._break_off("the calendar ends inside of it")
            self._inside = False
        elif self._block and name == self._block.kind:
            if self._stack:
                self._block.fault = f"END:{self._stack[-1]} is missing before line {line.number}"
            yield from self._close()
        elif self._stack and name == self._stack[-1]:
            self._stack.pop()
            if self._block and self._block.kind == ZONE:
                self._block.add(line)
        elif self._block:
            self._block.fault = (
                f"line {line.number} is END:{name}, expected END:{(self._stack or [self._block.kind])[-1]}"
            )

    def _end_of_document(self) -> Iterator[Block]:
        return self._break_off("the document ends inside of it")

    def _break_off(self, fault: str) -> Iterator[Block]:
        if self._block:
            self._block.fault = f"{fault}: END:{self._block.kind} is missing"
        yield from self._close()

    def _close(self) -> Iterator[Block]:
        self._stack.clear()
        if self._block:
            block, self._block = self._block, None
            yield block

    def _miss(self, number: int) -> None:
        message = "END:VCALENDAR is missing, so that events may be missing, too"
        self._cut = self._cut or CutCalendarError(message, number)


def _require_calendar(line: Line) -> None:
    if line.content.strip().upper() != b"BEGIN:VCALENDAR":
        found = line.content[:_SHOWN].decode("utf-8", "replace")
        raise NoCalendarError(f"the document begins with {found!r}, expected BEGIN:VCALENDAR")


def _name(content: bytes) -> str:
    return content[:_SHOWN].strip().upper().decode("ascii", "replace")
