"""JSON within a budget: valid, small enough, and cut where it hurts least."""

import json
import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from interceptor.dialects._budget import dumped, fitted

LEAST_BYTES = 64

texts = st.one_of(st.text(), st.text(alphabet="a\n\x00é😀", min_size=30, max_size=200))
values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), texts),
    lambda inner: st.one_of(
        st.lists(inner, max_size=8), st.dictionaries(texts, inner, max_size=20)
    ),
    max_leaves=25,
)


class Odd:
    def __str__(self):
        raise RuntimeError("no words")


def nested(levels):
    value = []
    for _ in range(levels):
        value = [value]
    return value


@given(value=values, limit_bytes=st.integers(LEAST_BYTES, 2000))
@example(value=[["a"] * 3] * 1000, limit_bytes=LEAST_BYTES)
@example(value={"k" * 5000: 1}, limit_bytes=LEAST_BYTES)
@example(value=["\ud800" * 500], limit_bytes=100)
@example(value={"\ud800": 1 << 80}, limit_bytes=100)
@example(value="\x00" * 5000, limit_bytes=1000)
@example(value=[10**400, -(10**400)], limit_bytes=200)
def test_it_is_json_within_the_limit(value, limit_bytes):
    text, is_cut = fitted(value, limit_bytes)
    json.loads(text)
    assert len(text.encode()) <= limit_bytes
    assert is_cut == (len(dumped(value)) > limit_bytes)


@given(value=values)
def test_what_fits_is_as_it_was(value):
    whole = dumped(value)
    assert fitted(value, max(LEAST_BYTES, len(whole))) == (whole.decode(), False)


def test_the_longest_texts_give_way_first():
    messages = [{"role": "user", "parts": [{"content": "short"}, {"content": "x" * 5000}]}]
    text, _ = fitted(messages, 500)
    short, long = json.loads(text)[0]["parts"]
    assert short == {"content": "short"}
    kept, _, rest = long["content"].partition("… [")
    assert set(kept) == {"x"}
    assert rest == f"{5000 - len(kept)} more]"
    assert len(text) > 450  # no more is lost than has to be


def test_items_go_from_the_middle():
    text, _ = fitted(list(range(10_000)), 1000)
    left = json.loads(text)
    assert left[:3] == [0, 1, 2]
    assert left[-3:] == [9997, 9998, 9999]
    assert len(text) > 200


def test_the_longest_list_gives_way_first():
    messages = [{"role": "user", "parts": list(range(5000))}, {"role": "assistant", "parts": [1]}]
    text, _ = fitted(messages, 500)
    first, second = json.loads(text)
    assert first["role"] == "user"
    assert first["parts"][-1] == 4999
    assert second == messages[1]


def test_an_object_keeps_its_first_members():
    text, _ = fitted({f"key {i}": i for i in range(1000)}, 500)
    assert json.loads(text)["key 0"] == 0


def test_what_cannot_be_cut_becomes_a_word_on_its_size():
    assert fitted({"k" * 500: 1}, 100) == ('"[506 bytes left out]"', True)


ODD = {
    "a large integer": (1 << 70, str(1 << 70)),
    "a lone surrogate": ("a\ud800b", "a?b"),
    "a lone surrogate as a key": ({"\ud800": 1}, {"?": 1}),
    "an object": ([complex(1, 2)], ["(1+2j)"]),
    "an object with no words": ([Odd()], ["[Odd]"]),
    "an object with no words as a key": ({Odd(): 1}, {"[Odd]": 1}),
    "a tuple": ((1, 2, 1 << 70), [1, 2, str(1 << 70)]),
    "numbers as keys": ({1: "a", None: "b"}, {"1": "a", "null": "b"}),
    "no number": ([math.nan, math.inf], [None, None]),
    "true is no integer": ([True, 1 << 70], [True, str(1 << 70)]),
}


@pytest.mark.parametrize(("value", "expected"), ODD.values(), ids=ODD)
def test_what_json_has_no_form_for_is_text(value, expected):
    assert json.loads(dumped(value)) == expected


def test_more_levels_than_json_is_written_in():
    assert dumped(nested(250)).count(b"[") == 251
    assert b'"[nested too deeply]"' in dumped(nested(100_000))


def test_levels_go_before_texts_do():
    text, is_cut = fitted([nested(100_000), "x" * 5000], 1000)
    assert is_cut
    levels, words = json.loads(text)
    assert levels == json.loads(dumped(nested(100_000)))[0]
    assert words.startswith("x" * 300)
