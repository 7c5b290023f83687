"""The SDK's own tracing, as it shows on a request: whose span it is, and where ours belongs then.

mistralai 2 and 3 leave their live span in the request's extensions and make it current while the
request is sent; 1.x and 2.0, where a global provider is set, say its id in `traceparent` alone.
"""

from collections.abc import Mapping
from typing import Any
from weakref import WeakValueDictionary

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import NonRecordingSpan, ProxyTracerProvider, SpanContext
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

__all__ = ["beside", "parent_of"]

_SPAN = "_tracing_span"
_AGENT = "mistral-client-python/"
_TRACEPARENT = TraceContextTextMapPropagator()

_claimed: WeakValueDictionary[int, Any] = WeakValueDictionary()


def beside(
    headers: Mapping[str, str], extensions: Mapping[str, Any], context: Context
) -> Context | None:
    """Give the context for a span of ours in place of the SDK's; None where the SDK makes none.

    Ours is the child of the span that the SDK's is a child of.
    """
    if _SPAN not in extensions:
        return context if _is_said_by_header(headers, context) else None
    native = extensions[_SPAN]
    if native is None or not native.is_recording():
        return None
    _claimed[native.get_span_context().span_id] = native
    if trace.get_current_span(context) is not native:
        return context  # somebody's span stands between theirs and ours; see `parent_of`
    return _outside(native, context)


def parent_of(parent: SpanContext | None) -> SpanContext | None:
    """Give the parent that a span has where the SDK's spans that ours stand for are left out."""
    native = None if parent is None else _claimed.get(parent.span_id)
    return parent if native is None else getattr(native, "parent", parent)


def _outside(native: Any, context: Context) -> Context:
    """Give the context that a span began in, as far as its parent goes."""
    parent = getattr(native, "parent", native.get_span_context())  # not every API's spans tell it
    span = trace.INVALID_SPAN if parent is None else NonRecordingSpan(parent)
    return trace.set_span_in_context(span, context)


def _is_said_by_header(headers: Mapping[str, str], context: Context) -> bool:
    """Tell whether an SDK that keeps its span to itself has made one. It is never current."""
    if "traceparent" not in headers or not headers.get("user-agent", "").startswith(_AGENT):
        return False
    if isinstance(trace.get_tracer_provider(), ProxyTracerProvider):
        return False
    here = trace.get_current_span(context)
    sent = trace.get_current_span(_TRACEPARENT.extract(headers, Context())).get_span_context()
    return sent.trace_flags.sampled and sent.span_id != here.get_span_context().span_id
