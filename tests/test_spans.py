"""A span ends whatever happens to what it should say, and leaves its context quietly."""

import contextvars
import logging

import httpx
import msgspec
import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import interceptor

URL = "https://api.mistral.ai/v1/chat/completions"


@pytest.fixture
def exporter():
    yield InMemorySpanExporter()
    interceptor.shutdown()


def configure(exporter, **settings):
    """Have spans go to an application's own exporter."""
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    interceptor.configure(destinations=(), store="off", tracer_provider=provider, **settings)


def post(status=200, json=None):
    transport = httpx.MockTransport(lambda _: httpx.Response(status, json=json or {}))
    with httpx.Client(transport=interceptor.wrap(transport)) as client:
        client.post(URL, json={"model": "mistral-small-latest"})
    interceptor.flush()


def broken(record):
    """Be a policy whose record is none that can be shown."""
    return msgspec.structs.replace(record, output=None)


def test_a_call_ends_where_its_record_cannot_be_shown(exporter):
    configure(exporter, redact=broken)
    post()
    (span,) = exporter.get_finished_spans()
    assert span.name == "chat mistral-small-latest"


def test_an_observed_span_ends_where_its_words_cannot_be_shown(exporter):
    configure(exporter, redact=broken)
    with interceptor.span("think") as span:
        span.set_input("of something")
    interceptor.flush()
    (ended,) = exporter.get_finished_spans()
    assert (ended.name, "input.value" in ended.attributes) == ("think", False)


def test_an_error_is_no_longer_than_an_attribute(exporter):
    """Some gateways send back the whole request as the message."""
    configure(exporter, attribute_limit_kb=1)
    post(422, {"message": "no: " + "x" * 5000})
    (span,) = exporter.get_finished_spans()
    assert span.status.description == "no: " + "x" * 1020


def test_a_coroutine_dropped_elsewhere_leaves_its_context_quietly(exporter, caplog):
    """A loop that ends closes its tasks' coroutines in a context that is not theirs."""

    class Waiting(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request):
            await self

        def __await__(self):
            yield

    configure(exporter)
    sending = interceptor.wrap(Waiting()).handle_async_request(httpx.Request("POST", URL))
    with caplog.at_level(logging.ERROR):
        contextvars.copy_context().run(sending.send, None)
        contextvars.copy_context().run(sending.close)
    interceptor.flush()
    assert caplog.records == []
    assert len(exporter.get_finished_spans()) == 1
