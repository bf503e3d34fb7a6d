"""Load the settings: find the file, read it, add the environment, and say every mistake in a line of its own."""

import os
from collections.abc import Hashable, Iterator
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError
from pydantic_settings import SettingsError

from app.infrastructure.settings.setting_mistakes import told, unknown_variables, unreadable_variables
from app.infrastructure.settings.settings import Settings
from app.infrastructure.settings.start_errors import ConfigurationError

DEFAULT_FILE = "config.yaml"


def find_file(named: Path | None) -> Path | None:
    """Choose the file: `--config`, else MARQUEE_CONFIG, else config.yaml here when there is one, else none."""
    if named is None and "MARQUEE_CONFIG" in os.environ:
        named = Path(os.environ["MARQUEE_CONFIG"])
    if named is not None:
        return named
    here = Path(DEFAULT_FILE)
    return here if here.exists() else None


def load_settings(file: Path | None) -> Settings:
    """Load the settings of a file (None: the defaults) and of the environment.

    Raises:
        ConfigurationError: everything that is wrong with them.
    """
    found = read_yaml(file) if file else {}
    base = file.resolve().parent if file else Path.cwd()
    where = str(file or "environment")
    mistakes = [*unknown_variables(), *(f"{where}: {mistake}" for mistake in _names_given_twice(found))]
    try:
        settings = Settings(**_anchored(found, base)).from_folder(base)
    except ValidationError as error:
        mistakes += told(error.errors(), found, where)
    except SettingsError:
        mistakes += unreadable_variables()
    if mistakes:
        raise ConfigurationError(list(dict.fromkeys(mistakes)))
    return settings


def read_yaml(file: Path) -> dict[str, Any]:
    """Read a file of keys with values; an empty one has none.

    Raises:
        ConfigurationError: it cannot be read, is none, or has a key twice.
    """
    try:
        with file.open(encoding="utf-8") as stream:
            found = yaml.load(stream, _UniqueKeyLoader)  # noqa: S506 - a SafeLoader, see below
    except OSError as error:
        raise ConfigurationError([f"{file}: cannot be read: {error.strerror}"]) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigurationError([f"{file}: is not YAML: {' '.join(str(error).split())}"]) from None
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise ConfigurationError([f"{file}: expected sections such as 'service:', found {type(found).__name__}"])
    return {str(key): value for key, value in found.items()}


class _UniqueKeyLoader(yaml.SafeLoader):
    """A SafeLoader that refuses a key given twice, where YAML lets the later one win in silence."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for key in keys:
            if keys.count(key) > 1:
                raise yaml.constructor.ConstructorError(None, None, f"the key {key!r} is given twice", node.start_mark)
        return super().construct_mapping(node, deep)


def _anchored(found: dict[str, Any], base: Path) -> dict[str, Any]:
    """Make the file's relative paths relative to the file. Wrong types pass through: validation names them."""
    service = found.get("service")
    if service is None or isinstance(service, dict):
        service = {"data_dir": ".marquee", **(service or {})}
        if isinstance(service["data_dir"], str):
            service["data_dir"] = base / Path(service["data_dir"]).expanduser()
    providers = found.get("providers")
    if isinstance(providers, list):
        providers = [_anchored_provider(provider, base) for provider in providers]
    subscriptions = found.get("subscriptions")
    if isinstance(subscriptions, list):
        subscriptions = [_anchored_subscription(one, base) for one in subscriptions]
    anchored = {**found, "service": service, "providers": providers, "subscriptions": subscriptions}
    anchored |= {name: [] for name in ("providers", "subscriptions") if anchored[name] is None}
    return {key: value for key, value in anchored.items() if value is not None}


def _anchored_provider(provider: Any, base: Path) -> Any:
    if not isinstance(provider, dict):
        return provider
    provider = dict(provider)
    if isinstance(provider.get("files"), list):
        provider["files"] = [base / file if isinstance(file, str) else file for file in provider["files"]]
    provider |= _anchored_trust(provider, base)
    url = provider.get("url")
    if isinstance(url, str) and url.startswith("file:") and not url.startswith("file:///"):
        provider["url"] = (base / url.removeprefix("file://").removeprefix("file:")).resolve().as_uri()
    return provider


def _anchored_subscription(subscription: Any, base: Path) -> Any:
    if not isinstance(subscription, dict) or not isinstance(subscription.get("nats"), dict):
        return subscription
    return subscription | {"nats": subscription["nats"] | _anchored_trust(subscription["nats"], base)}


def _anchored_trust(said: dict[str, Any], base: Path) -> dict[str, Any]:
    """Anchor the files of whom to trust and of who we are."""
    anchored: dict[str, Any] = {}
    if isinstance(said.get("ca_file"), str):
        anchored["ca_file"] = base / said["ca_file"]
    if isinstance(shown := said.get("client_certificate"), dict):
        files = {key: base / file if isinstance(file, str) else file for key, file in shown.items()}
        anchored["client_certificate"] = files
    return anchored


def _names_given_twice(found: dict[str, Any]) -> Iterator[str]:
    """Say it here too: validation compares names only once every provider by itself is right."""
    listed = found.get("providers")
    names = [one.get("name") for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    twice = sorted({str(name) for name in names if name is not None and names.count(name) > 1})
    if twice:
        yield f"providers: two providers of one name: {', '.join(twice)}"
