"""Every part of the container gets what it takes, in every role; for mypy a provider's arguments may be anything."""

from pathlib import Path

import pytest
from dependency_injector import containers, providers

from app.adapters.machine.system_clock import SystemClock
from app.application.manage_keys import ListKeys
from app.application.ports.system import Clock
from app.infrastructure.settings.settings import Settings
from app.infrastructure.wiring.container import Container
from tests.architecture.wiring_check import mistakes
from tests.fakes.users import AccessStore, MemoryApiKeys, MemoryUsers

EVERYTHING = {
    "activity": {"types": ["view"], "sources": ["web"]},
    "security": {"jwt": {"issuer": "i", "audience": "a", "jwks_url": "https://issuer.example/keys"}},
    "publishing": {"log": True, "redis_stream": True},
    "providers": [{"name": "demo", "kind": "recorded", "files": "demo"}],
}


@pytest.mark.parametrize(
    ("role", "sections"),
    [("api", EVERYTHING), *((role, {}) for role in ("api", "worker", "scheduler", "supervisor", "cli"))],
)
def test_every_part_of_every_role_can_be_made_and_gets_what_it_takes(
    role: str, sections: dict[str, object], tmp_path: Path
) -> None:
    settings = Settings.model_validate({"service": {"data_dir": tmp_path}, **sections})
    container = Container(settings=settings, redis_url="unix:///nowhere", role=role)

    assert list(mistakes(container)) == []


def later(clock: Clock, seconds: float) -> tuple[Clock, float]:
    return clock, seconds


class Wrong(containers.DeclarativeContainer):
    """Mistakes of each kind, of which neither mypy nor the container says a word."""

    clock = providers.Singleton(SystemClock)
    store = providers.Singleton(AccessStore)
    users = providers.Singleton(MemoryUsers, store)
    keys = providers.Singleton(MemoryApiKeys, store)
    swapped = providers.Singleton(ListKeys, keys, users)
    surplus = providers.Callable(later, clock, 1.0, clock)
    missing = providers.Callable(later, clock)
    unknown = providers.Callable(later, clock, minutes=1.0)
    of_another_type = providers.Callable(later, clock, "1")
    untyped = providers.Callable(lambda clock: clock, clock)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("swapped", "is to be"),
        ("surplus", "too many positional arguments"),
        ("missing", "missing a required argument: 'seconds'"),
        ("unknown", "missing a required argument: 'seconds'"),
        ("of_another_type", "seconds is to be <class 'float'>, and is '1'"),
        ("untyped", "clock has no type"),
    ],
)
def test_a_wrong_argument_is_named(name: str, said: str) -> None:
    alone = containers.DynamicContainer()
    alone.set_provider("part", Wrong.providers[name])

    assert said in next(mistakes(alone))
