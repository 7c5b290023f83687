"""Reading a store: the newest traces, one trace whole, a search."""

import sqlite3
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, nullcontext
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import orjson

from interceptor.errors import StoreError
from interceptor.store._forks import using
from interceptor.store._ids import only
from interceptor.store._losses import noted
from interceptor.store._processes import is_gone, pid_of
from interceptor.store.rows import Event, Link, Loss, Score, Span, State, Status, Trace
from interceptor.store.schema import VARIABLE, connect_to_read, default_path

__all__ = ["Store"]

# The columns are named as the fields that they fill.
_TRACES = """
    SELECT trace_id, name, start_unix_ns, end_unix_ns, failed, failed_spans AS failed_span_count,
        error_type, error_message, models, endpoints, spans AS span_count, calls AS call_count,
        input_tokens, output_tokens, total_tokens, cost_usd, time_to_first_chunk_s, preview,
        session_id, user_id, tags, left_early AS left_early_count, attempt, retry_of,
        unfinished_spans
    FROM traces
"""
_SPANS = """
    SELECT trace_id, span_id, parent_id, name, kind, start_unix_ns, end_unix_ns, state, process,
        failed, status_message, attributes, events, links, resource, scope
    FROM spans JOIN payloads USING (id)
    WHERE trace_id = ? ORDER BY start_unix_ns, id
"""
_SCORES = """
    SELECT name, value, label, comment, span_id, unix_ns FROM scores
    WHERE trace_id = ? ORDER BY unix_ns, id
"""
_UNFINISHED = "SELECT state, process FROM spans WHERE trace_id = ? AND state <> 'ended'"
_LARGEST_INTEGER = 2**63 - 1  # SQLite's
_MOST_WORDS = 64  # FTS5 takes some hundred
_HAS_MODEL = """EXISTS (
    SELECT 1 FROM spans WHERE spans.trace_id = traces.trace_id
    AND (spans.model GLOB :model OR spans.response_model GLOB :model))"""
_HAS_NAME = """EXISTS (
    SELECT 1 FROM spans WHERE spans.trace_id = traces.trace_id AND spans.name GLOB :name)"""
_HAS_TEXT = """trace_id IN (
    SELECT spans.trace_id FROM texts JOIN spans ON spans.id = texts.rowid
    WHERE texts MATCH :text)"""
_HAS_TAG = "EXISTS (SELECT 1 FROM json_each(traces.tags) WHERE value = :tag)"
_HAS_STATUS = {
    Status.OK: "unfinished_spans = 0 AND NOT failed",
    Status.ERROR: "unfinished_spans = 0 AND failed",
    # Which of the two depends on what runs just now; there are never many.
    Status.RUNNING: "unfinished_spans > 0",
    Status.LOST: "unfinished_spans > 0",
}


class Store:
    """The traces kept in one file, for reading; any number of processes may write meanwhile.

    Nothing is opened before the first question, and nothing stays open between
    two, so that an instance may be shared by threads and kept for long. Each
    question raises StoreError when there is no store yet or it cannot be read.
    """

    def __init__(self, path: Path | str | None = None, *, named_by: str = VARIABLE) -> None:
        """Read the file at this path; None is where stores are kept by default.

        Errors tell the reader to name another one by `named_by`.
        """
        self._path = default_path() if path is None else Path(path).expanduser()
        self._named_by = named_by
        self._held: sqlite3.Connection | None = None

    @classmethod
    def over(cls, connection: sqlite3.Connection) -> "Store":
        """Read what an open connection reaches, such as a store in memory.

        Whoever opened it closes it.
        """
        store = cls("memory")
        store._held = connection
        return store

    @property
    def path(self) -> Path:
        """Where it looks."""
        return self._path

    def latest(self, n: int = 20, *, before_unix_ns: int | None = None) -> list[Trace]:
        """Give the n newest traces, newest first; with `before_unix_ns`, of those begun earlier."""
        return self.search(until_unix_ns=before_unix_ns, limit=n)

    def trace(self, trace_id: str) -> tuple[Span, ...]:
        """Give the spans of a trace by start; the first digits of its id are enough.

        Raises StoreError if no trace, or more than one, begins so.
        """
        with using, self._reading() as connection:
            found = only(connection, _sayable(trace_id).strip().lower(), self._path)
            return tuple(map(_span, connection.execute(_SPANS, (found,))))

    def scores(self, trace_id: str) -> tuple[Score, ...]:
        """Give what was thought of a trace and its spans, the oldest score first."""
        with using, self._reading() as connection:
            found = connection.execute(_SCORES, (trace_id,))
            return tuple(Score(**dict(row)) for row in found)

    def retries(self, trace_id: str) -> list[Trace]:
        """Give the traces of later attempts at what a trace was the first at, the oldest first."""
        with using, self._reading() as connection:
            found = list(_traces(connection, ["retry_of = :first"], {"first": trace_id}))
        return found[::-1]

    def search(
        self,
        *,
        model: str | None = None,
        status: Status | str | None = None,
        since_unix_ns: int | None = None,
        until_unix_ns: int | None = None,
        session_id: str | None = None,
        user_id: str | None = None,
        tag: str | None = None,
        name: str | None = None,
        text: str | None = None,
        limit: int = 20,
    ) -> list[Trace]:
        """Give the newest traces to which all of this applies, newest first.

        `model` and `name` are those of any span in the trace, and `*` in them
        stands for anything; `tag` is one of the trace's. `text` is looked for in
        what was said, in names and in errors: each of its words must begin a word
        there. `since_unix_ns` is inclusive, `until_unix_ns` is not; both mean the
        trace's start.
        """
        wanted = None if status is None else _status(status)
        asked = {
            _HAS_MODEL: ("model", _glob(model)),
            _HAS_NAME: ("name", _glob(name)),
            _HAS_TEXT: ("text", _match(text)),
            "session_id = :session_id": ("session_id", session_id),
            "user_id = :user_id": ("user_id", user_id),
            _HAS_TAG: ("tag", tag),
            "start_unix_ns >= :since": ("since", since_unix_ns),
            "start_unix_ns < :until": ("until", until_unix_ns),
        }
        conditions = [sql for sql, (_, value) in asked.items() if value is not None]
        values = {key: _sayable(value) for key, value in asked.values() if value is not None}
        if wanted is not None:
            conditions.append(_HAS_STATUS[wanted])
        with using, self._reading() as connection:
            found = _traces(connection, conditions, values)
            picked = (trace for trace in found if wanted in {None, trace.status})
            return list(islice(picked, min(max(limit, 0), sys.maxsize)))

    def lost(self) -> Loss | None:
        """Give what could not be kept, over all processes; None if nothing ever was."""
        return noted(self._path)

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        held = self._held
        connection = connect_to_read(self._path, named_by=self._named_by) if held is None else held
        with closing(connection) if held is None else nullcontext():
            connection.row_factory = sqlite3.Row
            try:
                yield connection
            except sqlite3.Error as error:
                raise StoreError(
                    f"the store at {str(self._path)!r} cannot be read: {error}"
                ) from error


def _traces(
    connection: sqlite3.Connection, conditions: Sequence[str], values: Mapping[str, Any]
) -> Iterator[Trace]:
    """Give the traces that fulfil conditions, newest first, one by one as they are found."""
    gone = cache(is_gone)
    where = f"WHERE {' AND '.join(conditions) or 'TRUE'} ORDER BY start_unix_ns DESC, trace_id"
    for row in connection.execute(_TRACES + where, values):
        columns = dict(row)
        state = State.ENDED
        if columns.pop("unfinished_spans"):
            state = _state_of_unfinished(connection, columns["trace_id"], gone)
        yield _trace(columns, state)


def _state_of_unfinished(
    connection: sqlite3.Connection, trace_id: str, gone: Callable[[str], bool]
) -> State:
    """Give RUNNING if any span of the trace is, LOST if what has not ended never will."""
    states = {
        _state(state, process, gone)
        for state, process in connection.execute(_UNFINISHED, (trace_id,))
    }
    return State.RUNNING if State.RUNNING in states else State.LOST


def _state(state: str, process: str | None, gone: Callable[[str], bool]) -> State:
    """Give a span's state; who was running may have died since that was written."""
    if state == State.RUNNING and process is not None and gone(process):
        return State.LOST
    return State(state)


def _trace(columns: dict[str, Any], state: State) -> Trace:
    for name in ("models", "endpoints", "tags"):
        columns[name] = tuple(orjson.loads(columns[name]))
    columns["failed"] = bool(columns["failed"])
    if state is not State.ENDED:
        columns["end_unix_ns"] = None
    return Trace(state=state, **columns)


def _span(row: sqlite3.Row) -> Span:
    columns = dict(row)
    process = columns.pop("process")
    for name in ("attributes", "events", "links", "resource"):
        columns[name] = orjson.loads(columns[name])
    columns["failed"] = bool(columns["failed"])
    columns["state"] = _state(columns["state"], process, is_gone)
    columns["events"] = tuple(Event(**event) for event in columns["events"])
    columns["links"] = tuple(Link(**link) for link in columns["links"])
    return Span(pid=None if process is None else pid_of(process), **columns)


def _status(status: Status | str) -> Status:
    try:
        return Status(status)
    except ValueError as error:
        raise StoreError(f"status is {status!r}; use one of: {', '.join(Status)}") from error


def _glob(pattern: str | None) -> str | None:
    """Give a pattern for GLOB in which `*` alone is special."""
    return None if pattern is None else pattern.replace("[", "[[]").replace("?", "[?]")


def _match(text: str | None) -> str | None:
    """Give the FTS5 query for all words of a text, each as a prefix; None for no words.

    Quoted, every character is a plain one to FTS5, but NUL, which ends the query.
    """
    words = (text or "").replace("\0", " ").replace('"', '""').split()[:_MOST_WORDS]
    return " ".join(f'"{word}"*' for word in words) or None


def _sayable(value: Any) -> Any:
    """Give a value that SQLite takes, or the nearest one.

    A command line may hold text that UTF-8 cannot say, and a time after all that can be.
    """
    if isinstance(value, int):
        return min(max(value, -_LARGEST_INTEGER), _LARGEST_INTEGER)
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value
