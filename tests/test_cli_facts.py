"""What is known of a span beside its words."""

import msgspec
import pytest

from interceptor.cli._facts import facts
from interceptor.cli._links import Links
from interceptor.store import Event, Link, Span, State
from interceptor.store.tree import Branch
from tests.store_spans import SECOND, START

BARE = Span(
    trace_id="a" * 32,
    span_id="b" * 16,
    name="chat",
    kind="client",
    start_unix_ns=START,
    end_unix_ns=START + SECOND,
    state=State.ENDED,
    attributes={},
    resource={},
)


def said(span=BARE, *, is_full=False, **fields):
    """Give the facts of a span, a line each."""
    span = msgspec.structs.replace(span, **fields)
    found = facts(
        span, Links([Branch(span, 1, 0, "")]), now_unix_ns=START + 12 * SECOND, is_full=is_full
    )
    return [f"{field.label}: {field.text}" for field in found]


ATTRIBUTES = {
    "nothing": ({}, []),
    "a request": (
        {
            "http.request.method": "POST",
            "server.address": "api.mistral.ai",
            "server.port": 443,
            "url.path": "/v1/chat/completions",
            "mistral_ai.request.attempt": 1,
            "mistral_ai.request.bytes": 746,
        },
        ["request: POST api.mistral.ai/v1/chat/completions · 746 B"],
    ),
    "a request of another attempt and port": (
        {
            "http.request.method": "GET",
            "server.address": "localhost",
            "server.port": 8000,
            "mistral_ai.request.attempt": 2,
        },
        ["request: GET localhost:8000 · attempt 2"],
    ),
    "parameters": (
        {
            "mistral_ai.request.parameters": '{"model":"m","n":2,"stop":["a"],"stream":true}',
            "gen_ai.request.temperature": 0.5,
        },
        ['params: n 2 · stop ["a"] · stream true'],
    ),
    "parameters that were cut": (
        {"mistral_ai.request.parameters": "{", "gen_ai.request.top_p": 0.5},
        ["params: top_p 0.5"],
    ),
    "no parameter but that it is no stream": (
        {"mistral_ai.request.parameters": '{"model":"m","stream":false}'},
        [],
    ),
    "tools": (
        {
            "gen_ai.tool.definitions": '[{"type":"function","function":{"name":"tide"}},'
            '{"type":"web_search"},{"name":"now"},"odd"]'
        },
        ["tools: tide, web_search, now, odd"],
    ),
    "an agent": (
        {"gen_ai.agent.name": "clerk", "gen_ai.agent.id": "ag_1", "gen_ai.agent.version": 3},
        ["agent: clerk · ag_1 · version 3"],
    ),
    "an agent whose name the span has": ({"gen_ai.agent.name": "chat"}, []),
    "a tool": ({"gen_ai.tool.call.id": "c1"}, ["ids: tool call c1"]),
    "a response": (
        {
            "http.response.status_code": 200,
            "gen_ai.request.model": "mistral-small-latest",
            "gen_ai.response.model": "mistral-small-2506",
            "gen_ai.response.finish_reasons": ["stop", "length"],
            "mistral_ai.response.bytes": 9_100,
        },
        ["response: 200 · stop, length · by mistral-small-2506 · 9 kB"],
    ),
    "the model that was asked for": (
        {"gen_ai.request.model": "m", "gen_ai.response.model": "m"},
        [],
    ),
    "embeddings": (
        {"mistral_ai.embeddings.count": 3, "gen_ai.embeddings.dimension.count": 1024},
        ["response: 3 vectors of 1024 dimensions"],
    ),
    "one embedding": ({"mistral_ai.embeddings.count": 1}, ["response: 1 vector"]),
    "times": (
        {
            "gen_ai.response.time_to_first_chunk": 0.312,
            "mistral_ai.stream.time_to_first_byte": 0.2,
            "mistral_ai.time_to_headers": 0.18,
            "mistral_ai.upstream_time": 0.175,
        },
        ["timing: first token 312ms · first byte 200ms · headers 180ms · upstream 175ms"],
    ),
    "a stream": (
        {
            "mistral_ai.stream.events": 42,
            "mistral_ai.stream.completed": True,
            "mistral_ai.stream.chunk_interval.p50": 0.015,
            "mistral_ai.stream.chunk_interval.p95": 0.02,
            "mistral_ai.stream.chunk_interval.max": 1.2,
        },
        ["stream: 42 events · gaps 15ms p50, 20ms p95, 1.20s longest"],
    ),
    "a stream that was left": (
        {"mistral_ai.stream.events": 1, "mistral_ai.stream.completed": False},
        ["stream: 1 event · left early"],
    ),
    "a connection that gave no answer": (
        {"http.request.method": "POST", "mistral_ai.response.bytes": 0},
        ["request: POST"],
    ),
    "an empty answer": (
        {"http.response.status_code": 204, "mistral_ai.response.bytes": 0},
        ["response: 204 · 0 B"],
    ),
    "phases": (
        {"mistral_ai.phase.connect": 0.02, "mistral_ai.phase.wait": 0.3},
        ["network: connect 20ms, wait 300ms"],
    ),
    "tokens": (
        {
            "gen_ai.usage.input_tokens": 812,
            "gen_ai.usage.cache_read.input_tokens": 512,
            "gen_ai.usage.output_tokens": 146,
            "gen_ai.usage.reasoning.output_tokens": 90,
            "mistral_ai.usage.total_tokens": 958,
        },
        ["tokens: 812 in (512 from the cache) · 146 out (90 of it thinking) · 958 in all"],
    ),
    "tokens of which none were cached": (
        {"gen_ai.usage.input_tokens": 0, "gen_ai.usage.cache_read.input_tokens": 0},
        ["tokens: 0 in"],
    ),
    "other usage": (
        {
            "gen_ai.usage.audio.input_tokens": 30,
            "mistral_ai.usage.audio_seconds": 12,
            "mistral_ai.usage.connector_tokens": 5,
            "mistral_ai.ocr.usage.pages_processed": 2,
            "mistral_ai.usage.input_characters": 80,
        },
        ["tokens: 30 of audio · 12s of audio · 5 by connectors · 2 pages · 80 characters"],
    ),
    "a cost": (
        {
            "mistral_ai.cost.usd": 0.003,
            "mistral_ai.cost.input_usd": 0.001,
            "mistral_ai.cost.output_usd": 0.002,
        },
        ["≈ cost: $0.0030 · $0.0010 in · $0.0020 out"],
    ),
    "limits that are far": (
        {
            "mistral_ai.ratelimit.limit_req_minute": 360,
            "mistral_ai.ratelimit.remaining_req_minute": 332,
        },
        [],
    ),
    "limits that are near": (
        {
            "mistral_ai.ratelimit.limit_req_minute": 360,
            "mistral_ai.ratelimit.remaining_req_minute": 3,
            "mistral_ai.ratelimit.remaining_tokens_minute": 0,
        },
        ["limits: req minute 3 of 360 left"],
    ),
    "ids": (
        {
            "gen_ai.conversation.id": "conv_1",
            "gen_ai.response.id": "r-1",
            "mistral_ai.correlation_id": "c-1",
        },
        ["ids: conversation conv_1"],
    ),
    "what the program said": (
        {"metadata": '{"plan":"pro"}', "shop.items": 3, "shop.note": "a\nb", "session.id": "s"},
        ['more: metadata {"plan": "pro"} · shop.items 3 · shop.note a b'],
    ),
    "something long that the program said": (
        {"essay": "x" * 300},
        [f"more: essay {'x' * 200}…"],
    ),
    "notes": (
        {
            "mistral_ai.notes": ["2 events could not be read"],
            "mistral_ai.truncated": ["gen_ai.input.messages"],
        },
        ["note: 2 events could not be read", "note: too long to keep whole: gen_ai.input.messages"],
    ),
    "values of types that they should not have": (
        {
            "http.response.status_code": "200",
            "gen_ai.response.finish_reasons": "stop",
            "gen_ai.usage.input_tokens": "many",
            "mistral_ai.upstream_time": True,
            "mistral_ai.notes": "none",
            "mistral_ai.truncated": True,
            "gen_ai.tool.definitions": "tide",
            "mistral_ai.response.bytes": 1.5,
            "mistral_ai.ratelimit.remaining_x": "1",
        },
        ["response: 200"],
    ),
}


@pytest.mark.parametrize(("attributes", "lines"), ATTRIBUTES.values(), ids=ATTRIBUTES)
def test_attributes_read(attributes, lines):
    assert said(attributes=attributes) == lines


LIMITS = {
    "mistral_ai.ratelimit.limit_req_minute": 360,
    "mistral_ai.ratelimit.remaining_req_minute": 332,
    "mistral_ai.correlation_id": "c-1",
    "gen_ai.response.id": "r-1",
    "essay": "x" * 300,
}


def test_full_leaves_nothing_out():
    assert said(attributes=LIMITS, is_full=True) == [
        "limits: req minute 332 of 360 left",
        "ids: response r-1 · correlation c-1",
        f"more: essay {'x' * 300}",
    ]


def test_a_failed_call_says_what_its_provider_will_ask_for():
    assert said(
        attributes=LIMITS | {"error.type": "429"}, failed=True, status_message="Slow down"
    ) == [
        "limits: req minute 332 of 360 left",
        "ids: response r-1 · correlation c-1",
        f"more: essay {'x' * 200}…",
        "error: 429: Slow down",
    ]


RAISED = Event(
    "exception",
    START + SECOND // 2,
    {
        "exception.type": "ValueError",
        "exception.message": "no",
        "exception.stacktrace": "Traceback …\nValueError: no\n",
    },
)
HANDED_OVER = Event("mistral_ai.agent.handoff", START + SECOND // 2, {"next_agent_id": "ag_2"})


def test_a_tool_call_is_said_with_the_links_where_there_are_any():
    link = Link("b" * 32, "4" * 16, {"gen_ai.tool.call.id": "c1", "interceptor.tool_call": "ran"})
    attributes = {"gen_ai.tool.call.id": "c1"}
    assert said(links=(link,), attributes=attributes) == ["links: c1 run in trace bbbbbbbb"]


OUTCOMES = {
    "running": (
        {"state": State.RUNNING, "end_unix_ns": None, "pid": 4711},
        ["running: for 12.0s, in process 4711"],
    ),
    "lost": (
        {"state": State.LOST, "end_unix_ns": None, "pid": 4711},
        ["lost: it had not ended when process 4711 did"],
    ),
    "failed": ({"failed": True}, ["error: failed"]),
    "failed, as the program says": (
        {"failed": True, "status_message": "no rows", "attributes": {"error.type": "_OTHER"}},
        ["error: no rows"],
    ),
    "a stream that was cut": (
        {
            "failed": True,
            "attributes": {"mistral_ai.stream.completed": False, "error.type": "ReadError"},
        },
        ["stream: broken off by ReadError", "error: ReadError"],
    ),
    "a stream that was cut by nobody knows what": (
        {"failed": True, "attributes": {"mistral_ai.stream.completed": False}},
        ["stream: broken off", "error: failed"],
    ),
    "failed with a code": (
        {"failed": True, "attributes": {"error.type": "invalid", "mistral_ai.error.code": "1300"}},
        ["error: invalid (code 1300)"],
    ),
    "failed with a code that is its type": (
        {"failed": True, "attributes": {"error.type": "429", "mistral_ai.error.code": "429"}},
        ["error: 429"],
    ),
    "an event": (
        {"events": (HANDED_OVER,)},
        ["event: mistral_ai.agent.handoff after 500ms · next_agent_id ag_2"],
    ),
    "an exception": (
        {"failed": True, "status_message": "ValueError: no", "events": (RAISED,)},
        ["error: ValueError: no"],
    ),
    "an exception that did no harm": (
        {"events": (RAISED,)},
        ["event: exception after 500ms · exception.type ValueError · exception.message no"],
    ),
}


@pytest.mark.parametrize(("fields", "lines"), OUTCOMES.values(), ids=OUTCOMES)
def test_an_outcome_reads(fields, lines):
    assert said(**fields) == lines


@pytest.mark.parametrize("failed", [True, False])
def test_full_shows_where_an_exception_came_from(failed):
    assert "traceback: Traceback …\nValueError: no" in said(
        failed=failed, events=(RAISED,), is_full=True
    )
