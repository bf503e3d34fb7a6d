"""Ids made of any text."""

from uuid import uuid5

from hypothesis import given
from hypothesis import strategies as st

from app.domain.activity_ids import NAMESPACE, id_of_text

texts = st.text(st.characters(codec="utf-8"), min_size=1)


@given(source=texts, text=texts)
def test_an_id_is_a_uuid_5_of_source_and_text(source: str, text: str) -> None:
    assert id_of_text(source, text) == uuid5(NAMESPACE, f"{source}\n{text}")


def test_another_source_or_none_is_another_activity() -> None:
    assert len({id_of_text("web", "1"), id_of_text("app", "1"), id_of_text(None, "1"), id_of_text("web", "2")}) == 4


def test_an_id_stays_what_it_is_for_ever() -> None:
    assert str(id_of_text("web", "order-1")) == "dc1c9057-f709-5ac9-903a-30eea76dc28e"
