"""A record in other words than ours: what is wrong with it is said by the names that it has itself."""

from collections.abc import Callable

from app.adapters.inbound.reading.refusals import Problem, RefusedRecordError, pointer_to

PlaceOf = Callable[[str], tuple[str, ...]]
"""From a field of an activity to the name, or names inside each other, by which a record gives it."""


def renamed(refused: RefusedRecordError, place_of: PlaceOf) -> RefusedRecordError:
    """Say the same of a record that calls its fields differently."""
    return RefusedRecordError(*(_renamed(problem, place_of) for problem in refused.problems))


def _renamed(problem: Problem, place_of: PlaceOf) -> Problem:
    field = problem.pointer[1:]
    place = place_of(field)
    message = problem.message.removeprefix(f"{field}: ")
    return Problem(problem.code, f"{'.'.join(place)}: {message}", pointer_to(place))


def missing(expected: str, *place: str) -> Problem:
    """Say that something is not there."""
    return Problem("missing_field", f"{'.'.join(place)}: expected {expected}, found nothing", pointer_to(place))


def wrong(code: str, expected: str, found: str, *place: str) -> Problem:
    """Say that something is of another form."""
    return Problem(code, f"{'.'.join(place)}: expected {expected}, found {found}", pointer_to(place))
