"""Feeds of many shapes, all made up (tests/data/unknown_feeds), each with the plans that a person sees in it."""

from dataclasses import dataclass
from pathlib import Path

from app.domain.plans import Plan, PlanStatus

FOLDER = Path(__file__).parents[1] / "data" / "unknown_feeds"


@dataclass(frozen=True, slots=True)
class UnknownFeed:
    """A document, what its times are local to, and its plans, as `told` tells one."""

    file: str
    plans: tuple[str, ...]
    timezone: str = "Europe/Helsinki"

    @property
    def path(self) -> Path:
        return FOLDER / self.file

    @property
    def document(self) -> bytes:
        return self.path.read_bytes()


def told(plan: Plan) -> str:
    """Tell a plan: `start | end | title | prices`, its status unless it is scheduled; `-` for what is not said."""
    start = f"{plan.starts:%Y-%m-%d %H:%M}" if plan.start_has_time else f"{plan.starts:%Y-%m-%d}"
    end = "-" if plan.ends is None else f"{plan.ends:%Y-%m-%d %H:%M}" if plan.end_has_time else f"{plan.ends:%Y-%m-%d}"
    prices, currency = plan.prices, (plan.details.currency if plan.details else None) or ""
    low, high = (prices.lowest, prices.highest) if prices else ("-", "-")
    price = f"{low}-{high}" if low != high else f"{low}"
    status = [] if plan.status is PlanStatus.SCHEDULED else [str(plan.status)]
    return " | ".join([start, end, plan.title, f"{price} {currency}".strip() if prices else price, *status])


FEEDS = (
    UnknownFeed(
        "attributes_only.xml",
        (
            "2026-05-01 20:00 | 2026-05-01 22:00 | Lantern Walk | 12.50 EUR",
            "2026-05-02 19:30 | 2026-05-02 21:00 | Night of Kites | 9.00 EUR",
            "2026-05-08 20:00 | 2026-05-08 22:00 | Lantern Walk | 12.50 EUR",
        ),
    ),
    UnknownFeed(
        "elements_only_german.xml",
        (
            "2026-05-01 19:30 | 2026-05-01 21:45 | Die blaue Mühle | 18.50 EUR",
            "2026-05-14 20:00 | 2026-05-14 22:00 | Zwölf Stühle | 1018.50 EUR | cancelled",
        ),
        "Europe/Berlin",
    ),
    UnknownFeed(
        "nested_venues.xml",
        (
            "2026-06-01 19:00 | 2026-06-01 21:00 | Slow Comets | -",
            "2026-06-02 19:00 | 2026-06-02 21:00 | Paper Choir | -",
            "2026-06-03 22:00 | 2026-06-04 01:00 | Owls, Live | -",
        ),
    ),
    UnknownFeed(
        "tickets_as_parts.xml",
        (
            "2026-05-01 20:00 | - | Marble Orchestra | 25.00-40.00",
            "2026-05-02 20:00 | - | Marble Orchestra | 27.00",
        ),
    ),
    UnknownFeed(
        "xmltv.xml",
        (
            "2026-05-01 18:00 | 2026-05-01 19:00 | Harbour Tales | -",
            "2026-05-01 19:00 | 2026-05-01 20:30 | The Long Bridge | -",
            "2026-05-01 18:00 | 2026-05-01 18:30 | Evening Weather | -",
        ),
    ),
    UnknownFeed(
        "rss_with_ev.xml",
        (
            "2026-05-01 12:00 | 2026-05-01 14:00 | Tin Parade | -",
            "2026-05-03 11:00 | 2026-05-03 15:00 | Soup Day | -",
        ),
    ),
    UnknownFeed(
        "atom_with_ev.xml",
        (
            "2026-05-09 21:00 | 2026-05-09 23:00 | Gravel Dance | -",
            "2026-05-10 09:00 | 2026-05-10 12:00 | Moss Walk | -",
        ),
    ),
    UnknownFeed(
        "a_list_of_objects.json",
        (
            "2026-05-01 19:00 | 2026-05-01 21:00 | Copper Strings | 15.00",
            "2026-05-02 10:00 | - | Open Kiln | 0.00",
        ),
    ),
    UnknownFeed(
        "eventbrite_like.json",
        (
            "2026-06-12 19:00 | 2026-06-12 22:00 | Rust and Roses | -",
            "2026-06-13 23:00 | 2026-06-14 02:00 | Night Bakery | - | cancelled",
        ),
        "Europe/Dublin",
    ),
    UnknownFeed(
        "rpde.json",
        (
            "2026-05-01 07:00 | 2026-05-01 08:00 | Morning Rowing | 5.00 EUR",
            "2026-05-01 18:00 | 2026-05-01 19:00 | Evening Rowing | 6.00 EUR",
        ),
    ),
    UnknownFeed(
        "json_ld_graph.json",
        (
            "2026-05-01 19:00 | 2026-05-01 21:00 | Three Doors | 22.00 EUR",
            "2026-05-02 19:00 | 2026-05-02 21:00 | Quiet Drums | 18.00 EUR | cancelled",
        ),
    ),
    UnknownFeed(
        "ticketmaster_like.json",
        (
            "2026-05-01 19:00 | - | Velvet Static | 35.50 EUR",
            "2026-05-02 | 2026-05-02 | Velvet Static | 35.50 EUR | cancelled",
        ),
    ),
    UnknownFeed(
        "a_city_with_lists_of_dates.json",
        (
            "2026-05-02 10:00 | 2026-05-02 15:00 | Kirpputori | -",
            "2026-05-09 10:00 | 2026-05-09 15:00 | Kirpputori | -",
            "2026-05-03 09:00 | 2026-05-03 10:00 | Puistojooga | -",
        ),
    ),
    UnknownFeed(
        "unix_times.json",
        (
            "2026-05-01 20:00 | 2026-05-01 22:00 | Amber Clock | 14.00",
            "2026-05-02 20:00 | 2026-05-02 22:00 | Amber Clock | 14.00",
        ),
    ),
    UnknownFeed(
        "no_ids.json",
        (
            "2026-05-01 18:00 | 2026-05-01 20:00 | Metsän ääni | 8.00 EUR",
            "2026-05-22 18:00 | 2026-05-22 20:00 | Saari | 8.00 EUR",
        ),
    ),
    UnknownFeed(
        "lines.ndjson",
        (
            "2026-05-01 22:00 | - | Ferry Songs | -",
            "2026-05-02 22:00 | - | Ferry Poems | -",
            "2026-05-03 22:00 | - | Ferry Films | -",
        ),
    ),
    UnknownFeed(
        "csv_of_a_theatre.csv",
        (
            "2026-05-01 20:30 | 2026-05-01 22:15 | La torre de papel | 24.50",
            "2026-05-15 20:30 | 2026-05-15 22:15 | La torre de papel | 24.50 | cancelled",
            "2026-05-23 23:30 | 2026-05-24 01:00 | El faro dormido | 18.00",
        ),
        "Europe/Madrid",
    ),
    UnknownFeed(
        "exhibitions.tsv",
        (
            "2026-05-01 | 2026-05-03 | River Fair | 0.00",
            "2026-05-04 | 2026-06-30 | Map Makers | 7.50",
        ),
    ),
    UnknownFeed(
        "csv_of_america.csv",
        (
            "2026-05-01 19:30 | - | Dust Opera | 25.00 USD",
            "2026-05-02 14:00 | - | Dust Opera | 20.00 USD",
            "2026-05-03 20:00 | - | Corn Ball | 10.00 USD",
        ),
        "America/Chicago",
    ),
    UnknownFeed(
        "icalendar_with_rrule.ics",
        (
            "2026-05-04 19:00 | 2026-05-04 21:00 | Rehearsal | -",
            "2026-05-11 19:00 | 2026-05-11 21:00 | Rehearsal | -",
            "2026-05-18 19:00 | 2026-05-18 21:00 | Rehearsal | -",
        ),
    ),
    UnknownFeed(
        "places_of_geojson.json",
        (
            "2026-12-05 | 2026-12-06 | Fête du quai | 0.00 EUR",
            "2026-12-12 | 2026-12-12 | Nuit des cordes | 12.00 EUR",
        ),
    ),
    UnknownFeed(
        "calendar_of_a_blog.json",
        (
            "2026-12-12 10:00 | 2026-12-12 18:00 | Winter Market | 3.00 EUR",
            "2026-12-13 19:00 | 2026-12-13 21:00 | Snow Concert | 12.00 EUR",
        ),
    ),
    UnknownFeed(
        "schedules_in_a_namespace.xml",
        (
            "2026-12-24 18:00 | 2026-12-24 19:00 | Lake Lights | -",
            "2026-12-25 18:00 | 2026-12-25 19:00 | Lake Lights | -",
            "2026-12-26 10:00 | 2026-12-26 12:00 | Ice Walk | -",
        ),
    ),
    UnknownFeed(
        "members_by_id.json",
        (
            "2026-05-01 20:00 | - | Amber Rain | -",
            "2026-05-02 20:00 | - | Dry Lake | -",
        ),
    ),
    UnknownFeed(
        "theatre_in_german.json",
        (
            "2026-12-05 19:30 | 2026-12-05 22:15 | Die Möwe | 12.50 | sold_out",
            "2026-12-31 22:00 | 2027-01-01 02:00 | Silvesternacht | 45.00",
            "2026-10-24 23:30 | 2026-10-25 04:00 | Sommernacht | 5.00 | cancelled",
            "2026-12-06 18:00 | 2026-12-06 20:00 | Woyzeck | 1234.56",
            "2026-12-13 | 2026-12-13 | Tag der offenen Tür | -",
        ),
        "Europe/Berlin",
    ),
    UnknownFeed(
        "hall_in_windows_1252.csv",
        (
            "2026-12-03 20:00 | 2026-12-03 22:30 | Käsekönig | 1234.50 EUR",
            "2026-12-04 23:00 | 2026-12-05 01:15 | Über; allen Gipfeln | 18.00 EUR | postponed",
            "2026-12-05 | 2026-12-06 | Weihnachtsmarkt | -",
        ),
        "Europe/Zurich",
    ),
    UnknownFeed(
        "days_with_lists.json",
        (
            "2026-12-04 21:00 | 2026-12-05 01:30 | Jazz night | 12.00 EUR",
            "2026-12-04 10:00 | 2026-12-04 11:00 | Kids' hour | 0.00 EUR",
            "2026-12-06 | 2026-12-06 | Independence day | -",
        ),
    ),
    UnknownFeed(
        "cinema_in_a_namespace.xml",
        (
            "2026-12-01 21:00 | 2026-12-01 22:58 | A Ilha | 6.00-8.50",
            "2026-12-02 23:30 | 2026-12-03 01:28 | A Ilha | 8.50",
            "2026-12-01 18:15 | 2026-12-01 19:50 | Os Dias & as Noites | 8.50 | cancelled",
        ),
        "Europe/Lisbon",
    ),
    UnknownFeed(
        "market_in_utf_16.tsv",
        (
            "2026-12-04 18:30 | 2026-12-04 20:00 | Jul på torget | 120.00",
            "2026-12-13 07:15 | 2026-12-13 08:00 | Lucia | 80.00 | sold_out",
        ),
        "Europe/Stockholm",
    ),
    UnknownFeed(
        "schedule_in_two_languages.json",
        (
            "2026-12-03 19:00 | 2026-12-03 21:00 | Konsertti 0 | 650.00-1250.00 EUR",
            "2026-12-04 19:00 | 2026-12-04 21:00 | Konsertti 1 | 650.00-1250.00 EUR",
            "2026-12-05 19:00 | 2026-12-05 21:00 | Konsertti 2 | 650.00-1250.00 EUR",
        ),
    ),
    UnknownFeed(
        "performances_of_productions.xml",
        (
            "2026-12-01 19:30 | - | T & 0 | -",
            "2026-12-11 20:00 | - | T & 0 | -",
            "2026-12-02 19:30 | - | T & 1 | -",
            "2026-12-12 20:00 | - | T & 1 | -",
            "2026-12-03 19:30 | - | T & 2 | -",
            "2026-12-13 20:00 | - | T & 2 | -",
        ),
    ),
)
