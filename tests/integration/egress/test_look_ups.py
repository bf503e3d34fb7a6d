"""Names are looked up in threads of their own: one whose servers do not answer holds up nobody else."""

import asyncio
import gc
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass, field
from socket import EAI_AGAIN, gaierror
from threading import Event
from typing import Any

import pytest
import uvloop

from app.adapters.egress.addresses import NoAddressError, addresses_of, resolve
from app.adapters.egress.look_ups import LookUps
from tests.support.waiting import eventually

ADDRESS = "192.0.2.1"
AT_ONCE = 2.0
"""Seconds; a busy machine may need some."""

Run = Callable[[Coroutine[Any, Any, None]], None]


@dataclass
class Names:
    """Blocks for each name that begins with `dead`, until they are let go."""

    asked: list[str] = field(default_factory=list)
    let_go: Event = field(default_factory=Event)

    def __call__(self, host: str) -> Sequence[str]:
        self.asked.append(host)
        if host.startswith("dead"):
            assert self.let_go.wait(60)
            raise gaierror(EAI_AGAIN, "Temporary failure in name resolution")
        return [ADDRESS]


@pytest.fixture
def names() -> Iterator[Names]:
    names = Names()
    yield names
    names.let_go.set()


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
def test_a_name_that_nobody_answers_for_holds_up_no_other_and_no_thread_of_the_loop(run: Run, names: Names):
    look_ups = LookUps(names)

    async def check() -> None:
        dead = [asyncio.create_task(resolve(f"dead{at % 2}", 443, look_ups, 30)) for at in range(16)]
        await eventually(lambda: len(names.asked) == 2)

        async with asyncio.timeout(AT_ONCE):
            assert await resolve("live", 443, look_ups, 30) == [ADDRESS]
            assert await asyncio.to_thread(lambda: 1) == 1
            assert await resolve("localhost", 443, addresses_of, 30)

        for task in dead:
            task.cancel()
        await asyncio.wait(dead)

    begun = time.monotonic()
    run(check())

    assert time.monotonic() - begun < 2 * AT_ONCE
    assert sorted(names.asked) == ["dead0", "dead1", "live"]


async def test_a_name_is_looked_up_once_for_all_who_ask_meanwhile(names: Names, caplog: pytest.LogCaptureFixture):
    look_ups = LookUps(names)
    asking = [asyncio.create_task(resolve("dead", port, look_ups, 30)) for port in range(8)]
    await eventually(lambda: names.asked == ["dead"])
    await asyncio.sleep(0.05)
    names.let_go.set()

    for task in asking:
        with pytest.raises(NoAddressError, match=r"of dead were not found: .* Temporary failure"):
            await task
    assert names.asked == ["dead"]
    del asking, task
    gc.collect()
    assert caplog.records == []


async def test_a_name_is_looked_up_anew_when_it_was_found(names: Names):
    look_ups = LookUps(names)

    assert [await look_ups("live", 80) for _ in range(3)] == [[ADDRESS]] * 3
    assert names.asked == ["live"] * 3


async def test_who_leaves_does_not_end_the_look_up_of_the_others(names: Names, caplog: pytest.LogCaptureFixture):
    look_ups = LookUps(names)
    cancelled = asyncio.create_task(resolve("dead", 80, look_ups, 30))
    patient = asyncio.create_task(resolve("dead", 80, look_ups, 30))
    with pytest.raises(NoAddressError, match=r"of dead were not found within 0\.05 s$"):
        await resolve("dead", 80, look_ups, 0.05)
    cancelled.cancel()
    with pytest.raises(asyncio.CancelledError):
        await cancelled
    names.let_go.set()

    with pytest.raises(NoAddressError, match="Temporary failure"):
        await patient
    assert names.asked == ["dead"]
    gc.collect()
    assert caplog.records == []


async def test_when_all_threads_are_busy_a_name_waits_for_one_and_says_so(names: Names):
    look_ups = LookUps(names, most=2)
    dead = [asyncio.create_task(look_ups(f"dead{at}", 80)) for at in range(2)]
    await eventually(lambda: len(names.asked) == 2)

    with pytest.raises(NoAddressError, match=r"of gone were not found within 0\.05 s \(2 other look-ups go on\)"):
        await resolve("gone", 80, look_ups, 0.05)
    assert await look_ups("127.0.0.1", 80) == ["127.0.0.1"]
    waiting = [asyncio.create_task(look_ups(host, 80)) for host in ("live", "live", "other")]
    await asyncio.sleep(0.05)
    assert len(names.asked) == 2
    names.let_go.set()

    assert await asyncio.gather(*waiting) == [[ADDRESS]] * 3
    assert sorted(names.asked) == ["dead0", "dead1", "live", "other"]
    for task in dead:
        with pytest.raises(gaierror):
            await task


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "fe80::1%eth0", "93.184.215.14"])
async def test_an_address_is_not_looked_up(names: Names, address: str):
    assert await LookUps(names)(address, 80) == [address]
    assert names.asked == []


@pytest.mark.parametrize("host", ["." * 3, "a" * 64 + ".example"])
async def test_what_can_be_no_name_has_no_address(host: str):
    with pytest.raises(NoAddressError):
        await resolve(host, 80, addresses_of, 30)


async def test_without_a_thread_a_name_has_no_address_and_may_have_one_later(names: Names):
    look_ups = LookUps(names)
    before = threading.stack_size(2**56)  # more than there is
    try:
        with pytest.raises(NoAddressError, match="can't start new thread"):
            await resolve("live", 80, look_ups, 30)
    finally:
        threading.stack_size(before)

    assert await resolve("live", 80, look_ups, 30) == [ADDRESS]


HANGING = """
import asyncio, threading, uvloop
from app.adapters.egress.addresses import NoAddressError, resolve
from app.adapters.egress.look_ups import LookUps

async def ask():
    try:
        await resolve("dead", 80, LookUps(lambda _: threading.Event().wait(60)), 0.1)
    except NoAddressError as error:
        print(error)

{run}(ask())
print(threading.active_count(), "threads")
"""


@pytest.mark.parametrize("run", ["asyncio.run", "uvloop.run"])
def test_a_process_ends_while_a_look_up_goes_on(run: str):
    program = HANGING.format(run=run)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=30)

    assert done.stdout == "the addresses of dead were not found within 0.1 s\n2 threads\n"
    assert done.stderr == ""
