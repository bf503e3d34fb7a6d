"""What a driver says when its database does not serve, and what to do about it.

PostgreSQL's answers have a code (SQLSTATE), which decides; words decide where there is none: SQLite, and libpq while it
connects. What has no table is told apart from what a pooler mixed up: only the first one is mended by a migration.
"""

import re

from sqlalchemy.exc import DBAPIError

_NO_SCHEMA = "has not our schema: run `marquee migrate`"
_NOT_SHOWN = (
    "shows this session none of our tables: a pooler before it may have mixed up the search_path of sessions; only a "
    "database that is new needs `marquee migrate`"
)
_REFUSED = "refused us: correct the user and password of database.url"
_FULL = "has no room left: free space on its disk"
_LOCKED = "is locked by somebody else: try again when that has ended"
_NO_DATABASE = "does not exist: create it, then run `marquee migrate`"
_READ_ONLY = "takes no writes: it is read-only"
_POOLER = "is reached through a pooler that mixes up sessions or refuses what we say: look at the pooler's log"

_BY_CODE = (
    ("42P01", _NOT_SHOWN),
    ("42703", _NOT_SHOWN),
    ("3D000", _NO_DATABASE),
    ("28", _REFUSED),
    ("42501", _REFUSED),
    ("53100", _FULL),
    ("53300", "takes no more connections: raise max_connections, or let a pooler stand before it"),
    ("55P03", _LOCKED),
    ("25006", _READ_ONLY),
    ("26", _POOLER),  # a prepared statement that is not there, and one that is there already: we prepare none
    ("42P05", _POOLER),
    ("08P01", _POOLER),
    ("34", _POOLER),  # a cursor that is not there
    ("25P01", _POOLER),  # no transaction where we began one
)
"""By the first characters of the code; the first that fits."""

_BY_WORDS = (
    (r"unsupported startup parameter", f"{_POOLER}, and take `options` out of database.url"),
    (r"session is (?:read-only|not read-only)|server is in hot standby", f"{_READ_ONLY} (each of its hosts is)"),
    (r"\b(?:password|role|authentication)\b|no such user", _REFUSED),
    (r"database \S+ does not exist|no such database", _NO_DATABASE),
    (r"disk is full|No space left|disk I/O", _FULL),
    (r"locked", _LOCKED),
    (r"no such table|no such column", _NO_SCHEMA),
    (r"readonly|read-only", _READ_ONLY),
    (r"malformed|not a database", "is damaged: restore a backup"),
)

_MOVED = ("25006", "57P01", "57P02", "57P03")
"""Codes of a server that was demoted or shuts down: what is connected to it must go elsewhere."""


def is_about_the_data(error: DBAPIError) -> bool:
    """Tell whether a database refuses what it was given, and will for ever: PostgreSQL by the class of its code."""
    code = _code(error.orig)
    if code is not None:
        return code.startswith(("22", "23", "54"))
    return type(error).__name__ in {"DataError", "IntegrityError"}


def is_without_partition(error: DBAPIError) -> bool:
    """Tell whether PostgreSQL has no partition for a row."""
    return _code(error.orig) == "23514" and "no partition" in str(error.orig)


def is_failover(error: BaseException | None) -> bool:
    """Tell whether a server says that it is not, or soon not any more, the one that takes writes."""
    return _code(error) in _MOVED


def advice(error: DBAPIError) -> str:
    """Say what is the matter with the database, and what to do; to be put behind its name."""
    said = " ".join(f"{type(error.orig).__name__} {error.orig}".split())
    words = _advice(_code(error.orig), said)
    if words is None:
        return f"cannot be used ({_first_words(said)}): start it, or correct database.url"
    return f"{words} ({_first_words(said)})"


def _advice(code: str | None, said: str) -> str | None:
    if code is not None:
        return next((words for start, words in _BY_CODE if code.startswith(start)), None)
    return next((words for pattern, words in _BY_WORDS if re.search(pattern, said, re.IGNORECASE)), None)


def _code(error: BaseException | None) -> str | None:
    found = getattr(error, "sqlstate", None)
    return None if found is None else str(found)


def _first_words(text: str) -> str:
    return text if len(text) <= 200 else text[:200] + "..."  # noqa: PLR2004 - enough to tell
