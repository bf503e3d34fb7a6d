"""What is measured; each module is a command of the Makefile."""

from app.infrastructure.zone_rules import use_pinned_rules

use_pinned_rules()
