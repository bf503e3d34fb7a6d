"""What repeats in a document, with examples: the first thing that somebody wants to know of it."""

from app.adapters.outbound.providers.inspection.columns import Group, Names
from app.adapters.outbound.providers.inspection.nodes import ITEM, Node
from app.adapters.outbound.providers.inspection.options_of_choices import shortened
from app.application.ports.feed_trials import RepeatedElements

MOST = 15
_MOST_EXAMPLES = 6


def repeated_in(root: Node, groups: dict[Names, Group]) -> list[RepeatedElements]:
    """List the paths at which there are several nodes with others in them, the most frequent first."""
    found = [group for names, group in groups.items() if group.count > 1 and len(names) > 1 and group.is_branch]
    examples = _examples(root, {group.names for group in found})
    return [
        RepeatedElements(
            path="/".join(_local(name) for name in group.names[1:] if name != ITEM) or "the rows",
            count=group.count,
            examples=[f"{name}: {text}" for name, text in list(examples.get(group.names, {}).items())[:_MOST_EXAMPLES]],
        )
        for group in sorted(found, key=lambda one: -one.count)[:MOST]
    ]


def _examples(root: Node, wanted: set[Names]) -> dict[Names, dict[str, str]]:
    examples: dict[Names, dict[str, str]] = {names: {} for names in wanted}
    waiting: list[tuple[Node, Names]] = [(root, (root.name,))]
    while waiting:
        node, names = waiting.pop()
        waiting += [(child, (*names, child.name)) for child in reversed(node.children)]
        seen = examples.get(names)
        if seen is not None and len(seen) < _MOST_EXAMPLES:
            for child in node.children:
                if child.text:
                    seen.setdefault(_local(child.name), shortened(child.text))
    return examples


def _local(name: str) -> str:
    attribute = "@" if name.startswith("@") else ""
    return attribute + name.removeprefix("@").rpartition("}")[2]
