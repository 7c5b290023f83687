"""Where a store lies, what its file looks like, and how an older one becomes a newer one.

A store is one SQLite file (with `-wal` and `-shm` beside it while it is in use):

- `spans`: what lists and searches need of each span, small
- `payloads`: all that was recorded of it, as JSON text
- `traces`: a summary of each trace, kept up to date as spans are written
- `scores`: what somebody thought of a trace or of a span
- `texts`: a full-text index over what people and models said
"""

import errno
import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import platformdirs

from interceptor.errors import StoreError
from interceptor.store._processes import is_gone

__all__ = [
    "MIGRATIONS",
    "Migration",
    "connect_to_read",
    "connect_to_write",
    "default_path",
    "is_locked",
    "make_file",
]

Migration = Callable[[sqlite3.Connection], None]

_APPLICATION_ID = int.from_bytes(b"MIcp", "big")  # tells our file from other SQLite files

# How long one statement waits for another process; a fork of this process waits as long.
_WAIT_S = 0.25
_READ_WAIT_S = 5.0
_MAKING_S = 1.0

_ELSEWHERE = "set INTERCEPTOR_STORE to a file in a folder that you can write to, or to off"
_NEW = "move it away and a new one is made, or name another file with INTERCEPTOR_STORE"

_VERSION_1 = """
CREATE TABLE spans (
    id INTEGER PRIMARY KEY,
    trace_id TEXT NOT NULL,
    span_id TEXT NOT NULL,
    parent_id TEXT,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    start_unix_ns INTEGER NOT NULL,
    end_unix_ns INTEGER,
    state TEXT NOT NULL,             -- running, ended, lost
    process TEXT,                    -- of a span that has not ended: who runs it
    failed INTEGER NOT NULL,
    status_message TEXT,
    error_type TEXT,
    endpoint TEXT,
    operation TEXT,
    model TEXT,
    response_model TEXT,
    input_tokens INTEGER,
    output_tokens INTEGER,
    total_tokens INTEGER,
    cost_usd REAL,
    time_to_first_chunk_s REAL,
    session_id TEXT,
    user_id TEXT,
    UNIQUE (trace_id, span_id)
);
CREATE INDEX running_spans ON spans (process) WHERE state = 'running';
CREATE INDEX unfinished_spans ON spans (trace_id) WHERE state <> 'ended';

CREATE TABLE payloads (
    id INTEGER PRIMARY KEY,          -- the span's
    attributes TEXT NOT NULL,
    events TEXT NOT NULL,
    links TEXT NOT NULL,
    resource TEXT NOT NULL,
    scope TEXT NOT NULL
);

-- Columns named …_rank say by which span another column was filled, so that the next
-- span can tell whether it knows better.
CREATE TABLE traces (
    trace_id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    name_rank INTEGER NOT NULL,
    start_unix_ns INTEGER NOT NULL,
    end_unix_ns INTEGER,
    spans INTEGER NOT NULL,
    unfinished_spans INTEGER NOT NULL,
    failed_spans INTEGER NOT NULL,
    root_failed INTEGER,
    failed INTEGER NOT NULL,
    error_type TEXT,
    error_message TEXT,
    error_rank INTEGER,
    calls INTEGER NOT NULL,
    models TEXT NOT NULL,            -- JSON lists
    endpoints TEXT NOT NULL,
    tags TEXT NOT NULL,
    input_tokens INTEGER,
    output_tokens INTEGER,
    total_tokens INTEGER,
    cost_usd REAL,
    time_to_first_chunk_s REAL,
    time_to_first_chunk_rank INTEGER,
    preview TEXT,
    preview_rank INTEGER,
    session_id TEXT,
    user_id TEXT
);
CREATE INDEX traces_by_start ON traces (start_unix_ns);
CREATE INDEX traces_by_session ON traces (session_id, start_unix_ns)
    WHERE session_id IS NOT NULL;
CREATE INDEX traces_by_user ON traces (user_id, start_unix_ns) WHERE user_id IS NOT NULL;
CREATE INDEX unfinished_traces ON traces (start_unix_ns) WHERE unfinished_spans > 0;

CREATE TABLE scores (
    id INTEGER PRIMARY KEY,
    trace_id TEXT NOT NULL,
    span_id TEXT,                    -- NULL where the whole trace was meant
    name TEXT NOT NULL,
    value REAL,
    label TEXT,
    comment TEXT,
    unix_ns INTEGER NOT NULL
);
CREATE INDEX scores_by_trace ON scores (trace_id);

CREATE VIRTUAL TABLE texts USING fts5 (words, tokenize = 'unicode61 remove_diacritics 2');
"""


def _begin(connection: sqlite3.Connection) -> None:
    for statement in _VERSION_1.split(";\n"):
        connection.execute(statement)


# The step at index n makes version n+1 of version n; a store has as many as it has been
# through. What stands here has been released and is never changed again.
MIGRATIONS: tuple[Migration, ...] = (_begin,)


def default_path() -> Path:
    """Give where a store is kept when nobody says otherwise."""
    return platformdirs.user_state_path("interceptor") / "traces.db"


def make_file(path: Path) -> bool:
    """Make an empty file for a store, and its folder, for the user's eyes only.

    Says whether it was this call that made it. Raises StoreError where that cannot be.
    """
    with _explained(f"no store can be kept at {str(path)!r}", _ELSEWHERE):
        if path.parent.exists() and not path.parent.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, "its folder is a file")
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, "it is a folder")
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        except FileExistsError:
            _wait_until_made(path)
            return False
        # Left over from a file of this name that was deleted: SQLite would take them for ours.
        for suffix in ("-wal", "-shm"):
            Path(f"{path}{suffix}").unlink(missing_ok=True)
        return True


def connect_to_write(
    path: Path, *, migrations: Sequence[Migration] = MIGRATIONS
) -> sqlite3.Connection:
    """Open a store for writing: bring it to our version, mark what died with its process.

    A statement waits a quarter of a second for other processes. The caller must hold
    `_forks.using` and close what it gets before a fork; any thread may do that.
    Raises StoreError; `is_locked` says of it whether trying again may do.
    """
    with _explained(f"no store can be kept at {str(path)!r}", _ELSEWHERE):
        connection = _connect(path, "rw", _WAIT_S)
        try:
            version = _version(connection, path, migrations)
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute("PRAGMA journal_size_limit = 16777216")
            if version < len(migrations):
                _migrate(connection, migrations)
            _mark_lost(connection)
        except BaseException:
            connection.close()
            raise
        return connection


def connect_to_read(path: Path) -> sqlite3.Connection:
    """Open a store for reading; raise StoreError if there is none, or none that we can read."""
    with _explained(f"the store at {str(path)!r} cannot be read", _NEW):
        if not path.exists() or path.stat().st_size == 0:
            raise StoreError(
                f"nothing has been recorded yet: there is no store at {str(path)!r}; "
                "run a program with interceptor, or name another file with INTERCEPTOR_STORE"
            )
        connection = _connect(path, _read_mode(path), _READ_WAIT_S)
        try:
            version = _version(connection, path, MIGRATIONS)
        except BaseException:
            connection.close()
            raise
        if version == len(MIGRATIONS):
            return connection
        connection.close()
        connect_to_write(path).close()
        return _connect(path, "ro", _READ_WAIT_S)


def is_locked(error: BaseException | None) -> bool:
    """Say whether an error, or its cause, is that another process is writing just now."""
    while error is not None:
        code = getattr(error, "sqlite_errorcode", 0)
        if code & 0xFF in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
            return True
        error = error.__cause__
    return False


def _connect(path: Path, mode: str, wait_s: float) -> sqlite3.Connection:
    uri = f"{path.absolute().as_uri()}?mode={mode}"
    return sqlite3.connect(
        uri, uri=True, timeout=wait_s, isolation_level=None, check_same_thread=False
    )


def _read_mode(path: Path) -> str:
    """Give how to open a store for reading, also where nothing may be written beside it."""
    at_rest = not Path(f"{path}-wal").exists()
    effective = os.access in os.supports_effective_ids
    if at_rest and not os.access(path.parent, os.W_OK, effective_ids=effective):
        return "ro&immutable=1"
    return "ro"


def _version(connection: sqlite3.Connection, path: Path, migrations: Sequence[Migration]) -> int:
    """Give a store's version, 0 for an empty file; refuse newer ones and files of others."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if application != _APPLICATION_ID and (tables or application):
        raise StoreError(
            f"{str(path)!r} is a database of another program; "
            "name another file with INTERCEPTOR_STORE"
        )
    if version > len(migrations):
        raise StoreError(
            f"the store at {str(path)!r} is of version {version} and this interceptor knows "
            f"versions up to {len(migrations)}: upgrade mistral-interceptor, "
            "or name another file with INTERCEPTOR_STORE"
        )
    return int(version)


def _migrate(connection: sqlite3.Connection, migrations: Sequence[Migration]) -> None:
    connection.execute("BEGIN IMMEDIATE")
    # Another process may have done it while we waited.
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    for number, migration in enumerate(migrations[version:], version + 1):
        migration(connection)
        connection.execute(f"PRAGMA user_version = {number}")
    connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
    connection.execute("COMMIT")


def _mark_lost(connection: sqlite3.Connection) -> None:
    """Write down which spans died with their process: its number may come again."""
    running = connection.execute("SELECT DISTINCT process FROM spans WHERE state = 'running'")
    gone = [(process,) for (process,) in running.fetchall() if is_gone(process)]
    connection.execute("BEGIN IMMEDIATE")
    connection.executemany(
        "UPDATE spans SET state = 'lost' WHERE state = 'running' AND process = ?", gone
    )
    connection.execute("COMMIT")


def _wait_until_made(path: Path) -> None:
    """Wait for whoever has just made the file: it is empty until they have begun."""
    deadline = time.monotonic() + _MAKING_S
    while path.is_file() and path.stat().st_size == 0 and time.monotonic() < deadline:
        time.sleep(0.01)


@contextmanager
def _explained(what: str, would_do: str) -> Iterator[None]:
    """Make what the system or SQLite says a StoreError."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise StoreError(f"{what}: {reason}; {would_do}") from error
