"""What is a date, a date-time, a feed's time: our own rule, whatever `fromisoformat` of this Python takes."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.adapters.inbound.http.search.search_window import usual_window
from app.adapters.inbound.reading.activity_input import read_activity
from app.adapters.inbound.reading.instants import InvalidDateError, InvalidDateTimeError, read_date, read_instant
from app.adapters.inbound.reading.reading import Reading
from app.adapters.inbound.reading.refusals import RefusedRecordError
from app.adapters.outbound.providers.reading.values import UnusableError, wall_clock

T = TypeVar("T")
REPOSITORY = Path(__file__).parents[3]
NUMBERS = st.integers(0, 99).map(lambda number: f"{number:02}")
"""Two digits: more of them than any field of a time has."""
DATES = st.tuples(st.sampled_from(["0000", "0001", "2020", "2021", "9998"]), NUMBERS, NUMBERS).map("-".join)
FRACTIONS = st.from_regex(r"(\.[0-9]{1,9})?", fullmatch=True)

NOT_OURS = (
    *(
        "2021-W26-3",
        "2021-W26",
        "20210630",
        "2021-6-30",
        "2021-181",
        "2021-06",
        " 2021-06-30",
        "2021-06-30\n",
        "٢٠٢١-06-30",
    ),
    *("2021-06-30T24:00", "2021-06-30T24:00:00", "2021-06-30T24:00:00Z", "2021-06-30T24:00:01", "2021-06-30T25:00:00"),
    *("2021-06-30T21:60:00", "2021-06-30T21:00:60", "2021-06-30T21", "20210630T210000", "2021-06-30T2100"),
    *("2021-06-30T21:00:00,5", "2021-06-30T21:00:00.", "2021-06-30T21:00:00+02:00:00", "2021-06-30T21:00:00+2"),
    *("2021-06-30T21:00:00+24:00", "2021-06-30T21:00:00+02:60", "2021-06-30x21:00:00", "2021-W26-3T21:00:00Z", ""),
)
"""Some Python takes most of them."""


def told(read: Callable[[], T]) -> T | None:
    with suppress(InvalidDateError, InvalidDateTimeError, UnusableError, RefusedRecordError):
        return read()
    return None


def made(make: Callable[[], T]) -> T | None:
    """Ask a constructor, which knows no texts: the oracle."""
    with suppress(ValueError, OverflowError):
        return make()
    return None


def occurred_at(text: str) -> datetime | None:
    return read_activity({"type": "view", "occurred_at": text}, Reading()).occurred_at


@pytest.mark.parametrize("text", NOT_OURS)
def test_what_is_not_ours_is_refused_everywhere(text: str) -> None:
    assert told(lambda: read_date("from", text)) is None
    assert told(lambda: read_instant("starts_at", text, UTC)) is None
    assert told(lambda: occurred_at(text)) is None
    assert usual_window(f"starts_at={text}Z&ends_at=2030-01-01T00:00:00Z".encode()) is None
    assert usual_window(f"starts_at=2020-01-01T00:00:00Z&ends_at={text}".encode()) is None


@pytest.mark.parametrize("text", [text for text in NOT_OURS if text != "2021-06-30T24:00:00"])
def test_what_is_not_ours_is_refused_in_feeds(text: str) -> None:
    assert told(lambda: wall_clock("plan_start_date", text)) is None


@pytest.mark.parametrize(
    ("text", "midnight"),
    [
        ("2021-06-30T24:00:00", datetime(2021, 7, 1, tzinfo=UTC)),
        ("2020-02-28T24:00:00.000", datetime(2020, 2, 29, tzinfo=UTC)),
        ("2021-12-31T24:00:00.000000000", datetime(2022, 1, 1, tzinfo=UTC)),
    ],
)
def test_24_00_is_the_next_midnight_in_feeds(text: str, midnight: datetime) -> None:
    assert wall_clock("plan_end_date", text) == midnight.replace(tzinfo=None)


@pytest.mark.parametrize("text", ["9999-12-31T24:00:00", "2021-02-30T24:00:00", "2021-06-30T24:00:00.1"])
def test_a_midnight_that_is_none_is_refused(text: str) -> None:
    assert told(lambda: wall_clock("plan_end_date", text)) is None


@given(DATES)
def test_a_date_is_what_the_calendar_has(text: str) -> None:
    year, month, day = map(int, text.split("-"))

    assert told(lambda: read_date("from", text)) == made(lambda: date(year, month, day))


@given(DATES, NUMBERS, NUMBERS, NUMBERS, FRACTIONS)
def test_a_time_is_what_a_day_has(day: str, hour: str, minute: str, second: str, fraction: str) -> None:
    micros = int(f"{fraction[1:7]:0<6}")
    text = f"{day}T{hour}:{minute}:{second}{fraction}"
    year, month, of_month = map(int, day.split("-"))
    expected = made(lambda: datetime(year, month, of_month, int(hour), int(minute), int(second), micros, UTC))

    assert told(lambda: read_instant("starts_at", text, UTC)) == expected
    assert told(lambda: occurred_at(text)) == expected
    if (hour, minute, second, micros) != ("24", "00", "00", 0):
        assert told(lambda: wall_clock("plan_start_date", text)) == (expected and expected.replace(tzinfo=None))


@given(st.sampled_from("+-"), NUMBERS, st.sampled_from(["", ":"]), NUMBERS)
def test_an_offset_has_hours_below_24_and_minutes_below_60(sign: str, hours: str, colon: str, minutes: str) -> None:
    offset = timedelta(hours=int(hours), minutes=int(minutes)) * (1 if sign == "+" else -1)
    is_one = int(hours) < 24 and int(minutes) < 60

    found = told(lambda: read_instant("starts_at", f"2021-06-30T21:00:00{sign}{hours}{colon}{minutes}", UTC))

    assert found == (datetime(2021, 6, 30, 21, tzinfo=timezone(offset)) if is_one else None)


@given(DATES, NUMBERS, NUMBERS, NUMBERS)
def test_the_short_way_of_a_search_reads_as_the_long_one(day: str, hour: str, minute: str, second: str) -> None:
    text = f"{day}T{hour}:{minute}:{second}Z"
    long = told(lambda: read_instant("starts_at", text, UTC))

    found = usual_window(f"starts_at={text}&ends_at=9999-01-01T00:00:00Z".encode())

    assert (found and found[0]) == (long and long.timestamp())


ASK = """
import json, sys
from datetime import UTC
from app.adapters.inbound.reading.instants import read_date
from app.adapters.inbound.reading.instants import read_instant

def told(read):
    try:
        return read().isoformat()
    except ValueError as error:
        return type(error).__name__

texts = json.load(sys.stdin)
json.dump([[told(lambda: read_date("", t)), told(lambda: read_instant("", t, UTC))] for t in texts], sys.stdout)
"""


def pythons() -> list[str]:
    """This one, and those of other versions that the machine has."""
    there = [shutil.which(f"python3.{minor}") for minor in (11, 12, 13, 14)]
    pyenv = sorted(str(path) for path in (Path.home() / ".pyenv/versions").glob("3.1[1-9].*/bin/python"))
    found = [sys.executable, *filter(None, there), *pyenv]
    return [
        python for python in found if not subprocess.run([python, "-V"], capture_output=True, check=False).returncode
    ]


def test_every_python_of_this_machine_reads_the_same() -> None:
    good = ["2021-06-30", "2021-06-30T21:00:00.123456789+0200", "2021-06-30t21:00z", "2020-02-29T23:59:59-23:59"]
    texts = json.dumps([*NOT_OURS, *good])

    answers = {
        python: subprocess.run(
            [python, "-c", ASK], input=texts, capture_output=True, text=True, check=True, cwd=REPOSITORY
        ).stdout
        for python in pythons()
    }

    assert len(set(answers.values())) == 1, answers
    assert ["2021-06-30", "InvalidDateTimeError"] in json.loads(answers[sys.executable])
