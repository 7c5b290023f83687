"""A store in memory, for a question or two: spans that no file keeps, asked in the same words."""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager

from opentelemetry.sdk.trace import ReadableSpan

from interceptor.store._encoding import to_row
from interceptor.store._processes import this_process
from interceptor.store._writing import write
from interceptor.store.queries import Store
from interceptor.store.schema import MIGRATIONS

__all__ = ["holding"]


@contextmanager
def holding(spans: Iterable[ReadableSpan]) -> Iterator[Store]:
    """Give a store with these spans in it, for as long as the block lasts."""
    connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    with closing(connection):
        for migration in MIGRATIONS:
            migration(connection)
        process = this_process()
        write(connection, (to_row(span, process=process) for span in spans))
        yield Store.over(connection)
