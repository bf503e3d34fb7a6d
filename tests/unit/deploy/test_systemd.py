"""The unit for systemd, as far as `systemd-analyze` can tell without starting it."""

import configparser
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from app.infrastructure.settings.settings import Settings
from app.infrastructure.settings.start_errors import EX_CONFIG

UNIT = Path(__file__).parents[3] / "deploy" / "systemd" / "marquee.service"
MOST_EXPOSED = 25
"""In tenths, of 100; a service without any care has 96."""

needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="needs systemd-analyze (Debian's package systemd)"
)


def service() -> configparser.SectionProxy:
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign] # names have capitals
    parser.read_string(UNIT.read_text(encoding="utf-8"))
    return parser["Service"]


def test_the_unit_ends_in_step_with_draining_and_leaves_a_wrong_configuration_alone() -> None:
    unit = service()

    assert unit["KillMode"] == "mixed", "the supervisor ends its children"
    assert int(unit["TimeoutStopSec"]) > Settings().service.drain + 2
    assert int(unit["RestartPreventExitStatus"]) == EX_CONFIG
    assert unit["ExecStart"].endswith("run")


def test_the_data_lie_where_only_the_service_may_look() -> None:
    unit = service()

    assert unit["StateDirectory"] == "marquee"
    assert unit["StateDirectoryMode"] == "0700"
    assert "MARQUEE__SERVICE__DATA_DIR=/var/lib/marquee" in UNIT.read_text(encoding="utf-8")
    assert unit["UMask"] == "0077"


@needs_systemd
def test_systemd_understands_every_line(tmp_path: Path) -> None:
    copy = tmp_path / "marquee.service"
    copy.write_text(re.sub(r"ExecStart=\S+", "ExecStart=/bin/true", UNIT.read_text(encoding="utf-8")))

    verified = subprocess.run(["systemd-analyze", "verify", copy], capture_output=True, text=True, check=False)
    exposed = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", f"--threshold={MOST_EXPOSED}", copy],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (verified.returncode, verified.stdout + verified.stderr) == (0, "")
    assert exposed.returncode == 0, exposed.stdout[-400:]
