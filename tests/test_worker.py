"""Jobs run once, in their order, within a budget, and nobody who submits one ever waits."""

import gc
import logging
import os
import sys
import threading

import pytest

from interceptor import worker as module
from interceptor.worker import Worker
from tests.waiting import until


class Job:
    """A job that says what happens to it; while `gate` is shut, it runs on."""

    def __init__(self, log, name="job", size=0, *, gate=None, error=None):
        self.log, self.name, self.size_bytes = log, name, size
        self.gate, self.error = gate, error

    def run(self):
        if self.gate is not None:
            self.gate.wait()
        self.log.append(self.name)
        if self.error is not None:
            raise self.error

    def let_go(self):
        self.log.append(f"{self.name} let go")


@pytest.fixture
def log():
    return []


@pytest.fixture
def worker():
    return Worker(budget_bytes=1000)


@pytest.fixture
def busy(worker):
    """Keep the worker at a job, so that whatever is submitted waits; give what lets it go on."""
    gate, began = threading.Event(), threading.Event()

    class Waiting(Job):
        def run(self):
            began.set()
            gate.wait()

    worker.start()
    worker.submit(Waiting([]))
    began.wait()
    yield gate
    gate.set()


def submit(worker, log, **sizes):
    for name, size in sizes.items():
        worker.submit(Job(log, name, size))


def test_jobs_run_in_their_order(worker, log):
    worker.start()
    submit(worker, log, a=1, b=2, c=3)
    assert worker.flush(10)
    assert log == ["a", "b", "c"]


def test_what_was_submitted_before_the_thread_runs_after_it_has_started(worker, log):
    submit(worker, log, a=1)
    assert not worker.flush(0)  # and says so, rather than wait for nobody
    worker.start()
    assert worker.flush(10)
    assert log == ["a"]


def test_flush_without_work_starts_no_thread(worker):
    assert worker.flush(0)
    assert worker._thread is None


def test_flush_does_not_wait_longer_than_it_may(worker, busy, log):
    submit(worker, log, late=1)
    assert not worker.flush(0.01)
    assert log == []
    busy.set()
    assert worker.flush(10)
    assert log == ["late"]


def test_a_job_that_flushes_does_not_wait_for_itself(worker, log):
    class Flushing(Job):
        def run(self):
            worker.submit(Job(log, "behind it"))
            log.append(worker.flush(60))

    worker.start()
    worker.submit(Flushing(log))
    assert worker.flush(10)
    until(lambda: log == [False, "behind it"])


@pytest.mark.parametrize("error", [ValueError("no"), KeyboardInterrupt(), SystemExit(1)], ids=repr)
def test_the_thread_outlives_a_job_that_raises(worker, log, error, caplog):
    caplog.set_level(logging.DEBUG, logger="interceptor")
    worker.start()
    worker.submit(Job(log, "raises", error=error))
    worker.submit(Job(log, "next"))
    assert worker.flush(10)
    assert log == ["raises", "next"]
    assert f"a recorded call was lost; the call itself is unaffected ({type(error).__name__}:" in (
        caplog.text
    )


# The budget


LETTING_GO = {
    "within it": ({"a": 400, "b": 600}, []),
    "the one that is over it": ({"a": 1001}, ["a"]),
    "the largest before the oldest": ({"small": 100, "large": 800, "last": 200}, ["large"]),
    "the oldest of those alike": ({"x": 200, "old": 300, "new": 500, "newer": 400}, ["old", "new"]),
    "as many as it takes": ({"a": 600, "b": 600, "c": 600}, ["a", "b"]),
    "small ones after large ones": (
        {"a": 200, "b": 200, "c": 200, "d": 200, "e": 200, "f": 3000},
        ["f"],
    ),
    "what holds nothing is never asked": ({"empty": 0, "a": 700, "b": 700}, ["a"]),
}


@pytest.mark.parametrize(("sizes", "let_go"), LETTING_GO.values(), ids=LETTING_GO)
def test_past_the_budget_jobs_let_go(worker, busy, log, sizes, let_go):
    submit(worker, log, **sizes)
    assert log == [f"{name} let go" for name in let_go]
    assert worker.let_go_count == len(let_go)
    log.clear()
    busy.set()
    assert worker.flush(10)
    assert log == list(sizes)  # all of them run, in their order


def test_what_has_run_counts_no_more(worker, log):
    worker.start()
    for _ in range(5):
        submit(worker, log, a=900)
        assert worker.flush(10)
    assert worker.let_go_count == 0


def test_what_has_been_let_go_counts_no_more(worker, busy, log):
    submit(worker, log, a=1500, b=900)
    assert log == ["a let go"]


# Many threads, and finalisers


def test_threads_that_start_it_at_once_start_one_thread(log):
    begun = threading.Barrier(8)
    before = threading.active_count()
    worker = Worker(budget_bytes=1000, name="the only one")

    def begin():
        begun.wait()
        worker.start()
        worker.submit(Job(log))

    threads = [threading.Thread(target=begin) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert worker.flush(10)
    assert len(log) == 8
    assert [one.name for one in threading.enumerate()].count("the only one") == 1
    assert threading.active_count() == before + 1


def test_jobs_of_many_threads_run_once_each():
    worker, ran = Worker(budget_bytes=5_000), []
    worker.start()

    def submit_many(number):
        for one in range(500):
            worker.submit(Job(ran, (number, one), size=one))

    threads = [threading.Thread(target=submit_many, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert worker.flush(30)
    names = [name for name in ran if isinstance(name, tuple)]
    assert len(names) == 2000
    assert set(names) == {(number, one) for number in range(4) for one in range(500)}
    assert len(ran) - len(names) == worker.let_go_count
    assert worker._held_bytes == 0


def test_a_finaliser_may_submit_wherever_it_interrupts_us():
    """A function that runs between any two lines of the worker's stands for the collector."""
    worker, ran = Worker(budget_bytes=500), []
    path, inside, submitted = module.__file__, [], []

    def interrupt(frame, event, _argument):
        if frame.f_code.co_filename != path or inside:
            return None if inside else interrupt
        if event == "line":
            inside.append(True)  # a finaliser is not interrupted by itself
            submitted.append(len(submitted))
            worker.submit(Job(ran, submitted[-1], size=200))
            inside.pop()
        return interrupt

    worker.start()
    before = sys.gettrace()  # a measurement of coverage, or None
    sys.settrace(interrupt)
    try:
        worker.start()
        for _ in range(20):
            worker.submit(Job(ran, "ours", size=200))
    finally:
        sys.settrace(before)
    assert worker.flush(30)
    names = [name for name in ran if not str(name).endswith("let go")]
    assert names.count("ours") == 20
    assert sorted(name for name in names if name != "ours") == submitted
    assert len(submitted) > 100


def test_the_collector_may_submit_while_we_are_at_work(worker):
    ran, made = [], 0

    class Cycle:
        def __init__(self):
            self.itself = self

        def __del__(self):
            worker.submit(Job(ran, "collected", size=100))

    worker.start()
    threshold = gc.get_threshold()
    gc.set_threshold(1)
    try:
        for _ in range(200):
            Cycle()
            made += 1
            worker.submit(Job(ran, "ours", size=100))
    finally:
        gc.set_threshold(*threshold)
    gc.collect()
    assert worker.flush(30)
    names = [name for name in ran if not name.endswith("let go")]
    assert (names.count("ours"), names.count("collected")) == (200, made)


# Sleeping and waking


def test_it_sleeps_while_nothing_is_foreseen_and_start_wakes_it(log):
    worker = Worker(budget_bytes=1000)
    worker.start()
    until(lambda: worker._is_asleep)
    worker.start()
    assert not worker._is_asleep
    submit(worker, log, a=1)
    until(lambda: log == ["a"])  # nobody flushes: it came by itself
    until(lambda: worker._is_asleep)


def test_it_stays_awake_while_something_is_foreseen(log):
    foreseen, asked = [True], []
    worker = Worker(budget_bytes=1000, is_needed=lambda: asked.append(True) or bool(foreseen))
    worker.start()
    until(lambda: len(asked) >= 3)  # it has looked more than once, and went on
    assert not worker._is_asleep
    submit(worker, log, a=1)
    until(lambda: log == ["a"])
    foreseen.clear()
    until(lambda: worker._is_asleep)


def test_between_the_jobs_it_sees_to_what_is_under_way(log):
    seen = threading.Event()

    def look():
        seen.set()
        raise ValueError("a mistake of ours")  # which the thread outlives

    worker = Worker(budget_bytes=1000, is_needed=lambda: True, meanwhile=look)
    worker.start()
    assert seen.wait(30)
    submit(worker, log, a=1)
    until(lambda: log == ["a"])


def test_flush_wakes_it(log):
    worker = Worker(budget_bytes=1000)
    worker.start()
    until(lambda: worker._is_asleep)
    submit(worker, log, a=1)  # by a finaliser, say: nobody had foreseen it
    assert worker.flush(10)
    assert log == ["a"]


def test_no_job_is_forgotten_between_falling_asleep_and_waking(log):
    worker = Worker(budget_bytes=1 << 20)
    for number in range(8):
        until(lambda: worker._is_asleep or worker._thread is None)
        worker.start()
        submit(worker, log, **{f"job {number}": 1})
        until(lambda: len(log) == number + 1)  # noqa: B023 - it is asked in this turn
    assert log == [f"job {number}" for number in range(8)]


# Where there is no thread, and after a fork


def test_where_no_thread_can_be_had_the_next_start_tries_again(worker, log, monkeypatch):
    def refuse(self):
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        with pytest.raises(RuntimeError, match="can't start new thread"):
            worker.start()
    submit(worker, log, a=1)
    worker.start()
    assert worker.flush(10)
    assert log == ["a"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_after_a_fork_the_child_has_a_queue_and_a_thread_of_its_own(worker, busy, log):
    submit(worker, log, parents=2000)  # too much: `let_go_count` is the parent's too
    came, went = os.pipe()
    if (child := os.fork()) == 0:  # pragma: no cover - in a process that measures nothing
        status = 1
        try:
            assert worker.let_go_count == 0
            assert worker.flush(0)
            worker.start()
            submit(worker, log, childs=1)
            assert worker.flush(10)
            os.write(went, repr(log).encode())
            status = 0
        finally:
            os._exit(status)
    os.close(went)
    said = os.read(came, 1000).decode()
    os.close(came)
    assert os.waitpid(child, 0)[1] == 0
    assert said == "['parents let go', 'childs']"
    busy.set()
    assert worker.flush(10)
    assert log == ["parents let go", "parents"]


def test_a_pause_comes_back():
    module.pause()
