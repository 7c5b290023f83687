"""Moderations and classifications, of texts and of conversations."""

import pytest

from interceptor.reading import read
from interceptor.record import Generic, Input, Message, Text, ToolResult
from tests.recorded_exchanges import exchange

HELLO = {"role": "user", "content": "hello"}
HI = {"role": "assistant", "content": [{"type": "text", "text": "hi"}]}
HELLO_READ = Message(role="user", parts=(Text("hello"),))
HI_READ = Message(role="assistant", parts=(Text("hi"),))

INPUTS = {
    "a text": ("a", [Message(role="user", parts=(Text("a"),))]),
    "texts": (["a", "b"], [Message(role="user", parts=(Text("a"), Text("b")))]),
    "a conversation": ([HELLO, HI], [HELLO_READ, HI_READ]),
    "conversations": ([[HELLO], [HELLO, HI]], [HELLO_READ, HELLO_READ, HI_READ]),
    "a conversation by name": ({"messages": [HELLO]}, [HELLO_READ]),
    "conversations by name": (
        [{"messages": [HELLO]}, {"messages": [HI]}],
        [HELLO_READ, HI_READ],
    ),
    "a tool's answer": (
        [{"role": "tool", "tool_call_id": "A", "content": "4"}],
        [Message(role="tool", parts=(ToolResult("A", "4"),))],
    ),
    "too deep to be any": ([[[[HELLO]]]], []),
    "nothing": (None, []),
    "numbers": ([1, None], []),
}


@pytest.mark.parametrize("name", ["input", "inputs"])
@pytest.mark.parametrize(("given", "messages"), INPUTS.values(), ids=INPUTS)
def test_what_is_judged_is_read(name, given, messages):
    record = read(exchange("/v1/moderations", {"model": "m", name: given}, {}))
    assert record.input == Input(model="m", messages=tuple(messages), parameters={"model": "m"})
    assert record.notes == ()


def test_an_odd_message_is_read_as_far_as_it_goes():
    record = read(exchange("/v1/chat/moderations", {"input": [{"role": 3, "content": "a"}]}, {}))
    assert record.input.messages == (Message(role="", parts=(Text("a"),)),)
    assert record.notes == ("request.input.role: in a shape that is not known, left out",)


CLEAN = {"categories": {"pii": False}, "category_scores": {"pii": 0.1}}
FLAGGED = {"categories": {"pii": True, "law": True}}
TARGETS = {"topic": {"scores": {"boats": 1.0}}}
RESULTS = {
    "clean": ([CLEAN], {"results": 1}),
    "flagged": (
        [FLAGGED, CLEAN, {"categories": {"law": True}}],
        {"results": 3, "flagged": ["law", "pii"]},
    ),
    "a classifier's": ([TARGETS], {"results": 1}),
    "categories in no known shape": ([{"categories": ["pii"]}], {"results": 1}),
    "none": ([], {"results": 0}),
    "not there": (None, {}),
}


@pytest.mark.parametrize(("results", "facts"), RESULTS.values(), ids=RESULTS)
def test_results_are_parts_and_what_was_found_a_fact(results, facts):
    answer = {"id": "i", "model": "m", "results": results, "usage": {"total_tokens": 74}}
    record = read(exchange("/v1/classifications", answered=answer))
    assert (record.output.id, record.output.model) == ("i", "m")
    assert record.output.facts == facts
    kinds = [part.generic_type for message in record.output.messages for part in message.parts]
    assert kinds == ["classification"] * len(results or ())
    assert record.usage.total_tokens == 74


def test_a_result_is_kept_as_json():
    record = read(exchange("/v1/moderations", answered={"results": [CLEAN]}))
    kept = '{"categories":{"pii":false},"category_scores":{"pii":0.1}}'
    assert record.output.messages[0].parts == (Generic("classification", kept),)
