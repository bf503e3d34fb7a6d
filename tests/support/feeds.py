"""Feeds as providers send them, written from plans."""

from collections.abc import Iterable, Sequence
from xml.sax.saxutils import quoteattr

from app.adapters.outbound.providers.contract import Spoiled
from app.domain.plans import Plan, Zone

NOUNS = {"planList": "plan", "eventList": "event"}


def a_feed(plans: Sequence[Plan | Spoiled], *, root: str = "planList") -> bytes:
    """Write a feed: each plan in a base of its own, plans that follow each other in the same base together."""
    return a_document("".join(_base(plan, NOUNS[root]) for plan in plans), root=root)


def a_document(bases: str, *, root: str = "planList") -> bytes:
    """Write a feed around its bases."""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<{root} version="1.0"><output>\n{bases}</output></{root}>\n'.encode()
    )


def _base(plan: Plan | Spoiled, noun: str) -> str:
    key = plan.key
    if isinstance(plan, Spoiled):
        said = {"sell_mode": "online", "title": "Spoiled"}
        item = _element(noun, {f"{noun}_id": key.item_id, f"{noun}_start_date": "2021-09-31T20:00:00"}, [])
    else:
        said = {"sell_mode": plan.sell_mode, "title": plan.title}
        said |= {"organizer_company_id": plan.organizer_id} if plan.organizer_id else {}
        item = _item(plan, noun)
    return _element(f"base_{noun}", {f"base_{noun}_id": key.base_id, **said}, [item])


def _item(plan: Plan, noun: str) -> str:
    assert plan.ends
    said = {
        f"{noun}_id": plan.key.item_id,
        f"{noun}_start_date": plan.starts.isoformat(),
        f"{noun}_end_date": plan.ends.isoformat(),
        "sold_out": str(plan.sold_out).lower(),
    }
    said |= {"sell_from": plan.sell_from.isoformat()} if plan.sell_from else {}
    said |= {"sell_to": plan.sell_to.isoformat()} if plan.sell_to else {}
    return _element(noun, said, map(_zone, plan.zones))


def _zone(zone: Zone) -> str:
    said = {
        "zone_id": zone.zone_id,
        "capacity": str(zone.capacity),
        "price": str(zone.price),
        "name": zone.name,
        "numbered": str(zone.numbered).lower(),
    }
    return _element("zone", said, [])


def _element(tag: str, said: dict[str, str], children: Iterable[str]) -> str:
    attributes = "".join(f" {name}={quoteattr(value)}" for name, value in said.items())
    return f"<{tag}{attributes}>\n{''.join(children)}</{tag}>\n"
