"""Scores in a store: of ours, and of whoever else writes the event of the conventions."""

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from interceptor.store import Store
from interceptor.store.exporter import StoreExporter

EVENT = "gen_ai.evaluation.result"


@pytest.fixture
def kept(tmp_path):
    """Give a tracer whose spans are kept, and what reads them."""
    exporter = StoreExporter(tmp_path / "traces.db")
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    yield provider.get_tracer("theirs"), Store(tmp_path / "traces.db")
    exporter.shutdown()


def ids(span):
    context = span.get_span_context()
    return f"{context.trace_id:032x}", f"{context.span_id:016x}"


def test_an_event_on_anybodys_span_is_a_score_of_that_span(kept):
    tracer, store = kept
    with tracer.start_as_current_span("judged") as span:
        span.add_event(
            EVENT,
            {
                "gen_ai.evaluation.name": "relevance",
                "gen_ai.evaluation.score.value": 0.75,
                "gen_ai.evaluation.score.label": "good",
                "gen_ai.evaluation.explanation": "to the point",
            },
        )
        span.add_event(
            EVENT, {"gen_ai.evaluation.name": "tone", "gen_ai.evaluation.score.value": 1}
        )
    trace_id, span_id = ids(span)
    first, second = store.scores(trace_id)
    assert (first.name, first.value, first.label) == ("relevance", 0.75, "good")
    assert (first.comment, first.span_id) == ("to the point", span_id)
    assert (second.name, second.value, second.comment) == ("tone", 1.0, None)
    assert [one.name for one in store.trace(trace_id)] == ["judged"]


ODD = {
    "another event": ("thought", {"gen_ai.evaluation.name": "x"}),
    "no name": (EVENT, {"gen_ai.evaluation.score.value": 1}),
    "a name that is no text": (EVENT, {"gen_ai.evaluation.name": 5}),
    "nothing": (EVENT, None),
}


@pytest.mark.parametrize(("name", "attributes"), ODD.values(), ids=ODD)
def test_what_is_no_score_is_none(kept, name, attributes):
    tracer, store = kept
    with tracer.start_as_current_span("judged") as span:
        span.add_event(name, attributes)
    assert store.scores(ids(span)[0]) == ()
    assert len(store.trace(ids(span)[0])) == 1


def test_a_score_of_the_wrong_type_has_no_value(kept):
    tracer, store = kept
    with tracer.start_as_current_span("judged") as span:
        said = {"gen_ai.evaluation.name": "x", "gen_ai.evaluation.score.value": "high"}
        span.add_event(EVENT, said)
    (score,) = store.scores(ids(span)[0])
    assert (score.name, score.value) == ("x", None)


def test_a_score_of_ours_is_no_span_however_early_it_is_seen(kept):
    _, store = kept
    exporter, provider = StoreExporter(store.path), TracerProvider(shutdown_on_exit=False)
    tracer = provider.get_tracer("interceptor")
    with tracer.start_as_current_span("judged") as judged:
        pass
    exporter.export([judged])
    before = store.latest()
    operation = {"gen_ai.operation.name": "evaluate"}
    inside = trace.set_span_in_context(judged)
    score = tracer.start_span("evaluate x", context=inside, attributes=operation)
    exporter.export([score])
    score.add_event(EVENT, {"gen_ai.evaluation.name": "x", "gen_ai.evaluation.score.value": 1})
    exporter.export([score])
    assert (store.latest(), store.scores(ids(judged)[0])) == (before, ())
    score.end()
    exporter.export([score])
    exporter.shutdown()
    assert store.latest() == before
    assert [one.value for one in store.scores(ids(judged)[0])] == [1.0]
