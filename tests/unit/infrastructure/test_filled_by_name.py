from dataclasses import dataclass

import pytest
from dependency_injector.containers import DeclarativeContainer
from dependency_injector.providers import Object, Singleton

from app.infrastructure.wiring.container import filled_by_name


@dataclass(frozen=True)
class Lamp:
    colour: str
    volts: int = 12
    watts: int = 5


def test_a_part_gets_the_parts_that_are_named_as_its_parameters() -> None:
    @filled_by_name
    class House(DeclarativeContainer):
        colour = Object("red")
        volts = Object(230)
        lamp = Singleton(Lamp)

    assert House().lamp() == Lamp("red", 230)


def test_what_is_given_counts_before_what_has_the_name() -> None:
    class Cellar(DeclarativeContainer):
        colour = Object("red")
        blue = Object("blue")
        lamp = Singleton(Lamp, blue)

    @filled_by_name
    class House(Cellar):
        watts = Object(40)

    assert House().lamp() == Lamp("blue", watts=40)


def test_an_argument_that_is_missing_is_an_error_when_the_container_is_made() -> None:
    class House(DeclarativeContainer):
        lamp = Singleton(Lamp)

    with pytest.raises(TypeError, match="missing a required argument: 'colour'"):
        filled_by_name(House)


def test_an_argument_that_nobody_takes_is_an_error() -> None:
    class House(DeclarativeContainer):
        lamp = Singleton(Lamp, "red", 12, 5, 7)

    with pytest.raises(TypeError, match="too many positional arguments"):
        filled_by_name(House)
