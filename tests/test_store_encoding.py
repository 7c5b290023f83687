"""A span's row: its columns, and everything else as JSON."""

import json
from pathlib import PurePosixPath

import msgspec
import pytest
from opentelemetry.trace import SpanKind

from interceptor.store._encoding import to_row
from interceptor.store.rows import State
from tests.store_spans import SECOND, START, span

BARE = msgspec.structs.asdict(to_row(span("chat"), process="here"))

COLUMNS = {
    "endpoint": (
        {"mistral_ai.endpoint": "fim.completions"},
        {"endpoint": "fim.completions", "is_call": True},
    ),
    "operation": ({"gen_ai.operation.name": "chat"}, {"operation": "chat"}),
    "model": ({"gen_ai.request.model": "small"}, {"model": "small"}),
    "the model that answered": (
        {"gen_ai.request.model": "small", "gen_ai.response.model": "small-2506"},
        {"model": "small", "response_model": "small-2506"},
    ),
    "only the model that answered": (
        {"gen_ai.response.model": "small-2506"},
        {"model": "small-2506", "response_model": "small-2506"},
    ),
    "tokens": (
        {"gen_ai.usage.input_tokens": 3, "gen_ai.usage.output_tokens": 0},
        {"input_tokens": 3, "output_tokens": 0},
    ),
    "the server's total": ({"mistral_ai.usage.total_tokens": 9}, {"total_tokens": 9}),
    "cost": ({"mistral_ai.cost.usd": 0.25}, {"cost_usd": 0.25}),
    "a cost of whole dollars": ({"mistral_ai.cost.usd": 2}, {"cost_usd": 2.0}),
    "time to first chunk": (
        {"gen_ai.response.time_to_first_chunk": 0.5},
        {"time_to_first_chunk_s": 0.5},
    ),
    "session and user": (
        {"session.id": "s", "user.id": "u"},
        {"session_id": "s", "user_id": "u"},
    ),
    "tags": ({"tag.tags": ["a", "", "b"]}, {"tags": ("a", "b")}),
    "tags that are none": ({"tag.tags": "a"}, {}),
    "tokens that are text": ({"gen_ai.usage.input_tokens": "3"}, {}),
    "tokens that are a truth value": ({"gen_ai.usage.input_tokens": True}, {}),
    "tokens beyond SQLite": ({"gen_ai.usage.input_tokens": 2**64}, {}),
    "a model that is a number": ({"gen_ai.request.model": 5}, {}),
    "a cost that is text": ({"mistral_ai.cost.usd": "1"}, {}),
}


@pytest.mark.parametrize(("attributes", "added"), COLUMNS.values(), ids=COLUMNS)
def test_an_attribute_fills_these_columns_and_no_other(attributes, added):
    row = msgspec.structs.asdict(to_row(span("chat", attributes=attributes), process="here"))
    del row["attributes"]
    assert row == {key: value for key, value in BARE.items() if key != "attributes"} | added


def test_the_bare_row():
    assert BARE["trace_id"] == f"{1:032x}"
    assert BARE["span_id"] == f"{1:016x}"
    assert BARE["parent_id"] is None
    assert (BARE["start_unix_ns"], BARE["end_unix_ns"]) == (START, START + SECOND)
    assert (BARE["state"], BARE["process"]) == (State.ENDED, None)
    assert json.loads(BARE["resource"]) == {"service.name": "test"}


def test_an_open_span_is_running_in_this_process():
    row = to_row(span(lasts=None, number=2, parent=1, kind=SpanKind.CLIENT), process="here")
    assert (row.state, row.process, row.end_unix_ns) == (State.RUNNING, "here", None)
    assert (row.parent_id, row.kind) == (f"{1:016x}", "client")


ERRORS = {
    "of the wire": ({"attributes": {"error.type": "429"}}, "429"),
    "of an exception": ({"events": [("exception", {"exception.type": "ReadError"})]}, "ReadError"),
    "the wire's before the exception's": (
        {
            "attributes": {"error.type": "429"},
            "events": [("exception", {"exception.type": "SDKError"})],
        },
        "429",
    ),
    "of another event": ({"events": [("retry", {"exception.type": "x"}), ("note", None)]}, None),
}


@pytest.mark.parametrize(("fields", "expected"), ERRORS.values(), ids=ERRORS)
def test_error_type(fields, expected):
    row = to_row(span(error="no", **fields), process="here")
    assert (row.failed, row.status_message, row.error_type) == (True, "no", expected)


def test_an_error_type_without_an_error_is_none():
    assert to_row(span(attributes={"error.type": "429"}), process="here").error_type is None


def test_events_and_links():
    row = to_row(span(events=[("first", {"a": 1})], links=[(7, 8)]), process="here")
    assert json.loads(row.events) == [{"name": "first", "unix_ns": START, "attributes": {"a": 1}}]
    assert json.loads(row.links) == [
        {"trace_id": f"{7:032x}", "span_id": f"{8:016x}", "attributes": {}}
    ]


DEEP = [0]
for _ in range(300):
    DEEP = [DEEP]

VALUES = {
    "text": ("é\0\n", "é\0\n"),
    "half a surrogate pair": ("a\ud83d", "a?"),
    "a list": ((1, "b", None), [1, "b", None]),
    "an object": ({"a": {"b": (1,)}}, {"a": {"b": [1]}}),
    "bytes": (b"hi", "aGk="),
    "not a number": (float("nan"), None),
    "a huge number": (2**70, str(2**70)),
    "bytes beside half a pair": ([b"hi", "\ud83d", 1, True, None], ["aGk=", "?", 1, True, None]),
    "half a pair in a key": ({"a\ud83d": 1.5}, {"a?": 1.5}),
    "a key that is no text": ({5: "a"}, {"5": "a"}),
    "an object of somebody's own": (PurePosixPath("a/b"), "a/b"),
}


@pytest.mark.parametrize(("value", "expected"), VALUES.values(), ids=VALUES)
def test_every_value_becomes_json(value, expected):
    row = to_row(span(attributes={"key": value}), process="here")
    assert json.loads(row.attributes) == {"key": expected}


def test_what_is_too_deep_is_cut():
    row = to_row(span(attributes={"key": DEEP, "other": "kept"}), process="here")
    assert json.loads(row.attributes)["other"] == "kept"
    assert "…" in row.attributes


def test_half_a_surrogate_pair_anywhere():
    odd = "a\ud83d"
    message = json.dumps([{"role": "user", "parts": [{"type": "text", "content": odd}]}])
    attributes = {
        "gen_ai.request.model": odd,
        "session.id": odd,
        "tag.tags": [odd],
        "gen_ai.output.messages": message,
        "input.value": odd,
    }
    row = to_row(span(odd, error=odd, attributes=attributes), process="here")
    for value in msgspec.structs.astuple(row):
        str(value).encode("utf-8")
    assert (row.name, row.model, row.tags, row.status_message) == ("a?", "a?", ("a?",), "a?")
