"""The newest traces in memory, for programs that keep no store."""

import os
import signal
import threading
from types import SimpleNamespace

import pytest
from opentelemetry.sdk.trace import TracerProvider

import interceptor
from interceptor.destinations.memory import Memory
from interceptor.errors import StoreError


@pytest.fixture
def tracing():
    """Give what makes a memory, and a tracer whose spans it keeps."""

    def make(**limits):
        memory, provider = Memory(**limits), TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(memory)
        return memory, provider.get_tracer("interceptor")

    return make


def names(memory):
    with memory.reading() as store:
        return [
            [span.name for span in store.trace(trace.trace_id)]
            for trace in reversed(store.latest(100))
        ]


def make_traces(tracer, count, *, spans=1, text=""):
    for number in range(count):
        with tracer.start_as_current_span(f"t{number}"):
            for _ in range(spans - 1):
                tracer.start_span("child", attributes={"input.value": text}).end()


def test_what_has_ended_can_be_read(tracing):
    memory, tracer = tracing()
    make_traces(tracer, 2, spans=2)
    running = tracer.start_span("running")
    assert names(memory) == [["t0", "child"], ["t1", "child"]]
    running.end()
    assert len(names(memory)) == 3


def test_the_oldest_traces_make_room(tracing):
    memory, tracer = tracing(most_spans=6)
    make_traces(tracer, 5, spans=2)
    assert names(memory) == [["t2", "child"], ["t3", "child"], ["t4", "child"]]


def test_long_texts_make_room_too(tracing):
    memory, tracer = tracing(most_bytes=250_000)
    make_traces(tracer, 5, spans=2, text="x" * 100_000)
    assert names(memory) == [["t3", "child"], ["t4", "child"]]


def test_of_a_trace_too_large_the_newest_spans_stay(tracing):
    memory, tracer = tracing(most_spans=3)
    make_traces(tracer, 1, spans=10)
    assert names(memory) == [["t0", "child", "child"]]


def test_a_single_span_stays_however_large(tracing):
    memory, tracer = tracing(most_bytes=1000)
    make_traces(tracer, 1, spans=1, text="x" * 5000)
    make_traces(tracer, 1, spans=2, text="x" * 5000)
    assert names(memory) == [["t0"]]


def test_it_can_be_read_after_its_end(tracing):
    memory, tracer = tracing()
    make_traces(tracer, 1)
    assert memory.force_flush()
    memory.shutdown()
    assert names(memory) == [["t0"]]


class Slow:
    """A span whose texts are being measured until a fork begins, and no longer than that."""

    context = SimpleNamespace(trace_id=1)

    def __init__(self):
        self.is_measured, self._forking = threading.Event(), threading.Event()
        os.register_at_fork(before=self._forking.set)

    @property
    def attributes(self):
        self.is_measured.set()
        self._forking.wait(10)
        return {}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_child_forked_while_a_span_is_kept_can_keep_and_read(tracing):
    memory, tracer = tracing()
    make_traces(tracer, 1)
    slow = Slow()
    keeping = threading.Thread(target=memory.on_end, args=(slow,))
    keeping.start()
    assert slow.is_measured.wait(10)
    if (child := os.fork()) == 0:  # pragma: no cover - in a process that measures nothing
        status = 1
        try:
            signal.alarm(10)  # one that waits for ever ends so
            make_traces(tracer, 2)
            spans = [trace.spans for trace in memory._traces.values()]
            assert sum(map(len, spans)) == memory._spans == 4
            status = 0
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0
    keeping.join(10)
    make_traces(tracer, 1)


def test_it_is_kept_only_where_there_is_no_store(tmp_path):
    interceptor.configure(store=tmp_path / "traces.db")
    with interceptor.span("stored") as span:
        pass
    assert interceptor.get_trace(span.trace_id).name == "stored"
    assert [one.name for one in interceptor.store.Store(tmp_path / "traces.db").latest()] == [
        "stored"
    ]
    interceptor.configure(store="off", content="metadata")
    with interceptor.span("kept") as kept:
        kept.set_output("words")
    assert interceptor.get_trace(kept.trace_id).root.output is None
    with pytest.raises(StoreError, match="no trace in the store at 'memory'"):
        interceptor.get_trace(span.trace_id)
    interceptor.shutdown()
