"""OpenTelemetry's GenAI vocabulary, and `mistral_ai.*` for what it has no word for.

The names follow the GenAI semantic conventions of autumn 2026, which are still in development;
the constants that packages offer for them are deprecated, so they stand here as text.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import orjson

from interceptor.dialects._budget import fitted
from interceptor.dialects._messages import to_message, to_part, to_value
from interceptor.record import Input, Record, ToolRun, Usage
from interceptor.redaction import without_content

__all__ = [
    "HANDOFF",
    "PROVIDER",
    "RESPONSE_BYTES",
    "TRUNCATED",
    "attributes",
    "content",
    "cut",
    "handoff",
    "name",
    "sent",
    "start",
    "tool_run",
    "tool_run_content",
]

PROVIDER = "mistral_ai"
HANDOFF = "mistral_ai.agent.handoff"
RESPONSE_BYTES = "mistral_ai.response.bytes"
TRUNCATED = "mistral_ai.truncated"
"""The attribute that names those which were cut; `content` and `attributes` may both have it."""

Value = str | bool | int | float | tuple[str, ...] | tuple[float, ...]
Attributes = dict[str, Value]

_NS = 1e9
_MOST = 2**63 - 1
_MOST_BYTES_A_CHAR = 4
_NAMED_PARAMETERS = {
    f"mistral_ai.request.{name}": name
    for name in (
        "min_tokens",
        "tool_choice",
        "parallel_tool_calls",
        "response_format",
        "safe_prompt",
        "prompt_mode",
        "service_tier",
    )
}


def name(operation: str, model: str | None) -> str:
    """Give a span's name: the operation, and the model or agent where one is known."""
    return f"{operation} {model}" if model else operation


def start(
    operation: str, model: str | None, agent_id: str | None, host: str, port: int | None
) -> Attributes:
    """Give what a span says from its first moment, so that samplers see it."""
    found: Attributes = {
        "gen_ai.operation.name": operation,
        "gen_ai.provider.name": PROVIDER,
        "server.address": host,
    }
    if model is not None:
        found["gen_ai.request.model"] = model
    if agent_id is not None:
        found["gen_ai.agent.id"] = agent_id
    if port is not None:
        found["server.port"] = port
    return found


def sent(method: str, path: str) -> Attributes:
    """Give what a span says besides while its call is under way."""
    return {"http.request.method": method, "url.path": path}


def attributes(record: Record, *, limit_bytes: int) -> Attributes:
    """Give everything that a record says but its words. What is None there is absent here.

    Each text stays within `limit_bytes`, and each is JSON still that was; what was cut is named as
    in `content`.
    """
    record = without_content(record)
    found = {
        "gen_ai.operation.name": record.operation,
        "gen_ai.provider.name": PROVIDER,
        "mistral_ai.endpoint": record.endpoint,
        **_request(record.input),
        **_response(record),
        **_usage(record.usage),
        **_exchange(record),
        **_stream(record),
        **_mixed(record),
        "mistral_ai.batch.usage": _by_model(record) or None,
        **{f"mistral_ai.response.{name}": value for name, value in record.output.facts.items()},
    }
    flat, shorter = _flattened(found, limit_bytes)
    return flat | {TRUNCATED: shorter} if shorter else flat


def content(
    record: Record, *, limit_bytes: int, beside: Mapping[str, Value] = MappingProxyType({})
) -> Attributes:
    """Give a record's words, each attribute within `limit_bytes`.

    Messages are JSON text. What `attributes` gives the metadata of alone stands here whole, under
    the same name and to take its place: nothing of the request is lost where words may be shown.
    `beside` is what `attributes` gave: what is whole there is not said twice. What is over the
    limit is cut inside its structure, so that it stays valid JSON; the names of the attributes
    that were cut stand in `mistral_ai.truncated`.
    """
    asked = record.input
    tools = to_value(asked.tools) if asked.tools else None
    messages = {
        "gen_ai.input.messages": [to_message(one) for one in asked.messages],
        "gen_ai.output.messages": [to_message(one) for one in record.output.messages],
        "gen_ai.system_instructions": [to_part(one) for one in asked.system],
        "gen_ai.tool.definitions": tools,
    }
    found, shorter = _flattened(_mixed(record), limit_bytes)
    found = {key: value for key, value in found.items() if value != beside.get(key)}
    words = _cut_to_fit(messages, limit_bytes)
    shorter = tuple(key for key in shorter if key in found) + cut(words)
    return found | words | ({TRUNCATED: shorter} if shorter else {})


def cut(found: Mapping[str, Any]) -> tuple[str, ...]:
    """Give the names of the attributes that were cut, as attributes themselves name them."""
    return tuple(found.get(TRUNCATED, ()))


def tool_run(run: ToolRun) -> Attributes:
    """Give what a tool that the server ran says, but its words."""
    found: Attributes = {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.provider.name": PROVIDER,
        "gen_ai.tool.name": run.name,
    }
    if run.id is not None:
        found["gen_ai.tool.call.id"] = run.id
    return found


def tool_run_content(run: ToolRun, *, limit_bytes: int) -> Attributes:
    """Give what went into a tool that the server ran, and what came out.

    It is verbatim where it fits: arguments may be no JSON at all.
    """
    said = {"gen_ai.tool.call.arguments": run.arguments, "gen_ai.tool.call.result": run.result}
    found: Attributes = {}
    too_long = {}
    for key, text in said.items():
        if text and len(text.encode(errors="replace")) <= limit_bytes:
            found[key] = text
        elif text:
            too_long[key] = to_value(text)
    return found | _cut_to_fit(too_long, limit_bytes)


def handoff(given: Any) -> Attributes:
    """Give what the event of one agent handing over to another says."""
    return {
        key: value
        for key, value in {
            "previous_agent_id": given.previous_agent_id,
            "previous_agent_name": given.previous_agent_name,
            "next_agent_id": given.next_agent_id,
            "next_agent_name": given.next_agent_name,
        }.items()
        if value is not None
    }


def _request(asked: Input) -> dict[str, Any]:
    return {
        "gen_ai.request.model": asked.model,
        "gen_ai.request.temperature": asked.temperature,
        "gen_ai.request.top_p": asked.top_p,
        "gen_ai.request.max_tokens": asked.max_tokens,
        "gen_ai.request.seed": asked.seed,
        "gen_ai.request.frequency_penalty": asked.frequency_penalty,
        "gen_ai.request.presence_penalty": asked.presence_penalty,
        "gen_ai.request.top_k": asked.top_k,
        "gen_ai.request.choice.count": None if asked.choice_count == 1 else asked.choice_count,
        "gen_ai.request.stream": True if asked.stream else None,
        "gen_ai.agent.name": asked.agent_name,
        "gen_ai.agent.version": asked.agent_version,
        "mistral_ai.request.input_characters": asked.characters,
    }


def _mixed(record: Record) -> dict[str, Any]:
    """Give what may hold metadata and words alike."""
    asked, usage = record.input, record.usage
    return {
        "gen_ai.request.stop_sequences": asked.stop,
        "gen_ai.request.reasoning.level": asked.reasoning_level,
        "gen_ai.output.type": asked.output_type,
        **{key: asked.parameters.get(name) for key, name in _NAMED_PARAMETERS.items()},
        "mistral_ai.request.parameters": asked.parameters or None,
        "mistral_ai.guardrails": record.output.guardrails,
        "mistral_ai.usage.raw": None if usage is None else usage.raw,
    }


def _response(record: Record) -> dict[str, Any]:
    asked, output = record.input, record.output
    dimensions = output.embeddings_dimensions or asked.dimensions
    return {
        "gen_ai.response.id": output.id,
        "gen_ai.response.model": output.model,
        "gen_ai.response.finish_reasons": output.finish_reasons or None,
        "gen_ai.conversation.id": output.conversation_id or asked.conversation_id,
        "gen_ai.agent.id": asked.agent_id or output.agent_id,
        "gen_ai.agent.name": asked.agent_name or output.agent_name,
        "gen_ai.embeddings.dimension.count": dimensions,
        "mistral_ai.embeddings.count": output.embeddings_count,
    }


def _by_model(record: Record) -> dict[str, dict[str, Any]]:
    """Give what a batch used, for each model: its own attribute, for no backend must add it up."""
    return {
        model: {
            name: value
            for name in usage.__struct_fields__
            if name != "raw" and (value := getattr(usage, name)) is not None
        }
        for model, usage in record.usage_by_model.items()
    }


def _usage(usage: Usage | None) -> dict[str, Any]:
    if usage is None:
        return {}
    return {
        "gen_ai.usage.input_tokens": usage.input_tokens,
        "gen_ai.usage.output_tokens": usage.output_tokens,
        "gen_ai.usage.cache_read.input_tokens": usage.cache_read_tokens,
        "gen_ai.usage.cache_write.input_tokens": usage.cache_write_tokens,
        "gen_ai.usage.reasoning.output_tokens": usage.reasoning_tokens,
        "gen_ai.usage.audio.input_tokens": usage.audio_tokens,
        "mistral_ai.usage.total_tokens": usage.total_tokens,
        "mistral_ai.usage.audio_seconds": usage.audio_seconds,
        "mistral_ai.usage.connector_tokens": usage.connector_tokens,
        "mistral_ai.usage.input_characters": usage.input_characters,
        "mistral_ai.usage.service_tier": usage.service_tier,
        "mistral_ai.ocr.usage.pages_processed": usage.pages_processed,
        "mistral_ai.ocr.usage.doc_size_bytes": usage.doc_size_bytes,
    }


def _exchange(record: Record) -> dict[str, Any]:
    server, failure, times = record.server, record.failure, record.times
    return {
        **sent(record.method, record.path),
        "http.response.status_code": record.status,
        "server.address": server.host,
        "server.port": server.port,
        "network.protocol.version": _version(server.http_version),
        "mistral_ai.request.bytes": record.request_bytes,
        RESPONSE_BYTES: record.response_bytes,
        "mistral_ai.request.attempt": record.attempt,
        "mistral_ai.correlation_id": server.correlation_id,
        "mistral_ai.upstream_time": _seconds(server.upstream_ns),
        "mistral_ai.model.deprecated_at": server.deprecated_at,
        "mistral_ai.notes": record.notes or None,
        "error.type": failure.kind if failure else None,
        "mistral_ai.error.code": failure.code if failure else None,
        **{
            f"mistral_ai.ratelimit.{key.replace('-', '_')}": value
            for key, value in server.ratelimit.items()
        },
        **{
            f"mistral_ai.phase.{phase.name}": (phase.ended_after_ns - phase.started_after_ns) / _NS
            for phase in record.phases
        },
        "mistral_ai.time_to_headers": _seconds(times.headers_after_ns),
    }


def _stream(record: Record) -> dict[str, Any]:
    stream, times = record.stream, record.times
    if stream is None:
        return {}
    return {
        "gen_ai.response.time_to_first_chunk": _seconds(times.first_content_after_ns),
        "mistral_ai.stream.time_to_first_byte": _seconds(times.first_byte_after_ns),
        "mistral_ai.stream.events": stream.events,
        "mistral_ai.stream.completed": stream.completed,
        "mistral_ai.stream.chunk_interval.p50": _seconds(stream.gap_p50_ns),
        "mistral_ai.stream.chunk_interval.p95": _seconds(stream.gap_p95_ns),
        "mistral_ai.stream.chunk_interval.max": _seconds(stream.gap_max_ns),
    }


def _flattened(found: Mapping[str, Any], limit_bytes: int) -> tuple[Attributes, tuple[str, ...]]:
    """Give values as attributes take them, without those that are None; and which were cut."""
    flat: Attributes = {}
    shorter = []
    for key, value in found.items():
        if value is not None:
            flat[key], is_cut = _flat(value, limit_bytes)
            if is_cut:
                shorter.append(key)
    return flat, tuple(shorter)


def _cut_to_fit(values: Mapping[str, Any], limit_bytes: int) -> Attributes:
    found: Attributes = {}
    shorter = []
    for key, value in values.items():
        if value:
            text, is_cut = fitted(value, limit_bytes)
            found[key] = text
            if is_cut:
                shorter.append(key)
    if shorter:
        found[TRUNCATED] = tuple(shorter)
    return found


def _flat(value: Any, limit_bytes: int) -> tuple[Any, bool]:
    """Give a value as an attribute takes it, and whether it had to be cut.

    An object is given as JSON text, an integer too large for OTLP as text.
    """
    if isinstance(value, dict | list):
        return fitted(value, limit_bytes)
    if isinstance(value, tuple) and sum(map(len, value)) > limit_bytes // _MOST_BYTES_A_CHAR:
        text, is_cut = fitted(value, limit_bytes)
        left = orjson.loads(text)  # a text alone, where not even a few letters of each would fit
        return (left,) if isinstance(left, str) else tuple(left), is_cut
    if isinstance(value, str) and len(value) > limit_bytes // _MOST_BYTES_A_CHAR:
        return _shortened(value, limit_bytes)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > _MOST:
        return str(value), False
    return value, False


def _shortened(text: str, limit_bytes: int) -> tuple[str, bool]:
    """Cut a text that is too long: JSON inside its structure, any other at its end."""
    data = text.encode()
    if len(data) <= limit_bytes:
        return text, False
    value = to_value(text)
    if isinstance(value, str):
        return data[:limit_bytes].decode(errors="ignore"), True
    return fitted(value, limit_bytes)


def _seconds(ns: int | None) -> float | None:
    return None if ns is None else ns / _NS


def _version(protocol: str | None) -> str | None:
    """HTTP/1.1 is "1.1" in OpenTelemetry's words, HTTP/2 is "2"."""
    return protocol.removeprefix("HTTP/") if protocol else None
