"""What cannot be run here (no container engine, no CI of others) is checked as far as it can be."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.infrastructure.commands.command_table import COMMANDS
from app.infrastructure.settings.access_settings import Jwt
from app.infrastructure.settings.configuration import load_settings
from app.infrastructure.settings.settings import Settings

ROOT = Path(__file__).parents[3]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
OPENED = "MARQUEE__SECURITY__ANONYMOUS"
OURS = [name for name, service in COMPOSE["services"].items() if service.get("build")]


def test_the_repositorys_configuration_is_valid_and_has_the_demo() -> None:
    settings = load_settings(ROOT / "config.yaml")

    assert [provider.name for provider in settings.providers] == ["demo"]
    assert all(file.is_file() for file in settings.providers[0].files)


def test_the_repositorys_configuration_shows_the_defaults() -> None:
    shown = load_settings(ROOT / "config.yaml")
    defaults = Settings()

    for section in set(Settings.model_fields) - {"service", "providers"}:
        assert getattr(shown, section) == getattr(defaults, section)
    assert shown.service.model_copy(update={"data_dir": defaults.service.data_dir}) == defaults.service


def test_the_keys_that_stand_in_comments_are_keys_with_their_defaults() -> None:
    text = (ROOT / "config.yaml").read_text(encoding="utf-8")
    tokens, providers = (
        yaml.safe_load("\n".join(line.removeprefix("  # ") for line in part.splitlines() if re.match(pattern, line)))
        for part, pattern in zip(text.split("\nproviders:\n"), (r"  # (jwt|  )", r"  # (- |  )"), strict=True)
    )
    found = providers
    own = ("issuer", "audience", "jwks_url")
    jwt = {key: value for key, value in tokens["jwt"].items() if key in own}

    assert Jwt.model_validate(tokens["jwt"]) == Jwt.model_validate(jwt)
    assert set(tokens["jwt"]) == set(Jwt.model_fields)
    assert found[0].pop("name") == "acme"
    url = found[0].pop("url")
    shown = Settings.model_validate({"providers": [{"name": "acme", "url": url, **found[0]}]})
    assert shown == Settings.model_validate({"providers": [{"name": "acme", "url": url}]})


@pytest.mark.parametrize("name", OURS)
def test_compose_starts_roles_that_exist_with_settings_that_exist(name: str) -> None:
    service = COMPOSE["services"][name]

    assert service["command"][0] in {command.name for command in COMMANDS}
    for key in service["environment"]:
        _, *path = key.lower().split("__")
        fields: Any = Settings
        for part in path:
            assert part in fields.model_fields, key
            fields = fields.model_fields[part].annotation


def test_the_image_answers_on_its_port_and_builds_from_wheels_alone() -> None:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")

    assert "MARQUEE__SERVICE__HOST=0.0.0.0" in text
    assert f"EXPOSE {Settings().service.port}" in text
    assert "--only-binary :all:" in text
    assert "USER marquee" in text


def test_compose_keeps_redis_append_only_and_behind_the_services() -> None:
    redis, postgres = COMPOSE["services"]["redis"], COMPOSE["services"]["postgres"]

    assert "ports" not in redis
    assert "ports" not in postgres
    assert redis["command"][1:5] == ["--appendonly", "yes", "--appendfsync", "always"]
    assert all(COMPOSE["services"][name]["depends_on"]["redis"]["condition"] == "service_healthy" for name in OURS)


def test_compose_migrates_the_database_before_anything_uses_it() -> None:
    users = [name for name in OURS if name != "migrate"]

    assert set(users) == {"api", "scheduler", "worker"}
    for name in users:
        assert COMPOSE["services"][name]["depends_on"]["migrate"]["condition"] == "service_completed_successfully"
    assert "migrate" not in COMPOSE["services"]["migrate"]["depends_on"]


@pytest.mark.parametrize("name", [name for name, service in COMPOSE["services"].items() if "image" in service])
def test_compose_pins_the_images_of_others_by_version_and_digest(name: str) -> None:
    assert re.fullmatch(r"[a-z/]+:v?\d+\.\d+(\.\d+)?(-alpine)?@sha256:[0-9a-f]{64}", COMPOSE["services"][name]["image"])


@pytest.mark.parametrize("name", COMPOSE["services"])
def test_compose_publishes_nothing_beyond_this_machine(name: str) -> None:
    assert all(port.startswith("127.0.0.1:") for port in COMPOSE["services"][name].get("ports", ()))


def test_compose_takes_every_password_from_the_environment_and_starts_nothing_without_it() -> None:
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    variables = re.findall(r"\$\{([^}]*)\}", text)

    assert {variable.partition(":?")[0] for variable in variables} == {
        "MARQUEE_DATABASE_PASSWORD",
        "MARQUEE_REDIS_PASSWORD",
        "GRAFANA_ADMIN_PASSWORD",
    }
    assert all(":?set it" in variable for variable in variables)
    for line in text.splitlines():
        assert not re.search(r"(PASSWORD|AUTH): (?!\$\{)|requirepass \w|://[^:/]*:(?!\$)[^@]*@", line), line


def test_compose_lets_only_the_roles_reach_the_stores() -> None:
    services, networks = COMPOSE["services"], COMPOSE["networks"]

    assert networks["stores"] == {"internal": True}
    assert services["redis"]["networks"] == services["postgres"]["networks"] == ["stores"]
    assert {name for name, service in services.items() if "stores" in service["networks"]} == {
        *OURS,
        "redis",
        "postgres",
    }


def test_compose_opens_nothing_to_everybody_but_searches_health_and_metrics() -> None:
    opened = {name: service["environment"].get(OPENED) for name, service in COMPOSE["services"].items() if name in OURS}

    assert json.loads(opened.pop("api")) == ["search", "health", "metrics"]
    assert set(opened.values()) == {None}


def test_compose_watches_with_what_is_in_the_repository() -> None:
    for service in COMPOSE["services"].values():
        for volume in service.get("volumes", ()):
            if volume.startswith("./"):
                outside, _, mode = volume.split(":")
                assert (ROOT / outside).exists()
                assert mode == "ro"


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock"])
def test_pins_have_hashes_and_name_no_address(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    pins = re.findall(r"^([A-Za-z0-9_.\[\]-]+)==", text, re.MULTILINE)

    assert len(pins) > 20
    assert text.count("==") >= len(pins)
    for pin in pins:
        assert re.search(rf"^{re.escape(pin)}==[^\n]*\\\n\s+--hash=sha256:", text, re.MULTILINE), pin
    assert "://" not in text
    assert "--index" not in text


@pytest.mark.parametrize("name", [".pre-commit-config.yaml", ".ci/run"])
def test_hooks_and_ci_only_call_make(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")

    assert re.search(r"\bmake (check|lint)\b|run: \.ci/run$", text, re.MULTILINE)
    assert not re.search(r"\b(pytest|ruff|mypy|pip) ", text)
