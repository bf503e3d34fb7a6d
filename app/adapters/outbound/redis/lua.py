"""Lua scripts: each in a file of its own, the functions that several of them use in files before it."""

from dataclasses import dataclass, field
from functools import cache
from hashlib import sha1
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Script:
    """A Lua script; sent by its digest, in full only to a server that does not have it (or lost it)."""

    source: str
    digest: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "digest", sha1(self.source.encode(), usedforsecurity=False).hexdigest())


def load_script(name: str, *functions: str) -> Script:
    """Make a script of `scripts/NAME.lua`, with the files of the functions that it calls before it, in this order."""
    return Script("\n".join(map(_text, (*functions, name))))


@cache
def _text(name: str) -> str:
    return (files("app.adapters.outbound.redis") / "scripts" / f"{name}.lua").read_text(encoding="utf-8")
