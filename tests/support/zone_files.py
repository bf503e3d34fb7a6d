"""Time zone rules of another age: compiled zone files, and whole packages `tzdata`, as a machine might have them."""

import shutil
import struct
from collections.abc import Mapping
from pathlib import Path

import tzdata  # type: ignore[import-untyped]  # it comes without types

VANCOUVER = "America/Vancouver"
VANCOUVER_OF_2025 = "PST8PDT,M3.2.0,M11.1.0"
"""Winter time from November on, for ever; since 2026 there is none any more: it is seven hours behind all year."""
VANCOUVER_OF_2026 = "<-07>7"


def compiled(rule: str) -> bytes:
    """Compile a rule that holds for ever, written as POSIX's TZ, into a file without transitions (RFC 9636)."""
    name, standard = b"LMT\0", struct.pack(">lbB", 0, 0, 0)
    body = standard + name
    header = b"TZif2" + bytes(15) + struct.pack(">6l", 0, 0, 0, 0, 1, len(name))
    return header + body + header + body + b"\n" + rule.encode() + b"\n"


def zone_path(directory: Path, rules: Mapping[str, str]) -> Path:
    """Write zone files as a system has them, below /usr/share/zoneinfo say; the other zones are not there."""
    for zone, rule in rules.items():
        file = directory / zone
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(compiled(rule))
    return directory


def tzdata_package(directory: Path, version: str, rules: Mapping[str, str]) -> Path:
    """Write a package `tzdata` of a version, which has these rules and those of the real one; return its path entry."""
    package = directory / "tzdata"
    shutil.copytree(Path(tzdata.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    (package / "__init__.py").write_text(f'IANA_VERSION = "{version}"\n')
    zone_path(package / "zoneinfo", rules)
    return directory
