"""The two dialects of the feed: the same format under other names, told apart by the root element."""

from dataclasses import dataclass

ZONE = "zone"
OUTPUT = "output"


@dataclass(frozen=True, slots=True)
class Dialect:
    """The names that differ between dialects."""

    root: str
    base: str
    base_id: str
    item: str
    item_id: str
    starts: str
    ends: str

    @property
    def base_attributes(self) -> frozenset[str]:
        """All that a base may say."""
        return frozenset({self.base_id, "sell_mode", "organizer_company_id", "title"})

    @property
    def item_attributes(self) -> frozenset[str]:
        """All that an item may say."""
        return frozenset({self.item_id, self.starts, self.ends, "sell_from", "sell_to", "sold_out"})


def _dialect(root: str, noun: str) -> Dialect:
    return Dialect(
        root, f"base_{noun}", f"base_{noun}_id", noun, f"{noun}_id", f"{noun}_start_date", f"{noun}_end_date"
    )


DIALECTS = {dialect.root: dialect for dialect in (_dialect("eventList", "event"), _dialect("planList", "plan"))}
EXPECTED = "expected a document with root eventList or planList"
