"""Conversations: entries in, entries out, and the many events of their streams."""

import json

import pytest

from interceptor.reading import read
from interceptor.record import (
    Failure,
    FileRef,
    Generic,
    Handoff,
    Input,
    Message,
    Reasoning,
    Text,
    ToolCall,
    ToolResult,
    ToolRun,
)
from interceptor.wire._times import unix_ns
from tests.recorded_exchanges import SSE, events, exchange

START = "/v1/conversations"
NOON, LATER = "2026-10-19T12:00:00.000001Z", "2026-10-19T12:00:01Z"
NOON_NS = 1792411200_000_001_000


def asked(request, path=START):
    record = read(exchange(path, request, {}))
    assert not record.notes
    return record.input


def answered(**answer):
    record = read(exchange(START, answered=answer))
    assert not record.notes
    return record


def streamed(*given):
    return read(exchange(START, answered=events(*given), headers=SSE))


REQUESTS = {
    "text": ({"inputs": "a"}, {"messages": (Message(role="user", parts=(Text("a"),)),)}),
    "nothing": ({"inputs": None}, {}),
    "an empty list": ({"inputs": []}, {}),
    "instructions": ({"instructions": "be brief"}, {"system": (Text("be brief"),)}),
    "no instructions": ({"instructions": ""}, {}),
    "an agent and its version": (
        {"agent_id": "ag", "agent_version": 3},
        {
            "agent_id": "ag",
            "agent_version": "3",
            "parameters": {"agent_id": "ag", "agent_version": 3},
        },
    ),
    "a version by name": (
        {"agent_version": "prod"},
        {"agent_version": "prod", "parameters": {"agent_version": "prod"}},
    ),
    "a model": ({"model": "m"}, {"model": "m", "parameters": {"model": "m"}}),
    "tools": ({"tools": [{"type": "web_search"}]}, {"tools": '[{"type":"web_search"}]'}),
    "completion arguments": (
        {
            "completion_args": {
                "temperature": 0.0,
                "top_p": 0.5,
                "max_tokens": 9,
                "random_seed": 1,
                "stop": "x",
                "reasoning_effort": "low",
                "presence_penalty": 1,
                "response_format": {"type": "json_object"},
                "prediction": {"content": "a"},
            }
        },
        {
            "temperature": 0.0,
            "top_p": 0.5,
            "max_tokens": 9,
            "seed": 1,
            "stop": ("x",),
            "reasoning_level": "low",
            "presence_penalty": 1.0,
            "output_type": "json",
            "parameters": {
                "completion_args": {
                    "temperature": 0.0,
                    "top_p": 0.5,
                    "max_tokens": 9,
                    "random_seed": 1,
                    "stop": "x",
                    "reasoning_effort": "low",
                    "presence_penalty": 1,
                    "response_format": {"type": "json_object"},
                    "prediction": {"content": "a"},
                }
            },
        },
    ),
    "a stream": ({"stream": True}, {"stream": True, "parameters": {"stream": True}}),
}


@pytest.mark.parametrize(("request_", "fields"), REQUESTS.values(), ids=REQUESTS)
def test_what_is_asked(request_, fields):
    assert asked(request_) == Input(**fields)


ENTRIES = {
    "a message": ({"role": "user", "content": "a"}, ("user", Text("a"))),
    "an input": ({"type": "message.input", "content": "a"}, ("user", Text("a"))),
    "an output": (
        {"type": "message.output", "content": [{"type": "text", "text": "a"}]},
        ("assistant", Text("a")),
    ),
    "a call": (
        {"type": "function.call", "tool_call_id": "A", "name": "f", "arguments": {"a": 1}},
        ("assistant", ToolCall("A", "f", '{"a":1}')),
    ),
    "a result": (
        {"type": "function.result", "tool_call_id": "A", "result": "4"},
        ("tool", ToolResult("A", "4")),
    ),
    "a result that is JSON": (
        {"type": "function.result", "tool_call_id": "A", "result": {"a": 1}},
        ("tool", ToolResult("A", '{"a":1}')),
    ),
    "a tool that ran": (
        {"type": "tool.execution", "id": "t", "name": "web_search", "arguments": "{}"},
        (
            "assistant",
            Generic(
                "tool.execution",
                '{"type":"tool.execution","id":"t","name":"web_search","arguments":"{}"}',
            ),
        ),
    ),
    "a handoff": (
        {"type": "agent.handoff", "next_agent_id": "b"},
        ("assistant", Generic("agent.handoff", '{"type":"agent.handoff","next_agent_id":"b"}')),
    ),
}


@pytest.mark.parametrize(("sent", "message"), ENTRIES.values(), ids=ENTRIES)
def test_an_entry_that_was_sent_is_a_message(sent, message):
    role, *parts = message
    assert asked({"inputs": [sent]}).messages == (Message(role=role, parts=tuple(parts)),)


@pytest.mark.parametrize("path", ["/v1/conversations/c1", "/v1/conversations/c1/restart"])
def test_the_conversation_stands_in_the_path(path):
    assert asked({"inputs": "a"}, path).conversation_id == "c1"


OUTPUTS = {
    "text": ([{"type": "message.output", "content": "a"}], [Text("a")]),
    "several messages are one": (
        [{"type": "message.output", "content": "a"}, {"type": "message.output", "content": "b"}],
        [Text("a"), Text("b")],
    ),
    "a file": (
        [{"type": "message.output", "content": [{"type": "tool_file", "file_id": "f"}]}],
        [FileRef("file", "f")],
    ),
    "a call": (
        [{"type": "function.call", "tool_call_id": "A", "name": "f", "arguments": "{}"}],
        [ToolCall("A", "f", "{}")],
    ),
    "what is new": ([{"type": "message.hum", "content": "a"}], [Text("a")]),
    "what ran on the server is no part": (
        [{"type": "tool.execution", "name": "t"}, {"type": "agent.handoff"}],
        [],
    ),
    "nothing": ([], []),
}


@pytest.mark.parametrize(("outputs", "parts"), OUTPUTS.values(), ids=OUTPUTS)
def test_outputs_are_one_message(outputs, parts):
    messages = answered(outputs=outputs).output.messages
    assert messages == ((Message(role="assistant", parts=tuple(parts)),) if parts else ())


def test_who_answered_is_the_last_that_says_so():
    entries = [
        {"type": "message.output", "content": "a", "model": "m1", "agent_id": "a1"},
        {"type": "tool.execution", "name": "t", "model": "m2", "agent_id": "a2"},
        {"type": "function.call", "name": "f"},
    ]
    output = answered(outputs=entries, conversation_id="c").output
    assert (output.model, output.agent_id, output.conversation_id) == ("m2", "a2", "c")


RUNS = {
    "whole": (
        {
            "id": "t",
            "name": "web_search",
            "arguments": '{"q":1}',
            "created_at": NOON,
            "completed_at": LATER,
            "info": {"a": [1]},
        },
        ToolRun(
            id="t",
            name="web_search",
            arguments='{"q":1}',
            result='{"a":[1]}',
            started_unix_ns=NOON_NS,
            ended_unix_ns=NOON_NS + 999_999_000,
        ),
    ),
    "bare": ({"name": "web_search"}, ToolRun(name="web_search")),
    "without a name": ({"id": "t"}, ToolRun(id="t", name="unknown")),
    "a function of a connector": (
        {"name": "web_search", "function": "open_url"},
        ToolRun(name="web_search"),
    ),
    "a function alone": ({"function": "open_url"}, ToolRun(name="open_url")),
    "nothing found": ({"name": "t", "info": {}, "arguments": ""}, ToolRun(name="t")),
    "times that are none": (
        {"name": "t", "created_at": "noon", "completed_at": None},
        ToolRun(name="t"),
    ),
}


@pytest.mark.parametrize(("entry", "run"), RUNS.values(), ids=RUNS)
def test_a_tool_that_ran_has_the_times_of_the_server(entry, run):
    record = answered(outputs=[{"type": "tool.execution", **entry}])
    assert record.tool_runs == (run,)
    assert record.output.messages == ()


def test_a_handoff_says_from_whom_to_whom():
    names = {
        "previous_agent_id": "a",
        "previous_agent_name": "A",
        "next_agent_id": "b",
        "next_agent_name": "B",
    }
    assert answered(outputs=[{"type": "agent.handoff", **names}]).handoffs == (Handoff(**names),)


OPERATIONS = {
    "a model": ({"model": "m"}, {}, "chat"),
    "an agent asked": ({"agent_id": "a"}, {}, "invoke_agent"),
    "an agent that answered": (
        {},
        {"outputs": [{"type": "message.output", "content": "x", "agent_id": "a"}]},
        "invoke_agent",
    ),
}


@pytest.mark.parametrize(("request_", "answer", "operation"), OPERATIONS.values(), ids=OPERATIONS)
def test_the_operation_depends_on_who_answers(request_, answer, operation):
    assert read(exchange(START, request_, answer)).operation == operation


def delta(content, **more):
    return {"type": "message.output.delta", "id": "m", "content": content, **more}


def called(arguments, **ids):
    return {"type": "function.call.delta", "name": "f", "arguments": arguments, **ids}


TEXT = {"type": "text", "text": "b"}
THOUGHT = {"type": "thinking", "thinking": [{"type": "text", "text": "t"}]}
STREAMS = {
    "text": ([delta("a"), delta("b")], [Text("ab")]),
    "parts by themselves": (
        [delta(THOUGHT), delta("a"), delta(TEXT)],
        [Reasoning("t"), Text("ab")],
    ),
    "parts in a list": ([delta([TEXT]), delta([TEXT])], [Text("bb")]),
    "messages in turns": (
        [delta("a"), delta("x", id="n"), delta("b"), delta("y", id="n")],
        [Text("ab"), Text("xy")],
    ),
    "no ids, by their index": (
        [delta("a", id=None, output_index=0), delta("x", id=None, output_index=1)],
        [Text("a"), Text("x")],
    ),
    "nothing said": ([delta(""), delta(None)], []),
    "a call in pieces": (
        [
            {
                "type": "function.call.delta",
                "id": "f",
                "tool_call_id": "A",
                "name": "f",
                "arguments": "{",
            },
            {
                "type": "function.call.delta",
                "id": "f",
                "tool_call_id": "A",
                "name": "f",
                "arguments": "}",
            },
        ],
        [ToolCall("A", "f", "{}")],
    ),
    "calls by the ids that their results are to name": (
        [
            called("{", tool_call_id="A", output_index=0),
            called("[", tool_call_id="B", output_index=0),
            called("}", tool_call_id="A", output_index=0),
            called("]", tool_call_id="B", output_index=0),
        ],
        [ToolCall("A", "f", "{}"), ToolCall("B", "f", "[]")],
    ),
    "calls of one entry": (
        [called("{}", id="e", tool_call_id="A"), called("[]", id="e", tool_call_id="B")],
        [ToolCall("A", "f", "{}"), ToolCall("B", "f", "[]")],
    ),
    "a call that loses its ids": (
        [
            called("{", id="e", tool_call_id="A", output_index=1),
            called('"a"', id="e", output_index=1),
            called(":", output_index=1),
            called("1}"),
        ],
        [ToolCall("A", "f", '{"a":1}')],
    ),
    "a call that has its ids late": (
        [called("{", output_index=1), called("}", id="e", tool_call_id="A", output_index=1)],
        [ToolCall("A", "f", "{}")],
    ),
    "calls of which nothing is said": ([called("{"), called("}")], [ToolCall(None, "f", "{}")]),
    "ids of nothing": ([called("{", id=""), called("}", id="")], [ToolCall(None, "f", "{}")]),
    "two calls": (
        [
            {
                "type": "function.call.delta",
                "id": "f",
                "tool_call_id": "A",
                "name": "f",
                "arguments": "1",
            },
            {
                "type": "function.call.delta",
                "id": "g",
                "tool_call_id": "B",
                "name": "g",
                "arguments": "2",
            },
        ],
        [ToolCall("A", "f", "1"), ToolCall("B", "g", "2")],
    ),
}


@pytest.mark.parametrize(("given", "parts"), STREAMS.values(), ids=STREAMS)
def test_a_stream_is_the_answer_it_stands_for(given, parts):
    record = streamed(*given, {"type": "conversation.response.done"})
    assert record.notes == ()
    assert record.output.messages == (
        (Message(role="assistant", parts=tuple(parts)),) if parts else ()
    )
    assert record.stream.completed


def test_a_tool_of_a_stream_ran_from_its_first_to_its_last_event():
    tool = {"id": "t", "name": "web_search"}
    record = streamed(
        {"type": "tool.execution.started", **tool, "arguments": "", "created_at": NOON},
        {"type": "tool.execution.delta", **tool, "arguments": '{"q"', "created_at": NOON},
        {"type": "tool.execution.delta", **tool, "arguments": ":1}"},
        {"type": "tool.execution.done", **tool, "created_at": LATER, "info": {"found": 2}},
    )
    assert record.tool_runs == (
        ToolRun(
            **tool,
            arguments='{"q":1}',
            result='{"found":2}',
            started_unix_ns=NOON_NS,
            ended_unix_ns=NOON_NS + 999_999_000,
        ),
    )


def test_the_events_of_a_tool_may_have_its_place_alone():
    record = streamed(
        {"type": "tool.execution.started", "id": "t", "function": "open_url", "output_index": 0},
        {"type": "tool.execution.started", "id": "u", "name": "web_search", "output_index": 1},
        {"type": "tool.execution.delta", "arguments": "{}", "output_index": 0},
        {"type": "tool.execution.done", "info": {"found": 2}, "output_index": 0},
    )
    assert record.tool_runs == (
        ToolRun(id="t", name="open_url", arguments="{}", result='{"found":2}'),
        ToolRun(id="u", name="web_search"),
    )


def test_a_tool_that_never_ended_has_no_end():
    (run,) = streamed({"type": "tool.execution.started", "id": "t", "name": "t"}).tool_runs
    assert (run.name, run.ended_unix_ns, run.result) == ("t", None, None)


def test_a_handoff_of_a_stream_is_put_together():
    record = streamed(
        {"type": "agent.handoff.started", "id": "h", "previous_agent_id": "a"},
        {"type": "agent.handoff.done", "id": "h", "next_agent_id": "b"},
    )
    assert record.handoffs == (Handoff(previous_agent_id="a", next_agent_id="b"),)


def test_the_frame_of_a_stream_names_the_conversation_and_counts():
    record = streamed(
        {"type": "conversation.response.started", "conversation_id": "c"},
        {
            "type": "conversation.response.done",
            "usage": {"prompt_tokens": 1, "connector_tokens": 2, "connectors": {"web_search": 1}},
            "guardrails": [{"a": 1}],
        },
    )
    assert record.output.conversation_id == "c"
    assert (record.usage.input_tokens, record.usage.connector_tokens) == (1, 2)
    assert record.usage.connectors == {"web_search": 1}
    assert json.loads(record.output.guardrails) == [{"a": 1}]


@pytest.mark.parametrize(
    ("code", "said"), {500: "500", "slow_down": "slow_down", None: None}.items()
)
def test_a_stream_may_end_with_an_error(code, said):
    record = streamed(
        delta("a"), {"type": "conversation.response.error", "message": "no", "code": code}
    )
    assert record.failure == Failure(kind="conversation.response.error", message="no", code=said)
    assert record.output.messages[0].parts == (Text("a"),)
    assert record.stream.completed


def test_why_a_stream_ended_may_be_an_object():
    record = streamed(
        {
            "type": "conversation.response.error",
            "conversation_id": "c",
            "message": {"detail": [{"loc": ["a"], "msg": "one"}, {"msg": "two"}]},
            "code": {"a": 1},
            "usage": {"prompt_tokens": 1},
        }
    )
    assert record.failure == Failure(
        kind="conversation.response.error", message="one; two", code='{"a":1}'
    )
    assert (record.output.conversation_id, record.usage.input_tokens) == ("c", 1)
    assert not record.notes


def test_an_event_that_is_new_is_counted():
    record = streamed({"type": "hum", "content": "a"}, {"type": "hum"}, {"x": 1}, delta("a"))
    assert record.notes == (
        "event 'hum': not known, skipped (×2)",
        "event None: not known, skipped",
    )
    assert record.output.messages[0].parts == (Text("a"),)


def test_an_event_without_a_type_is_what_its_frame_says():
    data = b'event: message.output.delta\ndata: {"content":"a"}\n\n'
    assert read(exchange(START, answered=data, headers=SSE)).output.messages[0].parts == (
        Text("a"),
    )


def test_the_type_in_the_data_holds():
    data = b'event: hum\ndata: {"type":"message.output.delta","content":"a"}\n\n'
    assert read(exchange(START, answered=data, headers=SSE)).output.messages[0].parts == (
        Text("a"),
    )


CONTENT = {
    "words": (delta("a"), True),
    "a part": (delta(TEXT), True),
    "a call": ({"type": "function.call.delta", "arguments": "{"}, True),
    "nothing": (delta(""), False),
    "a tool that runs": ({"type": "tool.execution.started", "name": "t", "arguments": "{}"}, False),
}


@pytest.mark.parametrize(("event", "has_content"), CONTENT.values(), ids=CONTENT)
def test_the_first_content_is_words_or_a_call(event, has_content):
    assert bool(streamed(event).times.first_content_after_ns) == has_content


@pytest.mark.parametrize(
    ("text", "ns"),
    {
        "1970-01-01T00:00:00Z": 0,
        "1970-01-01T00:00:01.5+00:00": 1_500_000_000,
        "1970-01-01T01:00:00+01:00": 0,
        "1970-01-01T00:00:00.000001": 1000,
        "1969-12-31T23:59:59Z": -1_000_000_000,
        "": None,
        "t": None,
        "2026-13-01T00:00:00Z": None,
        None: None,
    }.items(),
)
def test_times_are_nanoseconds(text, ns):
    assert unix_ns(text) == ns
