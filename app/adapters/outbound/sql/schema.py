"""The tables of the history, for SQLite and PostgreSQL alike.

Instants are microseconds since 1970, UTC; days and weeks are numbers as in `app.domain.stats`. A change here needs a
migration beside it; a test compares the two.
"""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, String, Table, Text

from app.adapters.outbound.sql.columns import BIG, BYTEWISE, ExactDecimal, Id, frozen, metadata, partial_index, slot

activity_ids = Table(
    "activity_ids",
    metadata,
    Column("id", Id, primary_key=True),
    comment="Which activities were ever accepted: kept for ever, so that nothing counts twice.",
    sqlite_with_rowid=False,
)

activities = Table(
    "activities",
    metadata,
    Column("place", BIG, primary_key=True, autoincrement=False, comment="Day (UTC) and number, as in places.py."),
    Column("id", Id, nullable=False),
    Column("type", String, nullable=False),
    Column("occurred_at", BigInteger, nullable=False),
    Column("source", String),
    Column("user_id", BYTEWISE),
    Column("anonymous_id", BYTEWISE),
    Column("value", ExactDecimal),
    Column("properties", Text),
    Column("origin", Text, comment="What is kept of how it came, where that differs: JSON."),
    Column("import_id", BigInteger, comment="Which import brought it; null for what came through a door."),
    comment="Every activity, once, by days. PostgreSQL: a partition for each month, and no index.",
    postgresql_partition_by="RANGE (place)",
)

type_totals = Table(
    "type_totals",
    metadata,
    Column("type", BYTEWISE, primary_key=True),
    slot(),
    Column("count", BigInteger, nullable=False),
    Column("sum", ExactDecimal, nullable=False),
    sqlite_with_rowid=False,
)

daily_totals = Table(
    "daily_totals",
    metadata,
    Column("day", Integer, primary_key=True, autoincrement=False),
    Column("type", BYTEWISE, primary_key=True),
    slot(),
    Column("count", BigInteger, nullable=False),
    Column("sum", ExactDecimal, nullable=False),
    sqlite_with_rowid=False,
)

hourly_totals = Table(
    "hourly_totals",
    metadata,
    Column("hour", BIG, primary_key=True, autoincrement=False, comment="The second at which it begins, UTC."),
    Column("type", BYTEWISE, primary_key=True),
    slot(),
    Column("count", BigInteger, nullable=False),
    Column("sum", ExactDecimal, nullable=False),
    sqlite_with_rowid=False,
)

plan_totals = Table(
    "plan_totals",
    metadata,
    Column("day", Integer, primary_key=True, autoincrement=False),
    Column("plan_id", BYTEWISE, primary_key=True, comment="A UUID as text, in small letters."),
    Column("kind", String(8), primary_key=True, comment="view or purchase."),
    slot(),
    Column("count", BigInteger, nullable=False),
    Column("sum", ExactDecimal, nullable=False),
    sqlite_with_rowid=False,
)

dimension_totals = Table(
    "dimension_totals",
    metadata,
    Column("dimension", BYTEWISE, primary_key=True),
    Column("type", BYTEWISE, primary_key=True, comment="Empty: of all types."),
    Column("day", Integer, primary_key=True, autoincrement=False),
    Column("value", BYTEWISE, primary_key=True, comment="= and the value; - for none; * for those without room."),
    slot(),
    Column("count", BigInteger, nullable=False),
    Column("sum", ExactDecimal, nullable=False),
    sqlite_with_rowid=False,
)

dimension_values = Table(
    "dimension_values",
    metadata,
    Column("dimension", BYTEWISE, primary_key=True),
    Column("value", BYTEWISE, primary_key=True, comment="One that is admitted; * when none is any more."),
    sqlite_with_rowid=False,
)

stats_counted = Table(
    "stats_counted",
    metadata,
    Column("one", Integer, primary_key=True, autoincrement=False, comment="There is one row at the most."),
    Column("generation", BigInteger, nullable=False, comment="Raised when the rollups are emptied or made anew."),
    Column("figures", Text, nullable=False, comment="Which of them count all activities, and by what, JSON."),
)

funnel_instants = Table(
    "funnel_instants",
    metadata,
    Column("type", BYTEWISE, primary_key=True),
    Column("day", Integer, primary_key=True, autoincrement=False),
    slot(),
    Column("part", Integer, primary_key=True, autoincrement=False, comment="0: the one that still grows."),
    Column("visitors", LargeBinary, nullable=False, comment="Their numbers, 8 bytes each, little-endian; ascending."),
    Column("instants", LargeBinary, nullable=False, comment="When each did it, 8 bytes each."),
    comment="When visitors did what funnels are asked of; part 0 is in the order of arrival.",
    sqlite_with_rowid=False,
)

daily_users = Table(
    "daily_users",
    metadata,
    Column("day", Integer, primary_key=True, autoincrement=False),
    slot(),
    Column("users", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

active_users = Table(
    "active_users",
    metadata,
    Column("type", BYTEWISE, primary_key=True, comment="With which type of activity; empty: with any."),
    Column("granularity", String, primary_key=True, comment="Of any type only weeks and months: daily_users has days."),
    Column("period", Integer, primary_key=True, autoincrement=False),
    slot(),
    Column("users", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

visitors = Table(
    "visitors",
    metadata,
    Column("visitor", BYTEWISE, primary_key=True, comment="A user id; or U+0001 and an anonymous id."),
    Column("first_day", Integer, nullable=False),
    Column("days", LargeBinary, nullable=False, comment="A bit for each day from first_day on, little-endian."),
    Column("types", LargeBinary, comment="The same of each type of activity (packed_days.py); null: none is kept."),
    Column("person", BYTEWISE, comment="Who it is together with others; null: it is alone."),
    sqlite_with_rowid=False,
)
partial_index("ix_visitors_person", visitors.c.person, where=visitors.c.person.is_not(None))

persons = Table(
    "persons",
    metadata,
    Column("person", BYTEWISE, primary_key=True, comment="One of its user ids."),
    Column("first_day", Integer, nullable=False),
    Column("days", LargeBinary, nullable=False, comment="Those of all its visitors together."),
    Column("types", LargeBinary, comment="The same of each type of activity (packed_days.py); null: none is kept."),
    Column("ids", Integer, nullable=False, comment="How many visitors it is; two at least."),
    sqlite_with_rowid=False,
)

claims = Table(
    "claims",
    metadata,
    Column("activity_id", Id, primary_key=True),
    Column("anonymous_id", BYTEWISE, nullable=False),
    Column("at", BigInteger, nullable=False, comment="From when on it counts; the earliest one of an id holds."),
    Column("user_id", BYTEWISE, nullable=False),
    frozen(),
    Index("ix_claims_anonymous", "anonymous_id", "at", "activity_id"),
    Index("ix_claims_user", "user_id"),
    sqlite_with_rowid=False,
)

aliases = Table(
    "aliases",
    metadata,
    Column("activity_id", Id, primary_key=True),
    Column("user_id", BYTEWISE, nullable=False),
    Column("previous_id", BYTEWISE, nullable=False),
    frozen(),
    Index("ix_aliases_user", "user_id"),
    Index("ix_aliases_previous", "previous_id"),
    sqlite_with_rowid=False,
)

retention_cells = Table(
    "retention_cells",
    metadata,
    Column("granularity", String(4), primary_key=True),
    Column("cohort", Integer, primary_key=True, autoincrement=False),
    Column("later", Integer, primary_key=True, autoincrement=False),
    slot(),
    Column("users", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

type_retention_cells = Table(
    "type_retention_cells",
    metadata,
    Column("type", BYTEWISE, primary_key=True, comment="First and later active with it; empty: with any, by months."),
    Column("granularity", String, primary_key=True),
    Column("cohort", Integer, primary_key=True, autoincrement=False),
    Column("later", Integer, primary_key=True, autoincrement=False),
    slot(),
    Column("users", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

stats_settings = Table(
    "stats_settings",
    metadata,
    Column(
        "timezone",
        String,
        primary_key=True,
        comment="Whose days the rollups count; one row at the most.",
    ),
    Column("tzdata", String, comment="Of which version the rules are; null: nobody knows."),
    Column("rules", LargeBinary, comment="The zone's file of that version (TZif)."),
    Column("funnel_types", String, comment="Whose instants are kept, joined by commas; null: of none."),
    Column("frozen_before", Integer, comment="Raw activities of days before it have left; null: none has."),
    Column("frozen_until", BigInteger, comment="When that day began."),
)

import_marks = Table(
    "import_marks",
    metadata,
    Column("digest", String, primary_key=True),
    Column("rows", BigInteger, nullable=False),
)

imports = Table(
    "imports",
    metadata,
    Column("import_id", BIG, primary_key=True, autoincrement=True),
    Column("mark", String, nullable=False, comment="What it is recognised by: a digest of import_marks."),
    Column("file", String, nullable=False),
    Column("reading", String, nullable=False, comment="How it is read, for people."),
    Column("begun_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
    Column("rows", BigInteger, nullable=False, comment="Of the file that were handled."),
    Column("stored", BigInteger, nullable=False, comment="Activities that carried its id; exact."),
    Column("state", String(8), nullable=False),
    Column("first_day", Integer, comment="The earliest day (UTC) of what it stored."),
    Column("last_day", Integer),
)
_is_not_undone = imports.c.state != "undone"
partial_index("ix_imports_mark", imports.c.mark, where=_is_not_undone, unique=True)

forgettings = Table(
    "forgettings",
    metadata,
    Column("forgetting_id", Id, primary_key=True, comment="As in the list that lies outside the database."),
    Column("at", BigInteger, nullable=False),
    comment="Whom this database has forgotten: one that is set back lacks the newest, and forgets them again.",
    sqlite_with_rowid=False,
)

plan_journal = Table(
    "plan_journal",
    metadata,
    Column("entry_id", BIG, primary_key=True, autoincrement=True),
    Column("provider", String, nullable=False),
    Column("plan_id", Id, nullable=False),
    Column("kinds", String, nullable=False, comment="What changed, joined by commas."),
    Column("run_id", String, nullable=False),
    Column("known_from", BigInteger, nullable=False),
    Column("known_until", BigInteger, comment="When the plan's next entry came; null for the newest."),
    Column("known", Text, nullable=False, comment="What a sync remembers of the plan, JSON."),
    Column("searchable", Boolean(create_constraint=False), nullable=False),
    Column("starts_at", BigInteger, nullable=False),
    Column("ends_at", BigInteger, nullable=False),
    Column("summary", Text, nullable=False, comment="What a search says of the plan, JSON."),
    Column("plan", LargeBinary, nullable=False, comment="The whole plan, JSON, compressed by zlib."),
    Index("ix_plan_journal_plan", "plan_id", "entry_id"),
    Index("ix_plan_journal_starts", "starts_at"),
)
_is_newest = plan_journal.c.known_until.is_(None)
partial_index("ix_plan_journal_newest", plan_journal.c.provider, plan_journal.c.plan_id, where=_is_newest, unique=True)

journal_positions = Table(
    "journal_positions",
    metadata,
    Column("provider", String, primary_key=True),
    Column("epoch", BigInteger, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("entry", String(64), nullable=False, server_default="", comment="Names the entry at that place."),
)
