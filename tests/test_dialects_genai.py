"""What each fact of a record is called in OpenTelemetry's GenAI vocabulary."""

import json
import math

import pytest

from interceptor.dialects import genai
from interceptor.record import (
    Blob,
    Failure,
    FileRef,
    Generic,
    Handoff,
    Input,
    Link,
    Message,
    Output,
    Phase,
    Reasoning,
    Record,
    Server,
    Stream,
    Text,
    Times,
    ToolCall,
    ToolResult,
    ToolRun,
    Usage,
)

LIMIT = 1 << 18
MS = 1_000_000
TIMES = Times(started_unix_ns=1, ended_after_ns=3_000 * MS)
BARE = {"endpoint": "chat.completions", "operation": "chat", "times": TIMES}
BARE_ATTRIBUTES = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "mistral_ai",
    "mistral_ai.endpoint": "chat.completions",
    "mistral_ai.request.attempt": 1,
    "mistral_ai.response.bytes": 0,
    "http.request.method": "",
    "url.path": "",
    "server.address": "",
}


def attributes(**fields):
    return genai.attributes(Record(**BARE | fields), limit_bytes=LIMIT)


def asked(**fields):
    return {"input": Input(**fields)}


def answered(**fields):
    return {"output": Output(**fields)}


def used(**fields):
    return {"usage": Usage(**fields)}


def served(**fields):
    return {"server": Server(**fields)}


def parameters(**given):
    return asked(parameters=given)


def named(name, given, said):
    """Give a parameter of the request, and the two attributes that it becomes."""
    whole = json.dumps({name: given}, separators=(",", ":"))
    return parameters(**{name: given}), {
        f"mistral_ai.request.{name}": said,
        "mistral_ai.request.parameters": whole,
    }


def streamed(*, content_ns=None, byte_ns=None, **fields):
    """Give a stream's fields of a record."""
    times = Times(
        started_unix_ns=1,
        ended_after_ns=TIMES.ended_after_ns,
        first_content_after_ns=content_ns,
        first_byte_after_ns=byte_ns,
    )
    return {"stream": Stream(**fields), "times": times}


STREAMED = {"mistral_ai.stream.events": 0, "mistral_ai.stream.completed": False}

ATTRIBUTES = {
    "nothing": ({}, {}),
    "operation": ({"operation": "embeddings"}, {"gen_ai.operation.name": "embeddings"}),
    "endpoint": ({"endpoint": "files"}, {"mistral_ai.endpoint": "files"}),
    "request model": (asked(model="m"), {"gen_ai.request.model": "m"}),
    "temperature": (asked(temperature=0.7), {"gen_ai.request.temperature": 0.7}),
    "temperature 0": (asked(temperature=0.0), {"gen_ai.request.temperature": 0.0}),
    "top_p": (asked(top_p=0.9), {"gen_ai.request.top_p": 0.9}),
    "max_tokens": (asked(max_tokens=16), {"gen_ai.request.max_tokens": 16}),
    "max_tokens 0": (asked(max_tokens=0), {"gen_ai.request.max_tokens": 0}),
    "seed": (asked(seed=0), {"gen_ai.request.seed": 0}),
    "a seed that OTLP has no number for": (asked(seed=2**63), {"gen_ai.request.seed": str(2**63)}),
    "frequency_penalty": (
        asked(frequency_penalty=0.0),
        {"gen_ai.request.frequency_penalty": 0.0},
    ),
    "presence_penalty": (asked(presence_penalty=0.5), {"gen_ai.request.presence_penalty": 0.5}),
    "top_k": (asked(top_k=40.0), {"gen_ai.request.top_k": 40.0}),
    "two choices": (asked(choice_count=2), {"gen_ai.request.choice.count": 2}),
    "one choice": (asked(choice_count=1), {}),
    "a stream": (asked(stream=True), {"gen_ai.request.stream": True}),
    "no stream": (asked(stream=False), {}),
    "reasoning": (asked(reasoning_level="high"), {"gen_ai.request.reasoning.level": "high"}),
    "what is to be spoken": (
        asked(characters=0),
        {"mistral_ai.request.input_characters": 0},
    ),
    "output type": (asked(output_type="json"), {"gen_ai.output.type": "json"}),
    "min_tokens": named("min_tokens", 0, 0),
    "tool_choice in a word": named("tool_choice", "any", "any"),
    "tool_choice": named("tool_choice", {"type": "function"}, '{"type":"function"}'),
    "parallel_tool_calls": named("parallel_tool_calls", False, False),
    "response_format": named("response_format", {"type": "json_object"}, '{"type":"json_object"}'),
    "safe_prompt": named("safe_prompt", True, True),
    "prompt_mode": named("prompt_mode", "reasoning", "reasoning"),
    "service_tier": named("service_tier", "priority", "priority"),
    "a number too large for OTLP": named("min_tokens", 2**63, str(2**63)),
    "the largest number of OTLP": named("min_tokens", 2**63 - 1, 2**63 - 1),
    "another parameter": (
        parameters(min_p=0.5, metadata={"é": [1, None]}),
        {"mistral_ai.request.parameters": '{"min_p":0.5}'},
    ),
    "response id": (answered(id="r"), {"gen_ai.response.id": "r"}),
    "response model": (answered(model="m"), {"gen_ai.response.model": "m"}),
    "finish reasons": (
        answered(finish_reasons=("stop", "length")),
        {"gen_ai.response.finish_reasons": ("stop", "length")},
    ),
    "conversation answered": (answered(conversation_id="c"), {"gen_ai.conversation.id": "c"}),
    "conversation asked": (asked(conversation_id="c"), {"gen_ai.conversation.id": "c"}),
    "conversations: the answer's": (
        asked(conversation_id="old") | answered(conversation_id="new"),
        {"gen_ai.conversation.id": "new"},
    ),
    "agent asked": (asked(agent_id="a"), {"gen_ai.agent.id": "a"}),
    "agent answered": (answered(agent_id="a"), {"gen_ai.agent.id": "a"}),
    "agents: the request's": (
        asked(agent_id="asked", agent_name="Asked")
        | answered(agent_id="answered", agent_name="Answered"),
        {"gen_ai.agent.id": "asked", "gen_ai.agent.name": "Asked"},
    ),
    "agent name": (answered(agent_name="Planner"), {"gen_ai.agent.name": "Planner"}),
    "agent version": (asked(agent_version="2"), {"gen_ai.agent.version": "2"}),
    "dimensions asked": (asked(dimensions=8), {"gen_ai.embeddings.dimension.count": 8}),
    "dimensions answered": (
        asked(dimensions=8) | answered(embeddings_dimensions=16),
        {"gen_ai.embeddings.dimension.count": 16},
    ),
    "embeddings": (answered(embeddings_count=3), {"mistral_ai.embeddings.count": 3}),
    "no embeddings": (answered(embeddings_count=0), {"mistral_ai.embeddings.count": 0}),
    "guardrails": (answered(guardrails="[]"), {"mistral_ai.guardrails": "[]"}),
    "facts": (answered(facts={"status": "completed"}), {"mistral_ai.response.status": "completed"}),
    "a batch's usage is not this call's": (
        {"usage_by_model": {"m": Usage(input_tokens=3, output_tokens=0, raw="{}")}},
        {"mistral_ai.batch.usage": '{"m":{"input_tokens":3,"output_tokens":0}}'},
    ),
    "usage that says nothing": (used(), {}),
    "input tokens": (used(input_tokens=3), {"gen_ai.usage.input_tokens": 3}),
    "output tokens 0": (used(output_tokens=0), {"gen_ai.usage.output_tokens": 0}),
    "cache read": (used(cache_read_tokens=0), {"gen_ai.usage.cache_read.input_tokens": 0}),
    "cache written": (used(cache_write_tokens=5), {"gen_ai.usage.cache_write.input_tokens": 5}),
    "reasoned": (used(reasoning_tokens=5), {"gen_ai.usage.reasoning.output_tokens": 5}),
    "audio": (used(audio_tokens=5), {"gen_ai.usage.audio.input_tokens": 5}),
    "total tokens": (used(total_tokens=9), {"mistral_ai.usage.total_tokens": 9}),
    "audio seconds": (used(audio_seconds=0.0), {"mistral_ai.usage.audio_seconds": 0.0}),
    "connectors": (used(connector_tokens=7), {"mistral_ai.usage.connector_tokens": 7}),
    "characters": (used(input_characters=7), {"mistral_ai.usage.input_characters": 7}),
    "tier": (used(service_tier="flex"), {"mistral_ai.usage.service_tier": "flex"}),
    "usage as sent": (used(raw='{"new": 1}'), {"mistral_ai.usage.raw": '{"new": 1}'}),
    "pages": (used(pages_processed=2), {"mistral_ai.ocr.usage.pages_processed": 2}),
    "document": (used(doc_size_bytes=9), {"mistral_ai.ocr.usage.doc_size_bytes": 9}),
    "method": ({"method": "POST"}, {"http.request.method": "POST"}),
    "status": ({"status": 200}, {"http.response.status_code": 200}),
    "path": ({"path": "/v1/files"}, {"url.path": "/v1/files"}),
    "host": (served(host="api.mistral.ai"), {"server.address": "api.mistral.ai"}),
    "port": (served(port=443), {"server.port": 443}),
    "HTTP/1.1": (served(http_version="HTTP/1.1"), {"network.protocol.version": "1.1"}),
    "HTTP/2": (served(http_version="HTTP/2"), {"network.protocol.version": "2"}),
    "bytes sent": ({"request_bytes": 0}, {"mistral_ai.request.bytes": 0}),
    "bytes received": ({"response_bytes": 9}, {"mistral_ai.response.bytes": 9}),
    "attempt": ({"attempt": 2}, {"mistral_ai.request.attempt": 2}),
    "correlation": (served(correlation_id="c"), {"mistral_ai.correlation_id": "c"}),
    "limits of the rate": (
        served(ratelimit={"remaining-tokens-minute": 0}),
        {"mistral_ai.ratelimit.remaining_tokens_minute": 0},
    ),
    "upstream": (served(upstream_ns=250 * MS), {"mistral_ai.upstream_time": 0.25}),
    "deprecated": (served(deprecated_at="2027"), {"mistral_ai.model.deprecated_at": "2027"}),
    "notes": ({"notes": ("one", "two")}, {"mistral_ai.notes": ("one", "two")}),
    "failure": (
        {"failure": Failure(kind="invalid_request", message="no", code="3051")},
        {"error.type": "invalid_request", "mistral_ai.error.code": "3051"},
    ),
    "failure without a code": ({"failure": Failure(kind="500")}, {"error.type": "500"}),
    "phases": (
        {"phases": (Phase(name="tls", started_after_ns=MS, ended_after_ns=5 * MS),)},
        {"mistral_ai.phase.tls": 0.004},
    ),
    "headers": (
        {"times": Times(started_unix_ns=1, headers_after_ns=0)},
        {"mistral_ai.time_to_headers": 0.0},
    ),
    "a stream of nothing": (streamed(), STREAMED),
    "events": (
        streamed(events=5, completed=True),
        {"mistral_ai.stream.events": 5, "mistral_ai.stream.completed": True},
    ),
    "first content": (
        streamed(content_ns=0, byte_ns=2 * MS),
        STREAMED
        | {
            "gen_ai.response.time_to_first_chunk": 0.0,
            "mistral_ai.stream.time_to_first_byte": 0.002,
        },
    ),
    "cadence": (
        streamed(gap_p50_ns=0, gap_p95_ns=2 * MS, gap_max_ns=3 * MS),
        STREAMED
        | {
            "mistral_ai.stream.chunk_interval.p50": 0.0,
            "mistral_ai.stream.chunk_interval.p95": 0.002,
            "mistral_ai.stream.chunk_interval.max": 0.003,
        },
    ),
    "first byte without a stream": (
        {"times": Times(started_unix_ns=1, first_byte_after_ns=1, first_content_after_ns=2)},
        {},
    ),
}


@pytest.mark.parametrize(("fields", "added"), ATTRIBUTES.values(), ids=ATTRIBUTES)
def test_a_field_adds_these_attributes_and_no_others(fields, added):
    assert attributes(**fields) == BARE_ATTRIBUTES | added


def test_words_are_no_attributes():
    word = "a word that was said"
    spoken = Message(role="user", parts=(Text(word),))
    record = Record(
        **BARE,
        input=Input(messages=(spoken,), system=(Text(word),), tools=f'["{word}"]'),
        output=Output(messages=(spoken,)),
        failure=Failure(kind="500", message=word),
        tool_runs=(ToolRun(name="search", arguments=word, result=word),),
    )
    assert word not in repr(genai.attributes(record, limit_bytes=LIMIT))


SCHEMA = {"type": "json_schema", "json_schema": {"strict": True, "description": "a word"}}
MIXED = {
    "stop sequences": (
        asked(stop=("a word", "b")),
        {},
        {"gen_ai.request.stop_sequences": ("a word", "b")},
    ),
    "a response format": (
        parameters(response_format=SCHEMA, n=1),
        {
            "mistral_ai.request.response_format": '{"type":"json_schema",'
            '"json_schema":{"strict":true}}',
            "mistral_ai.request.parameters": '{"response_format":{"type":"json_schema",'
            '"json_schema":{"strict":true}},"n":1}',
        },
        {
            "mistral_ai.request.response_format": '{"type":"json_schema","json_schema":'
            '{"strict":true,"description":"a word"}}',
            "mistral_ai.request.parameters": '{"response_format":{"type":"json_schema",'
            '"json_schema":{"strict":true,"description":"a word"}},"n":1}',
        },
    ),
    "an unknown parameter": (
        parameters(new="a word"),
        {},
        {"mistral_ai.request.parameters": '{"new":"a word"}'},
    ),
    "a choice that is none of the API's": (
        asked(reasoning_level="a word", output_type="a word"),
        {},
        {
            "gen_ai.request.reasoning.level": "a word",
            "gen_ai.output.type": "a word",
        },
    ),
    "guardrails": (
        answered(guardrails='[{"action": "none", "because": "a word"}]'),
        {"mistral_ai.guardrails": '[{"action":"none"}]'},
        {"mistral_ai.guardrails": '[{"action": "none", "because": "a word"}]'},
    ),
    "usage": (
        used(raw='{"prompt_tokens": 3, "note": "a word"}'),
        {"mistral_ai.usage.raw": '{"prompt_tokens":3}'},
        {"mistral_ai.usage.raw": '{"prompt_tokens": 3, "note": "a word"}'},
    ),
}


@pytest.mark.parametrize(("fields", "bare", "whole"), MIXED.values(), ids=MIXED)
def test_of_what_holds_words_too_the_metadata_stands_alone_and_the_whole_among_the_words(
    fields, bare, whole
):
    assert attributes(**fields) == BARE_ATTRIBUTES | bare
    assert genai.content(Record(**BARE, **fields), limit_bytes=LIMIT) == whole


def test_parameters_stay_within_the_limit_and_are_json():
    record = Record(**BARE, input=Input(parameters={"metadata": {"note": "long " * 1000}}))
    text = genai.content(record, limit_bytes=200)["mistral_ai.request.parameters"]
    assert len(text.encode()) <= 200
    assert json.loads(text)["metadata"]["note"].startswith("long long")


TOO_LONG = {
    "an object among the parameters": (
        {"input": Input(parameters={"guardrails": [{"on": True}] * 100})},
        ("mistral_ai.request.parameters",),
    ),
    "usage, which is JSON": (
        {"usage": Usage(raw=json.dumps({"prompt_tokens": 3, "connectors": {"a": [1] * 1000}}))},
        ("mistral_ai.usage.raw",),
    ),
}
TOO_LONG_IN_WORDS = {
    "an object among the parameters": (
        {"input": Input(parameters={"response_format": {"schema": {"a": "long " * 1000}}})},
        ("mistral_ai.request.response_format", "mistral_ai.request.parameters"),
    ),
    "usage, which is JSON": (
        {"usage": Usage(raw=json.dumps({"new": "long " * 1000, "prompt_tokens": 3}))},
        ("mistral_ai.usage.raw",),
    ),
}


@pytest.mark.parametrize(("fields", "cut"), TOO_LONG.values(), ids=TOO_LONG)
def test_json_that_is_too_long_is_cut_inside_and_named(fields, cut):
    found = genai.attributes(Record(**BARE, **fields), limit_bytes=200)
    assert found[genai.TRUNCATED] == cut
    for key in cut:
        assert isinstance(json.loads(found[key]), dict)
        assert len(found[key].encode()) <= 200


@pytest.mark.parametrize(("fields", "cut"), TOO_LONG_IN_WORDS.values(), ids=TOO_LONG_IN_WORDS)
def test_words_in_json_that_are_too_long_are_cut_inside_and_named(fields, cut):
    found = genai.content(Record(**BARE, **fields), limit_bytes=200)
    assert found[genai.TRUNCATED] == cut
    for key in cut:
        assert isinstance(json.loads(found[key]), dict)
        assert len(found[key].encode()) <= 200


STOPS = {
    "long ones are shortened": (("long " * 1000, "short"), ("long ", "short")),
    "short ones stay": (("short",) * 3, ("short",) * 3),
    "there are far too many": (("x" * 100,) * 10_000, ("xx",)),
}


@pytest.mark.parametrize(("stop", "begin"), STOPS.values(), ids=STOPS)
def test_texts_stay_within_the_limit_together(stop, begin):
    found = genai.content(Record(**BARE, input=Input(stop=stop)), limit_bytes=200)
    kept = found["gen_ai.request.stop_sequences"]
    assert isinstance(kept, tuple)
    assert all(text.startswith(start) for text, start in zip(kept, begin, strict=False))
    assert sum(map(len, kept)) <= 200
    assert (genai.TRUNCATED in found) == (kept != stop)


def test_texts_of_which_none_fits_are_one_word_on_their_size():
    stop = ("é" * 16,) * 3
    found = genai.content(Record(**BARE, input=Input(stop=stop)), limit_bytes=20)
    assert found["gen_ai.request.stop_sequences"] == ("[106 bytes left out]",)


def test_a_text_that_is_too_long_is_cut_at_its_end():
    found = genai.attributes(Record(**BARE, output=Output(id="é" * 1000)), limit_bytes=201)
    assert found["gen_ai.response.id"] == "é" * 100
    assert found[genai.TRUNCATED] == ("gen_ai.response.id",)


def test_a_text_that_just_fits_is_kept():
    found = genai.attributes(Record(**BARE, output=Output(id="é" * 100)), limit_bytes=200)
    assert found["gen_ai.response.id"] == "é" * 100
    assert genai.TRUNCATED not in found


def test_parameters_that_json_cannot_say_are_said_all_the_same():
    record = Record(**BARE, input=Input(parameters={"presence": math.inf, "big": 2**70}))
    text = genai.attributes(record, limit_bytes=LIMIT)["mistral_ai.request.parameters"]
    assert json.loads(text) == {"presence": None, "big": str(2**70)}


START = {
    "all": (
        {"model": "m", "agent_id": "a", "port": 443},
        {"gen_ai.request.model": "m", "gen_ai.agent.id": "a", "server.port": 443},
    ),
    "what is not known": ({"model": None, "agent_id": None, "port": None}, {}),
}


@pytest.mark.parametrize(("known", "added"), START.values(), ids=START)
def test_what_a_span_says_from_its_start(known, added):
    assert (
        genai.start(operation="chat", host="api.mistral.ai", **known)
        == {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "mistral_ai",
            "server.address": "api.mistral.ai",
        }
        | added
    )


def test_names():
    assert genai.name("chat", "mistral-small-latest") == "chat mistral-small-latest"
    assert genai.name("files", None) == "files"
    assert genai.name("chat", "") == "chat"


# Words


PARTS = {
    "text": (Text("héllo"), {"type": "text", "content": "héllo"}),
    "no text": (Text(""), {"type": "text", "content": ""}),
    "reasoning": (Reasoning("so"), {"type": "reasoning", "content": "so"}),
    "tool call": (
        ToolCall("1", "add", '{"a": 1}'),
        {"type": "tool_call", "id": "1", "name": "add", "arguments": {"a": 1}},
    ),
    "tool call, half streamed": (
        ToolCall("1", "add", '{"a": '),
        {"type": "tool_call", "id": "1", "name": "add", "arguments": '{"a": '},
    ),
    "tool call with a number for arguments": (
        ToolCall("1", "add", "1"),
        {"type": "tool_call", "id": "1", "name": "add", "arguments": "1"},
    ),
    "tool call with the longest numbers": (
        ToolCall("1", "add", '{"a": -9223372036854775808, "b": 18446744073709551615}'),
        {
            "type": "tool_call",
            "id": "1",
            "name": "add",
            "arguments": {"a": -(2**63), "b": 2**64 - 1},
        },
    ),
    "tool call with a number that is too long": (
        ToolCall("1", "add", '{"a": 123456789012345678901}'),
        {
            "type": "tool_call",
            "id": "1",
            "name": "add",
            "arguments": '{"a": 123456789012345678901}',
        },
    ),
    "tool call with a number without end": (
        ToolCall("1", "add", '{"a": ' + "9" * 5000 + "}"),
        {"type": "tool_call", "id": "1", "name": "add", "arguments": '{"a": ' + "9" * 5000 + "}"},
    ),
    "tool call with a long number, nested too deeply": (
        ToolCall("1", "add", '{"a":' + "[" * 1020 + "9" * 20 + "]" * 1020 + "}"),
        {
            "type": "tool_call",
            "id": "1",
            "name": "add",
            "arguments": '{"a":' + "[" * 1020 + "9" * 20 + "]" * 1020 + "}",
        },
    ),
    "tool call of nothing": (
        ToolCall(),
        {"type": "tool_call", "id": None, "name": None, "arguments": ""},
    ),
    "tool result": (
        ToolResult("1", '{"sum": 2}'),
        {"type": "tool_call_response", "id": "1", "response": '{"sum": 2}'},
    ),
    "blob": (
        Blob(modality="image", mime_type="image/png", size_bytes=4, sha256="ab"),
        {
            "type": "blob",
            "modality": "image",
            "mime_type": "image/png",
            "size_bytes": 4,
            "sha256": "ab",
        },
    ),
    "blob that came as a file": (
        Blob(modality="audio", size_bytes=4, name="talk.mp3"),
        {
            "type": "blob",
            "modality": "audio",
            "mime_type": None,
            "size_bytes": 4,
            "sha256": None,
            "name": "talk.mp3",
        },
    ),
    "link": (
        Link("image", "https://host.example/a.png"),
        {"type": "uri", "modality": "image", "uri": "https://host.example/a.png"},
    ),
    "file": (FileRef("document", "f"), {"type": "file", "modality": "document", "file_id": "f"}),
    "unknown": (Generic("new"), {"type": "generic", "generic_type": "new"}),
    "unknown, with its JSON": (
        Generic("new", '{"a": 1}'),
        {"type": "generic", "generic_type": "new", "content": {"a": 1}},
    ),
}


@pytest.mark.parametrize(("part", "said"), PARTS.values(), ids=PARTS)
def test_a_part_of_a_message(part, said):
    asked_of = Input(messages=(Message(role="user", parts=(part,)),))
    found = genai.content(Record(**BARE, input=asked_of), limit_bytes=LIMIT)
    assert set(found) == {"gen_ai.input.messages"}
    assert json.loads(found["gen_ai.input.messages"]) == [{"role": "user", "parts": [said]}]


def test_every_kind_of_part_is_tested():
    assert {type(part) for part, _ in PARTS.values()} == {
        Blob,
        FileRef,
        Generic,
        Link,
        Reasoning,
        Text,
        ToolCall,
        ToolResult,
    }


CONTENT = {
    "nothing said": ({}, {}),
    "who it is, and why it ended": (
        answered(
            messages=(
                Message(role="assistant", finish_reason="stop"),
                Message(role="assistant", name="Planner", parts=(Text("a"), Text("b"))),
            )
        ),
        {
            "gen_ai.output.messages": [
                {"role": "assistant", "parts": [], "finish_reason": "stop"},
                {
                    "role": "assistant",
                    "name": "Planner",
                    "parts": [{"type": "text", "content": "a"}, {"type": "text", "content": "b"}],
                },
            ]
        },
    ),
    "instructions": (
        asked(system=(Text("Be brief."),)),
        {"gen_ai.system_instructions": [{"type": "text", "content": "Be brief."}]},
    ),
    "tools": (
        asked(tools='[{"type": "function"}]'),
        {"gen_ai.tool.definitions": [{"type": "function"}]},
    ),
    "tools that are no JSON": (
        asked(tools='[{"type": '),
        {"gen_ai.tool.definitions": '[{"type": '},
    ),
}


@pytest.mark.parametrize(("fields", "said"), CONTENT.values(), ids=CONTENT)
def test_content(fields, said):
    found = genai.content(Record(**BARE, **fields), limit_bytes=LIMIT)
    assert {key: json.loads(text) for key, text in found.items()} == said


def test_content_is_compact_and_readable():
    found = genai.content(
        Record(**BARE, **asked(messages=(Message(role="user", parts=(Text("é"),)),))),
        limit_bytes=LIMIT,
    )
    assert found == {
        "gen_ai.input.messages": '[{"role":"user","parts":[{"type":"text","content":"é"}]}]'
    }


def test_what_is_too_long_is_cut_inside_and_named():
    long, short = Text("word " * 1000), Text("word")
    record = Record(
        **BARE,
        input=Input(messages=(Message(role="user", parts=(long,)),), system=(short,)),
        output=Output(messages=(Message(role="assistant", parts=(long,)),)),
    )
    found = genai.content(record, limit_bytes=300)
    assert found.pop("mistral_ai.truncated") == (
        "gen_ai.input.messages",
        "gen_ai.output.messages",
    )
    assert all(len(text.encode()) <= 300 for text in found.values())
    (cut,) = json.loads(found["gen_ai.input.messages"])[0]["parts"]
    assert cut["content"].startswith("word word")
    assert json.loads(found["gen_ai.system_instructions"]) == [{"type": "text", "content": "word"}]


# What the server did by itself


def test_a_tool_that_the_server_ran():
    assert genai.tool_run(ToolRun(name="web_search", id="t")) == {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.provider.name": "mistral_ai",
        "gen_ai.tool.name": "web_search",
        "gen_ai.tool.call.id": "t",
    }
    assert "gen_ai.tool.call.id" not in genai.tool_run(ToolRun(name="web_search"))


RUNS = {
    "nothing": ({}, {}),
    "arguments": (
        {"arguments": '{"query": "é"}'},
        {"gen_ai.tool.call.arguments": '{"query": "é"}'},  # to the letter
    ),
    "no JSON": ({"arguments": '{"que'}, {"gen_ai.tool.call.arguments": '{"que'}),
    "result": ({"result": "found"}, {"gen_ai.tool.call.result": "found"}),
}


@pytest.mark.parametrize(("fields", "said"), RUNS.values(), ids=RUNS)
def test_what_went_into_a_tool_and_came_out(fields, said):
    assert genai.tool_run_content(ToolRun(name="t", **fields), limit_bytes=LIMIT) == said


def test_what_a_tool_gave_is_cut_to_the_limit():
    run = ToolRun(name="t", result=json.dumps({"text": "é" * 1000}))
    found = genai.tool_run_content(run, limit_bytes=300)
    assert found["mistral_ai.truncated"] == ("gen_ai.tool.call.result",)
    assert len(found["gen_ai.tool.call.result"].encode()) <= 300
    assert json.loads(found["gen_ai.tool.call.result"])["text"].startswith("é")


def test_a_limit_counts_bytes():
    run = ToolRun(name="t", result="é" * 200)  # 400 bytes
    found = genai.tool_run_content(run, limit_bytes=300)
    assert len(found["gen_ai.tool.call.result"].encode()) <= 300


def test_what_just_fits_is_not_called_cut():
    text = "x" * 300  # as JSON it would be two longer
    run = ToolRun(name="t", result=text)
    assert genai.tool_run_content(run, limit_bytes=300) == {"gen_ai.tool.call.result": text}


def test_a_handoff():
    whole = Handoff(
        previous_agent_id="1", previous_agent_name="A", next_agent_id="2", next_agent_name="B"
    )
    assert genai.handoff(whole) == {
        "previous_agent_id": "1",
        "previous_agent_name": "A",
        "next_agent_id": "2",
        "next_agent_name": "B",
    }
    assert genai.handoff(Handoff(next_agent_id="2")) == {"next_agent_id": "2"}
