"""Read the dates that people ask for."""

import re
from datetime import date

from app.adapters.formats.iso_8601 import DATE

_DATE = re.compile(DATE, re.ASCII)


class InvalidDateError(ValueError):
    """What was given as a date is none; the message names the parameter, what was found and what was expected."""

    def __init__(self, parameter: str, text: str) -> None:
        """Cut what was found, because it comes from outside."""
        super().__init__(f"{parameter}: {text[:64]!r} is not a date; expected one such as 2026-01-05")


def read_date(parameter: str, text: str | None) -> date | None:
    """Read a date, YYYY-MM-DD; None stays None.

    Raises:
        InvalidDateError: nothing else is raised.
    """
    if text is None:
        return None
    if _DATE.fullmatch(text):
        try:
            return date.fromisoformat(text)
        except ValueError:
            pass
    raise InvalidDateError(parameter, text)
