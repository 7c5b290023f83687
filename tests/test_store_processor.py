"""What ended is written soon, what runs is shown, and nothing waits for that."""

import gc
import multiprocessing
import os
import sqlite3
import subprocess
import sys
import threading
import weakref
from contextlib import closing, contextmanager

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import Decision, StaticSampler

from interceptor.store import State, Status, Store
from interceptor.store._forks import using
from interceptor.store.exporter import StoreExporter
from interceptor.store.processor import StoreProcessor
from tests.waiting import until


@pytest.fixture
def path(tmp_path):
    return tmp_path / "traces.db"


@pytest.fixture
def make(path):
    """Give a function that makes a processor, and a tracer whose spans it sees."""
    made = []

    def make(*, sampler=None, **options):
        processor = StoreProcessor(StoreExporter(path), **options)
        provider = TracerProvider(sampler=sampler, shutdown_on_exit=False)
        provider.add_span_processor(processor)
        made.append(provider)
        return processor, provider.get_tracer("test")

    yield make
    for provider in made:
        provider.shutdown()


@contextmanager
def busy():
    """Keep SQLite from being used, as a long write in another thread does."""
    held, done = threading.Event(), threading.Event()

    def hold():
        with using:
            held.set()
            done.wait()

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait()
    try:
        yield
    finally:
        done.set()
        thread.join()


def names(path):
    return sorted(trace.name for trace in Store(path).latest(1000))


def test_what_ended_is_written_without_asking(make, path):
    _, tracer = make()
    tracer.start_span("quick").end()
    (found,) = until(Store(path).latest)
    assert (found.name, found.state) == ("quick", State.ENDED)


def test_flush_waits_until_all_is_written(make, path):
    processor, tracer = make(gather_s=60)
    for number in range(600):
        tracer.start_span(f"span {number}").end()
    assert processor.force_flush()
    assert len(names(path)) == 600
    assert processor.force_flush()


def test_flush_with_nothing_to_do_starts_no_thread(make):
    processor, _ = make()
    assert processor.force_flush()
    assert processor._thread is None


def test_an_open_span_is_shown_as_running_with_what_it_has(make, path):
    _, tracer = make(running_after_s=0.05)
    span = tracer.start_span("slow", attributes={"input.value": "a question"})
    (found,) = until(Store(path).latest)
    assert (found.name, found.status, found.end_unix_ns) == ("slow", Status.RUNNING, None)
    (running,) = Store(path).trace(found.trace_id)
    assert (running.attributes, running.pid) == ({"input.value": "a question"}, os.getpid())
    span.set_attribute("output.value", "an answer")
    span.end()
    until(lambda: Store(path).latest()[0].state is State.ENDED)
    (ended,) = Store(path).trace(found.trace_id)
    assert ended.attributes == {"input.value": "a question", "output.value": "an answer"}
    assert ended.pid is None


def test_each_open_span_gets_its_turn(make, path):
    _, tracer = make(running_after_s=0.05)
    first = tracer.start_span("first")
    until(lambda: names(path) == ["first"])
    second = tracer.start_span("second")
    until(lambda: names(path) == ["first", "second"])
    first.end()
    second.end()


def test_a_span_that_began_elsewhen_is_shown_too(make, path):
    _, tracer = make()
    long_ago = tracer.start_span("long ago", start_time=1)
    until(lambda: names(path) == ["long ago"])
    long_ago.end()


def test_a_short_span_is_never_running(make, path):
    processor, tracer = make(running_after_s=60)
    open_one = tracer.start_span("open")
    tracer.start_span("short").end()
    assert processor.force_flush()
    assert names(path) == ["short"]
    open_one.end()


def test_an_open_span_that_nobody_ends_is_let_go(make, path):
    processor, tracer = make(running_after_s=0.01)
    span = weakref.ref(tracer.start_span("forgotten"))
    until(lambda: names(path) == ["forgotten"] and span() is None)
    assert not processor._open


def test_attributes_may_change_while_they_are_read(make, path):
    processor, tracer = make(running_after_s=0, gather_s=0, limit=10_000)
    for _ in range(1000):
        with tracer.start_as_current_span("restless") as span:
            for number in range(50):
                span.set_attribute(f"key{number % 7}", number)
    assert processor.force_flush()
    assert Store(path).latest(1000)[-1].name == "restless"
    assert processor._exporter.lost == 0


def test_only_what_is_wanted_is_kept(make, path):
    processor, tracer = make(wants=lambda span: span.name == "mine", running_after_s=0)
    mine, theirs = tracer.start_span("mine"), tracer.start_span("theirs")
    theirs.end()
    mine.end()
    assert processor.force_flush()
    assert names(path) == ["mine"]


@pytest.mark.parametrize("decision", [Decision.DROP, Decision.RECORD_ONLY])
def test_what_is_not_sampled_is_not_kept(make, path, decision):
    processor, tracer = make(sampler=StaticSampler(decision), running_after_s=0)
    tracer.start_span("not me").end()
    assert processor.force_flush()
    assert names(path) == []


def test_spans_begin_and_end_while_nothing_can_be_written(make, path):
    processor, tracer = make(gather_s=0)
    with busy():
        for number in range(100):
            tracer.start_span(f"span {number:02}").end()
        assert not processor.force_flush(timeout_millis=20)
    assert processor.force_flush()
    assert len(names(path)) == 100


def test_beyond_the_limit_spans_are_counted(make, path):
    processor, tracer = make(gather_s=0, limit=10)
    with busy():
        tracer.start_span("taken").end()
        until(processor._queue.empty)
        for _ in range(13):
            tracer.start_span("waiting").end()
    assert not processor.force_flush()
    assert len(names(path)) == 11
    assert Store(path).lost().count == 3
    assert "more than 10 spans waited" in Store(path).lost().reason
    assert processor.force_flush(), "what is lost is said once"


def test_where_no_thread_can_be_started_a_flush_writes(make, path, monkeypatch):
    def refuse(self):
        raise RuntimeError("can't start new thread")

    processor, tracer = make()
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        tracer.start_span("alone").end()
        assert processor.force_flush()
    assert names(path) == ["alone"]
    tracer.start_span("together").end()
    until(lambda: names(path) == ["alone", "together"])


def test_many_threads_start_one_writer(make, path):
    processor, tracer = make()
    go = threading.Barrier(8)

    def work():
        go.wait()
        tracer.start_span("span").end()

    workers = [threading.Thread(target=work) for _ in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert processor.force_flush()
    assert len(names(path)) == 8
    writers = [thread for thread in threading.enumerate() if thread.name == "interceptor-store"]
    assert len(writers) == 1


def test_shutdown_writes_what_is_queued_and_what_is_open(make, path):
    processor, tracer = make(gather_s=60, running_after_s=60)
    tracer.start_span("done").end()
    open_one = tracer.start_span("open")
    processor.shutdown()
    open_one.end()
    processor.shutdown()
    assert processor.force_flush()
    states = {trace.name: trace.state for trace in Store(path).latest()}
    assert states == {"done": State.ENDED, "open": State.RUNNING}
    assert "interceptor-store" not in [thread.name for thread in threading.enumerate()]


# Other processes

SETUP = """
import os, sys, time
from opentelemetry.sdk.trace import TracerProvider
from interceptor.store.exporter import StoreExporter
from interceptor.store.processor import StoreProcessor

processor = StoreProcessor(StoreExporter(sys.argv[1]))
provider = TracerProvider(shutdown_on_exit=False)
provider.add_span_processor(processor)
tracer = provider.get_tracer("test")
"""


def run(tmp_path, path, code):
    """Run a program of this set-up and this code, from a file, as `spawn` wants it."""
    script = tmp_path / "program.py"
    script.write_text(SETUP + code)
    command = [sys.executable, "-W", "ignore::DeprecationWarning", str(script), str(path)]
    environ = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        command, env=environ, capture_output=True, text=True, check=False, timeout=100
    )
    assert done.returncode == 0, done.stderr
    return done


def test_a_program_that_has_ended_leaves_one_file(tmp_path, path):
    """Somebody may copy it, or send it to somebody."""
    run(tmp_path, path, "tracer.start_span('the only one').end()")
    assert sorted(file.name for file in path.parent.glob(f"{path.name}*")) == [path.name]
    assert names(path) == ["the only one"]


def test_a_program_that_ends_at_once_leaves_everything(tmp_path, path):
    done = run(
        tmp_path,
        path,
        """
tracer.start_span("done").end()
still_open = tracer.start_span("open")
""",
    )
    assert done.stderr.count("\n") == 1, "only where the file is"
    states = {trace.name: trace.state for trace in Store(path).latest()}
    assert states == {"done": State.ENDED, "open": State.LOST}


HANGS = """
hung = tracer.start_span("hung", attributes={"input.value": "anybody?"})
while not processor._queue.empty() or processor._open:
    time.sleep(0.01)
processor.force_flush()
print("shown", flush=True)
time.sleep(100)
"""


def test_a_span_is_lost_when_its_process_dies(tmp_path, path):
    script = tmp_path / "program.py"
    script.write_text(SETUP + HANGS)
    environ = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, str(script), str(path)]
    with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "shown\n"
        (running,) = Store(path).search(status="running")
        assert Store(path).search(status="lost") == []
        process.kill()
    (lost,) = Store(path).search(status="lost")
    assert Store(path).search(status="running") == []
    assert (running.state, lost.state, lost.end_unix_ns) == (State.RUNNING, State.LOST, None)
    (span,) = Store(path).trace(lost.trace_id)
    assert (span.state, span.pid) == (State.LOST, process.pid)
    assert stored_states(path) == ["running"]
    StoreExporter(path).shutdown()
    assert stored_states(path) == ["lost"], "who opens it to write, writes that down"
    assert Store(path).latest()[0].state is State.LOST


def stored_states(path):
    with closing(sqlite3.connect(path)) as connection:
        return [state for (state,) in connection.execute("SELECT state FROM spans")]


needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")


@needs_fork
def test_parent_and_child_each_keep_their_own(tmp_path, path):
    run(
        tmp_path,
        path,
        """
tracer.start_span("before").end()
parents = tracer.start_span("of the parent", start_time=1)
processor.force_flush()
queued = tracer.start_span("queued")
queued.end()
pid = os.fork()
name = "parent" if pid else "child"
for number in range(3):
    tracer.start_span(f"{name} {number}").end()
if not pid:
    kept = processor.force_flush()
    os._exit(0 if kept else 1)
assert os.waitpid(pid, 0)[1] == 0
parents.end()
""",
    )
    assert names(path) == sorted(
        ["before", "queued", "of the parent"]
        + [f"{who} {number}" for who in ("parent", "child") for number in range(3)]
    )
    assert not Store(path).search(status="lost")


@needs_fork
def test_forks_while_threads_write(tmp_path, path):
    run(
        tmp_path,
        path,
        """
import threading
stop = threading.Event()
counts = []

def work():
    count = 0
    while not stop.is_set():
        tracer.start_span("parent").end()
        count += 1
        time.sleep(0.001)
    counts.append(count)

threads = [threading.Thread(target=work) for _ in range(3)]
for thread in threads:
    thread.start()
children = []
for _ in range(15):
    pid = os.fork()
    if not pid:
        for _ in range(5):
            tracer.start_span("child").end()
        os._exit(0 if processor.force_flush() else 1)
    children.append(pid)
    time.sleep(0.02)
assert [os.waitpid(pid, 0)[1] for pid in children] == [0] * 15
stop.set()
for thread in threads:
    thread.join()
assert processor.force_flush()
tracer.start_span(f"parent wrote {sum(counts)}").end()
""",
    )
    found = [trace.name for trace in Store(path).latest(100_000)]
    assert found.count("child") == 75
    assert f"parent wrote {found.count('parent')}" in found
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
def test_workers_of_multiprocessing_leave_everything(tmp_path, path, method):
    run(
        tmp_path,
        path,
        f"""
import multiprocessing

def work(number):
    tracer.start_span(f"worker {{number}}").end()

if __name__ == "__main__":
    context = multiprocessing.get_context({method!r})
    workers = [context.Process(target=work, args=(number,)) for number in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
""",
    )
    assert names(path) == ["worker 0", "worker 1"]


def test_the_collector_may_open_spans_while_open_ones_are_looked_at(make, path):
    """Until Python 3.12 it runs wherever an object is made, and other threads with it."""
    processor, tracer = make(running_after_s=0.001, gather_s=0)
    held, threshold = [], gc.get_threshold()

    def opened(phase, _):
        if phase == "start" and len(held) < 400:
            held.append(tracer.start_span("a"))

    gc.callbacks.append(opened)
    gc.set_threshold(1)
    try:
        until(lambda: len([[] for _ in range(10)]) and len(held) >= 400)  # two threads may add one
    finally:
        gc.callbacks.remove(opened)
        gc.set_threshold(*threshold)
    for span in held:
        span.end()
    assert processor.force_flush()
    assert len(Store(path).search(status="ok", limit=1000)) == len(held)
