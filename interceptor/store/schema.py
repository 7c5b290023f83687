"""Where a store lies, and how its file is made, opened and brought to our version.

A store is one SQLite file, with `-wal` and `-shm` beside it while it is in use. What is in it
stands in `_tables`.
"""

import errno
import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import platformdirs

from interceptor.errors import StoreError
from interceptor.store._processes import is_gone
from interceptor.store._tables import MIGRATIONS, Migration

__all__ = [
    "MIGRATIONS",
    "VARIABLE",
    "Migration",
    "connect_to_read",
    "connect_to_write",
    "default_path",
    "is_locked",
    "make",
    "make_file",
]

_APPLICATION_ID = int.from_bytes(b"MIcp", "big")  # tells our file from other SQLite files

# How long one statement waits for another process; a fork of this process waits as long.
_WAIT_S = 0.25
_READ_WAIT_S = 5.0
_MAKING_S = 1.0

VARIABLE = "INTERCEPTOR_STORE"
"""What names a store's file, where nothing else does."""
_ELSEWHERE = f"set {VARIABLE} to a file in a folder that you can write to, or to off"


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


def make(path: Path) -> None:
    """Make an empty store, for one who says himself where it is: its first writer does not then.

    Not while this process may fork. Raises StoreError.
    """
    make_file(path)
    connect_to_write(path).close()


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


def connect_to_read(path: Path, *, named_by: str = VARIABLE) -> sqlite3.Connection:
    """Open a store for reading; raise StoreError if there is none, or none that we can read.

    `named_by` is what its user would name another one with.
    """
    another = f"name another file with {named_by}"
    would_do = f"move it away and a new one is made, or {another}"
    with _explained(f"the store at {str(path)!r} cannot be read", would_do):
        if why_not := _why_none(path, named_by):
            raise StoreError(why_not)
        connection = _connect(path, _read_mode(path), _READ_WAIT_S)
        try:
            version = _version(connection, path, MIGRATIONS, another=another)
        except BaseException:
            connection.close()
            raise
        if version == len(MIGRATIONS):
            return connection
        connection.close()
        connect_to_write(path).close()
        return _connect(path, "ro", _READ_WAIT_S)


def _why_none(path: Path, named_by: str) -> str | None:
    """Say why there can be no store at a path, and what would do; None if there may be one."""
    where = repr(str(path))
    if path.is_dir():
        return f"the store at {where} cannot be read: it is a folder; name a file with {named_by}"
    nothing = (
        "nothing has been recorded there; run a program with interceptor, or name another file "
        f"with {named_by}"
    )
    if not path.exists():
        return f"there is no file {where}: {nothing}"
    return f"the file {where} is empty: {nothing}" if path.stat().st_size == 0 else None


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


def _version(
    connection: sqlite3.Connection,
    path: Path,
    migrations: Sequence[Migration],
    *,
    another: str = f"name another file with {VARIABLE}",
) -> int:
    """Give a store's version, 0 for an empty file; refuse newer ones and files of others."""
    connection.execute("BEGIN")  # all three at one moment: another process may be making the tables
    try:
        (application,) = connection.execute("PRAGMA application_id").fetchone()
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    finally:
        connection.execute("ROLLBACK")
    if application != _APPLICATION_ID and (tables or application):
        raise StoreError(f"{str(path)!r} is a database of another program; {another}")
    if version > len(migrations):
        raise StoreError(
            f"the store at {str(path)!r} is of version {version} and this interceptor knows "
            f"versions up to {len(migrations)}: upgrade mistral-interceptor, or {another}"
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
