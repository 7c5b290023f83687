"""Several processes at once, some of them killed."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing

import pytest

from interceptor.store import Store
from interceptor.store.exporter import StoreExporter

SETUP = """
import random, sys, time
from opentelemetry.sdk.trace import TracerProvider
from interceptor.store.exporter import StoreExporter
from interceptor.store.processor import StoreProcessor

path, name = sys.argv[1:]
processor = StoreProcessor(StoreExporter(path))
provider = TracerProvider(shutdown_on_exit=False)
provider.add_span_processor(processor)
tracer = provider.get_tracer("test")
"""

UNTIL_KILLED = """
chance = random.Random(name)
hung = tracer.start_span(f"{name} hung", start_time=1)
number = 0
while True:
    number += 1
    span = tracer.start_span(f"{name} {number}")
    span.set_attribute("input.value", "x" * chance.randrange(4_000))
    span.end()
    print(time.time_ns(), f"{name} {number}", flush=True)
    time.sleep(chance.random() / 20)
"""

A_HUNDRED = """
for number in range(100):
    with tracer.start_as_current_span(f"{name} {number}"):
        with tracer.start_as_current_span("child", attributes={"mistral_ai.endpoint": "x"}):
            pass
    time.sleep(0.005)
"""


def start(code, path, name):
    environ = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", SETUP + code, str(path), name]
    return subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True)


def is_whole(path):
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("INSERT INTO texts (texts) VALUES ('integrity-check')")
        return connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "traces.db"


def killed(process, moment):
    """Kill a process that many seconds after its first span; give the spans to be found."""
    lines = [process.stdout.readline()]
    time.sleep(moment)
    process.kill()
    at_unix_ns = time.time_ns()
    lines += process.stdout.readlines()[:-1]  # the last one may be cut
    process.stdout.close()
    assert process.wait() == -signal.SIGKILL
    ended = [line.rstrip("\n").split(" ", 1) for line in lines]
    return {name for unix_ns, name in ended if int(unix_ns) < at_unix_ns - 1_000_000_000}


@pytest.mark.skipif(sys.platform == "win32", reason="it has no SIGKILL")
def test_after_kill_9_all_that_ended_a_second_before_is_there(path):
    expected, names = set(), []
    for moments in ([0.5, 0.3, 1.1, 0.2], [1.2, 0.1, 0.4, 0.9], [0.01, 1.3, 0.6, 0.7]):
        batch = [f"writer{len(names) + number}" for number in range(len(moments))]
        names += batch
        processes = [start(UNTIL_KILLED, path, name) for name in batch]
        for process, moment in zip(processes, moments, strict=True):
            expected |= killed(process, moment)
        assert is_whole(path)
    found = Store(path).latest(100_000)
    assert expected
    assert expected <= {trace.name for trace in found}
    lost = Store(path).search(status="lost", limit=100)
    assert sorted(trace.name for trace in lost) == sorted(f"{name} hung" for name in names)


def test_several_write_while_another_reads(path):
    StoreExporter(path).shutdown()
    processes = [start(A_HUNDRED, path, f"writer{number}") for number in range(4)]
    counts = []
    while any(process.poll() is None for process in processes):
        traces = Store(path).latest(1000)
        counts.append(len(traces))
        for trace in traces[:3]:
            assert len(Store(path).trace(trace.trace_id)) >= trace.span_count
    for process in processes:
        process.stdout.close()
        assert process.wait() == 0
    assert counts == sorted(counts)
    traces = Store(path).latest(1000)
    assert len({trace.name for trace in traces}) == len(traces) == 400
    assert {(trace.span_count, trace.call_count) for trace in traces} == {(2, 1)}
    assert Store(path).lost() is None
    assert is_whole(path)
