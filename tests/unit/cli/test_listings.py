"""Tables on terminals of any width: no letter gets lost, and pipes get a row a line."""

import fcntl
import io
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.text import Text

from app.adapters.inbound.cli.catalog_tables import (
    proposals_listing,
    providers_listing,
    rejections_listing,
    runs_listing,
)
from app.adapters.inbound.cli.listing import Listing
from app.adapters.inbound.cli.stats_tables import daily_users, dead_letters, retention_triangle, totals, type_counts
from app.adapters.inbound.cli.user_tables import keys_listing, users_listing
from app.adapters.inbound.cli.webhook_tables import deliveries_listing, webhook_facts, webhooks_listing
from app.application.ports.activities import DeadLetter
from app.application.ports.system import CircuitState
from app.application.ports.webhooks import Backlog, LoggedDelivery
from app.application.read_catalog import ProviderStatus
from app.domain.feeds import Rejection, RejectionReason
from app.domain.plans import Plan, PlanDetails, PlanKey, searchable
from app.domain.proposed_changes import ProposedChange
from app.domain.reconciliation import ChangeKind
from app.domain.rejection_list import StandingRejection
from app.domain.stats import Cohort, DailyUsers, Granularity, TypeCount, TypeTotal
from app.domain.sync_runs import SyncOutcome, SyncReport
from app.domain.webhook_deliveries import Answer, Delivery
from tests.support.access_builders import a_key, a_user
from tests.support.builders import NOW, a_plan, a_zone, an_activity
from tests.support.scripted_provider import ScriptedProvider, configured
from tests.support.service import REPOSITORY
from tests.support.webhook_world import a_message, an_endpoint

LETTER = "01890a5d-ac96-774b-bcce-b302099a8057"
LONG = 100
"""Characters of the long texts below; each is of one letter that stands nowhere else."""


def shown(listing: Listing, width: int | None) -> str:
    """What a terminal of this width gets; None: what a pipe gets."""
    file = io.StringIO()
    console = Console(file=file, width=width, force_terminal=width is not None, color_system=None)
    listing.show(console if width else None)
    return file.getvalue()


def a_run(reason: str | None = None) -> SyncReport:
    changes = {ChangeKind.LISTED: 123_456, ChangeKind.WITHDRAWN: 4_321}
    return SyncReport(
        run_id="run",
        provider="acme",
        started_at=NOW,
        took=123.45,
        outcome=SyncOutcome.INCOMPLETE,
        fetched_bytes=89_000_000,
        records=123_456,
        changes=changes,
        waiting=changes,
        rejected_for={RejectionReason.INVALID_DATE: 12_345},
        reason=reason,
    )


def a_status() -> ProviderStatus:
    provider = configured(ScriptedProvider(), name="ñ" * 64)
    return ProviderStatus(provider, NOW, waiting=True, last_run=a_run(), circuit=CircuitState("half-open"))


def a_rejection() -> StandingRejection:
    rejection = Rejection(
        reason=RejectionReason.INVALID_DATE,
        message=("ö" * 20 + " ") * 5,
        line=123_456,
        source="ç" * LONG,
        key=PlanKey("acme", "ü" * LONG, "ä" * LONG),
        part="ß" * LONG,
    )
    return StandingRejection(
        rejection=rejection, first_seen_at=NOW, last_seen_at=NOW, times=1234, run_id="run-1", mended_at=NOW
    )


def a_proposal(before: str | None = "ñ" * LONG, after: str | None = "ü" * LONG) -> ProposedChange:
    plans = [searchable(a_plan(title=title)) if title else None for title in (before, after)]
    return ProposedChange(a_plan().plan_id, (ChangeKind.CHANGED, ChangeKind.WENT_OFFLINE), *plans)


def a_delivery() -> LoggedDelivery:
    delivery = Delivery(delivery_id=123_456_789, message=a_message(subject=f"plans/{'ü' * LONG}"), attempts=12)
    return LoggedDelivery(delivery, Answer(status=500, took=1, error="ö" * LONG), NOW)


ENDPOINT = an_endpoint(name="Q" * 64, url=f"https://hook.example.com/{'J' * LONG}", names=("plan.changed", "user.*"))
USERS = [a_user(number, username="q" * 64, email=f"{'zz' * 25}@example.com", full_name="ö" * LONG) for number in (1, 2)]
COHORTS = [Cohort(date(2026, 1, day + 1), 12_345, [12_345] * (30 - day) + [None] * day) for day in range(30)]
DAYS = [DailyUsers(date(2026, 1, day), 12_345_678) for day in range(1, 29)]

ALL: dict[str, tuple[Callable[[], Listing], str]] = {
    "providers": (lambda: providers_listing([a_status()] * 2), "ñ" * 64 * 2),
    "runs": (lambda: runs_listing("acme", [a_run("ö" * LONG)] * 2, reasons=True), "ö" * LONG * 2),
    "narrow runs": (lambda: runs_listing("acme", [a_run()] * 2, reasons=False), ""),
    "rejections": (lambda: rejections_listing("acme", [a_rejection()] * 2), ("ö" + "çüäß" * 1) * LONG * 2),
    "mended": (lambda: rejections_listing("acme", [a_rejection()] * 2, mended=True), "ß" * LONG * 2),
    "proposals": (lambda: proposals_listing([a_proposal()] * 2), "ñü" * LONG * 2),
    "users": (lambda: users_listing(USERS), "q" * 128 + "zö" * LONG + "ö" * LONG),
    "keys": (lambda: keys_listing("ana", [a_key(number, name="ñ" * 64) for number in (1, 2)], NOW), "ñ" * 128),
    "webhooks": (lambda: webhooks_listing([(ENDPOINT, Backlog(1_234, 5))] * 2, NOW), "Q" * 128 + "J" * LONG * 2),
    "webhook": (lambda: webhook_facts(ENDPOINT, Backlog(1, 2), NOW), "Q" * 64 + "J" * LONG),
    "log": (lambda: deliveries_listing(ENDPOINT, [a_delivery()] * 2), "üö" * LONG * 2),
    "totals": (lambda: totals([TypeTotal("ñ" * 100, 10**9, Decimal(10**15))] * 2), "ñ" * 200),
    "dau": (lambda: daily_users(DAYS), ""),
    "top": (lambda: type_counts([TypeCount("ñ" * 100, 10**9)] * 2), "ñ" * 200),
    "retention": (lambda: retention_triangle(Granularity.DAY, COHORTS), ""),
    "dead letters": (
        lambda: dead_letters([DeadLetter(LETTER, NOW, "ö" * LONG, [an_activity(user="x")], source="ç" * LONG)] * 2),
        "öç" * LONG * 2,
    ),
}
IDS = {
    "users": [str(user.user_id) for user in USERS],
    "dead letters": [LETTER],
    "webhook": [str(ENDPOINT.endpoint_id)],
    "keys": ["0000000001"],
    "log": ["123456789"],
}


@pytest.mark.parametrize(
    ("proposal", "title"),
    [
        (a_proposal("A", "B"), "A -> B"),
        (a_proposal("A", "A"), "A"),
        (a_proposal(None, "B"), "B"),
        (a_proposal("A", None), "A"),
    ],
)
def test_a_change_is_shown_as_what_was_and_what_would_be(proposal: ProposedChange, title: str) -> None:
    row = shown(proposals_listing([proposal]), 300).splitlines()[1]

    assert re.split(r"  +", row)[1:3] == [title, "2021-06-30 21:00"]
    assert "20.00" in row


@pytest.mark.parametrize(
    ("now", "also"),
    [
        (a_plan(details=PlanDetails(url="https://other.example/")), "url"),
        (a_plan(timezone="Europe/Madrid"), "time zone"),
        (a_plan(zones=(a_zone("other"),)), "zones, organizer or sale times"),
    ],
)
def test_a_change_that_no_column_shows_is_named(now: Plan, also: str) -> None:
    proposal = ProposedChange(now.plan_id, (ChangeKind.CHANGED,), searchable(a_plan()), searchable(now))
    titles, row = shown(proposals_listing([proposal]), 300).splitlines()

    assert titles.split()[-1] == "also"
    assert row.rstrip().endswith(also)


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("name", ALL)
def test_no_table_loses_a_letter(name: str, width: int) -> None:
    listing, letters = ALL[name]

    text = shown(listing(), width)

    assert "…" not in text
    assert max(map(len, text.splitlines())) <= width
    assert {letter: text.count(letter) for letter in letters} == Counter(letters)
    assert all(id_ in text for id_ in IDS.get(name, []))


def test_the_usual_fits_into_80_columns_a_row_a_provider() -> None:
    provider = configured(ScriptedProvider(), name="demo")
    rows = [ProviderStatus(provider, NOW, waiting=False, last_run=a_run(), circuit=CircuitState("closed"))]

    head, *_ = shown(providers_listing(rows), 80).splitlines()

    assert head.split()[:4] == ["name", "kind", "every", "enabled"]


CELLS = st.text(st.characters(categories=["L", "N"], max_codepoint=0x24F) | st.just(" "), max_size=120)


@given(st.lists(st.tuples(CELLS, CELLS, CELLS), min_size=1, max_size=4), st.integers(40, 200))
def test_whatever_is_in_it_each_letter_is_shown_once(rows: list[tuple[str, str, str]], width: int) -> None:
    listing = Listing("+=", "+=", ">=", rows=rows, empty="")

    text = shown(listing, width)

    expected = Counter("".join(map("".join, rows)))
    assert max(map(len, text.splitlines())) <= width
    assert {letter: count for letter, count in Counter(text).items() if letter not in " \n="} == {
        letter: count for letter, count in expected.items() if letter != " "
    }


def test_what_is_no_terminal_gets_a_row_a_line_however_long(capsys: pytest.CaptureFixture[str]) -> None:
    for listing, letters in ALL.values():
        listing().show()
        printed = capsys.readouterr().out
        assert {letter: printed.count(letter) for letter in letters} == Counter(letters)

    users_listing(USERS).show()
    assert len(capsys.readouterr().out.splitlines()) == 1 + len(USERS)


def test_a_cell_of_others_is_in_one_line_and_has_no_colour_and_ours_has_one() -> None:
    row = ("\x1b[31mred\nX\x9b0m [bold]:smile:", Text("live", "green"))
    listing = Listing("name", "state", rows=[row], empty="")
    file = io.StringIO()
    console = Console(file=file, width=80, force_terminal=True, color_system="standard")

    listing.show(console)

    lines = file.getvalue().splitlines()
    assert len(lines) == 2
    assert r"\x1b[31mred\x0aX\x9b0m [bold]:smile:" in lines[1]
    assert "\x1b[32mlive" in lines[1]


EMPTY: Sequence[tuple[Callable[[], Listing], str]] = [
    (lambda: providers_listing([]), "no provider is configured"),
    (lambda: runs_listing("acme", [], reasons=True), "`marquee sync acme`"),
    (lambda: rejections_listing("acme", []), "nothing of acme's feed is rejected"),
    (lambda: users_listing([]), "`marquee users create USERNAME EMAIL` adds one"),
    (lambda: keys_listing("ana", [], NOW), "`marquee keys create ana` makes one"),
    (lambda: webhooks_listing([], NOW), "`marquee webhooks add NAME URL` adds one"),
    (lambda: deliveries_listing(an_endpoint(name="shop"), []), "`marquee webhooks test shop`"),
    (lambda: totals([]), "no activity has been counted yet"),
    (lambda: daily_users([]), "no day"),
    (lambda: type_counts([]), "no activity of these days"),
    (lambda: retention_triangle(Granularity.DAY, []), "no period"),
    (lambda: dead_letters([]), "there are no dead letters"),
]


@pytest.mark.parametrize(("listing", "words"), EMPTY)
def test_an_empty_table_says_so_and_what_makes_an_entry(
    listing: Callable[[], Listing], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    listing().show()

    (line,) = capsys.readouterr().out.splitlines()
    assert words in line


SCRIPT = """
from app.adapters.inbound.cli.listing import Listing
Listing("id", "+name", rows=[("01890a5d-ac96-774b-bcce-b302099a8057", "n" * 60)], empty="").show()
"""


def test_the_width_is_the_terminals_own() -> None:
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 60, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name not in {"COLUMNS", "LINES", "NO_COLOR"}}
    command = (sys.executable, "-c", SCRIPT)
    with subprocess.Popen(command, stdout=theirs, cwd=REPOSITORY, env={**environment, "TERM": "xterm"}):
        os.close(theirs)
        printed = b""
        with suppress(OSError):  # so ends a terminal that nobody has open any more
            while piece := os.read(ours, 4096):
                printed += piece
    os.close(ours)

    lines = printed.decode().splitlines()
    assert len(lines) >= 4
    assert LETTER in printed.decode()
    assert printed.count(b"n") == 60 + 1
