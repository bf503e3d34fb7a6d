"""What schemathesis has to know of Marquee beyond its OpenAPI document. See schemathesis.toml."""

import json
import os
from typing import Any

import schemathesis
from schemathesis import Case, HookContext, Response
from schemathesis.openapi.checks import RejectedPositiveData

ADMIN = os.environ["ADMIN"]
"""The user whose key is used."""
OWNER = os.environ["OWNER"]
"""The user whose keys are made and revoked."""
ANOTHER = os.environ["ANOTHER"]
"""A user to whom anything may happen."""

NO_SUCH_INSTANT = {"invalid_date_time": "'0000-|:60"}
"""RFC 3339 has a year 0 and leap seconds; Python's datetime has neither."""
ACTIVITY = NO_SUCH_INSTANT | {
    "ambiguous_field": "two names of one field",  # equal is allowed, and nothing compares two fields
    "occurs_in_the_future": "",  # nothing knows the time of today
    "occurred_too_early": "before 1970",  # date-times have no minimum
    "value_out_of_range": "",  # digits behind the point: `multipleOf` counts in doubles
    "wrong_type": "data.value:",  # a number if `value` is none, else anything
    "huge_number": "",  # inside `properties`, where anything may be
}
DATES = {
    "from_after_to": "",  # nothing compares two parameters
    "range_too_long": "",
    "invalid_date": "'0000-",  # as with date-times
}
# A key's name: `\p{C}` of its pattern has all characters that Unicode has not assigned. Schemathesis makes some of them
# nevertheless, and which ones are assigned differs from one version of Unicode to the next.
BEYOND_JSON_SCHEMA = {
    "POST /events": ACTIVITY,
    "POST /events/batch": ACTIVITY,
    **{f"POST /v1/{call}": ACTIVITY for call in ("batch", "track", "page", "screen", "identify", "alias", "group")},
    "POST /users/{user_id}/keys": NO_SUCH_INSTANT
    | {
        "invalid_key": "expires_at: lies in the past|name: up to 100 characters that can be shown"
        "|only a publishable key has any|needs at least one|is any already"  # one field decides over another
    },
    "POST /webhooks": {
        "invalid_webhook": "url: |is there twice|is said by Marquee|characters in all"  # hosts, ports, reserved names
    },
    "PATCH /webhooks/{webhook}": {"invalid_webhook": "is there twice|is said by Marquee|characters in all"},
    "POST /webhooks/{webhook}/secret": {"invalid_webhook": "sign already"},
    "POST /webhooks/{webhook}/replay": NO_SUCH_INSTANT | {"invalid_webhook": "say one of"},  # of three fields
    "GET /search": NO_SUCH_INSTANT | {"window_ends_before_it_starts": ""},
    "GET /catalog/plans": NO_SUCH_INSTANT | {"from_after_to": "", "invalid_cursor": ""},  # of a list in the other order
    "GET /catalog/changes": {"unknown_cursor": ""},  # of the right form, but never given out
    "GET /activities": NO_SUCH_INSTANT | {"from_after_to": ""},
    "GET /export/activities": NO_SUCH_INSTANT | {"from_after_to": "", "no_parquet": ""},
    "GET /export/plans": NO_SUCH_INSTANT | {"from_after_to": "", "no_parquet": ""},
    "GET /export/stats": DATES | {"no_parquet": ""},
    "GET /stats/funnel": DATES | {"invalid_funnel": "within:"},
    "GET /stats": DATES,
    "GET /stats/{type}": DATES,
    "GET /stats/series": DATES
    | {
        "no_such_series": "are counted by day",  # one parameter decides over another
        "unknown_dimension": "activity.dimensions",  # which there are is configured
        "dimension_missing": "",
    },
    "GET /stats/dau": DATES,
    "GET /stats/plans": DATES,
    "GET /stats/plans/{plan_id}": DATES,
    "GET /dashboard/days": DATES,
    "GET /dashboard/types": DATES,
    "GET /dashboard/plans": DATES,
    "GET /stats/top-events": DATES,
    "GET /stats/retention": {
        "dates_out_of_range": "",
        "retention_not_kept": "",
        "granularity_twice": "",
        "invalid_date": "'0000-",
    },
}
"""By operation: the codes with which it may refuse what its schema allows, and what the message then says."""


@schemathesis.hook
def before_load_schema(_: HookContext, raw_schema: dict[str, Any]) -> None:
    """Hold times against what the contract of /search means by its format `time`.

    That is a time on a wall clock, as its examples are (22:38:19); JSON Schema's format of this name is RFC 3339's,
    with an offset. The contract is somebody else's and stays as it is, so the difference is made here.
    """
    summary = raw_schema["components"]["schemas"]["EventSummary"]["properties"]
    for field in ("start_time", "end_time"):
        (a_time,) = (kind for kind in summary[field]["anyOf"] if kind.get("format") == "time")
        del a_time["format"]
        a_time["pattern"] = "^([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]$"


@schemathesis.hook
def before_call(_: HookContext, case: Case[Any], kwargs: dict[str, Any]) -> None:  # noqa: ARG001 - the tool names it
    """Change somebody else than whom the test needs: without the admin, everything is a 401, and nothing tested."""
    spared = {ADMIN, OWNER} if case.operation.path == "/users/{user_id}" else {ADMIN}
    if case.method in ("PATCH", "DELETE") and case.path_parameters.get("user_id") in spared:
        case.path_parameters["user_id"] = ANOTHER


@schemathesis.hook
def filter_failure(_: HookContext, failure: object, case: Case[Any], response: Response) -> bool:
    """Let those refusals of what the schema allows pass that are listed above, and no others."""
    if not isinstance(failure, RejectedPositiveData) or response.status_code != 400:
        return True
    known = BEYOND_JSON_SCHEMA.get(case.operation.label, {})
    error = json.loads(response.content)["error"]
    records: dict[int, list[dict[str, Any]]] = {}
    for problem in error.get("details", [error]):
        records.setdefault(problem.get("index", 0), []).append(problem)
    # of an array, the schema wants one record only: that one was refused for what is listed, others for anything
    return not any(all(_is_listed(problem, known) for problem in problems) for problems in records.values())


def _is_listed(problem: dict[str, Any], known: dict[str, str]) -> bool:
    words = known.get(problem["code"])
    return words is not None and any(some in problem["message"] for some in words.split("|"))
