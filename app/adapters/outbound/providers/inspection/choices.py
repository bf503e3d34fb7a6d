"""Which column is which field of a plan: by its name in several languages, checked by its values."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from app.adapters.outbound.providers.inspection import value_forms as looks
from app.adapters.outbound.providers.inspection.columns import Place
from app.adapters.outbound.providers.inspection.facts import ENOUGH, Facts
from app.adapters.outbound.providers.inspection.nodes import Kind
from app.adapters.outbound.providers.inspection.times import TimeChoice, end_of, sale_of, start_of
from app.adapters.outbound.providers.inspection.words import likeness, parts_of

Judge = Callable[[Facts], float]
_LEAST = 0.4
_UNIQUE = 0.98
_NEARLY_ALL = 0.9
_MOST_KINDS = 10
_SOME_TEXT = 0.45
"""For a text in a place of which nothing else is the name, and an address that nothing else says."""
_MOST_CATEGORIES = 40
_PRICE_LEAVES = {"min", "low", "from", "amount", "value", "betrag", "minimum", "lowest", "ab", "desde", "text", "gross"}
_OF_SEVERAL = {"title", "image", "category", "currency", "url", "place.name", "place.city", "place.country"}
"""Fields of which the first of several may be taken."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A column that was chosen, and how sure that is: from 0 to 1."""

    facts: Facts
    certainty: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneChoices:
    """Parts of a record with prices of their own."""

    names: tuple[str, ...]
    """From the record to each of them."""
    fields: dict[str, Choice]
    """By the names of a zone's fields."""


@dataclass(slots=True, kw_only=True)
class Choices:
    """What was found for the fields of a plan; what was not found is absent."""

    fields: dict[str, Choice] = field(default_factory=dict)
    """By role: title, item_id, base_id, price, currency, url, image, category, status, zone, sold_out, organizer_id,
    sell_from, sell_to, `place.name` to `place.longitude`, and `place.coordinates`, which are a list of both."""
    starts: TimeChoice | None = None
    ends: TimeChoice | None = None
    zones: ZoneChoices | None = None
    where: tuple[Facts, str, list[str]] | None = None
    """A column, one of `equals`, `not` and `in`, and the values."""
    deleted: tuple[Facts, str] | None = None

    def rows_of_plans(self) -> list[int] | None:
        """Say which records are plans by `where` and `deleted`; None when all are."""
        if self.where is None and self.deleted is None:
            return None
        return [row for row in range(len(self._judging()[0].column.values)) if self._is_plan(row)]

    def _judging(self) -> list[Facts]:
        return [judging[0] for judging in (self.where, self.deleted) if judging]

    def _is_plan(self, row: int) -> bool:
        if self.deleted and self.deleted[0].column.values[row] == self.deleted[1]:
            return False
        if self.where is None:
            return True
        facts, way, values = self.where
        return (facts.column.values[row] in values) != (way == "not")


def choose(facts: Sequence[Facts], before: Choices | None = None) -> Choices:
    """Choose for every field; `facts` are the columns of one kind of records.

    With `before` they are of the plans among them alone, as was chosen before.
    """
    found = Choices()
    found.starts = start_of(facts)
    found.ends = end_of(facts, found.starts) if found.starts else None
    if before:
        found.where, found.deleted = before.where, before.deleted
    else:
        _take_conditions(found, facts)
    single = [one for one in facts if not one.is_listed]
    judged = {place for place in (found.deleted and found.deleted[0].column.place,) if place}
    for role, judge in _JUDGES.items():
        if choice := _best(single, judge, judged):
            found.fields[role] = choice
    _choose_identity(found, single)
    for role, (wanted, other) in {"sell_from": ("starts", "ends"), "sell_to": ("ends", "starts")}.items():
        if sale := sale_of(single, wanted, other):
            found.fields[role] = Choice(sale, 0.7)
    for role in _OF_SEVERAL - set(found.fields):
        if choice := _best(facts, _JUDGES[role], judged):
            found.fields[role] = choice
    if "place.latitude" not in found.fields and (pair := next((one for one in facts if _is_geojson(one)), None)):
        found.fields["place.coordinates"] = Choice(pair, 0.8)
    if found.starts and "title" not in found.fields:
        found.fields["title"] = _some_text(facts, found.starts)
    return found


def _some_text(facts: Sequence[Facts], start: TimeChoice) -> Choice:
    """Take for the title what differs most between records, where nothing is called so."""
    texts = [one for one in facts if one.is_text and not one.is_listed and not one.mostly(looks.is_url)]
    taken = max(texts, key=lambda one: (one.share(_is_phrase), len(set(one.column.present))), default=start.columns[0])
    return Choice(taken, 0.0)


def _is_phrase(value: str) -> bool:
    return " " in value


def _choose_identity(found: Choices, facts: Sequence[Facts]) -> None:
    """Choose the ids: what is one in its base alone needs the base; of the rest the base is only told when it is."""
    bases = [choice for choice in (_best(facts, _base_id, set()),) if choice]
    for base in (*bases, None):
        taken = {base.facts.column.place} if base else set()
        item = _best(facts, lambda one, base=base: _item_id(one, base), taken)  # type: ignore[misc] # mypy sees no default
        if item:
            found.fields["item_id"] = item
            break
    if bases:
        found.fields["base_id"] = bases[0]


def zones_of(facts: Sequence[Facts], names: tuple[str, ...]) -> ZoneChoices | None:
    """Choose the fields of parts with prices; None when these parts have none. `facts` are the parts' columns."""
    own = [one for one in facts if one.column.place.up == 0]
    price = _best(own, _price_of_zone, set())
    if price is None:
        return None
    fields = {"price": price}
    taken = {price.facts.column.place}
    for role, judge in {"zone_id": _zone_id, "name": _zone_name, "capacity": _capacity, "numbered": _numbered}.items():
        if choice := _best(own, judge, taken):
            fields[role] = choice
            taken.add(choice.facts.column.place)
    return ZoneChoices(names=names, fields=fields)


def _best(facts: Iterable[Facts], judge: Judge, taken: set[Place]) -> Choice | None:
    scored = [(judge(one), -place, one) for place, one in enumerate(facts) if one.column.place not in taken]
    if not scored:
        return None
    score, _, best = max(scored, key=lambda one: one[:2])
    return Choice(best, min(score, 1.0)) if score >= _LEAST else None


def _take_conditions(found: Choices, facts: Sequence[Facts]) -> None:
    for one in facts:
        values = set(one.column.present)
        if one.is_listed or len(values) > _MOST_CATEGORIES or one.column.place.up:
            continue
        if found.where is None and one.column.leaf.casefold() in looks.DRAFTS and one.mostly(looks.is_truth):
            found.where = (one, "not", sorted({"true", *(value for value in values if value not in looks.NOES)}))
        named = one.called("status") or one.called("category")
        if named and found.deleted is None:
            gone = sorted(value for value in values if value.casefold() in looks.DELETED)
            if values == {"updated"}:  # a page of RPDE on which nothing is
                gone = ["deleted"]
            found.deleted = (one, gone[0]) if gone else None
        if named and found.where is None and (drafts := sorted(v for v in values if v.casefold() in looks.DRAFTS)):
            found.where = (one, "not", drafts)
    if found.where is None and found.starts:
        found.where = _only_kinds(facts, found)


def _only_kinds(facts: Sequence[Facts], found: Choices) -> tuple[Facts, str, list[str]] | None:
    """Find what tells records with a start from others between them, such as a type."""
    assert found.starts is not None  # noqa: S101 - asked for only then
    rows = range(len(facts[0].column.values))
    timed = {row for row in rows if any(one.column.values[row] for one in found.starts.columns)}
    if found.deleted:
        column, value = found.deleted
        timed |= {row for row in rows if column.column.values[row] == value}
    if len(timed) >= 0.97 * len(rows):
        return None
    for one in facts:
        if one.column.place.up or one.is_listed or one.form is not None or one.column.share < ENOUGH:
            continue
        kinds = {one.column.values[row] or "" for row in timed}
        others = {one.column.values[row] or "" for row in rows if row not in timed}
        tells = one.called("category") or one.called("status") or 2 * len(kinds) <= len(timed)  # ids part anything
        if tells and len(kinds) <= _MOST_KINDS and kinds.isdisjoint(others):
            return one, "in" if len(kinds) > 1 else "equals", sorted(kinds)
    return None


def _near(facts: Facts, score: float) -> float:
    """Prefer what stands near, and what most records have."""
    return score * (0.7 + 0.3 * facts.column.share) - facts.distance if score else 0.0


def _title(facts: Facts) -> float:
    if not facts.is_text or facts.is_of_others or facts.within("place") or facts.mostly(looks.is_url):
        return 0.0
    score = facts.called("title") or 0.9 * facts.within("title") * (not facts.called("id"))
    return _near(facts, score * (0.6 if facts.called("place") or facts.called("category") else 1.0))


def _item_id(facts: Facts, base: Choice | None = None) -> float:
    if facts.column.place.up or facts.is_of_others or facts.within("place") or not _is_unique(facts, base):
        return 0.0
    named = facts.called("id")
    linked = 0.5 if facts.called("url") and facts.mostly(looks.is_url) else 0.0
    return _near(facts, max(named, linked) - (0.3 if facts.is_date else 0.0)) - 0.1 * max(0, len(facts.names) - 1)


def _is_unique(facts: Facts, base: Choice | None) -> bool:
    bases = base.facts.column.values if base else [None] * len(facts.column.values)
    pairs = [pair for pair in zip(bases, facts.column.values, strict=True) if pair[1]]
    return bool(pairs) and facts.column.share >= _NEARLY_ALL and len(set(pairs)) >= _UNIQUE * len(pairs)


def _base_id(facts: Facts) -> float:
    """Find what several records have in common: of those around them, or a series that they name."""
    if facts.is_of_others or facts.form is not None or facts.column.share < ENOUGH:
        return 0.0
    if facts.column.place.up:
        return 1.0 - 0.1 * facts.column.place.up if facts.called("id") and len(facts.names) == 1 else 0.0
    if facts.within("place") or _is_unique(facts, None):
        return 0.0
    series = max(facts.called("series"), facts.within("series") * facts.called("id"))
    return _near(facts, series * 0.8)


def _price_of_zone(facts: Facts) -> float:
    return max(
        _price(facts),
        0.6 if facts.column.leaf.lstrip("@").casefold() in _PRICE_LEAVES and facts.mostly(looks.has_price) else 0.0,
    )


def _price(facts: Facts) -> float:
    if facts.is_date or facts.column.kind is Kind.TRUTH or not facts.mostly(looks.has_price):
        return 0.0
    named = facts.called("price") or 0.9 * facts.within("price") * (
        facts.column.leaf.lstrip("@").casefold() in _PRICE_LEAVES
    )
    if any(likeness(name, "currency") == 1.0 for name in facts.names[-1:]) or facts.called("id") == 1.0:
        return 0.0
    return _near(facts, named)


def _currency(facts: Facts) -> float:
    return _near(facts, facts.called("currency")) if facts.mostly(looks.is_currency) else 0.0


def _place_name(facts: Facts) -> float:
    if not facts.is_text or facts.mostly(looks.is_url) or facts.called("city") >= 0.8 or facts.called("country") >= 0.8:  # noqa: PLR2004
        return 0.0
    inside = facts.within("place") * (1.0 if facts.called("title") else 0.0)
    called = 0.0 if facts.is_of_others else facts.called("place")
    return _near(facts, max(inside, called, _SOME_TEXT * (facts.within("place") == 1.0)))


def _city(facts: Facts) -> float:
    return (
        _near(facts, facts.called("city") or facts.within("city") * bool(facts.called("title")))
        if facts.is_text
        else 0.0
    )


def _country(facts: Facts) -> float:
    named = max(
        facts.called("country"), facts.within("country") * 0.9 * bool(facts.called("title") or facts.called("id"))
    )
    return _near(facts, named) if facts.is_text else 0.0


def _degrees(role: str, most: float) -> Judge:
    def judge(facts: Facts) -> float:
        fits = facts.mostly(lambda value: looks.is_between(value, -most, most))
        return (
            _near(facts, facts.called(role)) if facts.called(role) and facts.mostly(looks.is_number) and fits else 0.0
        )

    return judge


def _is_geojson(facts: Facts) -> bool:
    """Whether it is a position of RFC 7946: longitude and latitude in a list."""
    is_pair = facts.column.leaf == "coordinates" and facts.column.most == 2 and not facts.column.place.up  # noqa: PLR2004
    return is_pair and facts.mostly(lambda value: looks.is_between(value, -180, 180))


def _url(facts: Facts) -> float:
    if not facts.mostly(looks.is_url) or facts.mostly(looks.is_picture) or facts.is_of_others or facts.within("place"):
        return 0.0
    return _near(facts, max(facts.called("url"), _SOME_TEXT if not facts.column.place.up else 0.0))


def _image(facts: Facts) -> float:
    if not facts.mostly(looks.is_url):
        return 0.0
    named = max(facts.called("image"), facts.within("image"))
    return _near(facts, max(named, 0.6 if facts.mostly(looks.is_picture) else 0.0))


def _category(facts: Facts) -> float:
    if not facts.is_text or facts.mostly(looks.is_url) or facts.is_of_others:
        return 0.0
    if facts.within("place") or facts.within("price"):
        return 0.0
    different = len(set(facts.column.present))
    is_few = different <= min(_MOST_CATEGORIES, max(2, len(facts.column.present) // 2))
    named = max(facts.called("category"), 0.9 * facts.within("category") * bool(facts.called("title")))
    if different == 1 and facts.called("category") and parts_of(facts.column.leaf) == ("type",):
        return 0.0
    alone = 0.4 if different == 1 and len(facts.column.present) > 1 else 0.0
    return _near(facts, named - alone) if is_few or named == 1.0 else 0.0


def _status(facts: Facts) -> float:
    values = set(facts.column.present)
    if facts.column.kind is Kind.TRUTH or facts.mostly(looks.is_truth):
        meant = looks.status_of(facts.column.leaf.lstrip("@").removeprefix("is"))
        return _near(facts, 0.8) if meant in ("cancelled", "postponed") and not facts.called("sold_out") else 0.0
    if len(values) > _MOST_CATEGORIES or facts.is_date:
        return 0.0
    known = [means for value in facts.column.present if (means := looks.status_of(value))]
    is_telling = len(values) > 1 and 2 * len(known) >= len(facts.column.present) and set(known) != {"scheduled"}
    alone = _SOME_TEXT if is_telling and facts.mostly(str.isalpha) else 0.0
    return _near(facts, max(facts.called("status"), 0.8 * facts.within("status"), alone)) if known else 0.0


def _zone(facts: Facts) -> float:
    return (
        _near(facts, max(0.8, facts.called("zone")))
        if facts.mostly(looks.is_time_zone) and facts.looked_at[0] != "UTC"
        else 0.0
    )


def _sold_out(facts: Facts) -> float:
    return _near(facts, facts.called("sold_out")) if facts.mostly(looks.is_truth) else 0.0


def _organizer(facts: Facts) -> float:
    return _near(facts, facts.called("organizer") if facts.called("organizer") == 1.0 else 0.0)


def _zone_id(facts: Facts) -> float:
    return _near(facts, facts.called("id")) if not facts.is_date else 0.0


def _zone_name(facts: Facts) -> float:
    if facts.column.leaf == "@type":  # of JSON-LD: all of them are offers
        return 0.0
    return _near(facts, max(facts.called("title"), 0.9 * facts.called("category"))) if facts.is_text else 0.0


def _capacity(facts: Facts) -> float:
    return _near(facts, facts.called("capacity")) if facts.mostly(str.isdecimal) else 0.0


def _numbered(facts: Facts) -> float:
    return _near(facts, facts.called("numbered")) if facts.mostly(looks.is_truth) else 0.0


_JUDGES: dict[str, Judge] = {
    "title": _title,
    "price": _price,
    "currency": _currency,
    "place.name": _place_name,
    "place.city": _city,
    "place.country": _country,
    "place.latitude": _degrees("latitude", 90),
    "place.longitude": _degrees("longitude", 180),
    "url": _url,
    "image": _image,
    "category": _category,
    "status": _status,
    "zone": _zone,
    "sold_out": _sold_out,
    "organizer_id": _organizer,
}
