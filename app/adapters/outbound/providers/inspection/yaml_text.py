"""Options -> YAML as a person would write it, with comments."""

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from app.adapters.formats.terminal_text import visible

_BLOCKS = {"fields", "place", "zones"}
"""Keys whose own keys have a line each."""
_WIDEST = 110


def yaml_lines(options: Mapping[str, Any], notes: Mapping[str, Sequence[str]], indent: int = 0) -> list[str]:
    """Write options; `notes` are comments by dotted key. Nothing of a note reaches beyond its comment."""
    return [line for key, value in options.items() for line in _entry(key, value, key, notes, " " * indent)]


def scalar(value: Any) -> str:
    """Write a value in one line."""
    text = yaml.safe_dump(value, default_flow_style=True, width=10**9, allow_unicode=True, sort_keys=False)
    return text.removesuffix("\n").removesuffix("\n...")


def comment(text: str) -> str:
    """Write a comment in one line."""
    return f"# {visible(' '.join(text.split()))}"


def _entry(key: str, value: Any, path: str, notes: Mapping[str, Sequence[str]], indent: str) -> list[str]:
    remarks = [comment(note) for note in notes.get(path, ())]
    leaf = key in _BLOCKS and isinstance(value, dict) and "path" not in value
    if leaf:
        below = [
            line for name, one in value.items() for line in _entry(name, one, f"{path}.{name}", notes, f"{indent}  ")
        ]
        return [*(f"{indent}{remark}" for remark in remarks), f"{indent}{scalar(key)}:", *below]
    line = f"{indent}{scalar(key)}: {scalar(value)}"
    if remarks and len(line) + len(remarks[0]) + 2 <= _WIDEST:
        line = f"{line}  {remarks.pop(0)}"
    return [*(f"{indent}{remark}" for remark in remarks), line]
