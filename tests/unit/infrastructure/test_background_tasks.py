"""What runs beside a role's main work ends with it, also where a library lost the cancellation."""

import asyncio

from app.infrastructure.roles.background_tasks import end_tasks


async def deaf_once(begun: asyncio.Event) -> None:
    begun.set()
    try:
        await asyncio.sleep(60)
    except asyncio.CancelledError:
        await asyncio.sleep(60)


async def test_a_task_that_lost_its_cancellation_is_cancelled_again() -> None:
    begun = asyncio.Event()
    task = asyncio.create_task(deaf_once(begun))
    await begun.wait()

    async with asyncio.timeout(5):
        await end_tasks([task], again=0.02)

    assert task.cancelled()
