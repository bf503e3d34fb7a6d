"""Kinds of providers from outside: where they are looked for, what they may import, and what a broken one costs."""

import json
import sys
from pathlib import Path

import pytest

from app.adapters.machine.system_clock import SYSTEM_CLOCK
from app.adapters.outbound.memory.circuit_states import MemoryCircuitStates
from app.application.ports.providers import ConfiguredProvider, FeedRefusedError
from app.infrastructure.settings.configuration import load_settings
from app.infrastructure.wiring.provider_directory import SettingsDirectory

GOOD = """
class Acme:
    def __init__(self, spec):
        self.spec = spec

    async def fetch(self, since, watcher=None):
        return None
"""


def provider_of(folder: Path, kind: str) -> ConfiguredProvider:
    config = folder / "config.yaml"
    config.write_text(json.dumps({"providers": [{"name": "acme", "kind": kind}]}))
    return SettingsDirectory(load_settings(config), MemoryCircuitStates(), SYSTEM_CLOCK).get("acme")


def write(folder: Path, name: str, text: str) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text)


async def test_a_module_beside_the_configuration_is_found_wherever_the_command_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    write(tmp_path, "acme_json.py", GOOD)

    provider = provider_of(tmp_path, "acme_json:Acme")

    assert provider.trouble is None
    assert await provider.source.fetch(None) is None
    assert "acme_json" not in sys.modules
    assert str(tmp_path) not in sys.path


def test_a_module_of_the_working_directory_is_not_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "conf").mkdir()
    monkeypatch.chdir(tmp_path)
    write(tmp_path, "acme_here.py", GOOD)

    assert "no acme_here is installed" in (provider_of(tmp_path / "conf", "acme_here:Acme").trouble or "")


@pytest.mark.parametrize("kind", ["shop.feeds.acme:Acme", "shop.feeds:Acme"])
def test_a_module_may_stand_in_folders_and_packages(tmp_path: Path, kind: str):
    write(tmp_path, "shop/feeds/acme.py", GOOD)
    write(tmp_path, "shop/feeds/__init__.py", "from .acme import Acme as Acme")

    assert provider_of(tmp_path, kind).trouble is None


@pytest.mark.parametrize(
    "line",
    [
        "from .acme_helpers import Acme",
        "from acme_helpers import Acme",
        "import acme_helpers\nAcme = acme_helpers.Acme",
    ],
)
def test_a_module_imports_those_beside_it(tmp_path: Path, line: str):
    write(tmp_path, "acme_helpers.py", GOOD)
    write(tmp_path, "acme_json.py", line)

    assert provider_of(tmp_path, "acme_json:Acme").trouble is None


def test_a_module_may_have_the_name_of_one_that_is_installed_and_takes_nobodys_place(tmp_path: Path):
    import redis

    write(tmp_path, "redis.py", GOOD)
    write(tmp_path, "acme_json.py", f"import redis, json\nassert hasattr(redis, 'Redis')\n{GOOD}")

    assert provider_of(tmp_path, "redis:Acme").trouble is None
    assert provider_of(tmp_path, "acme_json:Acme").trouble is None
    assert sys.modules["redis"] is redis


def test_what_is_installed_is_found_too(tmp_path: Path):
    assert provider_of(tmp_path, "app.adapters.outbound.providers.unusable:UnusableProvider").trouble is None


BROKEN = {
    "a syntax error": ("def (", "SyntaxError: "),
    "a missing import": ("import no_such_library", "ModuleNotFoundError: No module named 'no_such_library'"),
    "an exception": ("raise RuntimeError('out\\nof order')", "RuntimeError: out of order"),
    "an exit": ("raise SystemExit(3)", "SystemExit: 3"),
    "no such class": ("", "AttributeError: "),
    "a class that refuses its settings": (
        "class Acme:\n    def __init__(self, spec):\n        raise ValueError('options.token is missing')",
        "ValueError: options.token is missing",
    ),
    "no provider": ("Acme = str", "TypeError: it makes no app.application.ports.providers.Provider: it has no fetch"),
}


@pytest.mark.parametrize(("text", "said"), BROKEN.values(), ids=BROKEN)
async def test_one_that_is_broken_keeps_its_place_and_says_why(tmp_path: Path, text: str, said: str):
    write(tmp_path, "acme_json.py", text)

    provider = provider_of(tmp_path, "acme_json:Acme")

    assert (provider.trouble or "").startswith(f"kind 'acme_json:Acme' cannot be used: {said}")
    with pytest.raises(FeedRefusedError, match="cannot be used"):
        await provider.source.fetch(None)


def test_one_that_is_nowhere_says_where_it_was_looked_for(tmp_path: Path):
    trouble = provider_of(tmp_path, "no.where:Acme").trouble

    assert (
        trouble
        == f"kind 'no.where:Acme' cannot be used: there is no no/where.py in {tmp_path}, and no no.where is installed"
    )
