"""Who runs beside the API, as the settings say."""

from pathlib import Path

import pytest

from app.infrastructure.roles.indexer_role import run_indexer
from app.infrastructure.roles.role_children import indexer_children
from app.infrastructure.settings.settings import Settings
from app.infrastructure.settings.start_errors import EX_CONFIG, ConfigurationError

NO_FILE = Settings.model_validate({"search": {"index_interval": None}})


def test_one_indexer_runs_by_the_same_settings() -> None:
    [child] = indexer_children(Settings(), Path("/etc/marquee/config.yaml"))

    assert (child.name, child.marquee) == ("indexer", ("indexer", "--config", "/etc/marquee/config.yaml"))


async def test_without_an_interval_nobody_keeps_a_file_and_who_is_asked_to_says_why() -> None:
    assert indexer_children(NO_FILE, None) == []

    with pytest.raises(ConfigurationError, match=r"search\.index_interval: null") as stopped:
        await run_indexer(NO_FILE)
    assert stopped.value.exit_code == EX_CONFIG
