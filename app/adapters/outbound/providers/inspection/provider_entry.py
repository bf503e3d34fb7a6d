"""What was found -> a provider as an entry of config.yaml, ready to be pasted."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit, urlunsplit

from app.adapters.outbound.providers.inspection.yaml_text import comment, scalar, yaml_lines

_SECRET = re.compile(r"key|token|secret|sig|pass|pwd|auth|credential|session|code", re.IGNORECASE)
_LONGEST_OPEN = 24
"""Characters of a value in a URL that may be shown; longer ones are often keys."""
_VARIABLE = re.compile(r"\$\{[^{}]+\}")
_NOT_OF_NAMES = re.compile(r"[^a-z0-9]+")
_SUFFIX = re.compile(r"(\.[a-z0-9]{2,8}){1,2}$")
_DULL = frozenset(
    {
        "www",
        "api",
        "com",
        "org",
        "net",
        "feed",
        "feeds",
        "data",
        "events",
        "example",
        "xml",
        "json",
        "csv",
        "ics",
        "v1",
        "v2",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryFacts:
    """What an entry says beside the options."""

    url: str
    kind: str
    timezone: str
    zone_note: str = ""
    """What to say of the time zone where nobody has said one."""
    is_private: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)
    incremental: bool = False


def provider_entry(
    facts: EntryFacts, options: Mapping[str, Any], notes: Mapping[str, Sequence[str]], remarks: Sequence[str] = ()
) -> list[str]:
    """Write the entry; `remarks` are comments behind it."""
    url, is_whole = safe_url(facts.url)
    lines = [f"name: {name_of(facts.url)}  # part of the id of every plan: choose it for good"]
    if facts.kind != "plan-list-xml":
        lines.append(f"kind: {facts.kind}")
    lines.append(f"url: {scalar(url)}" + ("" if is_whole else "  # what may be secret is left out: put it in"))
    lines.append(f"timezone: {facts.timezone}" + (f"  {comment(facts.zone_note)}" if facts.zone_note else ""))
    lines.append("interval: 300  # seconds between two syncs")
    if facts.is_private:
        lines.append("allow_private_networks: true  # its address is none of the public internet")
    if facts.headers:
        lines.append("headers:")
        lines += [f"  {scalar(name)}: {scalar(_open(name, value))}" for name, value in facts.headers.items()]
    if options:
        lines.append("options:")
        lines += [f"  {line}" for line in yaml_lines(options, notes)]
    lines += [comment(remark) for remark in remarks]
    return ["providers:", *(f"  {'- ' if number == 0 else '  '}{line}" for number, line in enumerate(lines))]


def safe_url(url: str) -> tuple[str, bool]:
    """Give a URL without its user, its fragment and what in its query may be secret; and whether that is all of it."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    open_ = [(name, value if _may_be_shown(name, value) else "...") for name, value in pairs]
    query = "&".join(f"{quote(name, safe='[]$.:')}={quote(value, safe='/:,.T')}" for name, value in open_)
    if open_ == pairs:
        query = parts.query
    return urlunsplit((parts.scheme, host, parts.path, query, "")), open_ == pairs and host == parts.netloc


def name_of(url: str) -> str:
    """Make a name of where the feed is: of its host, or of the file."""
    parts = urlsplit(url)
    file = parts.path.rpartition("/")[2].lower()
    words = _NOT_OF_NAMES.split(parts.hostname.lower() if parts.hostname else _SUFFIX.sub("", file) or file)
    if parts.hostname and not parts.hostname.replace(".", "").isdecimal():
        words = words[:-1] or words
    telling = [word for word in words if word and word not in _DULL]
    return ("-".join(telling) or "my-provider")[:40].strip("-")


def _may_be_shown(name: str, value: str) -> bool:
    return not _SECRET.search(name) and len(value) <= _LONGEST_OPEN


def _open(name: str, value: str) -> str:
    """Give a header's value that names its secret by a variable; another one is not said again."""
    return value if _VARIABLE.search(value) else f"${{{name.upper().replace('-', '_')}}}"
