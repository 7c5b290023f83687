"""The one trace that is meant by the first digits of its id."""

import sqlite3
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from interceptor.errors import StoreError

__all__ = ["only"]

_BEGINS_WITH = """
    SELECT trace_id, name, start_unix_ns FROM traces WHERE trace_id >= ? AND trace_id < ?
    ORDER BY trace_id LIMIT ?
"""
_MOST_NAMED, _MOST_CHARS, _USUAL_DIGITS = 4, 40, 8


def only(connection: sqlite3.Connection, digits: str, path: Path) -> str:
    """Give the one trace id that begins with these digits."""
    # All ids are hexadecimal digits in lower case: "g" comes after any of them.
    found = connection.execute(_BEGINS_WITH, (digits, f"{digits}g", _MOST_NAMED + 1)).fetchall()
    match found:
        case [row]:
            return str(row["trace_id"])
        case []:
            raise StoreError(
                f"no trace in the store at {str(path)!r} begins with {digits!r}; "
                "`interceptor ls` shows the newest ones"
            )
        case several:
            raise StoreError(
                f"more than one trace begins with {digits!r}: {_told_apart(several)}; "
                "give more of its digits"
            )


def _told_apart(rows: Sequence[sqlite3.Row]) -> str:
    """Name traces by as many digits as tell them apart, by their start and by their names."""
    ids = [str(row["trace_id"]) for row in rows]
    enough = (n for n in range(_USUAL_DIGITS, 32) if len({one[:n] for one in ids}) == len(ids))
    digits = next(enough, 32)
    named = [
        f"{row['trace_id'][:digits]} ({_local(row['start_unix_ns'])} {row['name'][:_MOST_CHARS]!r})"
        for row in rows[:_MOST_NAMED]
    ]
    return ", ".join([*named, *(["…"] if len(rows) > _MOST_NAMED else [])])


def _local(unix_ns: int) -> str:
    return f"{datetime.fromtimestamp(unix_ns / 1e9).astimezone():%Y-%m-%d %H:%M:%S}"
