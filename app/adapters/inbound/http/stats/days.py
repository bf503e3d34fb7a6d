"""A range of days in a query."""

from typing import Annotated, Any

from fastapi import Query

A_DATE: dict[str, Any] = {"format": "date"}
From = Annotated[
    str | None,
    Query(alias="from", description="The first day; 29 days before `to` by default", json_schema_extra=A_DATE),
]
To = Annotated[str | None, Query(description="The last day, included; today by default", json_schema_extra=A_DATE)]
