"""What of ISO 8601 is read, as parts of regular expressions: the same for queries, activities and feeds; and written.

`datetime.fromisoformat` alone is no rule: from 3.11 on it takes week dates, forms without separators and offsets of odd
minutes, from 3.14 on `24:00` too. What these parts let through every Python from 3.11 on reads alike, or refuses
because the calendar has no such day. Digits are ASCII: compile with `re.ASCII`.
"""

from datetime import UTC, datetime

DATE = r"\d\d\d\d-\d\d-\d\d"  # as fast as can be: searches wait for it
HOUR_AND_MINUTE = r"(?:[01]\d|2[0-3]):[0-5]\d"
TIME_OF_DAY = rf"{HOUR_AND_MINUTE}:[0-5]\d"
"""00:00:00 to 23:59:59: no leap second, and no 24:00:00."""
FRACTION = r"\.\d{1,9}"
"""Of a second; what is beyond microseconds is cut off."""
OFFSET = r"[-+](?:[01]\d|2[0-3]):?[0-5]\d"
END_OF_DAY = r"24:00:00(?:\.0{1,9})?"
"""The next midnight, for feeds only: a query that says it is refused."""


def rfc_3339(at: datetime) -> str:
    """Write an instant (aware) as every answer, event and document does: in UTC, to the millisecond, with a Z."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
