"""The attributes of spans around calls."""

import json

import pytest

from interceptor.dialects import observed
from interceptor.dialects.observed import ABSENT, Kind
from interceptor.record import Usage

ABOUT = {
    Kind.CHAIN: {"gen_ai.operation.name": "invoke_workflow", "gen_ai.workflow.name": "it"},
    Kind.AGENT: {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "it"},
    Kind.TOOL: {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "it"},
    Kind.RETRIEVER: {"gen_ai.operation.name": "retrieval"},
    Kind.LLM: {"gen_ai.operation.name": "chat"},
}


@pytest.mark.parametrize(("kind", "attributes"), ABOUT.items(), ids=ABOUT)
def test_what_a_kind_is_about(kind, attributes):
    assert observed.about(kind, "it") == attributes
    assert observed.operation(kind) == attributes["gen_ai.operation.name"]
    assert observed.kind(attributes) is kind
    assert observed.kind(attributes | {"mistral_ai.endpoint": "chat.completions"}) is None


def test_other_peoples_spans_are_of_no_kind():
    assert observed.kind({}) is None
    assert observed.kind({"gen_ai.operation.name": "embeddings"}) is None


CONTENT = {
    "nothing": ({"input": ABSENT, "output": ABSENT}, {}),
    "an input": (
        {"input": {"a": [1]}, "output": ABSENT},
        {"input.value": '{"a":[1]}', "input.mime_type": "application/json"},
    ),
    "an output that is none": (
        {"input": ABSENT, "output": None},
        {"output.value": "null", "output.mime_type": "application/json"},
    ),
    "text, which is JSON too": (
        {"input": ABSENT, "output": "the séa"},
        {"output.value": '"the séa"', "output.mime_type": "application/json"},
    ),
}


@pytest.mark.parametrize(("given", "attributes"), CONTENT.values(), ids=CONTENT)
def test_content(given, attributes):
    assert observed.content(**given, limit_bytes=1000) == attributes


def test_content_over_its_budget_is_cut_inside_and_says_so():
    found = observed.content(input="x" * 500, output=["y" * 500] * 3, limit_bytes=200)
    assert found["mistral_ai.truncated"] == ("input.value", "output.value")
    for side in ("input", "output"):
        assert len(found[f"{side}.value"].encode()) <= 200
        json.loads(found[f"{side}.value"])


class Mistrals:
    """As the SDK gives usage."""

    prompt_tokens, completion_tokens, total_tokens = 5, 3, 8


USAGE = {
    "our names": ({"input_tokens": 5, "output_tokens": 3, "total_tokens": 8}, (5, 3, 8)),
    "Mistral's names": ({"prompt_tokens": 5, "completion_tokens": 3, "total_tokens": 8}, (5, 3, 8)),
    "an object": (Mistrals(), (5, 3, 8)),
    "a record's": (Usage(input_tokens=5, output_tokens=3, total_tokens=8), (5, 3, 8)),
    "a part": ({"input_tokens": 0}, (0, None, None)),
    "what is no count": (
        {"input_tokens": "5", "output_tokens": True, "total_tokens": -1},
        (None, None, None),
    ),
    "too large": ({"input_tokens": 2**70}, (None, None, None)),
    "nothing": (object(), (None, None, None)),
}


@pytest.mark.parametrize(("given", "counts"), USAGE.values(), ids=USAGE)
def test_usage(given, counts):
    names = (
        "gen_ai.usage.input_tokens",
        "gen_ai.usage.output_tokens",
        "mistral_ai.usage.total_tokens",
    )
    found = observed.usage(given)
    assert found == {name: n for name, n in zip(names, counts, strict=True) if n is not None}


def test_a_model_and_its_parameters():
    assert observed.model(None, {}, 100) == {}
    parameters = {"temperature": 0.5, "max_tokens": 9, "seed": True, "stop": ["x"]}
    assert observed.model("ours", parameters, 100) == {
        "gen_ai.request.model": "ours",
        "gen_ai.request.temperature": 0.5,
        "gen_ai.request.max_tokens": 9,
        "mistral_ai.request.parameters": (
            '{"temperature":0.5,"max_tokens":9,"seed":true,"stop":["x"]}'
        ),
    }


FLAT = {
    "text": ("a", "a"),
    "long text": ("x" * 200, None),
    "a number": (5, 5),
    "a huge number": (2**70, f'"{2**70}"'),
    "a truth value": (False, False),
    "a float": (0.5, 0.5),
    "texts": (["a", "b"], ("a", "b")),
    "an empty list": ([], "[]"),
    "a list of anything": (["a", 1], '["a",1]'),
    "an object": ({"a": 1}, '{"a":1}'),
}


@pytest.mark.parametrize(("value", "attribute"), FLAT.values(), ids=FLAT)
def test_flat(value, attribute):
    found = observed.flat(value, 100)
    if attribute is None:
        assert len(found) <= 100
        assert found.endswith('more]"')
    else:
        assert found == attribute
