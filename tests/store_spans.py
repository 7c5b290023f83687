"""Spans as the SDK hands them to an exporter, for the tests of the store."""

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags

__all__ = ["CALL", "SECOND", "START", "message", "span"]

START = 1_760_000_000_000_000_000
SECOND = 1_000_000_000

CALL = {"mistral_ai.endpoint": "chat.completions", "gen_ai.request.model": "mistral-small-latest"}


def span(name="chat", *, trace=1, number=1, parent=None, at=0, lasts=1, error=None, **fields):
    """Give a span; times in seconds after START, one without `lasts` has not ended.

    `error` is its status's description; `attributes`, `events` (name and attributes)
    and `links` (trace and span number) may be given besides, and the name of a `scope`.
    """
    start = START + int(at * SECOND)
    return ReadableSpan(
        name,
        context=_context(trace, number),
        parent=None if parent is None else _context(trace, parent),
        resource=Resource({"service.name": "test"}),
        attributes=fields.get("attributes", {}),
        events=[Event(one, said, start) for one, said in fields.get("events", ())],
        links=[Link(_context(*one), {}) for one in fields.get("links", ())],
        kind=fields.get("kind", SpanKind.INTERNAL),
        instrumentation_scope=InstrumentationScope(fields.get("scope", "")),
        status=Status(StatusCode.UNSET) if error is None else Status(StatusCode.ERROR, error),
        start_time=start,
        end_time=None if lasts is None else start + int(lasts * SECOND),
    )


def message(text, role="assistant"):
    """Give the JSON of one message that says a text."""
    return f'[{{"role":"{role}","parts":[{{"type":"text","content":"{text}"}}]}}]'


def _context(trace, number):
    return SpanContext(trace, number, is_remote=False, trace_flags=TraceFlags(1))
