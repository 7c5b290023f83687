"""Making, opening and migrating the file."""

import os
import sqlite3
import stat
import sys
import threading
from contextlib import closing

import pytest

from interceptor.errors import StoreError
from interceptor.store import Store, default_path
from interceptor.store.exporter import StoreExporter
from interceptor.store.schema import (
    MIGRATIONS,
    _version,
    connect_to_read,
    connect_to_write,
    is_locked,
    make_file,
)
from tests.store_spans import span


@pytest.fixture
def path(tmp_path):
    return tmp_path / "traces.db"


@pytest.fixture
def store(path):
    """A store with one trace in it, closed."""
    exporter = StoreExporter(path)
    exporter.export([span("before")])
    exporter.shutdown()
    return path


def version(path):
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("PRAGMA user_version").fetchone()[0]


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_the_default_is_in_the_users_state_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert default_path().parts[-2:] == ("interceptor", "traces.db")
    if sys.platform == "linux":
        assert default_path().is_relative_to(tmp_path)


def test_only_the_first_makes_the_file(path):
    assert make_file(path)
    connect_to_write(path).close()
    assert not make_file(path)


def test_an_empty_file_that_nobody_fills_is_taken(path):
    path.touch()
    assert not make_file(path)
    connect_to_write(path).close()
    assert version(path) == len(MIGRATIONS)


@pytest.mark.skipif(sys.platform == "win32", reason="it has no modes")
def test_only_the_user_can_read_it(tmp_path):
    old = os.umask(0)
    try:
        path = tmp_path / "new" / "folder" / "traces.db"
        exporter = StoreExporter(path)
        exporter.export([span()])
        files = sorted(path.parent.iterdir())
        assert [file.name for file in files] == ["traces.db", "traces.db-shm", "traces.db-wal"]
        assert {mode(file) for file in files} == {0o600}
        assert mode(path.parent) == 0o700
        exporter.shutdown()
    finally:
        os.umask(old)


def test_a_folder_that_was_there_keeps_its_mode(tmp_path):
    tmp_path.chmod(0o755)
    make_file(tmp_path / "traces.db")
    assert mode(tmp_path) == 0o755


def test_leftovers_of_a_deleted_file_are_not_taken_for_ours(store):
    with closing(sqlite3.connect(store)) as connection:
        connection.execute("UPDATE spans SET name = 'in the log'")
        connection.commit()
        log = store.with_name("traces.db-wal").read_bytes()
        index = store.with_name("traces.db-shm").read_bytes()
    store.unlink()
    store.with_name("traces.db-wal").write_bytes(log)
    store.with_name("traces.db-shm").write_bytes(index)
    exporter = StoreExporter(store)
    exporter.export([span("after", trace=2)])
    assert [trace.name for trace in Store(store).latest()] == ["after"]
    exporter.shutdown()


def add_colours(connection):
    connection.execute("ALTER TABLE traces ADD COLUMN colour TEXT NOT NULL DEFAULT 'blue'")


def rename_colours(connection):
    connection.execute("ALTER TABLE traces RENAME COLUMN colour TO color")


def break_down(connection):
    connection.execute("ALTER TABLE traces ADD COLUMN half TEXT")
    connection.execute("ALTER TABLE nonsense ADD COLUMN half TEXT")


def test_an_older_store_goes_through_what_it_lacks(store):
    later = (*MIGRATIONS, add_colours, rename_colours)
    with closing(connect_to_write(store, migrations=later[:-1])) as connection:
        assert connection.execute("SELECT name, colour FROM traces").fetchall() == [
            ("before", "blue")
        ]
    with closing(connect_to_write(store, migrations=later)) as connection:
        assert connection.execute("SELECT name, color FROM traces").fetchall() == [
            ("before", "blue")
        ]
    assert version(store) == len(later)


def test_a_store_of_the_first_version_is_read_and_written(path):
    """Its calls are known as calls; that of their attempts nothing is known is no harm."""
    make_file(path)
    with closing(connect_to_write(path, migrations=MIGRATIONS[:1])) as connection:
        connection.executemany(
            "INSERT INTO spans (trace_id, span_id, name, kind, start_unix_ns, end_unix_ns, state,"
            " failed, endpoint) VALUES ('a', ?, 'x', 'y', 1, 2, 'ended', 0, ?)",
            [("0", "chat.completions"), ("1", None)],
        )
    exporter = StoreExporter(path)
    exporter.export([span("after")])
    exporter.shutdown()
    assert version(path) == len(MIGRATIONS)
    assert Store(path).latest()[0].attempt is None
    with closing(connect_to_read(path)) as connection:
        found = connection.execute(
            "SELECT is_call FROM spans WHERE trace_id = 'a' ORDER BY span_id"
        )
        assert found.fetchall() == [(1,), (0,)]


def test_a_migration_that_fails_changes_nothing(store):
    with pytest.raises(StoreError, match="no such table: nonsense"):
        connect_to_write(store, migrations=(*MIGRATIONS, break_down))
    assert version(store) == len(MIGRATIONS)
    assert [trace.name for trace in Store(store).latest()] == ["before"]


def test_reading_finishes_a_store_whose_maker_died(path):
    make_file(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
    connect_to_read(path).close()
    assert version(path) == len(MIGRATIONS)


def test_a_store_that_another_is_making_is_not_another_programs(path):
    """As when a server starts its workers, and none has recorded before."""
    made = []

    def meanwhile(statement):
        if statement == "PRAGMA user_version" and not made:
            made.append(threading.Thread(target=lambda: connect_to_write(path).close()))
            made[0].start()
            made[0].join(0.1)  # it makes the tables now, or waits until we have looked

    make_file(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.set_trace_callback(meanwhile)
        assert _version(connection, path, MIGRATIONS) == 0
    made[0].join()


def test_a_newer_store_is_refused(store):
    newer = (*MIGRATIONS, add_colours)
    connect_to_write(store, migrations=newer).close()
    for use in (StoreExporter, lambda path: Store(path).latest()):
        with pytest.raises(StoreError) as caught:
            use(store)
        assert str(store) in str(caught.value)
        assert f"version {len(newer)}" in str(caught.value)
        assert f"up to {len(MIGRATIONS)}" in str(caught.value)
        assert "upgrade mistral-interceptor" in str(caught.value)


def test_another_programs_database_is_refused_and_left_alone(path):
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE recipes (name)")
    before = path.read_bytes()
    for use in (StoreExporter, lambda path: Store(path).latest()):
        with pytest.raises(StoreError, match="a database of another program"):
            use(path)
    assert path.read_bytes() == before


def a_file_for_a_folder(tmp_path):
    (tmp_path / "file").touch()
    return tmp_path / "file" / "traces.db"


def a_folder(tmp_path):
    return tmp_path


def no_database(tmp_path):
    (tmp_path / "notes.txt").write_text("dear diary " * 100)
    return tmp_path / "notes.txt"


UNUSABLE = {
    "a file for a folder": (a_file_for_a_folder, "its folder is a file"),
    "a folder": (a_folder, "it is a folder"),
    "no database": (no_database, "file is not a database"),
}


@pytest.mark.parametrize(("made", "reason"), UNUSABLE.values(), ids=UNUSABLE)
def test_a_path_that_cannot_be_written(tmp_path, made, reason):
    path = made(tmp_path)
    with pytest.raises(StoreError) as caught:
        StoreExporter(path)
    said = str(caught.value)
    assert said.startswith(f"no store can be kept at {str(path)!r}: ")
    assert reason in said
    assert said.endswith("in a folder that you can write to, or to off")
    assert "\n" not in said


@pytest.fixture
def sealed(store):
    """A store that we may read and not write."""
    if sys.platform == "win32":
        pytest.skip("it has no modes")
    opened = [folder for folder in store.parents if mode(folder) & 0o011 != 0o011]
    for folder in opened:
        folder.chmod(0o711)
    store.chmod(0o444)
    store.parent.chmod(0o555)
    was_root = os.geteuid() == 0
    if was_root:  # who may write everything
        os.seteuid(65534)
    yield store
    if was_root:
        os.seteuid(0)
    store.parent.chmod(0o755)
    for folder in opened:
        folder.chmod(0o700)


def test_without_the_right_to_write(sealed):
    with pytest.raises(StoreError, match="a readonly database; set INTERCEPTOR_STORE"):
        StoreExporter(sealed)
    with pytest.raises(StoreError, match="Permission denied; set INTERCEPTOR_STORE"):
        StoreExporter(sealed.parent / "new.db")


def test_reading_needs_no_right_to_write(sealed):
    assert [trace.name for trace in Store(sealed).latest()] == ["before"]


def test_reading_where_there_is_nothing(path):
    for there in (False, True):
        if there:
            path.touch()
        with pytest.raises(StoreError) as caught:
            connect_to_read(path)
        assert "nothing has been recorded there" in str(caught.value)
        assert str(path) in str(caught.value)


def test_reading_what_is_no_database(tmp_path):
    with pytest.raises(StoreError, match="cannot be read: file is not a database; move it away"):
        connect_to_read(no_database(tmp_path))


def test_a_lock_is_told_from_other_errors(store):
    with closing(sqlite3.connect(store, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError) as caught:
            connect_to_write(store)
        other.execute("ROLLBACK")
    assert is_locked(caught.value)
    assert not is_locked(StoreError("no"))
