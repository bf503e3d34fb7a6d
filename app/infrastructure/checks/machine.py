"""Checks of this machine: Python, the package, time zones, the data folder, the port."""

import json
import os
import platform
import stat
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib import import_module
from importlib.metadata import Distribution, PackageNotFoundError, distribution, packages_distributions
from pathlib import Path

import app
from app.adapters.outbound.sql.database import FILE
from app.application.check_installation import Check, Finding, Verdict
from app.infrastructure.checks.threads import in_thread
from app.infrastructure.processes.listening_socket import AddressTakenError, bind
from app.infrastructure.settings.settings import Settings
from app.infrastructure.settings.start_errors import ConfigurationError

DISTRIBUTION = "marquee-events"
TOO_LITTLE = 16 * 1024**2
"""Bytes: with less no embedded server starts."""
LITTLE = 1024**3
SYSTEMS = {("Linux", "x86_64"), ("Linux", "aarch64"), ("Darwin", "arm64")}
"""For which all parts have wheels."""


def check_machine() -> list[Check]:
    """Check what holds for every configuration."""
    return [_in_thread("python", _python), _in_thread("package", _package), _in_thread("tzdata", _tzdata)]


def check_place(settings: Settings) -> list[Check]:
    """Check where the service keeps its data, and where it listens."""
    return [
        _in_thread("service.data_dir", lambda: list(_data_dir(settings.service.data_dir))),
        _in_thread("service.port", lambda: [_port(settings)]),
    ]


def _in_thread(subject: str, look: Callable[[], Sequence[Finding]]) -> Check:
    return Check(subject, lambda: in_thread(look))


def _python() -> list[Finding]:
    system, machine = platform.system(), platform.machine()
    found = f"{platform.python_version()} at {sys.executable}, on {system} {machine}"
    if (system, machine) in SYSTEMS:
        return [Finding("python", Verdict.OK, found)]
    remedy = "not all parts come built for this system: what is missing needs a compiler, or a Redis of your own"
    return [Finding("python", Verdict.WARNING, found, remedy)]


def _tzdata() -> list[Finding]:
    version = import_module("tzdata").IANA_VERSION  # it has no types
    return [Finding("tzdata", Verdict.OK, f"{version}, of the IANA")]


def _package() -> list[Finding]:
    return [package_finding(packages_distributions().get("app", ()))]


def package_finding(owners: Iterable[str]) -> Finding:
    """Look whose `app` this is: the name is a common one, and two distributions write over each other's files.

    `owners` are the distributions that say that they have one.
    """
    here = Path(app.__file__).resolve().parent
    try:
        ours = distribution(DISTRIBUTION)
    except PackageNotFoundError:
        return Finding("package", Verdict.PROBLEM, f"{here} belongs to no {DISTRIBUTION}", "install it anew")
    others = sorted(set(owners) - {DISTRIBUTION})
    own_place = "install it into an environment of its own, as pipx does"
    if others:
        return Finding("package", Verdict.PROBLEM, f"`app` is also a part of {', '.join(others)}", own_place)
    if not _is_editable(ours) and here != Path(str(ours.locate_file("app"))).resolve():
        found = f"the `app` in {here} runs, which is not the one of {DISTRIBUTION}"
        return Finding("package", Verdict.PROBLEM, found, f"see what PYTHONPATH and this folder hold, or {own_place}")
    return Finding("package", Verdict.OK, f"{DISTRIBUTION} {ours.version} in {here}")


def _is_editable(ours: Distribution) -> bool:
    told = json.loads(ours.read_text("direct_url.json") or "{}")
    return bool(told.get("dir_info", {}).get("editable"))


def _data_dir(folder: Path) -> Iterator[Finding]:
    subject = "service.data_dir"
    nearest = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not nearest.is_dir() or not os.access(nearest, os.R_OK | os.W_OK | os.X_OK):
        why = "may not be written" if nearest.is_dir() else "is no folder"
        yield Finding(subject, Verdict.PROBLEM, f"{folder}: {nearest} {why}", "name another, or let this user write")
        return
    yield _room(folder, nearest)
    for path in (folder, folder / "redis", folder / FILE):
        if path.exists() and stat.S_IMODE(path.stat().st_mode) & 0o077:
            mode = stat.S_IMODE(path.stat().st_mode)
            yield Finding(subject, Verdict.WARNING, f"others may look into {path} ({mode:04o})", f"chmod go= {path}")


def _room(folder: Path, nearest: Path) -> Finding:
    status = os.statvfs(nearest)
    free = status.f_bavail * status.f_frsize
    found = f"{folder}{'' if folder.exists() else ' (the start makes it)'}, {free / 1024**3:,.1f} GiB free"
    verdict = Verdict.PROBLEM if free < TOO_LITTLE else Verdict.WARNING if free < LITTLE else Verdict.OK
    return Finding("service.data_dir", verdict, found, "" if verdict is Verdict.OK else "make room, or name another")


def _port(settings: Settings) -> Finding:
    service = settings.service
    try:
        bind(settings).close()
    except (ConfigurationError, AddressTakenError) as error:
        return Finding("service.port", Verdict.WARNING, "; ".join(error.lines), "if that is Marquee, all is well")
    return Finding("service.port", Verdict.OK, f"{service.host}:{service.port} is free")
