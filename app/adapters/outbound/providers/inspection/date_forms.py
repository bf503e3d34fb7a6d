"""How dates and times of a feed are written, told from examples; where they can be read in two ways, both are said."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum

from app.adapters.outbound.providers.inspection.nodes import Kind

MOST_EXAMPLES = 80
_FEW_OTHERS = 0.75
"""The share of the examples that a form must fit; the others are rejections, or have another form."""

_ISO_DATE = re.compile(r"^\d{4}-\d\d-\d\d$")
_ISO_TIME = re.compile(r"^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?\s?(Z|[+-]\d\d(:?\d\d)?)?$", re.IGNORECASE)
_TIME_OF_DAY = re.compile(r"^\d{1,2}[:.h]\d\d([:.]\d\d)?( ?[AaPp]\.?[Mm]\.?)?$")
_WRITTEN = re.compile(
    r"""(?P<weekday>[A-Za-z]{3,9}(?P<comma>,?)\ )?
    (?:(?P<year_first>\d{4})(?P<mark>[/.-])\d{1,2}(?P=mark)\d{1,2}
      |(?P<packed>\d{8})
      |(?P<first>\d{1,2})(?P<sign>[/.-])(?P<second>\d{1,2})(?P=sign)(?P<year>\d{4}|\d{2})
      |\d{1,2}(?P<dot>\.?)\ (?P<month>[A-Za-z]{3,9})\ \d{4}
      |(?P<month_first>[A-Za-z]{3,9})\ \d{1,2}(?P<behind>,?)\ \d{4})
    (?:(?P<joint>T|,\ |\ -\ |\ |)
      (?P<time>\d{1,2}:\d\d:\d\d|\d{1,2}:\d\d|\d{1,2}\.\d\d|\d{6}|\d{4})
      (?P<half>(?P<blank>\ ?)[AaPp][Mm])?
      (?:(?P<gap>\ ?)(?P<offset>[+-]\d\d:?\d\d|Z))?)?""",
    re.VERBOSE | re.ASCII,
)
_EARLIEST, _LATEST = datetime(1990, 1, 1, tzinfo=UTC).timestamp(), datetime(2100, 1, 1, tzinfo=UTC).timestamp()
_DAY_FIRST = ("%d.%m", "%d/%m", "%d-%m")
_LONGEST = 50
_MOST_OTHERS = 2
_AMERICAN = ("America/", "US/")


class Reads(StrEnum):
    """What a form tells."""

    INSTANT = "instant"
    WALL_CLOCK = "wall clock"
    DATE = "date"
    TIME_OF_DAY = "time of day"


@dataclass(frozen=True, slots=True, kw_only=True)
class DateForm:
    """How the dates of a column are written."""

    format: str
    """As a field of a mapping says it: `iso`, `unix`, `unix_ms`, or one of strptime."""
    reads: Reads
    share: float = 1.0
    """How many of the examples have it."""
    others: tuple[str, ...] = ()
    """Further forms, that fewer of them have."""
    doubt: str | None = None
    """Where it can be read in two ways: both readings of an example, and why this one was chosen."""


def date_form(values: Sequence[str], kind: Kind = Kind.TEXT, timezone: str | None = None) -> DateForm | None:
    """Tell the form of these values; None when they are no dates. `timezone` says whose customs count in doubt."""
    examples = list(dict.fromkeys(values))[:MOST_EXAMPLES]
    if not examples:
        return None
    numeric = _unix(examples)
    if kind is Kind.NUMBER or numeric:
        return numeric
    found = _iso(examples) or _time_of_day(examples) or _written(examples, timezone)
    return found and replace(found, others=_others(examples, found))


def _others(examples: Sequence[str], found: DateForm) -> tuple[str, ...]:
    """Name further forms, of the examples that have not the one that most of them have."""
    left = [value for value in examples if not _has(value, found.format)]
    forms = Counter("iso" if _has(value, "iso") else _form_of(value) for value in left)
    return tuple(form for form, _ in forms.most_common(_MOST_OTHERS) if form and form != found.format)


def _has(value: str, form: str) -> bool:
    if form == "iso":
        return bool(_ISO_DATE.match(value) or _ISO_TIME.match(value)) and _is_iso(value)
    return _parses(value, form)


def moment(value: str, form: DateForm) -> datetime | None:
    """Read one value, for comparing: aware values as UTC, all without an offset."""
    try:
        if form.format == "unix":
            return datetime.fromtimestamp(float(value), UTC).replace(tzinfo=None)
        if form.format == "unix_ms":
            return datetime.fromtimestamp(float(value) / 1000, UTC).replace(tzinfo=None)
        read = datetime.fromisoformat(value) if form.format == "iso" else datetime.strptime(value, form.format)  # noqa: DTZ007
    except (ValueError, OverflowError, OSError):
        return None
    return read.astimezone(UTC).replace(tzinfo=None) if read.tzinfo else read


def _share(fits: Iterable[bool]) -> float:
    found = list(fits)
    return sum(found) / len(found)


def _unix(examples: Sequence[str]) -> DateForm | None:
    for name, factor, digits in (("unix", 1, 10), ("unix_ms", 1000, 13)):
        fits = _share(_is_unix(value, factor, digits) for value in examples)
        if fits >= _FEW_OTHERS:
            return DateForm(format=name, reads=Reads.INSTANT, share=fits)
    return None


def _is_unix(value: str, factor: int, digits: int) -> bool:
    whole = value.partition(".")[0]
    return whole.isdecimal() and len(whole) in (digits - 1, digits) and _EARLIEST <= int(whole) / factor < _LATEST


def _iso(examples: Sequence[str]) -> DateForm | None:
    dates = [value for value in examples if _ISO_DATE.match(value) and _is_iso(value)]
    times = [value for value in examples if _ISO_TIME.match(value) and _is_iso(value)]
    share = (len(dates) + len(times)) / len(examples)
    if share < _FEW_OTHERS:
        return None
    if not times:
        return DateForm(format="iso", reads=Reads.DATE, share=share)
    aware = _share(bool(re.search(r"(Z|[+-]\d\d(:?\d\d)?)$", value[10:], re.IGNORECASE)) for value in times)
    return DateForm(format="iso", reads=Reads.INSTANT if aware > 0.5 else Reads.WALL_CLOCK, share=share)  # noqa: PLR2004


def _is_iso(value: str) -> bool:
    try:
        year = datetime.fromisoformat(value.replace("24:00", "23:59")).year
    except ValueError:
        return False
    return 1900 <= year <= 2200  # noqa: PLR2004 - a number of eight digits may be none


def _time_of_day(examples: Sequence[str]) -> DateForm | None:
    if _share(bool(_TIME_OF_DAY.match(value)) for value in examples) < _FEW_OTHERS:
        return None
    for form in ("%H:%M", "%H:%M:%S", "%H.%M", "%Hh%M", "%I:%M %p", "%I:%M%p"):
        if (share := _share(_parses(value, form) for value in examples)) >= _FEW_OTHERS:
            return DateForm(format=form, reads=Reads.TIME_OF_DAY, share=share)
    return None


def packed_time_of_day(values: Sequence[str]) -> DateForm | None:
    """Tell the form of times such as `1930`, which other numbers may look like: only of what is called a time."""
    fits = bool(values) and all(len(value) == len("1930") and _parses(value, "%H%M") for value in values)
    return DateForm(format="%H%M", reads=Reads.TIME_OF_DAY) if fits else None


def _parses(value: str, form: str) -> bool:
    try:
        datetime.strptime(value, form)  # noqa: DTZ007 - only whether it can be read
    except ValueError:
        return False
    return True


def _written(examples: Sequence[str], timezone: str | None) -> DateForm | None:
    """Tell a form of strptime from the looks of each example; trying all that there may be would take seconds."""
    looks = Counter(form for value in examples if (form := _form_of(value)))
    for form, _ in looks.most_common(2):
        for one in (form, form.replace("%d", "?").replace("%m", "%d").replace("?", "%m")):
            if (share := _share(_parses(value, one) for value in examples)) >= _FEW_OTHERS:
                return _decided(DateForm(format=one, reads=_reads(one), share=share), examples, timezone)
    return None


def _form_of(value: str) -> str | None:
    """Give the form of one text, the day before the month."""
    found = _WRITTEN.fullmatch(value) if len(value) <= _LONGEST else None
    if found is None:
        return None
    form = "" if found["weekday"] is None else f"{_named(found['weekday'].rstrip(', '), '%a', '%A')}{found['comma']} "
    form += _date(found)
    if found["time"] is None:
        return form
    form += f"{found['joint']}{_time(found['time'], is_half=found['half'] is not None)}"
    form += "" if found["half"] is None else f"{found['blank']}%p"
    return form if found["offset"] is None else f"{form}{found['gap']}%z"


def _date(found: re.Match[str]) -> str:
    if found["year_first"]:
        return found["mark"].join(("%Y", "%m", "%d"))
    if found["packed"]:
        return "%Y%m%d"
    if found["first"]:
        return found["sign"].join(("%d", "%m", "%Y" if len(found["year"]) == 4 else "%y"))  # noqa: PLR2004
    if found["month"]:
        return f"%d{found['dot']} {_named(found['month'], '%b', '%B')} %Y"
    return f"{_named(found['month_first'], '%b', '%B')} %d{found['behind']} %Y"


def _named(name: str, short: str, long: str) -> str:
    return short if len(name) == 3 else long  # noqa: PLR2004 - letters; May is both


def _time(text: str, *, is_half: bool) -> str:
    hour = "%I" if is_half else "%H"
    if ":" in text:
        return f"{hour}:%M:%S" if text.count(":") > 1 else f"{hour}:%M"
    if "." in text:
        return f"{hour}.%M"
    return "%H%M%S" if len(text) == 6 else "%H%M"  # noqa: PLR2004


def _reads(form: str) -> Reads:
    if "%z" in form:
        return Reads.INSTANT
    return Reads.WALL_CLOCK if "%M" in form else Reads.DATE


def _decided(form: DateForm, examples: Sequence[str], timezone: str | None) -> DateForm:
    """Choose between day and month first, where every example can be read in both ways."""
    if not form.format.startswith(_DAY_FIRST):
        return form
    swapped = form.format.replace("%d", "?").replace("%m", "%d").replace("?", "%m")
    fits, swapped_fits = (sum(_parses(value, one) for value in examples) for one in (form.format, swapped))
    if fits != swapped_fits:
        return form if fits > swapped_fits else replace(form, format=swapped, share=swapped_fits / len(examples))
    chosen, why = form.format, _why_day_first(examples, form.format)
    days, months = _vary(examples, form.format)
    if why is None and (timezone or "").startswith(_AMERICAN):
        chosen, why = swapped, f"{timezone} writes the month first"
    elif why is None and days < months:
        chosen, why = swapped, "the second number takes more values than the first, as days do"
    example = next((value for value in examples if _parses(value, form.format) and _parses(value, swapped)), None)
    if example is None:
        return form
    other = swapped if chosen == form.format else form.format
    read = [f"{datetime.strptime(example, one):%d %B %Y}" for one in (chosen, other)]  # noqa: DTZ007 - its day alone
    doubt = f"{example} is read as {read[0]}, and could be {read[1]}: {why or 'most of the world writes the day first'}"
    return replace(form, format=chosen, doubt=doubt)


def _why_day_first(examples: Sequence[str], form: str) -> str | None:
    if form.startswith("%d."):
        return "with dots the day comes first"
    days, months = _vary(examples, form)
    return "the first number takes more values than the second, as days do" if days > months else None


def _vary(examples: Sequence[str], form: str) -> tuple[int, int]:
    """How many different days and months there are, read so."""
    read = [datetime.strptime(value, form) for value in examples if _parses(value, form)]  # noqa: DTZ007 - parts of it
    return len({one.day for one in read}), len({one.month for one in read})
