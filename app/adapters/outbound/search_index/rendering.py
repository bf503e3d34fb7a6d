"""How a plan becomes the bytes that searches answer, and what the index needs to know of them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import blake2b

from app.adapters.outbound.search_index.packed_details import pack_details
from app.domain.plans import Place, PlanDetails, PlanId, PlanStatus, PlanSummary, SearchablePlan

Parse = Callable[[bytes], PlanSummary]


@dataclass(frozen=True, slots=True)
class Rendering:
    """The functions around a fragment: what search answers for one plan. It begins with the plan's id."""

    render: Callable[[PlanSummary], bytes]
    prefix: Callable[[PlanId], bytes]
    """How the fragment of the plan with this id begins, up to where it is no other's."""
    parse: Parse
    """Reads back what `render` made."""
    key: Callable[[bytes], bytes]
    """The sixteen bytes of the id with which a fragment begins."""


SAMPLE = SearchablePlan(
    datetime(2021, 6, 30, 19, 30, tzinfo=UTC),
    datetime(2021, 7, 1, tzinfo=UTC),
    PlanSummary(
        plan_id=PlanId(int=1),
        title='Los "Morancos" ñ',
        starts=datetime(2021, 6, 30, 21, 30),  # noqa: DTZ001 - a wall clock
        ends=None,
        min_price=Decimal("15.00"),
        max_price=None,
        end_has_time=False,
    ),
    PlanDetails(status=PlanStatus.CANCELLED, place=Place(name="Teatro", latitude=1.5), url="https://example.com/"),
    "provider",
    "Europe/Madrid",
)
"""A plan of which each kind of value is said, and each kind of nothing."""


def name_of(rendering: Rendering) -> str:
    """Name how plans are rendered and their details packed: another way has another name, whatever version it is of."""
    return blake2b(rendering.render(SAMPLE.summary) + pack_details(SAMPLE), digest_size=8).hexdigest()
