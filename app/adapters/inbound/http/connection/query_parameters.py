"""Query parameters that a route does not know are refused: what is dropped in silence makes another question."""

from collections.abc import Collection, Iterable
from difflib import get_close_matches
from urllib.parse import parse_qsl

from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import get_flat_params
from fastapi.params import Query

from app.adapters.inbound.http.connection.connection_errors import UnknownParameterError

LONGEST_NAME = 64
"""Characters of an unknown name that are compared with the known ones, and told."""


def declared_parameters(dependant: Dependant | None) -> tuple[str, ...]:
    """Name the query parameters that a route of FastAPI declares, in their order; of any other route, none."""
    fields = get_flat_params(dependant) if dependant else ()
    return tuple(field.alias for field in fields if isinstance(field.field_info, Query))


def read_query(query: bytes) -> list[tuple[str, str]]:
    """Read the parameters of a query string as FastAPI does, those without a value too."""
    return parse_qsl(query.decode("latin-1"), keep_blank_values=True)


def refuse_unknown(query: bytes, known: Collection[str]) -> None:
    """Refuse a query string that has a parameter of another name than the known ones.

    Raises:
        UnknownParameterError: it tells the first such name, the known one nearest to it, and all known ones.
    """
    if query:
        refuse_unknown_names((name for name, _ in read_query(query)), known)


def refuse_unknown_names(names: Iterable[str], known: Collection[str]) -> None:
    """Refuse the same where the query string is read already.

    Raises:
        UnknownParameterError: it tells the first such name, the known one nearest to it, and all known ones.
    """
    for name in names:
        if name not in known:
            found = name[:LONGEST_NAME]
            raise UnknownParameterError(found, next(iter(get_close_matches(found.lower(), known, n=1)), None), known)
