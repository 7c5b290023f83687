"""What the server says it counted, under any of its names."""

import msgspec
import pytest

from interceptor.record import Usage
from interceptor.wire._usage import Sum, to_usage
from interceptor.wire.notes import Notes

CASES = {
    "prompt and completion": (
        {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3},
        {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3},
    ),
    "input and output": (
        {"input_tokens": 1, "output_tokens": 2},
        {"input_tokens": 1, "output_tokens": 2},
    ),
    "zero is a value": (
        {"prompt_tokens": 0, "prompt_tokens_details": {"cached_tokens": 0}},
        {"input_tokens": 0, "cache_read_tokens": 0},
    ),
    "null is none": ({"prompt_tokens": 1, "total_tokens": None}, {"input_tokens": 1}),
    "cached, newer": ({"prompt_tokens_details": {"cached_tokens": 5}}, {"cache_read_tokens": 5}),
    "cached, older": ({"prompt_token_details": {"cached_tokens": 5}}, {"cache_read_tokens": 5}),
    "cached, oldest": ({"num_cached_tokens": 5}, {"cache_read_tokens": 5}),
    "cached, in details that are empty": (
        {"prompt_tokens_details": {}, "prompt_token_details": {"cached_tokens": 5}},
        {"cache_read_tokens": 5},
    ),
    "responses": (
        {
            "input_tokens_details": {"cached_tokens": 5, "cache_write_tokens": 6},
            "output_tokens_details": {"reasoning_tokens": 7},
        },
        {"cache_read_tokens": 5, "cache_write_tokens": 6, "reasoning_tokens": 7},
    ),
    "reasoning in a completion": (
        {"completion_tokens_details": {"reasoning_tokens": 7}},
        {"reasoning_tokens": 7},
    ),
    "audio": (
        {"prompt_tokens_details": {"audio_tokens": 375}, "prompt_audio_seconds": 5},
        {"audio_tokens": 375, "audio_seconds": 5.0},
    ),
    "connectors": (
        {"connector_tokens": 5, "connectors": {"web_search": 1}},
        {"connector_tokens": 5, "connectors": {"web_search": 1}},
    ),
    "pages": (
        {"pages_processed": 2, "doc_size_bytes": 90},
        {"pages_processed": 2, "doc_size_bytes": 90},
    ),
    "service tier": ({"service_tier": "priority"}, {"service_tier": "priority"}),
    "a count with a point": (
        {"prompt_tokens": 5.0, "prompt_tokens_details": {"cached_tokens": 2.0}},
        {"input_tokens": 5, "cache_read_tokens": 2},
    ),
    "the largest count": ({"prompt_tokens": 2**63 - 1}, {"input_tokens": 2**63 - 1}),
    "what is new": ({"prompt_tokens": 1, "new_tokens": {"a": 1}}, {"input_tokens": 1}),
}

ODD = {
    "negative": ({"prompt_tokens": -1}, "usage.input_tokens: no count, left out"),
    "too large for 64 bits": ({"prompt_tokens": 2**63}, "usage.input_tokens: no count, left out"),
    "text": (
        {"prompt_tokens": "many"},
        "usage.prompt_tokens: in a shape that is not known, left out",
    ),
    "half a token": (
        {"prompt_tokens": 1.5},
        "usage.prompt_tokens: in a shape that is not known, left out",
    ),
    "yes": ({"prompt_tokens": True}, "usage.prompt_tokens: in a shape that is not known, left out"),
    "details that are none": (
        {"prompt_tokens_details": [1]},
        "usage.prompt_tokens_details: in a shape that is not known, left out",
    ),
}


def read(value):
    notes = Notes()
    return to_usage(msgspec.Raw(msgspec.json.encode(value)), notes), notes.texts()


@pytest.mark.parametrize(("sent", "counted"), CASES.values(), ids=CASES)
def test_usage_is_read(sent, counted):
    raw = msgspec.json.encode(sent).decode()
    assert read(sent) == (Usage(**counted, raw=raw), ())


@pytest.mark.parametrize(("sent", "note"), ODD.values(), ids=ODD)
def test_what_is_no_count_is_left_out_and_the_rest_is_kept(sent, note):
    usage, notes = read(sent | {"completion_tokens": 2})
    assert (usage.input_tokens, usage.output_tokens) == (None, 2)
    assert notes == (note,)


@pytest.mark.parametrize("nothing", [b"", b"null"])
def test_usage_that_was_not_sent_is_none(nothing):
    assert to_usage(msgspec.Raw(nothing), Notes()) is None


def test_usage_in_an_unknown_shape_is_none():
    assert read([1, 2]) == (None, ("usage: in a shape that is not known, left out",))


def test_a_sum_adds_what_is_counted_and_invents_nothing():
    found = Sum()
    found.add(Usage(input_tokens=1, audio_seconds=1.5, service_tier="standard", raw="{}"))
    found.add(Usage(input_tokens=2, output_tokens=0))
    assert found.total() == Usage(input_tokens=3, output_tokens=0, audio_seconds=1.5)
    assert Sum().total() == Usage()
