"""Whose child our span is beside the SDK's own, and when ours is not made, without the SDK."""

import pytest
from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, set_span_in_context

from interceptor import endpoints, native
from interceptor.destinations import Delivery
from interceptor.exchange import Request
from interceptor.replay import Server
from interceptor.runtime import Runtime
from interceptor.settings import Native, Settings
from interceptor.sink import Start
from interceptor.spans import SCOPE, SpanSink

PATH = "/v1/chat/completions"
SDK_1 = {"user-agent": "mistral-client-python/1.12.4"}


@pytest.fixture
def exported():
    return InMemorySpanExporter()


@pytest.fixture
def provider(exported):
    """Give a provider that takes our spans, and only ours, to `exported`."""
    one = TracerProvider(shutdown_on_exit=False)
    one.add_span_processor(Delivery(SimpleSpanProcessor(exported), None))
    return one


@pytest.fixture
def sdk(provider):
    return provider.get_tracer("mistralai_sdk_tracer")


def start(*, headers=None, extensions=None):
    return Start(
        row=endpoints.match("POST", PATH).endpoint,
        request=Request("POST", "api.mistral.ai", None, PATH, {}, b'{"model":"m"}'),
        attempt=1,
        started_unix_ns=1,
        headers=headers or {},
        extensions=extensions or {},
    )


def begun(provider, call, how=Native.KEEP_OURS, **context):
    """Begin a call in a context, and give the span that was made, if one was."""
    token = otel_context.attach(context.pop("within", otel_context.get_current()))
    try:
        sink = SpanSink(lambda: provider.get_tracer(SCOPE), native=how)
        made = sink.begin(call)
    finally:
        otel_context.detach(token)
    return None if made is None else made.identity


def test_ours_is_the_child_of_the_sdks_parent(provider, sdk):
    parent = provider.get_tracer("application").start_span("work")
    around = set_span_in_context(parent)
    theirs = sdk.start_span("chat", context=around)
    within = set_span_in_context(theirs, around)
    found = native.beside({}, {"_tracing_span": theirs}, within)
    assert trace.get_current_span(found).get_span_context() == parent.get_span_context()
    ours = begun(provider, start(extensions={"_tracing_span": theirs}), within=within)
    assert ours.trace_id == parent.get_span_context().trace_id


def test_ours_is_a_root_where_the_sdks_is_one(provider, sdk):
    theirs = sdk.start_span("chat")
    within = set_span_in_context(theirs)
    ours = begun(provider, start(extensions={"_tracing_span": theirs}), within=within)
    assert ours.trace_id != theirs.get_span_context().trace_id


def test_a_span_between_theirs_and_ours_stays_the_parent(provider, sdk, exported):
    """As of a transport of the user's, observed, around a tap: it hangs where theirs hung."""
    with provider.get_tracer(SCOPE).start_as_current_span("work") as work:
        theirs = sdk.start_span("chat")
        with (
            trace.use_span(theirs),
            provider.get_tracer(SCOPE).start_as_current_span("my transport") as mine,
        ):
            found = native.beside({}, {"_tracing_span": theirs}, otel_context.get_current())
            assert trace.get_current_span(found) is mine
        theirs.end()
    parents = {span.name: span.parent for span in exported.get_finished_spans()}
    assert parents == {"my transport": work.get_span_context(), "work": None}


def test_spans_of_others_are_not_delivered(provider, sdk, exported):
    sdk.start_span("chat").end()
    provider.get_tracer("application").start_span("work").end()
    assert exported.get_finished_spans() == ()


NOT_TRACED = {
    "no key, and not the SDK's request": (
        {"traceparent": "00-" + "1" * 32 + "-" + "2" * 16 + "-01"},
        {},
    ),
    "a request without a span": ({}, {"_tracing_span": None}),
    "a span that is not recorded": (
        {},
        {"_tracing_span": NonRecordingSpan(SpanContext(1, 2, False, TraceFlags(0)))},
    ),
    "a traceparent of the user's own, and no provider": (
        SDK_1 | {"traceparent": "00-" + "1" * 32 + "-" + "2" * 16 + "-01"},
        {},
    ),
}


@pytest.mark.parametrize(("headers", "extensions"), NOT_TRACED.values(), ids=NOT_TRACED)
def test_there_is_nothing_to_step_back_for(provider, headers, extensions):
    call = start(headers=headers, extensions=extensions)
    assert native.beside(headers, extensions, otel_context.get_current()) is None
    assert begun(provider, call, Native.DEFER) is not None


def test_ours_steps_back_for_a_span_that_is_recorded(provider, sdk):
    call = start(extensions={"_tracing_span": sdk.start_span("chat")})
    assert begun(provider, call, Native.DEFER) is None
    assert begun(provider, call, Native.KEEP_OURS) is not None


SENT = SpanContext(1, 2, False, TraceFlags(1))
HEADER = f"00-{1:032x}-{2:016x}-"
BY_1 = {
    "as the SDK sends it": (SDK_1 | {"traceparent": f"{HEADER}01"}, None, True),
    "with more flags": (SDK_1 | {"traceparent": f"{HEADER}03"}, None, True),
    "of a span that is not recorded": (SDK_1 | {"traceparent": f"{HEADER}00"}, None, False),
    "of the current span, so somebody else's": (
        SDK_1 | {"traceparent": f"{HEADER}01"},
        SENT,
        False,
    ),
    "not one at all": (SDK_1 | {"traceparent": "00-1-2"}, None, False),
    "none": (SDK_1, None, False),
    "another program's": ({"user-agent": "curl", "traceparent": f"{HEADER}01"}, None, False),
}


@pytest.mark.parametrize(("headers", "current", "is_theirs"), BY_1.values(), ids=BY_1)
def test_the_first_sdk_says_its_span_in_a_header(
    provider, monkeypatch, headers, current, is_theirs
):
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)  # a global one is set
    within = otel_context.get_current()
    if current is not None:
        within = set_span_in_context(NonRecordingSpan(current), within)
    found = native.beside(headers, {}, within)
    assert found is (within if is_theirs else None)
    step_back = begun(provider, start(headers=headers), Native.DEFER, within=within) is None
    assert step_back == is_theirs


SUPPRESSED = {
    "an outer GenAI instrumentation": {"opentelemetry.genai.client.inference.context": object()},
    "instrumentation suppressed": {"suppress_instrumentation": True},
}


@pytest.mark.parametrize("keys", SUPPRESSED.values(), ids=SUPPRESSED)
def test_ours_is_not_made_where_somebody_else_has_the_call(provider, keys):
    within = otel_context.get_current()
    for key, value in keys.items():
        within = otel_context.set_value(key, value, within)
    assert begun(provider, start(), within=within) is None


def test_a_suppression_that_is_lifted_suppresses_nothing(provider):
    within = otel_context.set_value("suppress_instrumentation", False)
    assert begun(provider, start(), within=within) is not None


class OtherSpan(NonRecordingSpan):
    """A span of another implementation of the API: it is recorded, and tells no parent."""

    def is_recording(self):
        return True


def test_a_span_that_tells_no_parent_is_ours(provider):
    theirs = OtherSpan(SpanContext(7, 8, False, TraceFlags(1)))
    within = set_span_in_context(theirs)
    ours = begun(provider, start(extensions={"_tracing_span": theirs}), within=within)
    assert ours.trace_id == 7
    assert native.parent_of(theirs.get_span_context()) == theirs.get_span_context()


HEEDED = {
    "as OTEL_* variables ask for, which the application's own heeds": ({}, 1),
    "asked for by our own variable": ({"INTERCEPTOR_DESTINATIONS": "otlp"}, 2),
}


@pytest.mark.parametrize(("asked", "count"), HEEDED.values(), ids=HEEDED)
def test_a_backend_has_each_span_once(monkeypatch, asked, count):
    """Where the application exports by OTLP, ours go by its exporter, and not by one more."""
    otlp = pytest.importorskip("opentelemetry.exporter.otlp.proto.http.trace_exporter")
    with Server.of("chat.completions/plain") as backend:
        environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": backend.url} | asked
        exporter = otlp.OTLPSpanExporter(f"{backend.url}/v1/traces")
        application = TracerProvider(shutdown_on_exit=False)
        application.add_span_processor(SimpleSpanProcessor(exporter))
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", backend.url)
        runtime = Runtime(Settings.from_env(environ), tracer_provider=application)
        runtime.tracer().start_span("chat").end()
        runtime.flush(10)
        runtime.shutdown(10)
        exporter.shutdown()
    assert [request.path for request in backend.requests] == ["/v1/traces"] * count
