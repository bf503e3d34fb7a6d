"""What PostgreSQL writes by `COPY ... CSV HEADER` is imported as it is."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest

from app.adapters.inbound.activity_files.columns import read_mapping
from app.adapters.inbound.activity_files.imported_file import ImportedFile
from app.adapters.inbound.activity_files.source import open_source
from app.adapters.inbound.reading.activity_names import FieldNames
from app.domain.activities import ActivityRules
from tests.support.fixed_clock import FixedClock
from tests.support.postgres import postgres_database

pytestmark = pytest.mark.postgres

ROWS = """
SELECT 'buy' AS event, TIMESTAMPTZ '2026-01-05 10:00:00.5+00' AS "time", 'Zoë, "1"' AS user_id, 9.90 AS revenue,
    TRUE AS "properties.gift", E'two\\nlines' AS "properties.note", '{"a": 1.50}'::jsonb AS properties
UNION ALL SELECT 'view', TIMESTAMPTZ '2026-01-05 11:00:00+02', NULL, NULL, FALSE, NULL, NULL
"""


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kathmandu"])
@pytest.mark.parametrize("options", ["", ", DELIMITER ';'", ", FORCE_QUOTE *"])
def test_what_is_copied_is_read_back(tmp_path: Path, zone: str, options: str) -> None:
    file = tmp_path / "copied.csv"
    with postgres_database() as url, psycopg.connect(url, options=f"-c timezone={zone}") as connection:
        copying = connection.cursor().copy(f"COPY ({ROWS}) TO STDOUT (FORMAT csv, HEADER{options})".encode())
        with copying as pieces, file.open("wb") as out:
            out.writelines(pieces)

    with open_source(file) as source:
        names = FieldNames(read_mapping(()))
        chunks = list(
            ImportedFile(source, ActivityRules(), FixedClock(datetime(2026, 4, 1, tzinfo=UTC)), names).chunks(0)
        )

    assert [row for chunk in chunks for row in chunk.rejected] == []
    bought, viewed = (row.activity for chunk in chunks for row in chunk.rows)
    assert bought[1:6] == ("buy", datetime(2026, 1, 5, 10, 0, 0, 500_000, UTC), None, 'Zoë, "1"', Decimal("9.90"))
    assert json.loads(bought.properties or "") == {"a": 1.5, "gift": "t", "note": "two\nlines"}
    assert viewed[1:6] == ("view", datetime(2026, 1, 5, 9, tzinfo=UTC), None, None, None)
    assert json.loads(viewed.properties or "") == {"gift": "f"}
