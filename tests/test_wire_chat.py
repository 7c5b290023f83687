"""Chat and FIM completions: what is asked, what is answered, and how streams are shaped."""

import pytest

from interceptor.reading import read
from interceptor.record import Generic, Input, Message, Reasoning, Text, ToolCall, ToolResult
from tests.recorded_exchanges import SSE, events, exchange

CHAT = "/v1/chat/completions"


def asked(request, path=CHAT):
    record = read(exchange(path, request, {}))
    assert not record.notes
    return record.input


def answered(answer):
    record = read(exchange(CHAT, answered=answer))
    assert not record.notes
    return record.output


def streamed(*chunks):
    record = read(exchange(CHAT, answered=events(*chunks), headers=SSE))
    assert not record.notes
    return record


def user(*parts):
    return (Message(role="user", parts=parts),)


PARAMETERS = {
    "model": ({"model": "m"}, {"model": "m"}),
    "agent": ({"agent_id": "a"}, {"agent_id": "a"}),
    "temperature": ({"temperature": 0.0}, {"temperature": 0.0}),
    "a whole number": ({"top_p": 1}, {"top_p": 1.0}),
    "max tokens": ({"max_tokens": 7}, {"max_tokens": 7}),
    "seed": ({"random_seed": 0}, {"seed": 0}),
    "one stop": ({"stop": "x"}, {"stop": ("x",)}),
    "stops": ({"stop": ["x", "y"]}, {"stop": ("x", "y")}),
    "no stops": ({"stop": []}, {"stop": ()}),
    "penalties": (
        {"frequency_penalty": 0.5, "presence_penalty": -1},
        {"frequency_penalty": 0.5, "presence_penalty": -1.0},
    ),
    "top k": ({"top_k": 4}, {"top_k": 4.0}),
    "choices": ({"n": 2}, {"choice_count": 2}),
    "stream": ({"stream": True}, {"stream": True}),
    "reasoning": ({"reasoning_effort": "high"}, {"reasoning_level": "high"}),
    "text": ({"response_format": {"type": "text"}}, {"output_type": "text"}),
    "JSON": ({"response_format": {"type": "json_object"}}, {"output_type": "json"}),
    "a schema": (
        {"response_format": {"type": "json_schema", "json_schema": {"name": "a"}}},
        {"output_type": "json"},
    ),
    "a format without a type": ({"response_format": {}}, {}),
    "a format in no known shape": ({"response_format": "json"}, {}),
    "null": ({"temperature": None, "stop": None, "stream": None}, {}),
    "what has no field": ({"safe_prompt": True, "guardrails": [{"a": 1}]}, {}),
}


@pytest.mark.parametrize(("request_", "fields"), PARAMETERS.values(), ids=PARAMETERS)
def test_a_parameter_is_read_and_kept(request_, fields):
    assert asked(request_) == Input(**fields, parameters=request_)


MESSAGES = {
    "text": ({"role": "user", "content": "a"}, Message(role="user", parts=(Text("a"),))),
    "no content": ({"role": "assistant", "content": None}, Message(role="assistant")),
    "parts": (
        {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "x"}]},
        Message(role="user", parts=(Text("a"), Generic("x"))),
    ),
    "a call": (
        {
            "role": "assistant",
            "content": "a",
            "tool_calls": [{"id": "A", "function": {"name": "f", "arguments": "{}"}}],
        },
        Message(role="assistant", parts=(Text("a"), ToolCall("A", "f", "{}"))),
    ),
    "a result": (
        {"role": "tool", "tool_call_id": "A", "name": "f", "content": "1"},
        Message(role="tool", name="f", parts=(ToolResult("A", "1"),)),
    ),
    "a result in parts": (
        {
            "role": "tool",
            "tool_call_id": "A",
            "content": [
                {"type": "text", "text": "1"},
                {"type": "x"},
                {"type": "text", "text": "2"},
            ],
        },
        Message(role="tool", parts=(ToolResult("A", "12"), Generic("x"))),
    ),
    "an empty result": (
        {"role": "tool", "content": ""},
        Message(role="tool", parts=(ToolResult(),)),
    ),
    "no role": ({"content": "a"}, Message(role="", parts=(Text("a"),))),
}


@pytest.mark.parametrize(("sent", "message"), MESSAGES.values(), ids=MESSAGES)
def test_a_message_that_was_sent_is_read(sent, message):
    assert asked({"messages": [sent]}) == Input(messages=(message,))


def test_tools_are_kept_as_they_were_sent():
    tools = [{"type": "function", "function": {"name": "f"}}]
    assert asked({"tools": tools}) == Input(tools='[{"type":"function","function":{"name":"f"}}]')


def test_a_prediction_is_a_parameter():
    sent = {"prediction": {"type": "content", "content": "a"}}
    assert asked(sent) == Input(parameters=sent)


FIM = {
    "a prompt": ({"prompt": "a"}, user(Text("a"))),
    "a prompt and a suffix": ({"prompt": "a", "suffix": "b"}, user(Text("a"), Text("b"))),
    "an empty suffix": ({"prompt": "a", "suffix": ""}, user(Text("a"), Text(""))),
    "neither": ({"model": None}, ()),
}


@pytest.mark.parametrize(("sent", "messages"), FIM.values(), ids=FIM)
def test_what_fim_is_asked(sent, messages):
    assert asked(sent, "/v1/fim/completions").messages == messages


def choice(content=None, index=0, reason="stop", **more):
    message = {"role": "assistant", "content": content, **more}
    return {"index": index, "message": message, "finish_reason": reason}


def spoken(*parts, reason="stop"):
    return Message(role="assistant", parts=parts, finish_reason=reason)


ANSWERS = {
    "text": ([choice("a")], [spoken(Text("a"))], ("stop",)),
    "nothing": ([choice(None)], [spoken()], ("stop",)),
    "no reason": ([choice("a", reason=None)], [spoken(Text("a"), reason=None)], ()),
    "a new reason": (
        [choice("a", reason="flurb")],
        [spoken(Text("a"), reason="flurb")],
        ("flurb",),
    ),
    "several, in the order of their indexes": (
        [choice("b", 1, "length"), choice("a", 0)],
        [spoken(Text("a")), spoken(Text("b"), reason="length")],
        ("stop", "length"),
    ),
    "thoughts": (
        [choice([{"type": "thinking", "thinking": "t"}, {"type": "text", "text": "a"}])],
        [spoken(Reasoning("t"), Text("a"))],
        ("stop",),
    ),
    "calls": (
        [choice("", tool_calls=[{"id": "A", "function": {"name": "f", "arguments": "{}"}}])],
        [spoken(ToolCall("A", "f", "{}"))],
        ("stop",),
    ),
    "a delta where a message should be": (
        [{"index": 0, "delta": {"content": "a"}, "finish_reason": "stop"}],
        [spoken(Text("a"))],
        ("stop",),
    ),
    "no message at all": ([{"index": 0, "finish_reason": "stop"}], [spoken()], ("stop",)),
    "none": ([], [], ()),
}


@pytest.mark.parametrize(("choices", "messages", "reasons"), ANSWERS.values(), ids=ANSWERS)
def test_an_answer_is_read(choices, messages, reasons):
    output = answered({"id": "i", "model": "m", "choices": choices})
    assert (output.id, output.model) == ("i", "m")
    assert output.messages == tuple(messages)
    assert output.finish_reasons == reasons


@pytest.mark.parametrize(
    ("given", "kept"), [([{"a": 1}], '[{"a":1}]'), (None, None)], ids=["found", "null"]
)
def test_guardrails_are_kept(given, kept):
    assert answered({"guardrails": given}).guardrails == kept
    assert streamed({"guardrails": given}, {"guardrails": None}).output.guardrails == kept


def chunk(delta=None, reason=None, index=0, **more):
    return {
        "id": "i",
        "model": "m",
        "choices": [{"index": index, "delta": delta, "finish_reason": reason}],
        **more,
    }


STREAMS = {
    "text": (
        [
            chunk({"role": "assistant", "content": ""}),
            chunk({"content": "a"}),
            chunk({"content": "b"}, "stop"),
        ],
        [spoken(Text("ab"))],
    ),
    "choices in turns": (
        [
            chunk({"content": "y"}, index=1),
            chunk({"content": "a"}),
            chunk({"content": "z"}, "length", 1),
            chunk({"content": "b"}, "stop"),
        ],
        [spoken(Text("ab")), spoken(Text("yz"), reason="length")],
    ),
    "thoughts, then text": (
        [
            chunk({"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "a"}]}]}),
            chunk({"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "b"}]}]}),
            chunk({"content": "c"}, "stop"),
        ],
        [spoken(Reasoning("ab"), Text("c"))],
    ),
    "a call in pieces": (
        [
            chunk(
                {
                    "tool_calls": [
                        {"id": "A", "index": 0, "function": {"name": "f", "arguments": "{"}}
                    ]
                }
            ),
            chunk({"tool_calls": [{"index": 0, "function": {"arguments": "}"}}]}, "tool_calls"),
        ],
        [spoken(ToolCall("A", "f", "{}"), reason="tool_calls")],
    ),
    "no delta": (
        [chunk(None), {"choices": [{"index": 0}]}, chunk({"content": "a"}, "stop")],
        [spoken(Text("a"))],
    ),
    "a whole message": ([{"choices": [choice("a")]}], [spoken(Text("a"))]),
    "a tool that ran on the server": (
        [
            chunk(
                {
                    "role": "assistant",
                    "content": "",
                    "index": 0,
                    "tool_calls": [
                        {"id": "A", "index": 0, "function": {"name": "f", "arguments": "{}"}}
                    ],
                }
            ),
            chunk({"role": "tool", "index": 1, "tool_call_id": "A", "content": "4"}),
            chunk({"content": "2"}),
            chunk({"role": "assistant", "index": 2, "content": "done"}, "stop"),
        ],
        [spoken(ToolCall("A", "f", "{}"), ToolResult("A", "42"), Text("done"))],
    ),
    "nothing": ([], []),
}


@pytest.mark.parametrize(("chunks", "messages"), STREAMS.values(), ids=STREAMS)
def test_a_stream_is_the_answer_it_stands_for(chunks, messages):
    record = streamed(*chunks, "[DONE]")
    assert record.output.messages == tuple(messages)
    assert record.stream.events == len(chunks)
    assert record.stream.completed


def test_the_first_id_and_the_last_usage_of_a_stream_hold():
    record = streamed(
        {"id": "i", "model": "m", "usage": {"prompt_tokens": 1}},
        {"id": "j", "model": "n", "usage": {"prompt_tokens": 2}},
        {"usage": None},
        {"usage": {}},
    )
    assert (record.output.id, record.output.model) == ("i", "m")
    assert record.usage.input_tokens == 2


ENDS = {
    "an end mark": ([chunk({"content": "a"}), "[DONE]"], True),
    "a finish reason": ([chunk({"content": "a"}, "stop")], True),
    "neither": ([chunk({"content": "a"})], False),
}


@pytest.mark.parametrize(("chunks", "is_complete"), ENDS.values(), ids=ENDS)
def test_a_stream_is_complete_at_its_end_mark_or_a_finish_reason(chunks, is_complete):
    assert streamed(*chunks).stream.completed == is_complete


FIRST = {
    "text": ([{"role": "assistant", "content": ""}, {}, {"content": "a"}], 4),
    "a call": ([{"content": ""}, {"tool_calls": [{"id": "A"}]}], 3),
    "a part": ([{"content": [{"type": "text", "text": ""}]}], 2),
    "nothing": ([{"role": "assistant", "content": ""}, None], None),
}


@pytest.mark.parametrize(("deltas", "at_ms"), FIRST.values(), ids=FIRST)
def test_the_first_content_is_told_from_the_first_byte(deltas, at_ms):
    pieces = [events(chunk(delta)) for delta in deltas]
    times = read(exchange(CHAT, answered=pieces, headers=SSE)).times
    assert times.first_byte_after_ns == 2_000_000
    assert times.first_content_after_ns == (at_ms and at_ms * 1_000_000)
