"""The processes of a service as forks of one that has loaded the code (ADR 0046)."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.feed_files import a_feed, some_items
from tests.support.service import REPOSITORY, Installation, Service
from tests.support.waiting import lives, until

pytestmark = [
    pytest.mark.redis_server,
    pytest.mark.skipif(sys.platform != "linux", reason="elsewhere every process loads the code for itself"),
]
COUNTING = """
import os
from pathlib import Path
with (Path(__file__).parent / "loaded").open("a") as file:
    file.write(f"{os.getpid()} ")

class Acme:
    def __init__(self, spec): ...
    async def fetch(self, since, watcher=None): ...
"""


@pytest.fixture(scope="module")
def installation() -> Iterator[Installation]:
    """Two API processes, a worker, a scheduler, and a provider whose code notes who loads it."""
    with Installation() as installation:
        url = installation.write("feed.xml", a_feed(some_items(3)))
        installation.write("acme_json.py", COUNTING)
        installation.configure(
            {"name": "acme", "url": url, "interval": 3600},
            {"name": "ours", "kind": "acme_json:Acme", "interval": 3600},
            service={"workers": 2},
        )
        yield installation


@pytest.fixture(scope="module")
def service(installation: Installation) -> Service:
    service = installation.run(MARQUEE_START_METHOD="fork")  # by a supervisor and a launcher of its own
    until(lambda: len(service.search()) == 3)
    return service


def launcher_of(service: Service) -> int:
    """The newest one."""
    return int([entry["pid"] for entry in service.log if entry["event"] == "launcher has loaded the code"][-1])


def of_process(pid: int, field: str) -> str:
    found = subprocess.run(["ps", "-ww", "-o", f"{field}=", "-p", str(pid)], capture_output=True, text=True, check=True)
    return found.stdout.strip()


ROLES = ("scheduler", "worker", "api-1", "api-2")


def test_every_role_is_a_fork_of_the_launcher_in_a_session_of_its_own(service: Service) -> None:
    launcher = launcher_of(service)

    for role in ROLES:
        pid = service.child(role)
        assert int(of_process(pid, "ppid")) == launcher
        assert os.getsid(pid) == os.getpgid(pid) == pid
        assert Path(f"/proc/{pid}/fd/0").readlink() == Path(os.devnull)
        assert of_process(pid, "args").startswith(f"marquee {role.partition('-')[0]} --config ")
    assert of_process(launcher, "args").startswith("marquee launcher ")


def test_the_launcher_has_one_thread_and_nothing_open_but_its_end_of_the_socket(service: Service) -> None:
    opened = {int(file.name): file.readlink() for file in Path(f"/proc/{launcher_of(service)}/fd").iterdir()}
    others = [str(target) for number, target in opened.items() if number > 2]

    assert len(list(Path(f"/proc/{launcher_of(service)}/task").iterdir())) == 1
    assert [target.partition(":")[0] for target in others] == ["socket"]


def test_code_of_users_is_loaded_by_the_roles_and_never_by_the_launcher(
    installation: Installation, service: Service
) -> None:
    loaded = {int(pid) for pid in (installation.directory / "loaded").read_text().split()}

    assert loaded.issuperset(service.child(role) for role in ROLES)
    assert launcher_of(service) not in loaded


def test_forks_share_most_of_their_memory(service: Service) -> None:
    def kilobytes(pid: int, kind: str) -> int:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(f"{kind}:"))

    scheduler = service.child("scheduler")

    assert kilobytes(scheduler, "Private_Dirty") < kilobytes(scheduler, "Rss") / 2


def test_a_killed_launcher_costs_no_role_and_another_one_forks_what_comes_after(service: Service) -> None:
    first, before = launcher_of(service), {role: service.child(role) for role in ROLES}

    os.kill(first, signal.SIGKILL)
    os.kill(before["scheduler"], signal.SIGKILL)

    until(lambda: service.child("scheduler") != before["scheduler"])
    assert launcher_of(service) != first
    assert all(lives(before[role]) and service.child(role) == before[role] for role in ROLES[1:])
    assert int(of_process(service.child("scheduler"), "ppid")) == launcher_of(service)
    until(lambda: service.ask("/catalog/providers/acme/sync", "POST").status == 202)


def test_signals_for_everybody_leave_the_launcher_to_the_supervisor(service: Service) -> None:
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        os.kill(launcher_of(service), number)

    assert lives(launcher_of(service))


def test_a_killed_supervisor_takes_the_launcher_and_all_roles_with_it(service: Service) -> None:
    everybody = [launcher_of(service), *(service.child(role) for role in ROLES)]

    service.kill()

    until(lambda: not any(map(lives, everybody)))


def test_what_is_random_differs_between_forks() -> None:
    program = (
        "import os, random, secrets\n"
        "from app.infrastructure.commands import launcher_process as launcher\n"
        "launcher.load()\n"
        "from app.infrastructure.wiring.identifiers import new_id, new_run_id\n"
        "for _ in range(3):\n"
        "    if not (pid := os.fork()):\n"
        "        said = random.random(), secrets.token_hex(8), new_run_id(), new_id().int & 2**62 - 1\n"
        "        os.write(1, ' '.join(map(str, said)).encode() + b'\\n')\n"
        "        os._exit(0)\n"
        "    os.waitpid(pid, 0)\n"
    )
    said = subprocess.run(
        (sys.executable, "-P", "-c", program),
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout

    columns = list(zip(*(line.split() for line in said.splitlines()), strict=True))
    assert len(columns) == 4
    assert all(len(set(column)) == 3 for column in columns)
