"""JSON to Structs: fast where it fits, field by field where it does not."""

import json
from typing import Any

import msgspec
import pytest

from interceptor.wire.notes import Notes
from interceptor.wire.parsing import fitted, members, parse, said, text_of


class Inner(msgspec.Struct, kw_only=True):
    text: str | None = None


class Outer(msgspec.Struct, kw_only=True):
    name: str | None = None
    count: int | None = None
    of: str | tuple[Inner, ...] | None = None
    one: Inner | None = None
    by_name: dict[str, int] | None = None
    raw: msgspec.Raw = msgspec.Raw()
    kind: str | None = msgspec.field(name="type", default=None)


ODD = "in a shape that is not known, left out"

CASES = {
    "what fits": (b'{"name":"a","of":[{"text":"b"}]}', Outer(name="a", of=(Inner(text="b"),)), []),
    "what is new": (b'{"name":"a","x":[{}]}', Outer(name="a"), []),
    "nothing": (b"{}", Outer(), []),
    "a name twice": (b'{"name":"a","name":"b"}', Outer(name="b"), []),
    "another name on the wire": (b'{"type":"t"}', Outer(kind="t"), []),
    "one odd field": (b'{"name":"a","count":"x"}', Outer(name="a"), [f"it.count: {ODD}"]),
    "a whole number with a point": (b'{"name":"a","count":16.0}', Outer(name="a", count=16), []),
    "a whole number with an exponent": (b'{"count":1.6e1}', Outer(count=16), []),
    "a number as text": (b'{"count":"16"}', Outer(count=16), []),
    "a number with a fraction": (b'{"count":16.5}', Outer(), [f"it.count: {ODD}"]),
    "a number with a fraction, as text": (b'{"count":"16.5"}', Outer(), [f"it.count: {ODD}"]),
    "a number beyond all": (b'{"count":1e999}', Outer(), [f"it.count: {ODD}"]),
    "a flag for a number": (b'{"count":true}', Outer(), [f"it.count: {ODD}"]),
    "an odd item": (
        b'{"of":[{"text":"a"},7,null,{"text":[]}]}',
        Outer(of=(Inner(text="a"), Inner())),
        [f"it.of: {ODD} (×2)", f"it.of.text: {ODD}"],
    ),
    "an odd object": (b'{"one":[1],"name":"a"}', Outer(name="a"), [f"it.one: {ODD}"]),
    "an odd value in a map": (
        b'{"by_name":{"a":1,"b":"x"}}',
        Outer(by_name={"a": 1}),
        [f"it.by_name.b: {ODD}"],
    ),
    "raw beside an odd field": (
        b'{"raw": {"a": [1]},"count":"x"}',
        Outer(raw=msgspec.Raw(b'{"a":[1]}')),
        [f"it.count: {ODD}"],
    ),
    "a mark of the byte order": (b'\xef\xbb\xbf{"name":"a"}', Outer(name="a"), []),
    "bytes that are no UTF-8": (b'{"name":"a\xff"}', Outer(name="a�"), []),
    "half a character": (b'{"name":"a\\ud83d"}', Outer(name="a�"), []),
    "half a character as a name": (b'{"count":1,"\\ud83d":["\\ud83d"]}', Outer(count=1), []),
    "NaN": (b'{"name":"a","count":NaN}', Outer(name="a"), []),
    "infinity beside what fits": (b'{"count":1,"x":[-Infinity]}', Outer(count=1), []),
    "a number without end": (b'{"count":' + b"9" * 5000 + b"}", None, ["it: not JSON"]),
    "not an object": (b"[1,2]", None, [f"it: {ODD}"]),
    "a number alone": (b"7", None, [f"it: {ODD}"]),
    "not JSON": (b'{"name":', None, ["it: not JSON"]),
    "nothing at all": (b"", None, ["it: not JSON"]),
    "nested without end": (b"[" * 100_000, None, ["it: nested too deeply"]),
}


@pytest.mark.parametrize(("data", "value", "noted"), CASES.values(), ids=CASES)
def test_json_is_read_as_far_as_it_fits(data, value, noted):
    notes = Notes()
    assert parse(data, Outer, notes, what="it") == value
    assert notes.texts() == tuple(noted)


def test_the_slow_way_gives_what_the_fast_one_does():
    data = {
        "name": "a",
        "count": 1,
        "of": [{"text": "b"}],
        "one": {"text": "c"},
        "by_name": {"d": 2},
    }
    fast = parse(json.dumps(data).encode(), Outer, Notes(), what="it")
    slow = parse(json.dumps(data | {"type": 7}).encode(), Outer, Notes(), what="it")
    assert slow == fast


def test_members_are_given_as_they_stand():
    found = members(b'{"a": {"b":1} ,"c":null}', Notes(), what="it")
    assert {name: bytes(raw) for name, raw in found.items()} == {"a": b'{"b":1}', "c": b"null"}


@pytest.mark.parametrize("data", [b"[1]", b"x", b"7"])
def test_what_is_no_object_has_no_members(data):
    notes = Notes()
    assert members(data, notes, what="it") == {}
    assert notes.texts()


@pytest.mark.parametrize(
    ("value", "kind", "fit"),
    [
        ("0.5", float | None, 0.5),
        ("true", bool | None, True),
        (None, bool | None, None),
        ({"text": "a"}, Inner, Inner(text="a")),
        ({"text": "a", "x": 1}, Inner, Inner(text="a")),
        ({"text": 1}, Inner, Inner()),
        ("x", float | None, None),
    ],
)
def test_values_are_fitted_loosely(value, kind, fit):
    assert fitted(value, kind, Notes(), what="it") == fit


@pytest.mark.parametrize(
    ("raw", "text"),
    {
        b"": None,
        b"null": None,
        b"{}": None,
        b"[]": "[]",
        b'{"a": 1}': '{"a": 1}',
        b'"\xff"': '"�"',
    }.items(),
)
def test_what_a_member_says(raw, text):
    assert said(msgspec.Raw(raw)) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [("a", "a"), (None, ""), ({"a": [1]}, '{"a":[1]}'), (0, "0"), (False, "false")],
)
def test_any_value_has_a_text(value: Any, text):
    assert text_of(value) == text


def test_a_value_too_deep_to_be_written_has_a_text_all_the_same():
    deep: list[Any] = []
    for _ in range(5000):
        deep = [deep]
    assert text_of(deep) == "[nested too deeply]"


def test_notes_are_counted():
    notes = Notes()
    for note in ("a", "b", "a"):
        notes.add(note)
    assert notes.texts() == ("a (×2)", "b")
