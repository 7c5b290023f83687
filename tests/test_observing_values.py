"""Copies of values: plain, short, true, without credentials, and without calling anything."""

import collections
import dataclasses
import datetime as dt
import decimal
import enum
import fractions
import ipaddress
import json
import math
import pathlib
import re
import types
import uuid
from typing import Any, NamedTuple

import attrs
import msgspec
import pydantic
import pytest

from interceptor.observing._values import Yielded, copied

LIMIT = 10_000


@dataclasses.dataclass
class Point:
    """With a field that is kept out of its text."""

    x: int
    y: Any = None
    key: str = dataclasses.field(default="hidden", repr=False)
    late: int = dataclasses.field(init=False)


@dataclasses.dataclass(slots=True)
class Slotted:
    x: int


class Struct(msgspec.Struct):
    x: int


class Pair(NamedTuple):
    left: int
    right: int


class Unset(pydantic.BaseModel):
    """As the SDK marks what was not sent."""


class Model(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="allow")

    x: int
    y: Any = None
    hidden: str = pydantic.Field(default="hidden", repr=False)
    password: str = "hunter2"  # noqa: S105 - of nobody
    token: pydantic.SecretStr = pydantic.SecretStr("secret")


@attrs.define
class Attrs:
    x: int
    hidden: str = attrs.field(default="hidden", repr=False)


class Colour(enum.Enum):
    RED = "red"


class Level(enum.IntEnum):
    HIGH = 3


class Word(str):
    __slots__ = ()


class Number(int):
    pass


class Array:
    """With the manners of numpy's."""

    def __init__(self, *shape):
        self._shape = shape

    @property
    def shape(self):
        return self._shape

    @property
    def dtype(self):
        return "float32"

    def item(self):
        return 2.5


class Hostile:
    """Whatever is asked of it goes wrong."""

    def __getattribute__(self, name):
        raise AssertionError(f"{name} was asked for")

    def __iter__(self):
        raise AssertionError("it was read")

    __len__ = __repr__ = __str__ = __eq__ = __iter__
    __hash__ = None


class HostileDict(dict):
    def __getattribute__(self, name):
        raise AssertionError(f"{name} was asked for")

    def __iter__(self):
        raise AssertionError("it was read")

    keys = values = items = __len__ = __getitem__ = __iter__


HERE = f"{__name__}."

VALUES = {
    "none": (None, None),
    "a truth value": (True, True),
    "an integer": (7, 7),
    "a huge integer": (10**40, 10**40),
    "a float": (0.5, 0.5),
    "not a number": (math.nan, "nan"),
    "infinity": (-math.inf, "-inf"),
    "text": ("sea", "sea"),
    "text of a class": (Word("sea"), "sea"),
    "an integer of a class": (Number(7), 7),
    "an enum": (Colour.RED, "red"),
    "an enum of integers": (Level.HIGH, 3),
    "a list": ([1, ["a", None]], [1, ["a", None]]),
    "a tuple": ((1, 2), [1, 2]),
    "a set": ({1}, [1]),
    "a frozen set": (frozenset({1}), [1]),
    "a deque": (collections.deque([1, 2]), [1, 2]),
    "a dictionary": ({"a": {"b": [1]}}, {"a": {"b": [1]}}),
    "keys that are no text": (
        {1: "a", None: "b", (1, 2): "c"},
        {"1": "a", "None": "b", "<tuple>": "c"},
    ),
    "a dictionary of a class": (collections.OrderedDict(a=1), {"a": 1}),
    "a default dictionary": (collections.defaultdict(list, a=1), {"a": 1}),
    "a proxy of a dictionary": (types.MappingProxyType({"a": 1}), {"a": 1}),
    "bytes": (b"1234", "<bytes: 4 bytes>"),
    "a bytearray": (bytearray(3), "<bytearray: 3 bytes>"),
    "a view of bytes": (memoryview(b"12345"), "<memoryview: 5 bytes>"),
    "a dataclass": (Point(1, [2]), {"x": 1, "y": [2]}),
    "a dataclass with slots": (Slotted(1), {"x": 1}),
    "a struct": (Struct(1), {"x": 1}),
    "a named tuple": (Pair(1, 2), {"left": 1, "right": 2}),
    "a model": (
        Model(x=1, y=Unset(), more="m"),
        {"x": 1, "password": "[redacted]", "token": "[redacted]", "more": "m"},
    ),
    "an attrs class": (Attrs(1), {"x": 1}),
    "a date": (dt.date(2026, 10, 5), "2026-10-05"),
    "a moment": (dt.datetime(2026, 10, 5, 8, tzinfo=dt.UTC), "2026-10-05 08:00:00+00:00"),
    "a time span": (dt.timedelta(seconds=90), "0:01:30"),
    "a decimal": (decimal.Decimal("1.10"), "1.10"),
    "a fraction": (fractions.Fraction(1, 3), "1/3"),
    "a path": (pathlib.PurePosixPath("a/b"), "a/b"),
    "an id": (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
    "an address": (ipaddress.ip_address("10.0.0.1"), "10.0.0.1"),
    "an exception": (LookupError("no tea"), "<LookupError: no tea>"),
    "an exception without words": (LookupError(), "<LookupError>"),
    "a function": (copied, "<function copied>"),
    "a builtin": (len, "<builtin_function_or_method len>"),
    "a class": (Point, "<type Point>"),
    "a module": (json, "<module json>"),
    "an array": (Array(3, 4), f"<{HERE}Array shape=(3, 4) dtype=float32>"),
    "a number of an array's": (Array(), 2.5),
    "an iterator": (iter("ab"), "<str_ascii_iterator>"),
    "a generator": ((one for one in "ab"), "<generator>"),
    "an object": (Hostile(), f"<{HERE}Hostile>"),
    "a dictionary that minds": (HostileDict(a=1), {"a": 1}),
    "a pattern": (re.compile("a"), "<re.Pattern>"),
}


@pytest.mark.parametrize(("value", "copy"), VALUES.values(), ids=VALUES)
def test_a_copy_says_what_a_value_is(value, copy):
    found, _ = copied(value, LIMIT)
    assert found == copy
    assert type(found) is type(copy)


def test_a_copy_does_not_change_with_its_original():
    original = {"list": [1, {"a": 2}]}
    copy, _ = copied(original, LIMIT)
    original["list"][1]["a"] = 3
    original["list"].append(4)
    assert copy == {"list": [1, {"a": 2}]}


def test_a_value_inside_itself_ends_somewhere():
    endless = {}
    endless["again"] = [endless]
    copy, _ = copied(endless, LIMIT)
    assert json.dumps(copy).count("again") < 20


def test_long_text_is_cut_and_says_so():
    copy, chars = copied({"text": "x" * (LIMIT + 5)}, LIMIT)
    assert copy == {"text": f"{'x' * LIMIT}… [5 more]"}
    assert LIMIT <= chars < LIMIT + 100


def test_many_long_texts_hold_little_together():
    copy, chars = copied(["x" * LIMIT] * 1000, LIMIT)
    assert len(copy) == 1000
    assert chars < 1000 * 1100 + 2 * LIMIT


MANY = {
    "a list": (list(range(10_000)), 5904),
    "a set": (set(range(10_000)), 5904),
    "a dictionary": ({str(one): one for one in range(10_000)}, 5904),
}


@pytest.mark.parametrize(("value", "missing"), MANY.values(), ids=MANY)
def test_of_very_many_values_the_first_are_copied_and_the_others_counted(value, missing):
    copy, _ = copied(value, LIMIT)
    said = copy["…"] if isinstance(copy, dict) else copy[-1]
    assert said == f"… [{missing} more]"
    assert len(copy) == 4097


def test_very_many_values_are_counted_over_all_containers():
    copy, _ = copied([[1] * 1000] * 1000, LIMIT)
    assert sum(map(len, copy)) < 4096 + 2 * 1000


def test_what_stands_under_a_credentials_name_is_struck_out():
    deep = {"max_tokens": 1, "accessToken": ["hunter2"], "password": None}
    assert copied({"api_key": "hunter2", "deep": [deep]}, LIMIT)[0] == {
        "api_key": "[redacted]",
        "deep": [{"max_tokens": 1, "accessToken": "[redacted]", "password": None}],
    }


def yielded(*items, limit=LIMIT):
    found = Yielded(limit)
    for item in items:
        found.add(item)
    return found


YIELDED = {
    "nothing": ((), []),
    "texts": (("a", "", "b"), "ab"),
    "none among texts": (("a", None, "b"), "ab"),
    "none alone": ((None, None), []),
    "values": ((1, {"a": 2}), [1, {"a": 2}]),
    "text before values": (("a", "b", 1, "c", None), ["ab", 1, "c", None]),
}


@pytest.mark.parametrize(("items", "value"), YIELDED.values(), ids=YIELDED)
def test_what_was_yielded(items, value):
    assert yielded(*items).value() == value


def test_yielded_text_is_held_up_to_the_limit_and_the_rest_counted():
    found = yielded(*(["abc"] * 100), limit=10)
    assert found.value() == "abcabcabca… [290 more]"
    assert found.chars == 10


def test_yielded_values_are_held_up_to_a_number_and_the_rest_counted():
    found = yielded(*range(10_000)).value()
    assert found[:3] == [0, 1, 2]
    assert found[-1] == "… [5904 more]"
    assert len(found) == 4097
