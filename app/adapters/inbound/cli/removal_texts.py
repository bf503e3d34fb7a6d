"""What was taken out, in a few lines."""

from app.adapters.inbound.cli.saying import say_styled
from app.application.undo_import import Undone


def print_undone(undone: Undone) -> None:
    """Say how an undo went."""
    one = undone.imported
    say_styled(f"import {one.import_id} of {one.file} is undone: {undone.removed:,} activities were taken out")
    if not undone.are_ids_free:
        say_styled("Redis could not be told: the door calls them duplicates until activity.dedup_window has passed")
