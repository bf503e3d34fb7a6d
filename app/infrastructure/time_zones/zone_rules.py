"""Whose time zone rules hold in this process: those of the pinned package `tzdata`, on every machine (ADR 0052)."""

import zoneinfo

import tzdata  # type: ignore[import-untyped]  # it comes without types

ZONE_RULES: str = tzdata.IANA_VERSION
"""The version in use, as IANA names it (`2026f`): later ones sort behind."""


def use_pinned_rules() -> None:
    """Let `zoneinfo` find zones in the package alone, whatever the machine and PYTHONTZPATH have.

    It holds for the whole process and its forks, libraries too. Call it first: a zone that was made before stays as it
    is with whoever has it.
    """
    zoneinfo.reset_tzpath(to=())
    zoneinfo.ZoneInfo.clear_cache()
