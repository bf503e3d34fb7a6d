"""What is wrong with the wiring of a container: an argument that does not fit the parameter that it is given for."""

import inspect
from collections.abc import Callable, Iterator
from functools import partial
from types import UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from dependency_injector import containers, providers
from typing_extensions import get_protocol_members, is_protocol


def mistakes(container: "containers.Container") -> Iterator[str]:
    """Make every part of a container, and name each argument that its part does not take, or not as what it is."""
    parts: list[Any] = list(container.traverse())
    for part in parts:
        if isinstance(part, providers.Callable | providers.BaseSingleton):
            args, kwargs = map(_made, part.args), {name: _made(argument) for name, argument in part.kwargs.items()}
            yield from _mistakes(part.provides, list(args), kwargs)
        part()


def _mistakes(make: Any, args: list[Any], kwargs: dict[str, Any]) -> Iterator[str]:
    is_part = make is partial
    make, args = (args[0], args[1:]) if is_part else (make, args)
    signature = inspect.signature(make)
    try:
        bound = (signature.bind_partial if is_part else signature.bind)(*args, **kwargs)
    except TypeError as error:
        yield f"{make.__qualname__}: {error}"
        return
    hints = get_type_hints(make.__init__ if inspect.isclass(make) else make)
    for parameter, value in bound.arguments.items():
        if parameter not in hints:
            yield f"{make.__qualname__}: {parameter} has no type"
        elif not fits(value, hints[parameter]):
            yield f"{make.__qualname__}: {parameter} is to be {hints[parameter]}, and is {value!r}"


def _made(argument: Any) -> Any:
    return argument() if isinstance(argument, providers.Provider) else argument


def fits(value: object, hint: Any) -> bool:
    """Tell whether a value is what an annotation says: a function by how many arguments it takes, a list by its items.

    What is asked for as a protocol has all that the protocol names.
    """
    origin, inner = get_origin(hint) or hint, get_args(hint)
    if hint is Any or isinstance(hint, TypeVar):
        fitting = True
    elif origin in (Union, UnionType):
        fitting = any(fits(value, one) for one in inner)
    elif origin is Literal:
        fitting = value in inner
    elif origin is Callable:
        fitting = callable(value) and (not inner or inner[0] is Ellipsis or _takes(value, len(inner[0])))
    elif is_protocol(origin):
        fitting = all(hasattr(value, member) for member in get_protocol_members(origin))
    else:
        fitting = isinstance(value, {float: int | float, None: type(None)}.get(origin, origin))
        if fitting and inner and isinstance(value, list | tuple | frozenset):
            fitting = all(fits(one, inner[0]) for one in value)
    return fitting


def _takes(function: Any, count: int) -> bool:
    try:
        inspect.signature(function).bind(*range(count))
    except TypeError:
        return False
    except ValueError:  # it is built in, and does not say
        return True
    return True
