"""What is said of each mistake in the settings: where it was made, and what was expected."""

import os
from collections.abc import Iterable, Iterator
from typing import Any

from pydantic_core import ErrorDetails
from pydantic_settings import EnvSettingsSource, SettingsError

from app.adapters.formats.terminal_text import visible
from app.infrastructure.settings.settings import Settings
from app.infrastructure.settings.settings_section import SettingsSection

PREFIX = "MARQUEE__"
_WORDS = {
    "extra_forbidden": "no such key",
    "tuple_type": "expected a list",
    "dict_type": "expected keys with values",
    "path_type": "expected a path",
    "too_short": "expected a list that is not empty",
}
"""Where pydantic's words speak of Python."""
_SECRET = {"url", "options", "headers", "body"} | {"user", "password", "token"}
_SECRET |= {"access_key_id", "secret_access_key", "session_token"}
"""Keys of which no message repeats what was found: a URL may carry a password, options a token."""

Loc = tuple[int | str, ...]


def _variables() -> dict[str, str]:
    """Find the variables of our prefix: what they are called in the environment, by their names in capitals."""
    return {name.upper(): name for name in sorted(os.environ) if name.upper().startswith(PREFIX)}


def unknown_variables() -> Iterator[str]:
    """Name variables of our prefix that set nothing: a typing error would otherwise pass in silence."""
    for capitals, name in _variables().items():
        if capitals.removeprefix(PREFIX).split("__")[0].lower() not in Settings.model_fields:
            yield f"{name}: no such section; expected one of {', '.join(Settings.model_fields)}"


def unreadable_variables() -> Iterator[str]:
    """Name variables of lists and sections that are not JSON, without repeating them."""
    for name in _variables().values():
        source = EnvSettingsSource(Settings)
        source.env_vars = {name.lower(): os.environ[name]}
        try:
            source()
        except SettingsError as error:
            yield f"{name}: expected JSON for a list or a section ({error.__cause__})"


def told(problems: list[ErrorDetails], found: dict[str, Any], where: str) -> Iterator[str]:
    """Say each problem of the file, or of the variable that it came from."""
    said = EnvSettingsSource(Settings)()
    wrong = [problem["loc"] for problem in problems]
    for problem in problems:
        loc, message = problem["loc"], _message(problem)
        if problem["type"] == "too_short" and any(loc == other[: len(loc)] != other for other in wrong):
            continue  # pydantic counts the good items only, and each of the others is told
        name = _variable(loc, said, found, missing=problem["type"] == "missing")
        if name is None:
            yield f"{where}: {_path(loc)}: {message}"
        elif name.upper() == _spelled(loc):
            yield f"{name}: {message}"
        else:
            yield f"{name}: {_path(loc)}: {message}"


def _variable(loc: Loc, said: Any, found: Any, *, missing: bool) -> str | None:
    """Name the variable that a value came from (for one that is missing: what stands beside it)."""
    home = loc[:-1] if missing else loc
    merged = all(isinstance(part, str) for part in loc)  # a list of the environment replaces the file's
    if not _leads_somewhere(said, home) or (missing and merged and _leads_somewhere(found, home)):
        return None
    ours = _variables()
    above = [_spelled(loc[:length]) for length in range(len(loc), 0, -1)]
    beneath = [name for name in ours if name.startswith(f"{_spelled(home)}__")]
    return next((ours[name] for name in (*above, *beneath) if name in ours), None)


def _leads_somewhere(sections: Any, loc: Loc) -> bool:
    for part in loc:
        try:
            sections = sections[part]
        except (LookupError, TypeError):
            return False
    return True


def _spelled(loc: Loc) -> str:
    return PREFIX + "__".join(str(part) for part in loc).upper()


def _path(loc: Loc) -> str:
    return visible("".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc).lstrip("."))


def _message(problem: ErrorDetails) -> str:
    kind, loc, given = problem["type"], problem["loc"], problem["input"]
    if kind == "model_type":
        message = f"expected keys beneath it: {', '.join(_keys(problem['ctx']['class_name']))}"
    else:
        message = _WORDS.get(kind, problem["msg"].removeprefix("Value error, "))
    secret = not _SECRET.isdisjoint(loc)
    secret = secret or "://" in repr(given)
    repeated = isinstance(given, str) and repr(given) in message
    hidden = secret or repeated or isinstance(given, dict | list | tuple) or kind == "extra_forbidden"
    return message if hidden else f"{message} (found {given!r})"


def _keys(section: str) -> Iterable[str]:
    return next(kind.model_fields for kind in _sections(SettingsSection) if kind.__name__ == section)


def _sections(kind: type[SettingsSection]) -> Iterator[type[SettingsSection]]:
    for beneath in kind.__subclasses__():
        yield beneath
        yield from _sections(beneath)
