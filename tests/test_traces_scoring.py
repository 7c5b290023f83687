"""What somebody thinks of a trace: kept beside it, sent on as an event, and lengthening nothing."""

import decimal
import json
import math

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import interceptor
from interceptor import scores
from interceptor.errors import ArgumentError
from interceptor.store import Store


@pytest.fixture
def store(tmp_path):
    """Record into a store of the test's own; give what reads it."""
    path = tmp_path / "traces.db"
    interceptor.configure(store=path)
    yield Store(path)
    interceptor.shutdown()


def said(score):
    return score.name, score.value, score.label, score.comment, score.span_id


def make_trace():
    with interceptor.span("root"), interceptor.span("child") as child:
        pass
    return interceptor.last_trace_id(), child.span_id


SCORES = {
    "a number": ((0.9,), {}, (0.9, None, None)),
    "a whole number": ((4,), {}, (4.0, None, None)),
    "a truth value": ((True,), {}, (1.0, None, None)),
    "a word": (("good",), {}, (None, "good", None)),
    "with a comment": ((1,), {"comment": "short and right"}, (1.0, None, "short and right")),
}


@pytest.mark.parametrize(("given", "more", "kept"), SCORES.values(), ids=SCORES)
def test_a_score_stands_beside_its_trace(store, given, more, kept):
    trace_id, _ = make_trace()
    interceptor.score("helpful", *given, **more)
    (score,) = interceptor.get_trace(trace_id).scores
    assert said(score) == ("helpful", *kept, None)


def test_a_score_is_no_span_and_lengthens_nothing(store):
    trace_id, _ = make_trace()
    before = interceptor.get_trace(trace_id)
    interceptor.score("helpful", 1, trace_id=trace_id)
    after = interceptor.get_trace(trace_id)
    assert after.spans == before.spans
    (summary,) = store.latest()
    assert (summary.span_count, summary.duration_s) == (2, before.duration)


def test_it_stands_under_the_root_however_soon_it_is_given():
    exporter, provider = InMemorySpanExporter(), TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    interceptor.configure(destinations=(), tracer_provider=provider)
    with interceptor.span("root") as root, interceptor.span("child") as child:
        interceptor.score("inside", 1)
        interceptor.score("of the child", 1, span_id=child.span_id)
    interceptor.score("after", 1)
    interceptor.shutdown()
    parents = {span.name: span.parent for span in exporter.get_finished_spans()}
    assert {f"{parents[f'evaluate {name}'].span_id:016x}" for name in ("inside", "after")} == {
        root.span_id
    }
    assert f"{parents['evaluate of the child'].span_id:016x}" == child.span_id


def test_a_span_can_be_meant(store):
    trace_id, span_id = make_trace()
    interceptor.score("right", 0, trace_id=trace_id, span_id=span_id)
    interceptor.score("nice", 1)
    first, second = interceptor.get_trace(trace_id).scores
    assert said(first) == ("right", 0.0, None, None, span_id)
    assert said(second) == ("nice", 1.0, None, None, None)


def test_inside_a_trace_that_is_the_one(store):
    make_trace()
    with interceptor.span("running") as running:
        interceptor.score("early", 1)
    assert [score.name for score in interceptor.get_trace(running.trace_id).scores] == ["early"]


def test_the_trace_of_another_process_can_be_scored(store):
    trace_id, _ = make_trace()
    interceptor.flush()
    interceptor.surroundings._roots.clear()  # as in a process that never saw it
    interceptor.score("late", 1, trace_id=trace_id)
    assert len(interceptor.get_trace(trace_id).scores) == 1


def test_a_trace_that_nobody_here_knows_can_be_scored(store):
    unknown = "0123456789abcdef0123456789abcdef"
    interceptor.score("blind", 1, trace_id=unknown)
    interceptor.flush()
    assert [score.name for score in store.scores(unknown)] == ["blind"]
    assert store.latest() == []


ODD = {
    "no number": math.nan,
    "no end": math.inf,
    "nothing": None,
    "a list": [1],
    "no word": "",
    "a space": " ",
    "bytes": b"1",
    "complex": 1j,
    "too large": 10**400,
    "too large to be said": 10**5000,
}


@pytest.mark.parametrize("value", ODD.values(), ids=ODD)
def test_what_is_no_score_is_refused(store, value):
    make_trace()
    with pytest.raises(ArgumentError, match="use a number or a word"):
        interceptor.score("helpful", value)


def test_a_number_of_any_kind_is_a_score(store):
    make_trace()
    interceptor.score("exact", decimal.Decimal("0.5"))
    assert interceptor.get_trace().scores[0].value == 0.5


@pytest.mark.parametrize("name", [None, "", " ", 5, b"helpful"])
def test_what_is_no_name_is_refused_and_leaves_its_trace_as_it_was(store, name):
    trace_id, _ = make_trace()
    before = interceptor.get_trace(trace_id)
    with pytest.raises(ArgumentError, match=r"the name of a score is .*; use a word"):
        interceptor.score(name, 1, trace_id=trace_id)
    assert interceptor.get_trace(trace_id) == before


@pytest.mark.parametrize("trace_id", ["abc", "", "x" * 32, "0" * 32, "0x" + "1" * 30, 5])
def test_what_is_no_id_is_refused(store, trace_id):
    make_trace()
    with pytest.raises(ArgumentError, match="use its 32 hexadecimal digits"):
        interceptor.score("helpful", 1, trace_id=trace_id)


@pytest.mark.parametrize("span_id", ["abc", "", "_" + "1" * 15, 5])
def test_what_is_no_span_id_is_refused(store, span_id):
    make_trace()
    with pytest.raises(ArgumentError, match="use its 16 hexadecimal digits"):
        interceptor.score("helpful", 1, span_id=span_id)


def test_a_span_is_meant_by_its_id_however_it_is_written(store):
    _, span_id = make_trace()
    interceptor.score("right", 1, span_id=span_id.upper())
    assert interceptor.get_trace().scores[0].span_id == span_id


@pytest.mark.parametrize("comment", [5, b"good", ["good"]])
def test_a_comment_is_text(store, comment):
    make_trace()
    with pytest.raises(ArgumentError, match=r"comment is .*; use text"):
        interceptor.score("helpful", 1, comment=comment)


def test_a_score_that_cannot_be_made_does_not_keep_its_trace_open(store, monkeypatch, caplog):
    trace_id, _ = make_trace()
    monkeypatch.setattr(scores.Score, "_words", lambda _: 1 / 0)
    interceptor.score("helpful", 1, trace_id=trace_id)
    interceptor.flush()
    (summary,) = store.latest()
    interceptor.shutdown()
    assert (summary, len(caplog.records)) == (store.latest()[0], 1)
    assert (summary.state, summary.span_count) == ("ended", 2)


def test_where_nothing_is_recorded_there_need_be_no_trace(monkeypatch):
    monkeypatch.setattr(interceptor.surroundings, "_last", None)
    interceptor.configure(on=False)
    interceptor.score("helpful", 1)
    interceptor.shutdown()


def test_where_nothing_is_recorded_nothing_happens(store):
    trace_id, _ = make_trace()
    interceptor.configure(on=False)
    interceptor.score("helpful", 1, trace_id=trace_id)
    interceptor.flush()
    assert store.scores(trace_id) == ()


CONTENT = {
    "full": ("full", True, True),
    "unset": (None, False, True),
    "metadata": ("metadata", False, False),
}


@pytest.mark.parametrize(("content", "to_application", "to_us"), CONTENT.values(), ids=CONTENT)
def test_it_is_sent_on_as_an_event_in_the_trace(content, to_application, to_us):
    exporter, provider = InMemorySpanExporter(), TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    interceptor.configure(destinations=(), content=content, tracer_provider=provider)
    trace_id, span_id = make_trace()
    interceptor.score("right", 0.5, span_id=span_id, comment="so so")
    (kept,) = interceptor.get_trace(trace_id).scores
    interceptor.shutdown()
    sent = exporter.get_finished_spans()[-1]
    assert sent.name == "evaluate right"
    assert f"{sent.context.trace_id:032x}" == trace_id
    assert f"{sent.parent.span_id:016x}" == span_id
    (event,) = sent.events
    assert event.name == "gen_ai.evaluation.result"
    assert event.attributes["gen_ai.evaluation.name"] == "right"
    assert event.attributes["gen_ai.evaluation.score.value"] == 0.5
    assert ("so so" in sent.to_json()) == to_application
    assert kept.comment == ("so so" if to_us else None)


def test_a_policy_sees_the_comment(store, tmp_path):
    interceptor.configure(store=tmp_path / "traces.db", redact="pii")
    trace_id, _ = make_trace()
    interceptor.score("helpful", 1, comment="ask ada@lovelace.org")
    assert interceptor.get_trace(trace_id).scores[0].comment == "ask [email]"
    interceptor.configure(store=tmp_path / "traces.db", redact=lambda record: None)
    interceptor.score("helpful", 1, trace_id=trace_id, comment="ask ada@lovelace.org")
    assert interceptor.get_trace(trace_id).scores[1].comment is None


def test_a_score_goes_when_its_trace_goes(tmp_path):
    path = tmp_path / "traces.db"
    interceptor.configure(store=path, store_max_mb=1)
    first, _ = make_trace()
    interceptor.score("helpful", 1)
    interceptor.score("blind", 1, trace_id="f" * 32)
    interceptor.flush()
    for _ in range(40):
        with interceptor.span("large") as large:
            large.set_output([chr(97 + number % 26) * 60_000 for number in range(1)])
        interceptor.flush()
    interceptor.shutdown()
    store = Store(path)
    assert first not in {trace.trace_id for trace in store.latest(100)}
    assert store.scores(first) == store.scores("f" * 32) == ()


def test_scores_are_part_of_what_is_shown(store):
    make_trace()
    interceptor.score("helpful", "yes & no", comment="<b>")
    trace = interceptor.get_trace()
    assert "score helpful: yes & no (<b>)" in str(trace)
    assert "score helpful: yes &amp; no (&lt;b&gt;)" in trace._repr_html_()
    assert json.loads(trace.to_json())["scores"][0]["label"] == "yes & no"
