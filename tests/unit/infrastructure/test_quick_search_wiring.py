"""Searches are answered quickly only where nobody needs to be asked about them."""

from pathlib import Path
from typing import Any

import pytest

from app.infrastructure.settings.settings import Settings
from app.infrastructure.wiring.container import Container


async def is_quick(data_dir: Path, said: dict[str, Any]) -> bool:
    settings = Settings.model_validate({"service": {"data_dir": data_dir, **said.pop("service", {})}, **said})
    container = Container(settings=settings, redis_url="unix:///nowhere")
    quick = container.quick_search()
    await container.redis().aclose()
    await container.blocking_redis().aclose()
    await container.database().aclose()
    return quick is not None


async def test_open_and_unlimited_searches_are_answered_quickly(tmp_path: Path) -> None:
    assert await is_quick(tmp_path, {})


@pytest.mark.parametrize(
    "said",
    [
        {"security": {"anonymous": ["health"]}},
        {"rate_limits": {"search": {"per_second": 500, "burst": 1000}}},
        {"service": {"host": "0.0.0.0"}},
    ],
)
async def test_closed_or_limited_searches_are_not(tmp_path: Path, said: dict[str, Any]) -> None:
    assert not await is_quick(tmp_path, said)
