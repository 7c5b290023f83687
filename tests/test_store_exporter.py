"""Keeping spans in the file, and what happens where that fails."""

import shutil
import sqlite3
import stat
import subprocess
import sys
import threading
from contextlib import closing

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExportResult

from interceptor.errors import StoreError
from interceptor.store import Store
from interceptor.store._losses import Losses, noted
from interceptor.store.exporter import StoreExporter
from interceptor.store.rows import State
from tests.store_spans import CALL, SECOND, START, message, span

SUCCESS, FAILURE = SpanExportResult.SUCCESS, SpanExportResult.FAILURE


@pytest.fixture
def path(tmp_path):
    return tmp_path / "traces.db"


@pytest.fixture
def exporter(path):
    exporter = StoreExporter(path, patience_s=0.3)
    yield exporter
    exporter.shutdown()


def is_whole(path):
    """Say whether the database and its full-text index hold together."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("INSERT INTO texts (texts) VALUES ('integrity-check')")
        return connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def names(path):
    return [trace.name for trace in Store(path).latest(1000)]


def test_what_is_exported_is_there(exporter, path):
    assert exporter.export([span("a"), span("b", trace=2, at=1)]) is SUCCESS
    assert names(path) == ["b", "a"]
    assert exporter.force_flush()
    assert exporter.lost == 0


def test_nothing_to_export_is_no_failure(exporter, path):
    assert exporter.export([]) is SUCCESS
    assert names(path) == []


def test_it_works_under_the_sdks_own_processor(path):
    exporter = StoreExporter(path)
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    with provider.get_tracer("mine").start_as_current_span("root"):
        pass
    provider.shutdown()
    (trace,) = Store(path).latest()
    (root,) = Store(path).trace(trace.trace_id)
    assert (root.name, root.scope, root.state) == ("root", "mine", State.ENDED)


def test_a_span_exported_twice_counts_once(exporter, path):
    call = span(attributes=CALL | {"gen_ai.usage.input_tokens": 3})
    exporter.export([call, call])
    exporter.export([call])
    (trace,) = Store(path).latest()
    assert (trace.span_count, trace.call_count, trace.input_tokens) == (1, 1, 3)


def test_a_running_span_ends(exporter, path):
    exporter.export([span("slow", lasts=None, attributes={"input.value": "early"})])
    (running,) = Store(path).latest()
    assert (running.state, running.end_unix_ns) == (State.RUNNING, None)
    exporter.export([span("slow", lasts=3, attributes={"output.value": "late"})])
    (ended,) = Store(path).latest()
    assert (ended.state, ended.end_unix_ns, ended.span_count) == (
        State.ENDED,
        START + 3 * SECOND,
        1,
    )
    (found,) = Store(path).trace(ended.trace_id)
    assert found.attributes == {"output.value": "late"}
    assert Store(path).search(text="late")
    assert not Store(path).search(text="early")
    assert is_whole(path)


def test_the_end_that_comes_before_its_beginning_stands(exporter, path):
    exporter.export([span("quick")])
    exporter.export([span("quick", lasts=None)])
    (trace,) = Store(path).latest()
    assert (trace.state, trace.span_count) == (State.ENDED, 1)


def test_a_span_taken_for_lost_may_still_end(exporter, path):
    exporter.export([span(lasts=None)])
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE spans SET state = 'lost'")
        connection.commit()
    assert Store(path).latest()[0].state is State.LOST
    exporter.export([span()])
    assert Store(path).latest()[0].state is State.ENDED


def test_large_and_odd_payloads_come_back(exporter, path):
    attributes = {
        "gen_ai.output.messages": message("x" * 300_000),
        "gen_ai.input.messages": message("y " * 150_000, role="user"),
        "odd": "a\0b\n\u2028🜚",
        "numbers": (1, 2.5, -(2**63)),
    }
    assert exporter.export([span("a\0b", attributes=attributes)]) is SUCCESS
    (found,) = Store(path).trace(f"{1:032x}")
    assert found.name == "a\0b"
    assert found.attributes == attributes | {"numbers": [1, 2.5, -(2**63)]}


def test_one_span_that_cannot_be_read_takes_no_other_with_it(exporter, path):
    odd = ReadableSpan("odd", context=None)
    assert exporter.export([span("a"), odd, span("b", trace=2)]) is FAILURE
    assert sorted(names(path)) == ["a", "b"]
    assert exporter.lost == 1
    assert "a span named 'odd' cannot be read" in Store(path).lost().reason


def test_the_first_line_says_where_and_how_to_record_less(path, capsys):
    for _ in range(2):
        StoreExporter(path).shutdown()
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    for part in (str(path), "INTERCEPTOR_CONTENT=metadata", "INTERCEPTOR_STORE=off"):
        assert part in said


def test_nobody_to_tell(path, monkeypatch):
    monkeypatch.setattr(sys, "stderr", None)
    StoreExporter(path).shutdown()
    assert path.exists()


# The size cap


def fat(trace, *, at=None, number=1, lasts=1, kilobytes=10):
    """Give a span that says this much, and one word that no other trace says."""
    attributes = {"input.value": f"word{trace}x " + "and so on " * 100 * kilobytes}
    return span(
        f"t{trace}",
        trace=trace,
        number=number,
        at=trace if at is None else at,
        lasts=lasts,
        attributes=attributes,
    )


@pytest.fixture
def small(path):
    exporter = StoreExporter(path, max_mb=2)
    yield exporter
    exporter.shutdown()


def test_the_oldest_traces_go_first(small, path):
    for trace in range(1, 201):
        small.export([fat(trace)])
        assert path.stat().st_size < 2_000_000
    kept = names(path)
    assert kept == [f"t{trace}" for trace in range(200, 200 - len(kept), -1)]
    assert 50 < len(kept) < 150
    assert Store(path).search(text="word200x")
    assert not Store(path).search(text="word1x")
    assert small.lost == 0
    assert is_whole(path)


def test_traces_go_whole(small, path):
    for trace in range(1, 60):
        small.export([fat(trace, number=1), fat(trace, number=2, at=trace + 0.5)])
    kept = Store(path).latest(1000)
    assert len(kept) < 59
    for trace in kept:
        assert len(Store(path).trace(trace.trace_id)) == trace.span_count == 2


def test_a_running_trace_stays(small, path):
    small.export([fat(1, lasts=None)])
    for trace in range(2, 100):
        small.export([fat(trace)])
    assert names(path)[-1] == "t1"
    small.export([fat(1, number=1)])
    for trace in range(100, 200):
        small.export([fat(trace)])
    assert "t1" not in names(path)


def test_the_trace_that_is_being_written_stays(small, path):
    for number in range(1, 40):
        small.export([fat(7, number=number, kilobytes=100)])
    (trace,) = Store(path).latest()
    assert trace.span_count == 39
    small.export([fat(8)])
    assert names(path) == ["t8"]
    assert small.lost == 0


# The file goes away


def test_a_deleted_file_is_made_anew(exporter, path, capsys):
    exporter.export([span("before")])
    for file in path.parent.iterdir():
        file.unlink()
    assert exporter.export([span("after", trace=2)]) is SUCCESS
    assert names(path) == ["after"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600 or sys.platform == "win32"
    assert "traces are kept in" not in capsys.readouterr().err, "it was said when first made"
    assert is_whole(path)


def test_so_is_a_deleted_folder(tmp_path):
    path = tmp_path / "folder" / "traces.db"
    exporter = StoreExporter(path)
    shutil.rmtree(path.parent)
    assert exporter.export([span("after")]) is SUCCESS
    assert names(path) == ["after"]
    exporter.shutdown()


def test_a_file_deleted_just_while_it_is_written(exporter, path):
    exporter.export([span("before")])

    def delete(statement):
        if statement == "COMMIT":
            path.unlink(missing_ok=True)

    exporter._connection.set_trace_callback(delete)
    assert exporter.export([span("during", trace=2)]) is SUCCESS
    assert names(path) == ["during"]


def test_two_that_lose_their_file_share_the_next(path):
    first, second = StoreExporter(path), StoreExporter(path)
    for exporter in (first, second):
        exporter.export([span("before")])
    path.unlink()  # not what SQLite keeps beside it
    first.export([span("a", trace=2)])
    second.export([span("b", trace=3, at=1)])
    first.export([span("c", trace=4, at=2)])
    assert names(path) == ["c", "b", "a"]
    assert is_whole(path)
    first.shutdown()
    second.shutdown()
    assert names(path) == ["c", "b", "a"]


# It cannot be written


def test_a_full_disk_is_survived(exporter, path, capsys):
    exporter.export([span("before")])
    exporter._connection.execute("PRAGMA max_page_count = 1")
    assert exporter.export([fat(2), fat(3)]) is FAILURE
    assert exporter.lost == 2
    assert exporter.export([span("after", trace=4)]) is SUCCESS
    assert sorted(names(path)) == ["after", "before"]
    loss = Store(path).lost()
    assert (loss.count, loss.reason) == (2, "database or disk is full")
    assert loss.at_unix_ns > START
    assert is_whole(path)
    capsys.readouterr()
    exporter.shutdown()
    exporter.shutdown()
    assert capsys.readouterr().err == (
        f"interceptor: in {path}, 2 spans could not be kept: database or disk is full\n"
    )


@pytest.fixture
def lock(path, exporter):
    """Another process's hold on the store, as far as SQLite can tell."""
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield other


def test_a_lock_that_lasts_too_long(exporter, path, lock):
    assert exporter.export([span("during")]) is FAILURE
    lock.execute("ROLLBACK")
    assert exporter.export([span("after", trace=2)]) is SUCCESS
    assert names(path) == ["after"]
    assert (exporter.lost, Store(path).lost().count) == (1, 1)
    assert "locked" in Store(path).lost().reason


def test_a_lock_is_waited_for(path, lock):
    exporter = StoreExporter(path, patience_s=30)
    thread = threading.Thread(target=exporter.export, args=([span("patient")],))
    thread.start()
    lock.execute("ROLLBACK")
    thread.join()
    assert (names(path), exporter.lost) == (["patient"], 0)
    exporter.shutdown()


def test_a_locked_store_can_be_opened(path, lock):
    StoreExporter(path).shutdown()


def test_a_newer_version_that_comes_meanwhile(exporter, path):
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")
    exporter.before_fork()  # closes it, so that it is opened again
    assert exporter.export([span()]) is FAILURE
    assert "version 99" in noted(path).reason


def test_after_shutdown_spans_are_lost(exporter, path):
    exporter.shutdown()
    assert exporter.export([span()]) is FAILURE
    assert exporter.lost == 1
    assert "shut down" in Store(path).lost().reason


AT_EXIT = """
import sqlite3, sys
from interceptor.store.exporter import StoreExporter
from tests.store_spans import span
exporter = StoreExporter(sys.argv[1], patience_s=0)
other = sqlite3.connect(sys.argv[1], isolation_level=None)
other.execute("BEGIN IMMEDIATE")
for trace in range(1, 4):
    exporter.export([span(trace=trace)])
"""


def test_what_was_lost_is_said_once_at_exit(path):
    StoreExporter(path).shutdown()
    command = [sys.executable, "-c", AT_EXIT, str(path)]
    said = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=True).stderr
    assert said == f"interceptor: in {path}, 3 spans could not be kept: database is locked\n"
    assert Store(path).lost().count == 3


# Notes of what was lost


def test_losses_of_all_processes_are_added_up(path):
    first, second = Losses(path), Losses(path)
    first.add(2, "locked")
    second.add(3, "full")
    assert (noted(path).count, noted(path).reason) == (5, "full")


def test_notes_are_few(path):
    losses = Losses(path)
    for _ in range(1000):
        losses.add(1, "full")
    losses.note()
    assert noted(path).count == 1000
    assert len(path.with_name("traces.db-lost").read_bytes().splitlines()) == 2


def test_a_note_that_cannot_be_written_waits(tmp_path):
    path = tmp_path / "folder" / "traces.db"
    losses = Losses(path)
    losses.add(2, "gone")
    assert noted(path) is None
    path.parent.mkdir()
    losses.add(1, "gone")
    losses.note()
    losses.note()
    assert noted(path).count == 3


def test_a_note_cut_short_is_passed_over(path):
    file = path.with_name("traces.db-lost")
    file.write_bytes(b'{"count":7,"rea')
    assert noted(path) is None
    file.write_bytes(b"")
    Losses(path).add(2, "full")
    with file.open("ab") as end:
        end.write(b'{"count":7,"rea')
    assert noted(path).count == 2


def test_a_store_that_cannot_be_opened_says_so_at_once(tmp_path):
    with pytest.raises(StoreError, match="it is a folder"):
        StoreExporter(tmp_path)


def test_a_path_may_begin_with_a_tilde(tmp_path, monkeypatch):
    """No shell has looked at what a Dockerfile or a service's file says."""
    monkeypatch.setenv("HOME", str(tmp_path))
    exporter = StoreExporter("~/kept/traces.db")
    exporter.shutdown()
    assert exporter.path == tmp_path / "kept" / "traces.db"
    assert Store("~/kept/traces.db").path.exists()
