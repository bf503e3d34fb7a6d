"""Numbers as feeds write them: a pattern such as `1.234,56` says which signs part thousands and decimals."""

import re
from dataclasses import dataclass

EXPECTED = "a number that shows how numbers are written, such as 1.234,56 or 1,234.56 or 1234,56; or cents"
CENTS = "cents"
"""A price in hundredths: 2550 is 25.50."""

_PATTERN = re.compile(r"(?P<before>[^\d]*)1(?P<group>[^\d]?)234(?:(?P<decimal>[^\d])56)?(?P<after>[^\d]*)")
_CENTS = re.compile(r"(?P<whole>[0-9]{1,18})(?P<rest>(?!))?", re.ASCII)
_BLANKS = str.maketrans(dict.fromkeys("\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}\N{THIN SPACE}", " "))
_LONGEST = 64


@dataclass(frozen=True, slots=True)
class NumberPattern:
    """Reads numbers of one way of writing."""

    shown: str
    form: re.Pattern[str]
    group: str
    decimal: str
    is_cents: bool = False
    """Whether the last two digits are decimals, without a sign before them."""

    def plain(self, text: str) -> str | None:
        """Give a number with a point and without groups (`1234.56`); None when the text is not written so."""
        found = self.form.fullmatch(text.strip().translate(_BLANKS)) if len(text) <= _LONGEST else None
        if found is None:
            return None
        whole = found["whole"].replace(self.group, "") if self.group else found["whole"]
        if self.is_cents:
            return f"{whole[:-2] or '0'}.{whole[-2:]:0>2}"
        return whole if found["rest"] is None else f"{whole}.{found['rest']}"


def number_pattern(text: str) -> NumberPattern | None:
    """Read a pattern; None when it is none. What stands around its digits (`1.234,56 EUR`) may be there or not."""
    if text == CENTS:
        return NumberPattern(text, _CENTS, "", "", is_cents=True)
    found = _PATTERN.fullmatch(text.translate(_BLANKS))
    if found is None or found["group"] == found["decimal"] != "":
        return None
    before, after = found["before"].strip(), found["after"].strip()
    if found["decimal"] is None and after[:1] in {".", ","}:
        return None
    group, decimal = found["group"], found["decimal"] or ""
    whole = rf"[0-9]{{1,3}}(?:{re.escape(group)}[0-9]{{3}})+|[0-9]+" if group else "[0-9]+"
    rest = rf"(?:{re.escape(decimal)}(?P<rest>[0-9]+))?" if decimal else "(?P<rest>(?!))?"
    around = rf"(?:{re.escape(before)})?\s*(?P<whole>{whole}){rest}\s*(?:{re.escape(after)})?"
    return NumberPattern(text, re.compile(around, re.ASCII), group, decimal)
