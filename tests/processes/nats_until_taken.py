"""A client of NATS publishes activities until its input ends, each until the stream has it: the SERVER and a SEED.

Says on a line of JSON what the stream has. A message that is published again, for the answer to it was lost, is another
message with the same activities.
"""

import asyncio
import json
import random
import sys
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import nats
from nats.errors import Error

SERVER, SEED = sys.argv[1:]
FIRST = datetime(2026, 3, 1, tzinfo=UTC)


def made(chance: random.Random) -> dict[str, Any]:
    at = FIRST + timedelta(seconds=chance.randrange(20 * 86_400))
    id_, user = str(UUID(int=chance.getrandbits(128), version=4)), f"customer-{chance.randrange(40)}"
    return {"id": id_, "type": "view", "user_id": user, "occurred_at": at.isoformat()}


async def main() -> None:
    chance, told = random.Random(SEED), []
    ending = asyncio.create_task(asyncio.to_thread(sys.stdin.read))
    client = await nats.connect(SERVER, max_reconnect_attempts=-1, reconnect_time_wait=0.1)
    stream = client.jetstream(timeout=1)
    while not ending.done():
        activities = [made(chance) for _ in range(chance.choice((1, 3, 20)))]
        while True:
            try:
                await stream.publish("shop.events", json.dumps(activities).encode())
                break
            except (Error, OSError, TimeoutError):
                await asyncio.sleep(0.05)
        told += [{**one, "at": one["occurred_at"]} for one in activities]
        await asyncio.sleep(0.02)
    await client.close()
    sys.stdout.write(json.dumps(told))


asyncio.run(main())
