"""Metrics from records, under the names of either generation of the GenAI conventions.

`v1.41` is what backends know today; `latest` is what the conventions say since. Times are in
seconds, tokens are counts. What the wire did not say is not measured.
"""

from collections.abc import Callable, Mapping
from typing import Any

from opentelemetry.metrics import Meter

from interceptor.dialects import genai
from interceptor.record import Record, Usage

__all__ = ["around", "latest", "v1_41"]

_SECONDS = tuple(0.01 * 2**i for i in range(14))
_TOKENS = tuple(4**i for i in range(14))
_AGENT_SECONDS = tuple(0.1 * 2**i for i in range(13))
_NS = 1e9

Measure = Callable[[Record], None]


def v1_41(meter: Meter) -> Measure:
    """Give what measures records under the names of version 1.41."""
    timed = _timed(meter, "gen_ai.client.operation")
    tokens = _histogram(meter, "gen_ai.client.token.usage", "{token}", _TOKENS)

    def measure(record: Record) -> None:
        common = _common(record)
        timed(record, common)
        usage = record.usage or Usage()
        for kind, count in (("input", usage.input_tokens), ("output", usage.output_tokens)):
            if count is not None:
                tokens.record(count, {**common, "gen_ai.token.type": kind})

    return measure


def latest(meter: Meter) -> Measure:
    """Give what measures records under the names that the conventions have now."""
    timed = _timed(meter, "gen_ai.client.inference")
    names = ("input_tokens", "output_tokens")
    sizes = {
        name: _histogram(meter, f"gen_ai.client.inference.operation.{name}", "{token}", _TOKENS)
        for name in names
    }
    counters = {
        field: meter.create_counter(f"gen_ai.client.inference.usage.{name}", unit="{token}")
        for field, name in (
            ("input_tokens", "input_tokens"),
            ("output_tokens", "output_tokens"),
            ("cache_read_tokens", "cache_read.input_tokens"),
            ("cache_write_tokens", "cache_write.input_tokens"),
            ("reasoning_tokens", "reasoning.output_tokens"),
        )
    }

    def measure(record: Record) -> None:
        common = _common(record)
        timed(record, common)
        usage = record.usage or Usage()
        for field, counter in counters.items():
            if (count := getattr(usage, field)) is not None:
                counter.add(count, {**common, "gen_ai.token.modality": "text"})
        if usage.audio_tokens is not None:
            audio = {**common, "gen_ai.token.modality": "audio"}
            counters["input_tokens"].add(usage.audio_tokens, audio)
        for field, histogram in sizes.items():
            if (count := getattr(usage, field)) is not None:
                histogram.record(count, common)

    return measure


def around(meter: Meter) -> Callable[[Mapping[str, Any], float], None]:
    """Give what measures observed functions: their attributes, and the seconds they took."""
    histograms = {
        operation: _histogram(meter, f"gen_ai.{operation}.duration", "s", buckets)
        for operation, buckets in (
            ("execute_tool", _SECONDS),
            ("invoke_agent", _AGENT_SECONDS),
            ("invoke_workflow", _AGENT_SECONDS),
        )
    }

    def measure(about: Mapping[str, Any], took_s: float) -> None:
        histogram = histograms.get(about["gen_ai.operation.name"])
        if histogram is not None:
            histogram.record(took_s, about)

    return measure


def _timed(meter: Meter, prefix: str) -> Callable[[Record, Mapping[str, Any]], None]:
    """Give what measures how long calls took, and how streams went."""
    took = _histogram(meter, f"{prefix}.duration", "s", _SECONDS)
    first = _histogram(meter, f"{prefix}.time_to_first_chunk", "s", _SECONDS)
    each = _histogram(meter, f"{prefix}.time_per_output_chunk", "s", _SECONDS)
    agent = _histogram(meter, "gen_ai.invoke_agent.duration", "s", _AGENT_SECONDS)
    tool = _histogram(meter, "gen_ai.execute_tool.duration", "s", _SECONDS)

    def measure(record: Record, common: Mapping[str, Any]) -> None:
        times = record.times
        took.record(times.ended_after_ns / _NS, common)
        if record.operation == "invoke_agent":
            agent.record(times.ended_after_ns / _NS, common)
        for run in record.tool_runs:
            if run.started_unix_ns is not None and run.ended_unix_ns is not None:
                about = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": run.name}
                tool.record((run.ended_unix_ns - run.started_unix_ns) / _NS, about)
        content_ns = times.first_content_after_ns
        if record.stream is None or content_ns is None:
            return
        first.record(content_ns / _NS, common)
        if record.stream.events > 1:
            rest_ns = times.ended_after_ns - content_ns
            each.record(rest_ns / _NS / (record.stream.events - 1), common)

    return measure


def _common(record: Record) -> dict[str, Any]:
    found = {
        "gen_ai.operation.name": record.operation,
        "gen_ai.provider.name": genai.PROVIDER,
        "gen_ai.request.model": record.input.model,
        "gen_ai.response.model": record.output.model,
        "server.address": record.server.host,
        "error.type": record.failure.kind if record.failure else None,
    }
    return {key: value for key, value in found.items() if value}


def _histogram(meter: Meter, name: str, unit: str, buckets: tuple[float, ...]) -> Any:
    return meter.create_histogram(name, unit=unit, explicit_bucket_boundaries_advisory=buckets)
