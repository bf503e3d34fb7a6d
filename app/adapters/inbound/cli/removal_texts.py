"""What was taken out, in a few lines."""

from app.adapters.inbound.cli.saying import say_styled
from app.application.forget import Forgotten
from app.application.undo_import import Undone


def print_undone(undone: Undone) -> None:
    """Say how an undo went."""
    one = undone.imported
    say_styled(f"import {one.import_id} of {one.file} is undone: {undone.removed:,} activities were taken out")
    if not undone.are_ids_free:
        say_styled("Redis could not be told: the door calls them duplicates until activity.dedup_window has passed")


def print_forgotten(forgotten: Forgotten) -> None:
    """Say how much was forgotten."""
    say_styled(f"forgotten: {forgotten.activities:,} activities that were stored, {forgotten.waiting:,} that waited")
    say_styled(f"  {forgotten.dead_letters:,} in dead letters, {forgotten.samples:,} samples of refusals")
    say_styled(f"  {forgotten.deliveries:,} deliveries to webhooks, {forgotten.anonymous:,} anonymous ids of the users")
    if forgotten.had_frozen_days:
        say_styled("  of days whose activities have left: the users; what is counted by type on them stays")
