"""The Responses API: items in, items out, and streams whose last event holds the answer."""

import pytest

from interceptor.reading import read
from interceptor.record import (
    Failure,
    FileRef,
    Generic,
    Input,
    Message,
    Reasoning,
    Text,
    ToolCall,
    ToolResult,
)
from tests.recorded_exchanges import SSE, events, exchange

PATH = "/v1/responses"


def asked(request):
    record = read(exchange(PATH, request, {}))
    assert not record.notes
    return record.input


def answered(**answer):
    record = read(exchange(PATH, answered=answer))
    assert not record.notes
    return record


def streamed(*given):
    return read(exchange(PATH, answered=events(*given), headers=SSE))


PARAMETERS = {
    "what every completion takes": (
        {"model": "m", "temperature": 0.5, "top_p": 1, "stream": True},
        {"model": "m", "temperature": 0.5, "top_p": 1.0, "stream": True},
    ),
    "max tokens": ({"max_output_tokens": 5}, {"max_tokens": 5}),
    "reasoning": ({"reasoning": {"effort": "low"}}, {"reasoning_level": "low"}),
    "reasoning in no known shape": ({"reasoning": {"effort": 3}}, {}),
    "no reasoning": ({"reasoning": None, "text": None}, {}),
    "a format": ({"text": {"format": {"type": "json_object"}}}, {"output_type": "json"}),
    "no format": ({"text": {"verbosity": "low"}}, {}),
}


@pytest.mark.parametrize(("request_", "fields"), PARAMETERS.values(), ids=PARAMETERS)
def test_a_parameter_is_read_and_kept(request_, fields):
    assert asked(request_) == Input(**fields, parameters=request_)


def test_words_are_no_parameters():
    sent = asked({"input": "a", "instructions": "b", "tools": [{"type": "function"}]})
    assert sent == Input(
        messages=(Message(role="user", parts=(Text("a"),)),),
        system=(Text("b"),),
        tools='[{"type":"function"}]',
    )


ITEMS = {
    "a message": ({"role": "user", "content": "a"}, ("user", Text("a"))),
    "a message in parts": (
        {
            "type": "message",
            "role": "user",
            "content": [
                {"type": "input_text", "text": "a"},
                {"type": "input_file", "file_id": "f"},
            ],
        },
        ("user", Text("a"), FileRef("file", "f")),
    ),
    "an answer": (
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "a"}]},
        ("assistant", Text("a")),
    ),
    "a thought": (
        {
            "type": "reasoning",
            "content": [{"type": "reasoning_text", "text": "a"}],
            "summary": [{"type": "summary_text", "text": "b"}],
        },
        ("assistant", Reasoning("a"), Reasoning("b")),
    ),
    "a call": (
        {"type": "function_call", "call_id": "A", "name": "f", "arguments": "{}"},
        ("assistant", ToolCall("A", "f", "{}")),
    ),
    "a result": (
        {"type": "function_call_output", "call_id": "A", "output": "4"},
        ("tool", ToolResult("A", "4")),
    ),
    "a result in parts": (
        {
            "type": "function_call_output",
            "call_id": "A",
            "output": [{"type": "input_text", "text": "4"}, {"type": "input_file", "file_id": "f"}],
        },
        ("tool", ToolResult("A", "4"), FileRef("file", "f")),
    ),
    "what is new": ({"type": "hum"}, ("assistant",)),
}


@pytest.mark.parametrize(("sent", "message"), ITEMS.values(), ids=ITEMS)
def test_an_item_that_was_sent_is_a_message(sent, message):
    role, *parts = message
    assert asked({"input": [sent]}).messages == (Message(role=role, parts=tuple(parts)),)


def test_no_input_is_no_message():
    assert asked({"input": None, "model": "m"}).messages == ()
    assert asked({"input": []}).messages == ()


def text(words, **more):
    return {"type": "message", "content": [{"type": "output_text", "text": words}], **more}


CALL = {"type": "function_call", "call_id": "A", "name": "f", "arguments": "{}"}


def test_items_are_one_message():
    output = answered(id="r", model="m", status="completed", output=[text("a"), CALL]).output
    assert (output.id, output.model, output.facts) == ("r", "m", {"status": "completed"})
    assert output.messages == (
        Message(role="assistant", parts=(Text("a"), ToolCall("A", "f", "{}"))),
    )
    assert output.finish_reasons == ()


def test_why_an_answer_is_incomplete_is_its_finish_reason():
    output = answered(
        status="incomplete", output=[text("a")], incomplete_details={"reason": "content_filter"}
    ).output
    assert output.finish_reasons == ("content_filter",)
    assert output.messages[0].finish_reason == "content_filter"
    assert answered(incomplete_details={"reason": None}).output.finish_reasons == ()


def test_the_service_tier_stands_beside_the_usage():
    assert answered(usage={"input_tokens": 1}, service_tier="flex").usage.service_tier == "flex"
    assert answered(usage={"input_tokens": 1}).usage.service_tier is None
    assert answered(usage=None, service_tier="flex").usage is None


FAILURES = {
    "an error": (
        {"status": "failed", "error": {"code": "server_error", "message": "no"}},
        Failure(kind="response.failed", message="no", code="server_error"),
    ),
    "an error without a status": (
        {"error": {"message": "no"}},
        Failure(kind="response.failed", message="no"),
    ),
    "a status alone": ({"status": "failed", "error": None}, Failure(kind="response.failed")),
    "objects for a message and a code": (
        {"error": {"message": {"detail": [{"msg": "one"}, "two"]}, "code": {"a": 1}}},
        Failure(kind="response.failed", message="one; two", code='{"a":1}'),
    ),
    "neither": ({"status": "completed", "error": None}, None),
}


@pytest.mark.parametrize(("answer", "failure"), FAILURES.values(), ids=FAILURES)
def test_an_answer_that_failed_says_so(answer, failure):
    assert answered(**answer, usage={"input_tokens": 1}).failure == failure
    assert streamed({"type": "response.failed", "response": answer}).failure == failure


def test_a_stream_that_fails_keeps_what_came():
    record = streamed(
        {"type": "response.output_text.delta", "delta": "a"},
        {"type": "response.failed", "response": {"status": "failed", "output": []}},
    )
    assert record.output.messages[0].parts == (Text("a"),)


def test_the_last_event_of_a_stream_holds_the_answer():
    record = streamed(
        {"type": "response.created", "response": {"id": "r", "model": "m", "output": []}},
        {"type": "response.in_progress", "response": {"id": "r", "output": []}},
        {"type": "response.output_text.delta", "delta": "not the last word"},
        {
            "type": "response.completed",
            "response": {"id": "r", "output": [text("a")], "usage": {"output_tokens": 1}},
        },
    )
    assert record.notes == ()
    assert record.output.messages[0].parts == (Text("a"),)
    assert (record.output.id, record.usage.output_tokens) == ("r", 1)
    assert record.stream.completed


def event(kind, **more):
    return {"type": f"response.{kind}", **more}


def item(index, value):
    return event("output_item.added", output_index=index, item=value)


CUT = {
    "text": (
        [event("output_text.delta", delta="a"), event("output_text.delta", delta="b")],
        [Text("ab")],
    ),
    "the whole text after its pieces": (
        [event("output_text.delta", delta="a"), event("output_text.done", text="abc")],
        [Text("abc")],
    ),
    "a part after its pieces": (
        [
            event("content_part.added", part={"type": "output_text", "text": ""}),
            event("output_text.delta", delta="a"),
            event("content_part.done", part={"type": "output_text", "text": "abc"}),
        ],
        [Text("abc")],
    ),
    "a part of another kind": (
        [event("content_part.added", part={"type": "refusal", "refusal": "no"})],
        [Text("no")],
    ),
    "a part in no known shape": ([event("content_part.added", part=None)], [Generic("unknown")]),
    "an item after its pieces": (
        [
            item(0, text("")),
            event("output_text.delta", delta="a"),
            event("output_item.done", item=text("abc")),
        ],
        [Text("abc")],
    ),
    "thoughts": (
        [
            item(0, {"type": "reasoning", "summary": []}),
            event("reasoning_text.delta", delta="a"),
            event("reasoning_text.delta", delta="b"),
        ],
        [Reasoning("ab")],
    ),
    "whole thoughts": ([event("reasoning_text.done", text="ab")], [Reasoning("ab")]),
    "a call": (
        [
            item(0, {**CALL, "arguments": ""}),
            event("function_call_arguments.delta", delta="{"),
            event("function_call_arguments.delta", delta="}"),
        ],
        [ToolCall("A", "f", "{}")],
    ),
    "the whole arguments after their pieces": (
        [
            item(0, CALL),
            event("function_call_arguments.delta", delta="{"),
            event("function_call_arguments.done", arguments='{"a":1}'),
        ],
        [ToolCall("A", "f", '{"a":1}')],
    ),
    "the name of a call with its whole arguments": (
        [event("function_call_arguments.done", name="f", arguments="{}")],
        [ToolCall(None, "f", "{}")],
    ),
    "a name that an item has told": (
        [item(0, CALL), event("function_call_arguments.done", name="g", arguments="{}")],
        [ToolCall("A", "f", "{}")],
    ),
    "arguments without an item": (
        [event("function_call_arguments.delta", delta="{")],
        [ToolCall(None, None, "{")],
    ),
    "an item without words": ([item(0, None)], []),
    "parts and items in their order": (
        [
            event("output_text.delta", output_index=1, content_index=1, delta="c"),
            event("output_text.delta", output_index=1, content_index=0, delta="b"),
            event("output_text.delta", output_index=0, delta="a"),
        ],
        [Text("a"), Text("b"), Text("c")],
    ),
    "nothing in an event": (
        [event("output_text.delta"), event("function_call_arguments.done", output_index=1)],
        [Text(""), ToolCall(None, None, "")],
    ),
}


@pytest.mark.parametrize(("given", "parts"), CUT.values(), ids=CUT)
def test_a_stream_that_ends_before_is_put_together(given, parts):
    record = streamed({"type": "response.created", "response": {"id": "r"}}, *given)
    assert record.notes == ()
    assert record.output.id == "r"
    assert record.output.messages == (
        (Message(role="assistant", parts=tuple(parts)),) if parts else ()
    )
    assert not record.stream.completed


def test_an_event_that_is_new_is_counted():
    record = streamed({"type": "response.hum"}, {"type": "response.hum"}, {"x": 1})
    assert record.notes == (
        "event 'response.hum': not known, skipped (×2)",
        "event None: not known, skipped",
    )


def test_an_event_that_is_new_may_hold_an_answer():
    record = streamed({"type": "response.queued", "response": {"id": "r"}})
    assert (record.output.id, record.notes) == ("r", ())


def test_an_error_event_is_a_failure():
    record = streamed({"type": "error", "code": "slow_down", "message": "no"})
    assert record.failure == Failure(kind="error", message="no", code="slow_down")
    assert record.notes == ()


@pytest.mark.parametrize(
    ("answer", "facts"), [({"input_tokens": 9}, {"input_tokens": 9}), ({}, {})]
)
def test_a_count_is_a_fact_and_no_usage(answer, facts):
    record = read(exchange(f"{PATH}/input_tokens", {"model": "m", "input": "words"}, answer))
    assert (record.output.facts, record.usage) == (facts, None)
    assert record.input == Input(model="m")
