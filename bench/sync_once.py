"""One measurement of bench.sync, in a process of its own: prints one JSON line."""

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Any

from lxml import etree

from app.adapters.outbound.redis.catalog_update import HEAD
from app.adapters.outbound.redis.keys import provider_key
from app.application.sync_provider import SyncOrder
from app.infrastructure.processes.garbage_collection import freeze_loaded_objects
from app.infrastructure.settings.settings import Settings
from app.infrastructure.wiring.container import Container
from app.infrastructure.wiring.identifiers import new_run_id
from app.infrastructure.wiring.open_container import open_container


def bare(feed: Path) -> dict[str, float]:
    """The reference: lxml reads every element of the file and forgets it."""
    began = time.process_time()
    for _, base in etree.iterparse(str(feed), events=("end",), tag=("base_plan", "base_event")):
        base.clear()
        while base.getprevious() is not None:
            del base.getparent()[0]
    return {"seconds": time.process_time() - began}


async def sync(source: str, data: Path) -> dict[str, float]:
    """A whole sync as the scheduler does it: lease, fetch, parse, reconcile, gate, commit, report."""
    url = source if "://" in source else Path(source).as_uri()
    limits = {"max_wire_bytes": 1 << 30}
    provider = {
        "name": "big",
        "url": url,
        "allow_private_networks": True,
        "timezone": "Europe/Madrid",
        "limits": limits,
    }
    freeze_loaded_objects()
    settings = Settings.model_validate({"service": {"data_dir": data}, "providers": [provider]})
    async with open_container(settings, "scheduler") as container:
        big = container.directory().get("big")
        before, log_before = await figures(container)
        idle = memory("VmRSS")
        began = time.process_time()
        report = await container.sync_provider()(big, SyncOrder(run_id=new_run_id()))
        seconds = time.process_time() - began
        after, log_after = await figures(container)
    if not report.outcome.is_good:
        sys.exit(f"{report.outcome}: {report.reason}")
    return {
        "seconds": seconds,
        "idle": idle,
        "peak": memory("VmHWM"),
        "redis": after - before,
        "writes": log_after - log_before,
        "records": report.records,
        "bytes": report.fetched_bytes,
    }


async def figures(container: Container) -> tuple[int, int]:
    """Look up Redis's memory in bytes and the entries of the change log."""
    redis = container.redis()
    info: Any = await redis.command("INFO", "memory")
    used = info["used_memory"] if isinstance(info, dict) else _field(info, b"used_memory")
    sequence = await redis.command("HGET", provider_key("big", HEAD), "sequence")
    return int(used), int(sequence or 0)


def _field(info: bytes, name: bytes) -> bytes:
    return next(line.partition(b":")[2] for line in info.splitlines() if line.startswith(name + b":"))


def memory(field: str) -> int:
    """Read a figure of this process from the kernel, in bytes."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(field + ":"))


if __name__ == "__main__":
    what, source, data = sys.argv[1:4]
    print(json.dumps(bare(Path(source)) if what == "bare" else asyncio.run(sync(source, Path(data)))))
