"""The real application's routes, over stores that nobody asks."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio
from fastapi import FastAPI

from app.infrastructure.settings.settings import Settings
from app.infrastructure.wiring.container import Container


@asynccontextmanager
async def an_api(data_dir: Path) -> AsyncIterator[FastAPI]:
    settings = Settings.model_validate({"service": {"data_dir": data_dir}})
    container = Container(settings=settings, redis_url="unix:///nowhere")
    yield container.api()
    await container.redis().aclose()
    await container.blocking_redis().aclose()
    await container.database().aclose()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def api(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[FastAPI]:
    """Share one among the tests of a file: it takes a tenth of a second to make. They may not change it."""
    async with an_api(tmp_path_factory.mktemp("api")) as api:
        yield api


@pytest.fixture
async def own_api(tmp_path: Path) -> AsyncIterator[FastAPI]:
    """Make one that a test may change."""
    async with an_api(tmp_path) as api:
        yield api
