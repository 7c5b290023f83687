"""Recorded texts, made fit for a terminal."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interceptor.cli._texts import dollars, line, parsed, readable, shortened, size, visible

SHOWN = {
    "plain": ("Grüße, 東京 🎉", "Grüße, 東京 🎉"),
    "lines and tabs stay": ("a\n\tb", "a\n\tb"),
    "ends of lines of other systems": ("a\r\nb", "a\nb"),
    "a return alone": ("100 %\rgone", "100 %␍gone"),
    "an escape": ("\x1b[2J", "␛[2J"),
    "delete": ("\x7f", "␡"),
    "an escape of eight bits": ("\x9b2J", "\ufffd2J"),
    "writing that turns round": (
        "\u202egpj.exe\u202c \u2066\u200f",
        "\ufffdgpj.exe\ufffd \ufffd\ufffd",
    ),
    "nothing": ("\0", "␀"),
}


@pytest.mark.parametrize(("text", "shown"), SHOWN.values(), ids=SHOWN)
def test_control_characters_are_shown(text, shown):
    assert visible(text) == shown


@given(st.text())
def test_no_text_controls_a_terminal(text):
    shown = visible(text)
    assert not [one for one in shown if (one < " " or "\x7f" <= one < "\xa0") and one not in "\t\n"]
    assert "\n" not in line(text)


def test_a_line_is_one():
    assert line("  a\n\n b\tc ") == "a b c"


LONG = {
    "short": ("word", "word", 0),
    "blank lines at the end": ("word\n\n", "word", 0),
    "as many lines as there may be": ("\n".join("a" * 16), "\n".join("a" * 16), 0),
    "a little longer": ("x" * 1_250, "x" * 1_250, 0),
    "too long": ("x" * 3_000, "x" * 1_200, 1_800),
    "too many lines": ("line\n" * 100, ("line\n" * 16).rstrip(), 84 * 5),
}


@pytest.mark.parametrize(("text", "kept", "left"), LONG.values(), ids=LONG)
def test_long_texts_are_shortened(text, kept, left):
    assert shortened(text) == (kept, left)


@given(st.text(st.characters(), max_size=5_000))
def test_what_is_kept_is_the_beginning(text):
    kept, left = shortened(text)
    assert text.startswith(kept)
    assert len(kept) + left == len(text.rstrip())


READ = {
    "an object": ('{"a": [1, null]}', {"a": [1, None]}),
    "no JSON": ("{a}", "{a}"),
    "too deep": ("[" * 100_000, "[" * 100_000),
    "no text": (3, 3),
}


@pytest.mark.parametrize(("given_", "found"), READ.values(), ids=READ)
def test_json_is_read(given_, found):
    assert parsed(given_) == found


WIDE = {"city": "Saint-Malo, on the coast of Brittany", "tide": "18:42, at 11.3 metres of water"}
READABLE = {
    "a text": ("plain", "plain"),
    "a text in JSON": ('"plain"', "plain"),
    "a number as it was written": ("1e5", "1e5"),
    "a number": (5, "5"),
    "nothing": (None, "null"),
    "a short object": ('{"a":1,"b":"é"}', '{"a": 1, "b": "é"}'),
    "a long object": (json.dumps(WIDE), json.dumps(WIDE, indent=2)),
}


@pytest.mark.parametrize(("value", "text"), READABLE.values(), ids=READABLE)
def test_a_value_reads(value, text):
    assert readable(value) == text


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 B"), (999, "999 B"), (12_345, "12 kB"), (3_400_000, "3.4 MB")]
)
def test_a_size_reads(count, text):
    assert size(count) == text


@pytest.mark.parametrize(
    ("usd", "text"),
    [(0, "$0.0000"), (0.00001, "<$0.0001"), (0.00123, "$0.0012"), (0.25, "$0.25"), (12, "$12.00")],
)
def test_an_amount_reads(usd, text):
    assert dollars(usd) == text
