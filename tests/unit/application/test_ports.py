"""What holds for every port."""

import importlib
import inspect
import pkgutil
from collections.abc import Iterator

import pytest

from app.application import ports
from app.application.ports.plan_list import PlansNotLoadedError

_PYTHONS = {"__init__", "__subclasshook__"}
"""What Python gives each Protocol."""


def all_ports() -> Iterator[type]:
    for module in pkgutil.iter_modules(ports.__path__):
        for _, found in inspect.getmembers(importlib.import_module(f"{ports.__name__}.{module.name}"), inspect.isclass):
            if found.__module__.startswith(ports.__name__) and getattr(found, "_is_protocol", False):
                yield found


@pytest.mark.parametrize("port", sorted(set(all_ports()), key=str), ids=lambda port: port.__name__)
def test_an_adapter_that_lacks_methods_of_its_port_is_not_made(port: type) -> None:
    adapter = type("Adapter", (port,), {})

    with pytest.raises(TypeError, match="abstract"):
        adapter()
    assert {name for name, found in vars(port).items() if inspect.isfunction(found)} <= _PYTHONS | set(
        vars(port)["__abstractmethods__"]
    )


def test_plans_that_are_not_loaded_yet_are_said_to_be_that() -> None:
    assert str(PlansNotLoadedError()).startswith("the plans are not loaded yet")
