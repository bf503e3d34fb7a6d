"""`options.fields`, `where` and `deleted` -> fields and conditions."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from app.adapters.outbound.providers.mapped.mapping import Condition, Field, Source, ZoneMapping
from app.adapters.outbound.providers.mapped.mistakes import Mistakes
from app.adapters.outbound.providers.mapped.moments import ISO, LENGTHS, format_mistake
from app.adapters.outbound.providers.mapped.number_patterns import EXPECTED as EXPECTED_NUMBER
from app.adapters.outbound.providers.mapped.number_patterns import number_pattern
from app.adapters.outbound.providers.mapped.paths import MAX_PATH, Path, PathError, Paths

TIMES = ("starts", "ends", "sell_from", "sell_to")
NUMBERS = ("price", "capacity", "latitude", "longitude")
PLACE = ("name", "city", "country", "latitude", "longitude")
ZONE = ("zone_id", "name", "price", "capacity", "numbered")
PLAN = (
    *("base_id", "item_id", "title", "sell_mode", *TIMES, "zone", "status", "price", "currency", "zones", "place"),
    *("url", "image", "category", "organizer_id", "sold_out"),
)
ICALENDAR: dict[str, Any] = {
    "base_id": "UID",
    "item_id": ["RECURRENCE-ID", "UID"],
    "starts": "DTSTART",
    "ends": "DTEND",
    "title": "SUMMARY",
    "status": {"path": "STATUS", "map": {"CANCELLED": "cancelled", "*": "scheduled"}},
    "place": "LOCATION",
    "url": "URL",
    "category": "CATEGORIES",
}
"""What every calendar says alike, so that no mapping need say it."""

_SOURCE = ("path", "join", "of", "value", "trim", "map", "default", "format", "number", "exclusive")
_MAX_SOURCES = 20
_MAX_MAP = 1_000
_DURATION = re.compile(r"(?:([0-9]{1,4})d)?(?:([0-9]{1,5})h)?(?:([0-9]{1,6})m)?(?:([0-9]{1,8})s)?")
_NO_ITEM_ID = (
    "item_id is not mapped: items are told apart by their start and title, so that either's change is another plan"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledFields:
    """What fields and conditions make of options."""

    fields: dict[str, Field]
    zones: tuple[ZoneMapping, ...]
    where: tuple[Condition, ...]
    deleted: tuple[Condition, ...]
    assumed: frozenset[str]
    """Those that nobody said."""
    warnings: tuple[str, ...] = field(default=())


class FieldCompiler:
    """Compiles what has paths in it, and notes what is wrong."""

    def __init__(self, paths: Paths, mistakes: Mistakes, *, by_default: bool = False) -> None:
        """Take the paths of the format; with `by_default`, fields that are not said are those of ICALENDAR."""
        self._paths = paths
        self._mistakes = mistakes
        self._defaults = ICALENDAR if by_default else {}

    def compile(self, options: Any) -> CompiledFields | None:
        """Compile them; None when there are none."""
        found = options.get("fields", {} if self._defaults else None)
        if not isinstance(found, dict):
            self._mistakes.note("fields", found, "expected keys with paths: title, starts, base_id, ...")
            return None
        assumed = frozenset(self._defaults) - set(found)
        found = {**self._defaults, **found}
        self._check_keys("fields", found, PLAN)
        fields = dict(self._fields(found))
        self._check_needed(found, deleted="deleted" in options)
        return CompiledFields(
            fields=fields,
            zones=self._all_zones(found.get("zones")),
            where=self._conditions("where", options.get("where")),
            deleted=self._conditions("deleted", options.get("deleted")),
            assumed=frozenset("place.name" if name == "place" else name for name in assumed),
            warnings=() if "item_id" in found else (_NO_ITEM_ID,),
        )

    def _fields(self, found: dict[str, Any]) -> Iterable[tuple[str, Field]]:
        for name, said in found.items():
            if name in PLAN and name not in {"zones", "place"} and said is not None:
                yield from self._named(name, self.field(f"fields.{name}", name, said))
        place = found.get("place")
        if isinstance(place, dict) and not set(place) & set(_SOURCE):
            self._check_keys("fields.place", place, PLACE)
            for name in PLACE:
                if place.get(name) is not None:
                    key = f"place.{name}"
                    yield from self._named(key, self.field(f"fields.{key}", key, place[name]))
        elif place is not None:
            yield from self._named("place.name", self.field("fields.place", "place", place))

    @staticmethod
    def _named(name: str, compiled: Field | None) -> Iterable[tuple[str, Field]]:
        if compiled is not None:
            yield name, compiled

    def _check_keys(self, key: str, found: dict[str, Any], known: tuple[str, ...]) -> None:
        for name in found:
            if name not in known:
                self._mistakes.unknown(key, name, known)

    def _check_needed(self, found: dict[str, Any], *, deleted: bool) -> None:
        for name in ("title", "starts"):
            if found.get(name) is None:
                self._mistakes.note(f"fields.{name}", None, "expected a path: no plan is without it")
        if found.get("base_id") is None and found.get("item_id") is None:
            self._mistakes.note("fields.base_id", None, "expected a path: by it, or by item_id, plans are told apart")
        if deleted and found.get("item_id") is None:
            self._mistakes.note("fields.item_id", None, "expected a path: `deleted` must say which plan it means")

    def _all_zones(self, found: Any) -> tuple[ZoneMapping, ...]:
        """Compile one way to find zones, or a list of ways whose zones follow each other."""
        if found is None:
            return ()
        ways = found if isinstance(found, list) else [found]
        keys = (
            [f"fields.zones[{number}]" for number in range(len(ways))] if isinstance(found, list) else ["fields.zones"]
        )
        if not 1 <= len(ways) <= _MAX_SOURCES:
            self._mistakes.note("fields.zones", found, f"expected 1 to {_MAX_SOURCES} ways to find zones")
            return ()
        compiled = [self._zones(*one) for one in zip(keys, ways, strict=True)]
        return tuple(one for one in compiled if one)

    def _zones(self, key: str, found: Any) -> ZoneMapping | None:
        if not isinstance(found, dict) or not isinstance(found.get("fields"), dict):
            self._mistakes.note(key, found, "expected {each: PATH, fields: {price: PATH, ...}}")
            return None
        self._check_keys(key, found, ("each", "fields"))
        self._check_keys(f"{key}.fields", found["fields"], ZONE)
        said = found.get("each")
        each = [
            self._path(f"{key}.each", text, self._paths.compile)
            for text in (said if isinstance(said, list) else [said])
        ]
        if found["fields"].get("price") is None:
            self._mistakes.note(f"{key}.fields.price", None, "expected a path: no zone is without it")
        said = {name: said for name, said in found["fields"].items() if name in ZONE and said is not None}
        fields = {name: self.field(f"{key}.fields.{name}", name, said[name], inside=True) for name in said}
        return ZoneMapping(
            tuple(path for path in each if path), {name: compiled for name, compiled in fields.items() if compiled}
        )

    def field(self, key: str, name: str, said: Any, *, inside: bool = False) -> Field | None:
        """Compile one field: a path, an object, or a list of either."""
        alternatives = said if isinstance(said, list) else [said]
        if not 1 <= len(alternatives) <= _MAX_SOURCES:
            self._mistakes.note(key, said, f"expected 1 to {_MAX_SOURCES} paths")
            return None
        keys = [f"{key}[{number}]" for number in range(len(alternatives))] if isinstance(said, list) else [key]
        sources = [self._source(*one, name, inside=inside) for one in zip(keys, alternatives, strict=True)]
        return Field(name, tuple(source for source in sources if source)) if all(sources) else None

    def _source(self, key: str, said: Any, name: str, *, inside: bool) -> Source | None:
        if isinstance(said, str):
            said = {"path": said}
        if not isinstance(said, dict):
            self._mistakes.note(key, said, "expected a path, {path: ...} or {value: ...}")
            return None
        self._check_keys(key, said, _SOURCE)
        leaf = name.rpartition(".")[2]
        is_default_alone = leaf == "ends" and set(said) == {"default"} and isinstance(said["default"], dict)
        if sum(way in said for way in ("path", "join", "value")) != 1 and not is_default_alone:
            self._mistakes.note(key, said, "expected one of path, join and value")
            return None
        for way, possible in (("format", leaf in TIMES), ("exclusive", leaf == "ends"), ("number", leaf in NUMBERS)):
            if way in said and not possible:
                self._mistakes.note(f"{key}.{way}", None, f"expected none: {name} has no use for it")
        before = len(self._mistakes.found)
        source = self._compiled(key, said, leaf, inside=inside)
        return source if len(self._mistakes.found) == before else None

    def _compiled(self, key: str, said: dict[str, Any], leaf: str, *, inside: bool) -> Source:
        of_document = self._of_document(key, said, inside=inside)
        texts = said.get("join", [said["path"]] if "path" in said else [])
        if not isinstance(texts, list) or len(texts) > _MAX_SOURCES or ("join" in said and not texts):
            self._mistakes.note(f"{key}.join", texts, f"expected a list of 1 to {_MAX_SOURCES} paths")
            texts = []
        compiled = [
            self._path(key if "path" in said else f"{key}.join", text, self._compile(inside, of_document))
            for text in texts
        ]
        default, after = self._default(key, said, leaf)
        return Source(
            shown=" ".join(path.text for path in compiled if path) or ("value" if "value" in said else ""),
            paths=tuple(path for path in compiled if path),
            of_document=of_document,
            value=self._text(f"{key}.value", said["value"]) if "value" in said else None,
            trim=self._flag(key, said, "trim"),
            translate=self._map(key, said.get("map")),
            default=default,
            after=after,
            formats=self._formats(key, said, leaf) if leaf in TIMES else (),
            number=self._number(key, said.get("number")),
            exclusive=self._flag(key, said, "exclusive"),
        )

    def _compile(self, inside: bool, of_document: bool) -> Callable[[str], Path]:
        return self._paths.of_document if of_document else lambda text: self._paths.compile(text, inside=inside)

    def _of_document(self, key: str, said: dict[str, Any], *, inside: bool) -> bool:
        of = said.get("of", "record")
        if of not in {"record", "document"} or (inside and of == "document"):
            self._mistakes.note(f"{key}.of", of, "expected record (of zones, nothing else) or document")
        return bool(of == "document")

    def _path(self, key: str, text: Any, compile_path: Callable[[str], Path]) -> Path | None:
        if not isinstance(text, str) or not 1 <= len(text.strip()) <= MAX_PATH:
            self._mistakes.note(key, text, f"expected a path of 1 to {MAX_PATH} characters")
            return None
        try:
            return compile_path(text)
        except PathError as error:
            self._mistakes.note(key, text, str(error))
            return None

    def _default(self, key: str, said: dict[str, Any], leaf: str) -> tuple[str | None, timedelta | None]:
        found = said.get("default")
        if not isinstance(found, dict):
            return (None if found is None else self._text(f"{key}.default", found)), None
        parts = _DURATION.fullmatch(str(found.get("after", "")))
        if leaf != "ends" or set(found) != {"after"} or parts is None or not any(parts.groups()):
            self._mistakes.note(f"{key}.default", None, "expected a value, or of ends {after: 2h} (or 90m, 1h30m, 2d)")
            return None, None
        days, hours, minutes, seconds = (int(part or 0) for part in parts.groups())
        return None, timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)

    def _formats(self, key: str, said: dict[str, Any], leaf: str) -> tuple[str, ...]:
        found = said.get("format", ISO)
        names = found if isinstance(found, list) else [found]
        if not 1 <= len(names) <= _MAX_SOURCES:
            self._mistakes.note(f"{key}.format", found, f"expected 1 to {_MAX_SOURCES} formats")
        for name in names:
            if leaf == "ends" and name in LENGTHS:
                continue
            mistake = format_mistake(name) if isinstance(name, str) else "expected the name of a format"
            if mistake:
                self._mistakes.note(f"{key}.format", name, mistake)
        return tuple(str(name) for name in names)

    def _number(self, key: str, found: Any) -> Any:
        if found is None:
            return None
        pattern = number_pattern(found) if isinstance(found, str) else None
        if pattern is None:
            self._mistakes.note(f"{key}.number", found, f"expected {EXPECTED_NUMBER}")
        return pattern

    def _map(self, key: str, found: Any) -> dict[str, str | None] | None:
        if found is None:
            return None
        if not isinstance(found, dict) or not 1 <= len(found) <= _MAX_MAP:
            self._mistakes.note(f"{key}.map", found, f"expected 1 to {_MAX_MAP:,} values with what they mean")
            return None
        return {
            self._text(f"{key}.map", said) or "": None if means is None else self._text(f"{key}.map.{said}", means)
            for said, means in found.items()
        }

    def _text(self, key: str, found: Any) -> str | None:
        """Give a constant as a feed would say it."""
        if isinstance(found, bool):
            return "true" if found else "false"
        if isinstance(found, str | int | float):
            return str(found)
        if hasattr(found, "isoformat"):  # YAML reads dates
            return str(found.isoformat())
        self._mistakes.note(key, found, "expected a text, a number, true or false")
        return None

    def _flag(self, key: str, said: dict[str, Any], name: str) -> bool:
        found = said.get(name, False)
        if not isinstance(found, bool):
            self._mistakes.note(f"{key}.{name}", found, "expected true or false")
        return found is True

    def _conditions(self, key: str, said: Any) -> tuple[Condition, ...]:
        if said is None:
            return ()
        several = said if isinstance(said, list) else [said]
        keys = [f"{key}[{number}]" for number in range(len(several))] if isinstance(said, list) else [key]
        if not 1 <= len(several) <= _MAX_SOURCES:
            self._mistakes.note(key, said, f"expected 1 to {_MAX_SOURCES} conditions")
            return ()
        found = [self._condition(*one) for one in zip(keys, several, strict=True)]
        return tuple(one for one in found if one)

    def _condition(self, key: str, said: Any) -> Condition | None:
        ways = [way for way in ("equals", "not", "in") if isinstance(said, dict) and way in said]
        if len(ways) != 1 or "path" not in said:
            self._mistakes.note(
                key, said, "expected {path: PATH, equals: VALUE}, or `not` or `in` in place of `equals`"
            )
            return None
        [way] = ways
        rest = {name: value for name, value in said.items() if name != way}
        self._check_keys(key, rest, ("path", "trim", "map", "default", "of", "equals", "not", "in"))
        values = said[way] if isinstance(said[way], list) else [said[way]]
        if (way == "in" and not isinstance(said[way], list)) or not 1 <= len(values) <= _MAX_MAP:
            self._mistakes.note(f"{key}.{way}", said[way], "expected a list of values")
        compiled = self.field(key, key, {name: value for name, value in rest.items() if name in _SOURCE})
        among = frozenset(self._text(f"{key}.{way}", value) or "" for value in values)
        return Condition(field=compiled, among=among, negated=way == "not") if compiled else None
