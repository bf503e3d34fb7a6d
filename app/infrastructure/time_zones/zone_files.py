"""The rules of single time zones, as the pinned package has them."""

from importlib import resources

from app.domain.zone_rules import ZoneRules
from app.infrastructure.time_zones.zone_rules import ZONE_RULES


def rules_of(zone: str) -> ZoneRules:
    """Read the rules of an IANA time zone."""
    file = resources.files("tzdata.zoneinfo").joinpath(*zone.split("/"))
    return ZoneRules(zone, ZONE_RULES, file.read_bytes())
