"""A base that is spelled as providers mostly do, read without a parser: a quarter of the time.

Whatever differs by a byte from what is known here is left to `BaseReader`; it decides what anything means, and a test
shows that both say the same (ADR 0075).
"""

import re
from typing import Annotated, NamedTuple, cast

import msgspec

from app.adapters.formats.packed_zones import PackedZones, SaidZone, price_range
from app.adapters.outbound.providers.plan_list.dialects import ZONE
from app.adapters.outbound.providers.plan_list.markup import Element
from app.adapters.outbound.providers.plan_list.records import Base, RecordReader
from app.adapters.outbound.providers.plan_list.zones import IN_ORDER, MAX_ZONES
from app.adapters.outbound.providers.reading.values import MAX_ID, MAX_TEXT, UnusableError
from app.domain.feeds import PlanRecord
from app.domain.plans import PriceRange, Zone

_BLANKS = "[ \t\r\n]*"
_ATTRIBUTES = '((?: [a-z_]+="[^"&<>]*")+) ?'
_attributes = re.compile(' ([a-z_]+)="([^"]*)"').findall
_FIRST, *_NAMES = (f" {name}=" for name in IN_ORDER)
_BEGIN = re.compile(f">{_BLANKS}<{ZONE}{_FIRST}").fullmatch
_BETWEEN = re.compile(f" ?/>{_BLANKS}<{ZONE}{_FIRST}").fullmatch
_END = re.compile(f" ?/>{_BLANKS}").fullmatch
_EMPTY = re.compile(f">{_BLANKS}").fullmatch
_OF_A_ZONE = 2 * len(IN_ORDER)
_FEW = 8
"""To pack as many zones takes longer than to build them."""
_INSIDE = '"'.join(["", *_NAMES, ""])
_JSON = ('",', ',"', '","', '",', '],["')
_DIGITS_TO_0 = str.maketrans("123456789", "000000000")
_as_integers = msgspec.json.Decoder(list[Annotated[int, msgspec.Meta(ge=0, lt=10**18)]]).decode
_as_numbers = msgspec.json.Decoder(list[Annotated[float, msgspec.Meta(lt=10**12)]]).decode
_as_kinds = msgspec.json.Decoder(list[bool]).decode


class _UnusualError(Exception):
    """Something is spelled otherwise, or has a fault."""


class UsualSpelling:
    """Reads bases of one dialect. It gives plans or nothing: it rejects nothing, and counts nothing."""

    def __init__(self, records: RecordReader) -> None:
        dialect = records.dialect
        self._records = records
        self._dialect = dialect
        self._base = re.compile(f"<{dialect.base}{_ATTRIBUTES}>").match
        self._item = re.compile(f"{_BLANKS}<{dialect.item}{_ATTRIBUTES}(?=(/?)>)").match
        self._end_of_item = f"</{dialect.item}>"
        self._end_of_base = re.compile(f"{_BLANKS}</{dialect.base}>").fullmatch

    def read(self, markup: bytes) -> list[PlanRecord] | None:
        """Read a base from its tag to its end tag; None when it is not spelled as usual, or has a fault."""
        try:
            return self._read(markup.decode())
        except (UnicodeDecodeError, _UnusualError, UnusableError):
            return None

    def _read(self, text: str) -> list[PlanRecord]:
        tag = self._base(text)
        if tag is None:
            raise _UnusualError
        base = self._records.base(_element(self._dialect.base, tag[1], self._dialect.base_attributes))
        if not isinstance(base, Base) or base.faults:
            raise _UnusualError
        records: list[PlanRecord] = []
        at = tag.end()
        while item := self._item(text, at):
            record, at = self._read_item(text, item, base)
            records.append(record)
        if not records or not self._end_of_base(text, at):
            raise _UnusualError
        return records

    def _read_item(self, text: str, item: re.Match[str], base: Base) -> tuple[PlanRecord, int]:
        element = _element(self._dialect.item, item[1], self._dialect.item_attributes)
        if item[2]:
            record, at = self._records.faultless(element, base), item.end() + len("/>")
        else:
            end = text.find(self._end_of_item, item.end())
            record = self._records.faultless(element, base, *self._zones(text[item.end() : end]))
            at = end + len(self._end_of_item)
        if record is None:
            raise _UnusualError
        return record, at

    def _zones(self, text: str) -> tuple[tuple[Zone, ...], list[SaidZone] | None]:
        """Read what stands between the tags of an item, with the `>` before it.

        Cut at its quotes it is markup and values in turns, ten pieces a zone. Each piece of the markup is known, and no
        value holds what a parser would change or refuse: then there is nothing else in it.
        """
        pieces = text.split('"')
        count, rest = divmod(len(pieces), _OF_A_ZONE)
        if not count and _EMPTY(text):
            return (), None
        columns = [pieces[at::_OF_A_ZONE] for at in range(1, _OF_A_ZONE, 2)]
        texts = "".join(columns[0]) + "".join(columns[3])
        if rest != 1 or not 1 <= count <= MAX_ZONES or not _is_usual(pieces, count) or not _is_plain(texts):
            raise _UnusualError
        said = _said(columns) if count > _FEW and "\\" not in texts else None
        if said is None:
            return self._records.zones.by_columns(columns), None
        zones = PackedZones(_as_json(pieces, count), len(said.zones), said.prices)
        return cast("tuple[Zone, ...]", zones), said.zones


class _Said(NamedTuple):
    zones: list[SaidZone]
    prices: PriceRange


def _said(columns: list[list[str]]) -> _Said | None:
    """Read zones of which the values mean in JSON what they mean here; None when those of one do not."""
    ids, capacities, prices, names, numbered = columns
    if "" in ids or max(map(len, ids)) > MAX_ID or max(map(len, names)) > MAX_TEXT:
        return None
    try:
        left, costs, kinds = _capacities(capacities), _costs(prices), _kinds(numbered)
    except ValueError:
        return None
    if not len(left) == len(costs) == len(kinds) == len(ids):
        return None
    return _Said(list(zip(ids, left, prices, names, kinds, strict=True)), price_range(prices, costs, left))


def _capacities(texts: list[str]) -> list[int]:
    joined = ",".join(texts)
    if joined.strip("0123456789,"):
        raise ValueError(joined)
    return _as_integers(f"[{joined}]")


def _costs(texts: list[str]) -> list[float]:
    """Read prices with two decimals; no other form is what `values.price` would make of it."""
    joined = ",".join(texts)
    form = f"{joined},".translate(_DIGITS_TO_0)
    if form.strip("0.,") or form.count(".00,") != len(texts):
        raise ValueError(joined)
    return _as_numbers(f"[{joined}]")  # no number of JSON has a second point, or begins with a 0 too many


def _kinds(texts: list[str]) -> list[bool]:
    joined = ",".join(texts)
    if joined.strip("aeflrstu,"):
        raise ValueError(joined)
    return _as_kinds(f"[{joined}]")


def _is_usual(pieces: list[str], count: int) -> bool:
    begin, end = pieces[0], pieces[-1]
    if not _BEGIN(begin) or not _END(end):
        return False
    between = pieces[_OF_A_ZONE] if count > 1 else begin
    # Mostly all zones are apart by the same blanks: then the markup is one text, in which quotes part its pieces.
    expected = [begin, *[between] * (count - 1), end]
    if '"'.join(pieces[::2]) == _INSIDE.join(expected):
        return count == 1 or _BETWEEN(between) is not None
    return all(pieces[2 * number :: _OF_A_ZONE].count(name) == count for number, name in enumerate(_NAMES, 1)) and all(
        map(_BETWEEN, pieces[_OF_A_ZONE:-1:_OF_A_ZONE])
    )


def _is_plain(texts: str) -> bool:
    """Tell whether ids and names mean themselves; of the others this is seen when they are read."""
    return "&" not in texts and "<" not in texts and texts.isprintable()


def _as_json(pieces: list[str], count: int) -> str:
    """Put JSON in the place of the markup: `[["1",5,"20.00","Floor",true],...]`."""
    for at, markup in zip(range(2, _OF_A_ZONE + 1, 2), _JSON, strict=True):
        pieces[at::_OF_A_ZONE] = [markup] * count
    pieces[0], pieces[-1] = '[["', "]]"
    return "".join(pieces)


def _element(tag: str, attributes: str, known: frozenset[str]) -> Element:
    pairs = _attributes(attributes)
    said = dict(pairs)
    if len(said) != len(pairs) or not known.issuperset(said) or not attributes.isprintable():
        raise _UnusualError
    return Element(tag, said, 0, b"", 0)
