"""Names of events, as people write them, become types."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.adapters.inbound.intake.forms.type_names import LONGEST_TYPE, TAKEN, type_of_name
from app.domain.activities import ACTIVITY_TYPE


@pytest.mark.parametrize(
    ("name", "type_"),
    [
        ("Order Completed", "order_completed"),
        ("order_completed", "order_completed"),
        ("ticket.bought", "ticket.bought"),
        ("orderCompleted", "order_completed"),
        ("PDF Opened", "pdf_opened"),
        ("  Cart -- viewed!  ", "cart_--_viewed"),
        ("Café besucht", "cafe_besucht"),
        ("3D Viewed", "event_3d_viewed"),
        ("$identify", "identify_"),
        ("Kauf größer", "kauf_grosser"),
        ("购买", "u8d2d_u4e70"),
        ("Ⅳ", "iv"),
        ("!!!", "event"),
        ("Series", "series_"),
        ("Funnel", "funnel_"),
        ("plans", "plans_"),
        ("dau", "dau_"),
        ("Identify", "identify_"),
    ],
)
def test_a_name_becomes_a_type(name: str, type_: str) -> None:
    assert type_of_name(name) == type_


def test_long_names_that_begin_alike_stay_apart() -> None:
    one, other = type_of_name("A" * 101 + "b"), type_of_name("A" * 101 + "c")

    assert len(one) == len(other) == LONGEST_TYPE
    assert one != other


@given(name=st.text(st.characters(codec="utf-8"), min_size=1, max_size=150))
def test_whatever_the_name_it_becomes_a_type_that_means_nothing_else_and_stays_one(name: str) -> None:
    made = type_of_name(name)

    assert ACTIVITY_TYPE.fullmatch(made)
    assert made not in TAKEN
    assert type_of_name(made) == made
