"""The settings of the command that runs: which file was chosen, and what stands in it, read when first asked for."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.infrastructure.settings.settings import Settings

_named: dict[str, Path] = {}


def name_file(file: Path | None) -> None:
    """Remember what `--config` named, before or behind the command's name; the last one counts."""
    if file is not None:
        _named["config"] = file


def named_file() -> Path | None:
    """Say what `--config` named."""
    return _named.get("config")


def chosen_file() -> Path | None:
    """Say which file describes this installation: `--config`, MARQUEE_CONFIG, ./config.yaml; None: no file does."""
    from app.infrastructure.settings.configuration import find_file

    return find_file(named_file())


def chosen_settings() -> "Settings":
    """Read them.

    Raises:
        ConfigurationError: everything that is wrong with them.
    """
    from app.infrastructure.settings.configuration import load_settings

    return load_settings(chosen_file())


def settings_of_role(role: str) -> "Settings":
    """Read the settings for a process of this role, and log as they say.

    Raises:
        ConfigurationError: everything that is wrong with them.
    """
    from app.infrastructure.observability.logging import configure_logging

    settings = chosen_settings()
    configure_logging(settings.logging, role)
    return settings


def is_new_installation(settings: "Settings") -> bool:
    """Whether a command is about to make an embedded database for which no file asks: the directory may be wrong."""
    from app.adapters.outbound.sql.database import FILE

    embedded = settings.database.url == "embedded"
    return chosen_file() is None and embedded and not (settings.service.data_dir / FILE).exists()


def tell_new_installation(settings: "Settings") -> None:
    """Say where it was made."""
    from app.infrastructure.settings.configuration import DEFAULT_FILE

    sys.stderr.write(
        f"marquee: a new, empty installation was made in {settings.service.data_dir}, for {Path.cwd()} has no "
        f"{DEFAULT_FILE}; `marquee --config FILE` works with the one that the file describes\n"
    )
