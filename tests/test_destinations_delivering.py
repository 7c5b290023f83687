"""What a destination is given of a span: its words, where it may have them."""

import pytest
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.trace import Status, StatusCode

from interceptor.destinations import Delivery
from interceptor.spans import MESSAGE


class Listing(SpanProcessor):
    """Keeps what it is given."""

    def __init__(self):
        self.started, self.ended, self.calls = [], [], []

    def on_start(self, span, parent_context=None):
        self.started.append(span.name)

    def on_end(self, span):
        self.ended.append(span)

    def shutdown(self):
        self.calls.append("shutdown")

    def force_flush(self, timeout_millis=30_000):
        self.calls.append("flush")
        return True


@pytest.fixture
def delivering():
    """Give what sets a delivery up: the destination, and a provider that it is on."""

    def make(words):
        inner, provider = Listing(), TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(Delivery(inner, words))
        return inner, provider

    return make


def test_spans_of_ours_are_delivered_and_no_others(delivering):
    inner, provider = delivering(None)
    for scope in ("interceptor", "theirs"):
        provider.get_tracer(scope).start_span(scope).end()
    assert inner.started == ["interceptor"]
    assert [span.name for span in inner.ended] == ["interceptor"]


def test_words_are_added_for_those_who_may_have_them_and_the_span_stays_as_it_is(delivering):
    words = {}
    inner, provider = delivering(words)
    span = provider.get_tracer("interceptor").start_span("it", attributes={"a": 1})
    span.set_status(Status(StatusCode.ERROR))
    words[span.get_span_context().span_id] = {"input.value": "hello", MESSAGE: "went wrong"}
    span.end()
    (given,) = inner.ended
    assert dict(given.attributes) == {"a": 1, "input.value": "hello"}
    assert (given.status.status_code, given.status.description) == (StatusCode.ERROR, "went wrong")
    assert dict(span.attributes) == {"a": 1}
    assert span.status.description is None
    assert (given.name, given.start_time, given.end_time) == ("it", span.start_time, span.end_time)


def test_a_span_without_words_is_given_as_it_is(delivering):
    inner, provider = delivering({})
    span = provider.get_tracer("interceptor").start_span("it")
    span.end()
    assert inner.ended[0] is not None
    assert dict(inner.ended[0].attributes) == {}


def test_the_destination_is_flushed_and_shut_down(delivering):
    inner, provider = delivering(None)
    provider.force_flush()
    provider.shutdown()
    assert inner.calls == ["flush", "shutdown"]
