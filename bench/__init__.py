"""What is measured; each module is a command of the Makefile."""

from app.infrastructure.time_zones.zone_rules import use_pinned_rules

use_pinned_rules()
