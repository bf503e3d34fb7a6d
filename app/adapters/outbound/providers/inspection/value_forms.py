"""What values are by their looks: numbers and how they are written, addresses, codes, words of a status."""

import re
from collections.abc import Callable, Sequence
from functools import cache
from zoneinfo import available_timezones

_NUMBER = re.compile(r"^-?\d+([.,]\d+)?$|^-?\d{1,3}([.,' \u00a0\u202f]\d{3})+([.,]\d+)?$")
_PRICE = re.compile(r"(?<![\d.,])-?\d[\d.,' \u00a0\u202f]*(?<![ \u00a0\u202f.,'])")
_URL = re.compile(r"^https?://[^\s]+$", re.IGNORECASE)
_PICTURE = re.compile(
    r"\.(jpe?g|png|webp|gif|svg|avif)(\?|$)|/(image|img|photo|picture|media|bild|foto)s?/", re.IGNORECASE
)
_DURATION = re.compile(r"P(?=[0-9T])(?:[0-9]{1,4}D)?(?:T(?=[0-9])(?:[0-9]{1,5}H)?(?:[0-9]{1,6}M)?(?:[0-9]{1,8}S)?)?")
_DAY_IN_MINUTES = 24 * 60
_CURRENCY = re.compile(r"^[A-Z]{3}$")
_SIGNS = {"€": "EUR", "£": "GBP", "$": "USD", "zł": "PLN", "Kč": "CZK"}
_STATUS = {
    "cancelled": (
        *("cancel", "abgesagt", "entfaellt", "entfällt", "annul", "cancelad", "perut", "installd", "inställd"),
        *("afgelast", "aflyst", "avlyst", "odwolan", "odwołan"),
    ),
    "postponed": (
        *("postpon", "verschoben", "verlegt", "aplazad", "reporte", "reporté", "rinviat", "siirret", "uppskjut"),
        *("rescheduled", "uitgesteld"),
    ),
    "sold_out": (
        *("soldout", "ausverkauft", "agotad", "complet", "esaurit", "loppuunmyyty", "uitverkocht", "slutsald"),
        *("slutsåld", "udsolgt"),
    ),
    "scheduled": (
        *(
            "schedul",
            "active",
            "activ",
            "confirm",
            "onsale",
            "live",
            "ok",
            "published",
            "aktiv",
            "geplant",
            "buchbar",
            "program",
        ),
        *("bestaetigt", "bestätigt", "voimassa", "offsale", "open", "available", "normal", "on", "updated", "public"),
    ),
}
"""How the words for each status begin, in lower case and without signs."""
_FREE = frozenset({"free", "gratis", "gratuit", "gratuito", "kostenlos", "frei", "ilmainen", "libre", "entrada libre"})
_WHOLE = 2
"""Letters of words that are no beginnings."""
DRAFTS = frozenset(
    {"draft", "entwurf", "borrador", "brouillon", "bozza", "luonnos", "unpublished", "hidden", "private"}
)
DELETED = frozenset({"deleted", "removed", "geloescht", "gelöscht", "eliminado", "supprime", "poistettu", "borrado"})
NOES = frozenset({"false", "no", "nein", "non", "0", "n", "nej", "nei", "nee", "nie", "ei", "não"})
TRUTHS = NOES | {"true", "yes", "ja", "si", "sí", "sì", "oui", "1", "y", "j", "kyllä", "tak", "sim"}
PLAIN_TRUTHS = frozenset({"true", "false"})
"""Those that a mapping reads without being told what they mean."""


def share_of(values: Sequence[str], fits: Callable[[str], bool]) -> float:
    """How many of the values fit, from 0 to 1."""
    return sum(map(fits, values)) / len(values) if values else 0.0


def is_number(value: str) -> bool:
    """Whether it is a number and nothing else, in any style."""
    return bool(_NUMBER.match(value))


def is_between(value: str, least: float, most: float) -> bool:
    """Whether it is a number between two others, with a point or a comma before its decimals."""
    try:
        return least <= float(value.replace(",", ".")) <= most
    except ValueError:
        return False


def is_free(value: str) -> bool:
    """Whether it says in words that there is nothing to pay."""
    return value.casefold() in _FREE


def is_minutes(value: str) -> bool:
    """Whether it may be how many minutes something takes: from one of them to a day."""
    return value.isascii() and value.isdecimal() and 1 <= int(value[:6]) <= _DAY_IN_MINUTES and len(value) <= 4  # noqa: PLR2004 - digits


def is_duration(value: str) -> bool:
    """Whether it is a duration as ISO 8601 writes it, without months and years."""
    return bool(_DURATION.fullmatch(value))


def has_price(value: str) -> bool:
    """Whether it is a number, perhaps with a currency or a word at its side, or says that there is nothing to pay."""
    return is_free(value) or (len(value) <= 40 and bool(_PRICE.search(value)))  # noqa: PLR2004 - more are sentences


def currency_in(values: Sequence[str]) -> str | None:
    """Find the currency that stands at the side of the prices, as a sign or a code."""
    for value in values:
        for sign, code in _SIGNS.items():
            if sign in value:
                return code
        if found := re.search(r"\b([A-Z]{3})\b", value):
            return found[1]
    return None


def number_style(values: Sequence[str]) -> str | None:
    """Tell how numbers are written, as a mapping says it (`1.234,56`); None: as programs do, with a point or none."""
    numbers = [found[0] for value in values if (found := _PRICE.search(value))]
    if any(re.search(r"\.\d{3},\d+$|\.\d{3}\.\d{3}", number) for number in numbers):
        return "1.234,56"
    if any(re.search(r"[ \u00a0\u202f]\d{3}(,\d+)?$", number) for number in numbers):
        return "1 234,56"
    if any(re.search(r"'\d{3}", number) for number in numbers):
        return "1'234.56"
    if any(re.search(r",\d{3}(\.\d+)?$", number) for number in numbers) and not any(
        re.search(r",\d{1,2}$", number) for number in numbers
    ):
        return "1,234.56"
    if any(re.search(r",\d+$", number) for number in numbers):
        return "1.234,56"
    return None


def is_url(value: str) -> bool:
    """Whether it is an address of the web."""
    return bool(_URL.match(value))


def is_picture(value: str) -> bool:
    """Whether it is the address of a picture, by its looks."""
    return is_url(value) and bool(_PICTURE.search(value))


def is_currency(value: str) -> bool:
    """Whether it looks like a code of ISO 4217."""
    return bool(_CURRENCY.match(value))


def is_time_zone(value: str) -> bool:
    """Whether it is a name of the IANA time zone database."""
    return "/" in value and value in _time_zones()


def is_truth(value: str) -> bool:
    """Whether it says yes or no."""
    return value.casefold() in TRUTHS


def status_of(value: str) -> str | None:
    """Tell which status of a plan a word means; None: it means none, or nobody knows."""
    word = re.sub(r"[^\w]|_", "", value.rpartition("/")[2]).casefold().removeprefix("event")
    for status, beginnings in _STATUS.items():
        if any(word == one if len(one) <= _WHOLE else word.startswith(one) for one in beginnings):
            return status
    return None


@cache
def _time_zones() -> frozenset[str]:
    return frozenset(available_timezones())


def around_price(value: str) -> tuple[str, str]:
    """Give what stands before and behind a number, such as a currency."""
    found = _PRICE.search(value)
    return (value[: found.start()].strip(), value[found.end() :].strip()) if found else ("", "")
