"""What is kept of the words of observed spans, where they go, and how such spans end."""

import gc
import threading

import msgspec
import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import interceptor
from interceptor import slot
from interceptor.exchange import ABANDONED
from interceptor.observer import Observed
from tests import kept

CARD = "4111 1111 1111 1111"


@pytest.fixture
def application():
    """A provider as an application has it, and what its own exporter is given."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    yield provider, exporter
    interceptor.shutdown()


def ask(question, *, content=None):
    """Have an observed function fail over something that somebody said."""

    @interceptor.observe(content=content)
    def answer(question):
        interceptor.update_span(output=f"about {question}")
        raise LookupError(f"no answer to {question}")

    with pytest.raises(LookupError):
        answer(question)
    interceptor.flush()


SETTINGS = {
    "full": ("full", None, True, True),
    "full, but not this function": ("full", "metadata", False, False),
    "unset": (None, None, False, True),
    "unset, but this function": (None, "full", True, True),
    "unset, and not this function": (None, "metadata", False, False),
    "metadata": ("metadata", None, False, False),
    "metadata, whatever the function says": ("metadata", "full", False, False),
}


@pytest.mark.parametrize(
    ("setting", "own", "to_application", "to_us"), SETTINGS.values(), ids=SETTINGS
)
def test_words_go_where_they_may(application, setting, own, to_application, to_us):
    provider, exporter = application
    interceptor.configure(destinations=(), content=setting, tracer_provider=provider)
    ask("tea", content=own)
    (theirs,) = exporter.get_finished_spans()
    ours = kept.only()
    words = ({"question": "tea"}, "about tea", "no answer to tea")
    assert (ours.input, ours.output, ours.status_message) == (words if to_us else (None,) * 3)
    assert ("tea" in theirs.to_json()) == to_application
    for span in (theirs, ours):  # what is no words is kept whatever the setting
        assert span.attributes["error.type"] == "LookupError"
        assert span.attributes["gen_ai.operation.name"] == "invoke_workflow"
    assert theirs.status.is_ok is False
    assert theirs.status.description == (words[2] if to_application else None)


def test_a_policy_sees_what_was_said_before_it_is_kept(application):
    provider, exporter = application
    interceptor.configure(destinations=(), content="full", redact="pii", tracer_provider=provider)
    ask(f"my card {CARD}")
    (theirs,) = exporter.get_finished_spans()
    assert "4111" not in theirs.to_json()
    assert kept.only().input == {"question": "my card [card]"}


def raises(record):
    raise RuntimeError


POLICIES = {
    "that raises": (raises, "the redact policy raised RuntimeError: words left out"),
    "that keeps nothing": (lambda record: None, None),
    "that gives something else": (lambda record: 5, "the redact policy gave a int: words left out"),
}


@pytest.mark.usefixtures("in_memory")
@pytest.mark.parametrize(("policy", "note"), POLICIES.values(), ids=POLICIES)
def test_a_policy_leaves_no_words(policy, note):
    interceptor.configure(destinations=(), content="full", redact=policy)
    ask("tea")
    span = kept.only()
    assert (span.input, span.output, span.status_message) == (None, None, None)
    assert span.attributes.get("mistral_ai.notes") == ([note] if note else None)


@pytest.mark.usefixtures("in_memory")
def test_a_policy_that_breaks_its_record_leaves_a_span_without_words():
    interceptor.configure(
        destinations=(),
        content="full",
        redact=lambda record: msgspec.structs.replace(record, input=None),
    )
    ask("tea")
    span = kept.only()
    assert (span.input, span.output, span.failed) == (None, None, True)
    assert span.attributes["gen_ai.operation.name"] == "invoke_workflow"
    assert span.duration_s is not None


@pytest.mark.usefixtures("in_memory")
def test_what_is_too_long_is_cut_inside_its_structure():
    interceptor.configure(destinations=(), content="full", attribute_limit_kb=1)
    ask("x" * 5000)
    span = kept.only()
    assert span.input["question"].endswith("more]")
    assert span.attributes["mistral_ai.truncated"] == ["input.value", "output.value"]
    assert all(len(span.attributes[f"{side}.value"]) <= 1024 for side in ("input", "output"))
    assert len(span.status_message) <= 1024


@pytest.mark.usefixtures("in_memory")
def test_words_are_let_go_of_where_too_much_waits():
    interceptor.configure(destinations=(), content="full", queue_mb=1)
    held = threading.Event()
    slot.observer().recorder.take(Held(held))
    for _ in range(20):
        with interceptor.span("it") as span:
            span.set_output("x" * 100_000)
    held.set()
    found = kept.spans()
    dropped = [span for span in found if span.output is None]
    assert len(found) == 20
    assert 0 < len(dropped) < 20
    note = "too much was waiting to be recorded: words left out"
    assert {tuple(span.attributes["mistral_ai.notes"]) for span in dropped} == {(note,)}


class Held:
    """Work that takes as long as a test needs."""

    size_bytes = 0

    def __init__(self, until):
        self.until = until

    def run(self):
        self.until.wait(10)

    def let_go(self):
        pass


@pytest.mark.usefixtures("in_memory")
def test_what_is_open_when_a_program_ends_is_ended_too():
    generator = interceptor.observe(lambda: (yield "a"))()
    next(generator)
    slot.observer().recorder.abandon()
    generator.close()  # which comes too late to end it
    span = kept.only()
    assert span.attributes["interceptor.completed"] is False
    assert span.duration_s is not None


@pytest.mark.usefixtures("in_memory")
def test_ending_counts_once():
    observed = slot.observer().begin("it", "chain")
    observed.end()
    ended = observed.ended_unix_ns
    observed.end(ABANDONED)
    assert (observed.ended_unix_ns, observed.completed) == (ended, True)
    assert len(kept.spans()) == 1


@pytest.mark.usefixtures("in_memory")
def test_an_ended_span_is_held_by_nobody():
    interceptor.observe(lambda: None)()
    interceptor.flush()
    gc.collect()
    assert not [one for one in gc.get_objects() if type(one) is Observed]


def test_how_long_functions_take_is_measured():
    reader = InMemoryMetricReader()
    interceptor.configure(destinations=(), meter_provider=MeterProvider([reader]))
    for kind in ("chain", "agent", "tool", "retriever"):
        interceptor.observe(name="it", kind=kind)(lambda: None)()
    ask("tea")
    interceptor.shutdown()
    metrics = reader.get_metrics_data().resource_metrics[0].scope_metrics[0].metrics
    points = {
        (metric.name, point.attributes.get("error.type")): point
        for metric in metrics
        for point in metric.data.data_points
    }
    assert set(points) == {
        ("gen_ai.invoke_workflow.duration", None),
        ("gen_ai.invoke_workflow.duration", "LookupError"),
        ("gen_ai.invoke_agent.duration", None),
        ("gen_ai.execute_tool.duration", None),
    }
    assert points["gen_ai.execute_tool.duration", None].attributes["gen_ai.tool.name"] == "it"
    assert all(point.count == 1 for point in points.values())


def test_nothing_is_measured_where_metrics_are_off():
    reader = InMemoryMetricReader()
    interceptor.configure(destinations=(), metrics="off", meter_provider=MeterProvider([reader]))
    interceptor.observe(lambda: None)()
    interceptor.shutdown()
    assert reader.get_metrics_data() is None
