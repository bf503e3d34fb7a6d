"""The roles as processes of their own: what a supervisor, or the API on its own, is to run."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from app.adapters.machine.index_place import PLACE
from app.infrastructure.processes.child_processes import Child
from app.infrastructure.settings.settings import Settings


def role_child(
    name: str,
    config: Path | None,
    options: Sequence[str] = (),
    env: Mapping[str, str] | None = None,
    pass_fds: Sequence[int] = (),
) -> Child:
    """Say how a role is run; `name` is that of the role, with a number when there are several."""
    role = name.partition("-")[0]
    file = ("--config", str(config.resolve())) if config else ()
    arguments = (role, *file, *options)
    command = (sys.executable, "-P", "-m", "app.infrastructure.main", *arguments)
    return Child(name, command, env or {}, pass_fds, arguments)


def indexer_children(settings: Settings, config: Path | None) -> list[Child]:
    """Say who is to keep the index file: one process, or nobody when the settings say so."""
    return [] if settings.search.index_interval is None else [role_child("indexer", config)]


def has_index_file(settings: Settings) -> bool:
    """Whether an API process may answer before anything else is there."""
    return (settings.service.data_dir / PLACE).exists()
