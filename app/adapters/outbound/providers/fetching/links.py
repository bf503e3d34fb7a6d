"""The Link header (RFC 8288)."""

import re

MAX_LINK = 64 * 1024
"""Characters that are read of a header."""

_TARGET = re.compile(r"[\s,]*<([^<>]*)>")
_PARAMETER = re.compile(r'\s*;\s*([\w!#$%&\'*+.^`|~-]+)\s*(?:=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,;"]*)))?')


def target_of(header: str | None, relation: str) -> str | None:
    """Give the target of the first link of a relation, such as `next`, as it stands there; None when there is none."""
    header, at = (header or "")[:MAX_LINK], 0
    while found := _TARGET.match(header, at):
        at = found.end()
        relations: list[str] | None = None
        while parameter := _PARAMETER.match(header, at):
            at = parameter.end()
            if parameter[1].lower() == "rel" and relations is None:  # a later one must be ignored (3.3)
                relations = (parameter[2] or parameter[3] or "").lower().split()
        if relations and relation.lower() in relations:
            return found[1].strip()
    return None
