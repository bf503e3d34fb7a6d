"""What the OpenAPI document says of keys: who needs one, and how a refusal looks. From the table of areas."""

from typing import Any

from app.adapters.inbound.http.access.areas import Rules
from app.adapters.inbound.http.describing.answers import ErrorAnswer
from app.domain.access import ALWAYS_OPEN, Area

SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "A key of ours, or a token (JWT) if configured"},
    "key": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "A key of ours"},
}
REF = "#/components/schemas/{model}"
AS_GIVEN = frozenset({Area.SEARCH})
"""A contract of somebody else's, kept to the letter; its refusals are described in words (doc/operations/access.md)."""
UNLIMITED = frozenset({Area.HEALTH})


def describe_access(document: dict[str, Any], rules: Rules, anonymous: frozenset[Area]) -> None:
    """Add security schemes, what each operation needs, and the refusals, to a document."""
    document["security"] = _security(is_open=anonymous >= AS_GIVEN)  # of what stays as it was given
    components = document.setdefault("components", {})
    components["securitySchemes"] = SCHEMES
    schema = ErrorAnswer.model_json_schema(ref_template=REF)
    components.setdefault("schemas", {}).update(schema.pop("$defs"), ErrorAnswer=schema)
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            area = rules.get((method.upper(), path))
            if area is not None and area not in ALWAYS_OPEN | AS_GIVEN:
                operation["security"] = _security(is_open=area in anonymous)
                _describe(operation, area)


def _security(*, is_open: bool) -> list[dict[str, list[str]]]:
    schemes: list[dict[str, list[str]]] = [{scheme: []} for scheme in SCHEMES]
    return [{}, *schemes] if is_open else schemes


def _describe(operation: dict[str, Any], area: Area) -> None:
    refusals = {
        "400": _refusal("A parameter is unknown"),
        "401": _refusal("No good key came", "WWW-Authenticate", {"type": "string"}),
        "403": _refusal(f"The key is good, but not for this: it needs the role `{area.needs}`"),
        "503": _refusal("Nobody can tell now whether the key is good", "Retry-After", {"type": "integer"}),
    }
    if area not in UNLIMITED:
        refusals["429"] = _refusal("Too many requests", "Retry-After", {"type": "integer"})
    operation["responses"] = dict(sorted((refusals | operation["responses"]).items()))


def _refusal(description: str, header: str | None = None, schema: dict[str, Any] | None = None) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "description": description,
        "content": {"application/json": {"schema": {"$ref": REF.format(model="ErrorAnswer")}}},
    }
    return answer | {"headers": {header: {"schema": schema}}} if header else answer
