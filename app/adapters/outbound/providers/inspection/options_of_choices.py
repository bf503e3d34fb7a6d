"""What was chosen -> the options of a `mapped` provider, and for each key what a reader should know of it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from app.adapters.outbound.providers.inspection import value_forms as looks
from app.adapters.outbound.providers.inspection.choices import Choice, Choices, ZoneChoices
from app.adapters.outbound.providers.inspection.date_forms import Reads
from app.adapters.outbound.providers.inspection.facts import Facts
from app.adapters.outbound.providers.inspection.nodes import Kind
from app.adapters.outbound.providers.inspection.path_text import PathWriter
from app.adapters.outbound.providers.inspection.times import TimeChoice
from app.adapters.outbound.providers.inspection.words import CENTS, says_any
from app.adapters.outbound.providers.mapped.number_patterns import number_pattern

SURE, LIKELY = 0.85, 0.65
_EXAMPLE = 40
_TEXTS = ("item_id", "base_id", "title", "organizer_id", "url", "image", "category")


@dataclass(slots=True)
class Options:
    """Options, and notes by dotted key (`fields.starts`)."""

    said: dict[str, Any] = field(default_factory=dict)
    notes: dict[str, list[str]] = field(default_factory=dict)

    def note(self, key: str, *texts: str | None) -> None:
        """Add what a reader of a key should know."""
        self.notes.setdefault(key, []).extend(text for text in texts if text)


@dataclass(slots=True)
class OptionsWriter:
    """Writes them for the records of one document."""

    paths: PathWriter
    options: Options = field(default_factory=Options)

    def write(self, choices: Choices, base: str) -> Options:
        """Write all; `base` is the base id of feeds that have no bases."""
        fields: dict[str, Any] = {}
        self._identity(fields, choices, base)
        self._texts(fields, choices, ("title",))
        self._times(fields, choices)
        if zone := choices.fields.get("zone"):
            fields["zone"] = self._text("zone", zone)
        if status := choices.fields.get("status"):
            fields["status"] = self._status(status)
        self._sale(fields, choices)
        self._prices(fields, choices)
        self._place(fields, choices)
        self._texts(fields, choices, ("url", "image", "category", "organizer_id"))
        self.options.said["fields"] = fields
        self._conditions(choices)
        return self.options

    def path(self, facts: Facts, **more: Any) -> Any:
        """Write a path, and what else is to be said of its value."""
        said: dict[str, Any] = {"path": self.paths.value(facts.column.place), **more}
        if self.paths.is_of_document(facts.column.place):
            said["of"] = "document"
        return said if len(said) > 1 else said["path"]

    def _text(self, key: str, choice: Choice, under: str = "fields.") -> Any:
        self.options.note(f"{under}{key}", described(choice.facts, choice.certainty))
        return self.path(choice.facts, **({"trim": True} if choice.facts.column.padded else {}))

    def _texts(self, fields: dict[str, Any], choices: Choices, roles: Sequence[str]) -> None:
        for role in roles:
            if choice := choices.fields.get(role):
                fields[role] = self._text(role, choice)

    def _identity(self, fields: dict[str, Any], choices: Choices, base: str) -> None:
        self._texts(fields, choices, ("base_id", "item_id"))
        if "item_id" not in fields:
            fields.setdefault("base_id", {"value": base})
            note = "no item_id: nothing is an id for each record of its own, so a new start or title is a new plan"
            self.options.note("fields.base_id", note)

    def _times(self, fields: dict[str, Any], choices: Choices) -> None:
        if choices.starts is None:
            return
        fields["starts"] = self._time("starts", choices.starts)
        if choices.ends:
            fields["ends"] = self._time("ends", choices.ends)
        else:
            self.options.note(
                "fields.starts", "no end was found: where all take as long, add ends with default: {after: 2h}"
            )

    def _time(self, key: str, chosen: TimeChoice) -> Any:
        said = []
        time = chosen.time_of_day
        for facts in chosen.columns:
            assert facts.form is not None  # noqa: S101 - it is a date
            self.options.note(f"fields.{key}", facts.form.doubt and f"in doubt: {facts.form.doubt}")
            if time and time.form:
                day = "%Y-%m-%d" if facts.form.format == "iso" else facts.form.format
                is_above = self.paths.is_of_document(facts.column.place)
                write = self.paths.of_document if is_above else self.paths.value
                paths = [write(one.column.place) for one in (facts, time)]
                clock = time.form.format
                of = {"of": "document"} if self.paths.is_of_document(facts.column.place) else {}
                said.append({"join": paths, "format": f"{day} {clock}", **of})
                if time.column.share >= facts.column.share:
                    continue
            said.append(self._date(facts))
        if chosen.length:
            said.append(self.path(chosen.length, format=chosen.length_format))
        if not chosen.columns and time and time.form:
            clock = time.form.format
            said.append(self.path(time, format="time" if clock in ("%H:%M", "%H:%M:%S") else clock))
        first = chosen.columns[0] if chosen.columns else time or chosen.length
        assert first is not None  # noqa: S101 - a choice has one of them
        if _are_midnights(first):
            self.options.note(f"fields.{key}", "all at midnight: does a time of day stand elsewhere? join can add it")
        told = None if time else "from the start on" if chosen.length else _told(first)
        self.options.note(f"fields.{key}", described(first, chosen.certainty) + (f"; {told}" if told else ""))
        return said[0] if len(said) == 1 else said

    def _date(self, facts: Facts) -> Any:
        assert facts.form is not None  # noqa: S101 - it is a date
        formats = [facts.form.format, *facts.form.others]
        if formats == ["iso"]:
            return self.path(facts)
        return self.path(facts, format=formats if len(formats) > 1 else formats[0])

    def _sale(self, fields: dict[str, Any], choices: Choices) -> None:
        for role in ("sell_from", "sell_to"):
            if choice := choices.fields.get(role):
                fields[role] = self._date(choice.facts)
                self.options.note(f"fields.{role}", described(choice.facts, choice.certainty))
        if sold_out := choices.fields.get("sold_out"):
            fields["sold_out"] = self._truth("sold_out", sold_out)

    def _truth(self, key: str, choice: Choice, under: str = "fields.") -> Any:
        """Write a yes or no, and what the words for them mean."""
        self.options.note(f"{under}{key}", described(choice.facts, choice.certainty))
        words = sorted(set(choice.facts.column.present) - looks.PLAIN_TRUTHS)
        if not words:
            return self.path(choice.facts)
        return self.path(choice.facts, map={word: word.casefold() not in looks.NOES for word in words})

    def _status(self, choice: Choice) -> Any:
        words = Counter(choice.facts.column.present)
        if choice.facts.mostly(looks.is_truth):
            meant = looks.status_of(choice.facts.column.leaf.lstrip("@").removeprefix("is"))
            yes = sorted(word for word in words if word.casefold() not in looks.NOES)
            said = dict.fromkeys(yes or ["true"], meant)
        else:
            meanings = {word: looks.status_of(word) for word in sorted(words)}
            said = {word: means for word, means in meanings.items() if means and means != "scheduled"}
            if not said:
                said = {"cancelled": "cancelled"}
                self.options.note("fields.status", "none is cancelled here: say the word that the provider has for it")
            if strange := [word for word, means in meanings.items() if means is None]:
                self.options.note("fields.status", f"not understood, so scheduled: {', '.join(strange[:8])}")
        self.options.note("fields.status", described(choice.facts, choice.certainty))
        return self.path(choice.facts, map={**said, "*": "scheduled"})

    def _prices(self, fields: dict[str, Any], choices: Choices) -> None:
        currency = choices.fields.get("currency")
        prices = choices.zones.fields["price"].facts if choices.zones else None
        if choices.zones:
            fields["zones"] = self._zones(choices.zones)
        elif price := choices.fields.get("price"):
            prices = price.facts
            fields["price"] = self._number("price", price)
        if currency:
            fields["currency"] = self._text("currency", currency)
        elif prices and (code := looks.currency_in(prices.looked_at)):
            fields["currency"] = {"value": code}

    def _zones(self, zones: ZoneChoices) -> dict[str, Any]:
        inside = PathWriter(
            self.paths.format, (*self.paths.record, *zones.names), self.paths.listed, self.paths.namespaces
        )
        writer = OptionsWriter(inside, self.options)
        said: dict[str, Any] = {}
        for role in ("zone_id", "name", "price", "capacity", "numbered"):
            if choice := zones.fields.get(role):
                is_number, is_truth = role in ("price", "capacity"), role == "numbered"
                write = writer._number if is_number else writer._truth if is_truth else writer._text
                said[role] = write(role, choice, "fields.zones.fields.")
        return {"each": self.paths.each(zones.names), "fields": said}

    def _number(self, key: str, choice: Choice, under: str = "fields.") -> Any:
        self.options.note(f"{under}{key}", described(choice.facts, choice.certainty))
        pattern = None if choice.facts.column.kind is Kind.NUMBER else pattern_of(choice.facts.looked_at)
        if key == "price" and says_any(choice.facts.column.leaf, CENTS) and choice.facts.mostly(str.isdecimal):
            pattern = "cents"
        free = sorted({value for value in choice.facts.column.present if looks.is_free(value)})
        more: dict[str, Any] = {"number": pattern} if pattern else {}
        return self.path(choice.facts, **more, **({"map": dict.fromkeys(free, "0")} if free else {}))

    def _place(self, fields: dict[str, Any], choices: Choices) -> None:
        found = {role.partition(".")[2]: choice for role, choice in choices.fields.items() if role.startswith("place.")}
        pair = found.pop("coordinates", None)
        if ("latitude" in found) != ("longitude" in found):
            found = {role: choice for role, choice in found.items() if role not in ("latitude", "longitude")}
        said: dict[str, Any] = {}
        for role, choice in found.items():
            is_number = role in ("latitude", "longitude")
            write = self._number if is_number else self._text
            said[role] = write(role, choice, "fields.place.")
        if pair:  # RFC 7946: first east, then north
            east = self.paths.value(pair.facts.column.place)
            said |= {"latitude": f"{east.removesuffix('[0]')}[1]", "longitude": east}
        if said:
            fields["place"] = said

    def _conditions(self, choices: Choices) -> None:
        where = []
        if choices.where:
            facts, way, values = choices.where
            where.append(self._condition(facts, way, values[0] if way == "equals" else values))
        if choices.deleted and "item_id" in choices.fields:
            self.options.said["deleted"] = self._condition(choices.deleted[0], "equals", choices.deleted[1])
        elif choices.deleted:  # whose it is, nobody can say
            where.append(self._condition(choices.deleted[0], "not", [choices.deleted[1]]))
        if where:
            self.options.said["where"] = where if len(where) > 1 else where[0]
            self.options.note("where", "the others are no plans, or not to be shown")

    def _condition(self, facts: Facts, way: str, value: Any) -> dict[str, Any]:
        return {"path": self.paths.value(facts.column.place), way: value}


def pattern_of(values: Sequence[str]) -> str | None:
    """Tell how numbers are written, with what stands beside them (`1.234,56 EUR`); None: with a point, and bare."""
    style = looks.number_style(values)
    around = Counter(looks.around_price(value) for value in values if not looks.is_free(value)).most_common(1)
    before, after = around[0][0] if around else ("", "")
    if not style and not before and not after:
        return None
    pattern = f"{before}{style or '1234.56'}{f' {after}' if after else ''}"
    return pattern if number_pattern(pattern) else style


def described(facts: Facts, certainty: float) -> str:
    """Say how sure a choice is, what values there are, and how many records have none."""
    certain = "" if certainty >= SURE else "likely: " if certainty >= LIKELY else "a guess: "
    examples = ", ".join(shortened(value) for value in list(dict.fromkeys(facts.column.present))[:2])
    none = len(facts.column.values) - len(facts.column.present)
    absent = f"; {none} of {len(facts.column.values)} have none" if none else ""
    several = "; the first of several" if facts.is_listed else ""
    return f"{certain}{examples}{absent}{several}"


def shortened(value: str) -> str:
    """Give the beginning of a value, in one line."""
    line = " ".join(value.split())
    return line if len(line) <= _EXAMPLE else f"{line[: _EXAMPLE - 3]}..."


def _are_midnights(facts: Facts) -> bool:
    is_clock = facts.form is not None and facts.form.reads is Reads.WALL_CLOCK
    return is_clock and all(" 00:00" in value or "T00:00" in value for value in facts.looked_at)


def _told(facts: Facts) -> str | None:
    if facts.form is None:
        return None
    return {Reads.DATE: "days without a time", Reads.INSTANT: "instants", Reads.WALL_CLOCK: "local times"}.get(
        facts.form.reads
    )
