"""Which characters of others reach a terminal: none that it obeys."""

import json
import re
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.adapters.formats.terminal_text import visible, visible_json
from app.adapters.inbound.cli.saying import print_json, say, say_styled

ROOT = Path(__file__).parents[3]
STEERING = {"Cc", "Cs", "Zl", "Zp"}
"""Categories of characters that are controls, halves, ends of lines and of paragraphs."""
TURNING = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
"""Bidirectional classes that turn text around."""


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x1b[0m", r"\x1b[31mred\x1b[0m"),
        ("two\r\nlines\tand a tab", r"two\x0d\x0alines\x09and a tab"),
        ("\x9b31m \x7f \x00", r"\x9b31m \x7f \x00"),
        ("abc\u202efed\u202c \u2066x\u2069 \u200e", r"abc\u202efed\u202c \u2066x\u2069 \u200e"),
        ("\ud800 \u2028 \ufeff", r"\ud800 \u2028 \ufeff"),
        ("Zoë ☃ 東京 😀 مرحبا \\x1b [bold]", "Zoë ☃ 東京 😀 مرحبا \\x1b [bold]"),
        ("", ""),
    ],
)
def test_what_steers_is_shown_and_the_rest_stays(text: str, shown: str) -> None:
    assert visible(text) == shown


@given(st.text(st.characters()))
def test_nothing_that_steers_is_left(text: str) -> None:
    for shown in (visible(text), visible_json(json.dumps(text, ensure_ascii=False))):
        assert not STEERING & {unicodedata.category(one) for one in shown}
        assert not TURNING & {unicodedata.bidirectional(one) for one in shown}
        shown.encode()


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_json_says_the_same_after(text: str) -> None:
    document = json.dumps({text: [text]}, indent=2, ensure_ascii=False)

    assert json.loads(visible_json(document)) == {text: [text]}


@pytest.mark.parametrize("name", sorted(path.name for path in (ROOT / "app/adapters/inbound/cli").glob("*.py")))
def test_commands_print_and_ask_in_two_modules_only(name: str) -> None:
    if name in {"saying.py", "listing.py"}:
        return
    text = (ROOT / "app/adapters/inbound/cli" / name).read_text(encoding="utf-8")

    assert not re.findall(r"typer\.(?:echo|secho|confirm|prompt)|\.print\(|\.out\(|\bprint\(|\binput\(|sys\.std", text)


@pytest.mark.parametrize("half", ["", "\ud800"])
def test_json_for_programs_steers_no_terminal(half: str, capsys: pytest.CaptureFixture[str]) -> None:
    title = f"Zoë \x1b[31m\x9b0m\x7f\u202e{half}"

    print_json([{"title": title}])

    printed = capsys.readouterr().out
    assert r"Zoë \u001b[31m\u009b0m\u007f\u202e" in printed
    assert json.loads(printed) == [{"title": title}]


def test_a_line_steers_no_terminal_and_stays_one(capsys: pytest.CaptureFixture[str]) -> None:
    say("marquee: found \x1b[2J\nmarquee: forged", err=True)
    say_styled(("\x9b31m", "bold"), " and more\x07")

    shown = capsys.readouterr()
    assert shown.err == "marquee: found \\x1b[2J\\x0amarquee: forged\n"
    assert shown.out == "\\x9b31m and more\\x07\n"
