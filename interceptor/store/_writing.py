"""Spans into the tables, and the oldest traces out of them.

Every function here is one transaction, for the caller holds `_forks.using` through it:
what takes long is cut in slices.
"""

import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec
import orjson

from interceptor.store._encoding import Row, ScoreRow
from interceptor.store._summary import Before, Summary, add
from interceptor.store.rows import State

__all__ = ["remove_oldest", "used_bytes", "write"]

_SPAN_COLUMNS = (
    "trace_id",
    "span_id",
    "parent_id",
    "name",
    "kind",
    "start_unix_ns",
    "end_unix_ns",
    "state",
    "process",
    "failed",
    "status_message",
    "error_type",
    "endpoint",
    "is_call",
    "operation",
    "model",
    "response_model",
    "input_tokens",
    "output_tokens",
    "total_tokens",
    "cost_usd",
    "time_to_first_chunk_s",
    "session_id",
    "user_id",
)
_SCORE_COLUMNS = ScoreRow.__struct_fields__
_PAYLOAD_COLUMNS = ("id", "attributes", "events", "links", "resource", "scope")
_SUMMARY_COLUMNS = Summary.__struct_fields__
_LISTS = ("models", "endpoints", "tags")

_SLICE_TRACES = 64
_SLICE_SPANS = 512


def _replace(table: str, columns: Sequence[str]) -> str:
    values = ", ".join(f":{column}" for column in columns)
    return f"INSERT OR REPLACE INTO {table} ({', '.join(columns)}) VALUES ({values})"  # noqa: S608  names of ours


_BEFORE = "SELECT id, state, is_call FROM spans WHERE trace_id = ? AND span_id = ?"
_PUT_SPAN = _replace("spans", ("id", *_SPAN_COLUMNS))
_PUT_SCORE = _replace("scores", _SCORE_COLUMNS)
_PUT_PAYLOAD = _replace("payloads", _PAYLOAD_COLUMNS)
_PUT_TEXT = "INSERT INTO texts (rowid, words) VALUES (:id, :words)"
_GET_SUMMARY = f"SELECT {', '.join(_SUMMARY_COLUMNS)} FROM traces WHERE trace_id = ?"  # noqa: S608  names of ours
_PUT_SUMMARY = _replace("traces", _SUMMARY_COLUMNS)
_OLDEST = """
    SELECT trace_id, spans FROM traces
    WHERE unfinished_spans = 0 OR NOT EXISTS (
        SELECT 1 FROM spans WHERE spans.trace_id = traces.trace_id AND state = 'running')
    ORDER BY start_unix_ns LIMIT ?
"""
_REMOVE = (
    "DELETE FROM texts WHERE rowid IN (SELECT id FROM spans WHERE trace_id = ?)",
    "DELETE FROM payloads WHERE id IN (SELECT id FROM spans WHERE trace_id = ?)",
    "DELETE FROM spans WHERE trace_id = ?",
    "DELETE FROM traces WHERE trace_id = ?",
    "DELETE FROM scores WHERE trace_id = ?",
)
# A score may come before its trace, and after it has been removed.
_REMOVE_LATE_SCORES = """
    DELETE FROM scores
    WHERE unix_ns < (SELECT min(start_unix_ns) FROM traces)
    AND trace_id NOT IN (SELECT trace_id FROM traces)
"""


def write(connection: sqlite3.Connection, rows: Iterable[Row]) -> None:
    """Write spans and bring their traces' summaries up to date, all or nothing.

    A span that ended is final: the first account of its end stands.
    """
    with _transaction(connection):
        summaries: dict[str, Summary] = {}
        for row in rows:
            if row.is_score:
                if row.state is State.ENDED:  # written as running as well, it would be two
                    _put_scores(connection, row)
                continue
            before = _before(connection, row)
            if before is not None and not _is_news(row, before):
                continue
            if row.trace_id not in summaries:
                summaries[row.trace_id] = _summary(connection, row.trace_id)
            add(summaries[row.trace_id], row, before)
            _put(connection, row, before)
        connection.executemany(_PUT_SUMMARY, map(_columns, summaries.values()))


def used_bytes(connection: sqlite3.Connection) -> int:
    """Give the size of what a store holds: its file, without the pages that are free again."""
    pages, free, size = (
        connection.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("page_count", "freelist_count", "page_size")
    )
    return int((pages - free) * size)


def remove_oldest(
    connection: sqlite3.Connection, *, down_to_bytes: int, keep: Collection[str]
) -> bool:
    """Remove the oldest traces until a store holds this much, or some hundred spans are gone.

    Kept are the traces that are named and those that are running, in any process.
    Says whether there is more to remove.
    """
    with _transaction(connection):
        connection.execute(_REMOVE_LATE_SCORES)
        spans = 0
        for trace_id, count in connection.execute(_OLDEST, (_SLICE_TRACES + len(keep),)).fetchall():
            if used_bytes(connection) <= down_to_bytes:
                return False
            if trace_id not in keep:
                for statement in _REMOVE:
                    connection.execute(statement, (trace_id,))
                spans += count
                if spans >= _SLICE_SPANS:
                    break
        return spans > 0


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    # IMMEDIATE waits for other writers at once; a lock that is only asked for later fails
    # without waiting when another has written meanwhile.
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # a full disk has rolled it back already
            connection.execute("ROLLBACK")
        raise


def _before(connection: sqlite3.Connection, row: Row) -> Before | None:
    found = connection.execute(_BEFORE, (row.trace_id, row.span_id)).fetchone()
    return None if found is None else Before(found[0], State(found[1]), bool(found[2]))


def _is_news(row: Row, before: Before) -> bool:
    return before.state is not State.ENDED and row.state is State.ENDED


def _summary(connection: sqlite3.Connection, trace_id: str) -> Summary:
    found = connection.execute(_GET_SUMMARY, (trace_id,)).fetchone()
    if found is None:
        return Summary(trace_id=trace_id)
    columns: dict[str, Any] = dict(zip(_SUMMARY_COLUMNS, found, strict=True))
    for name in _LISTS:
        columns[name] = orjson.loads(columns[name])
    return Summary(**columns)


def _columns(summary: Summary) -> dict[str, Any]:
    columns = msgspec.structs.asdict(summary)
    for name in _LISTS:
        columns[name] = orjson.dumps(columns[name]).decode()
    return columns


def _put(connection: sqlite3.Connection, row: Row, before: Before | None) -> None:
    columns = msgspec.structs.asdict(row)
    columns["id"] = None
    if before is not None:
        columns["id"] = before.id
        connection.execute("DELETE FROM texts WHERE rowid = ?", (before.id,))
    columns["id"] = connection.execute(_PUT_SPAN, columns).lastrowid
    connection.execute(_PUT_PAYLOAD, columns)
    connection.execute(_PUT_TEXT, columns)
    if row.state is State.ENDED:
        _put_scores(connection, row)


def _put_scores(connection: sqlite3.Connection, row: Row) -> None:
    connection.executemany(_PUT_SCORE, map(msgspec.structs.asdict, row.scores))
