"""A span exporter that keeps spans in a store.

It works under any span processor. `processor.StoreProcessor` is the one made for it: it
also shows spans that are still running, and writes within half a second.
"""

import atexit
import os
import sqlite3
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from interceptor.errors import StoreError
from interceptor.store._encoding import Row, to_row
from interceptor.store._forks import on_fork, using
from interceptor.store._losses import Losses
from interceptor.store._processes import this_process
from interceptor.store._writing import remove_oldest, used_bytes, write
from interceptor.store.schema import connect_to_write, is_locked, make_file

__all__ = ["StoreExporter"]

_AGAIN_S = 0.05
_NEARLY_FULL = 0.9
_TRIM_S = 0.1


class StoreExporter(SpanExporter):
    """Writes spans to the store at a path, one transaction a batch.

    The file is made when it is not there, also when it was deleted meanwhile. It holds
    at most about `max_mb` megabytes: before that the oldest traces are removed. While
    another process holds the lock, a batch waits up to `patience_s` seconds.

    Raises StoreError when made, if the path cannot be written. Later nothing is raised:
    what cannot be kept is counted in `lost`, noted beside the store, and said once on
    stderr when the program ends.
    """

    def __init__(self, path: Path | str, *, max_mb: int = 1024, patience_s: float = 5.0) -> None:
        self.path = Path(path).expanduser().absolute()
        self._max_bytes = max_mb * 1_000_000
        self._patience_s = patience_s
        self._connection: sqlite3.Connection | None = None
        self._file = (0, 0)
        self._announced = False
        self._is_shut = False
        self._start_afresh()
        with using:
            self._check()
        on_fork(self)
        atexit.register(self._at_exit)

    @property
    def lost(self) -> int:
        """How many spans this process could not keep."""
        return self._losses.count

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Write spans; one without an end stands as running until its end is written."""
        rows = [row for span in spans if (row := self._row(span)) is not None]
        kept = self._keep(rows) and len(rows) == len(spans)
        return SpanExportResult.SUCCESS if kept else SpanExportResult.FAILURE

    def lose(self, count: int, reason: str) -> None:
        """Count spans that did not even get here."""
        with using:
            self._losses.add(count, reason)

    def force_flush(self, timeout_millis: int = 30_000) -> bool:  # noqa: ARG002  the SDK's name
        """Do nothing: what `export` has been given is written."""
        return True

    def shutdown(self) -> None:
        """Close the store and say what could not be kept; what comes later is lost."""
        self._is_shut = True
        self._at_exit()
        atexit.unregister(self._at_exit)

    def before_fork(self) -> None:
        """Close the store: see `_forks`."""
        self._close()

    def after_fork_in_child(self) -> None:
        """Count from nothing, as the process that this now is."""
        self._start_afresh()

    def _start_afresh(self) -> None:
        self._losses = Losses(self.path)
        self._process = this_process()

    def _row(self, span: ReadableSpan) -> Row | None:
        try:
            with using:  # no fork while the locks of a live span are held
                return to_row(span, process=self._process)
        except Exception as error:  # noqa: BLE001  one odd span must not take others with it
            self.lose(1, f"a span named {span.name!r} cannot be read: {error!r}")
            return None

    def _keep(self, rows: Sequence[Row]) -> bool:
        if self._is_shut:
            self.lose(len(rows), "the store had been shut down before they ended")
            return False
        try:
            self._patiently(lambda: self._write(rows))
        except (sqlite3.Error, OSError, StoreError) as error:
            self.lose(len(rows), str(error.__cause__ or error))
            return False
        self._trim({row.trace_id for row in rows})
        return True

    def _check(self) -> None:
        """Open the store, so that a path that cannot be written is an error now."""
        try:
            self._open()
        except StoreError as error:
            if not is_locked(error):
                raise

    def _open(self) -> sqlite3.Connection:
        """Give the connection to the file that is there now, under `using`."""
        if self._connection is not None and _identity(self.path) != self._file:
            self._close()
        if self._connection is None:
            made = make_file(self.path)
            self._connection = connect_to_write(self.path)
            self._file = _identity(self.path)
            if made:
                self._announce()
        return self._connection

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(sqlite3.Error):  # a disk that fails may fail here again
                connection.close()

    def _write(self, rows: Sequence[Row]) -> None:
        with using:
            write(self._open(), rows)
            if _identity(self.path) != self._file:  # deleted while we wrote: nobody will see it
                write(self._open(), rows)
            self._losses.note()

    def _trim(self, keep: set[str]) -> None:
        """Remove the oldest traces from a store that is nearly full, little by little.

        A batch is followed by a short while of this, so that the next one is not late;
        only above the limit it goes on until that is done. What fails is left to the next
        batch.
        """
        until = time.monotonic() + _TRIM_S
        nearly_full = int(_NEARLY_FULL * self._max_bytes)
        with suppress(sqlite3.Error, OSError, StoreError):
            while True:
                with using:
                    connection = self._open()
                    used = used_bytes(connection)
                    is_late = used <= self._max_bytes and time.monotonic() >= until
                    if used <= nearly_full or is_late:
                        return
                    if not remove_oldest(connection, down_to_bytes=nearly_full, keep=keep):
                        return

    def _patiently(self, action: Callable[[], None]) -> None:
        """Try again while others hold the lock; a fork gets its turn between two attempts."""
        deadline = time.monotonic() + self._patience_s
        while True:
            try:
                action()
            except (sqlite3.Error, OSError, StoreError) as error:
                with using:
                    self._close()
                if not is_locked(error) or time.monotonic() >= deadline:
                    raise
                time.sleep(_AGAIN_S)
            else:
                return

    def _announce(self) -> None:
        if not self._announced:
            self._announced = True
            _say(
                f"traces are kept in {self.path} (INTERCEPTOR_CONTENT=metadata keeps message "
                "text out, INTERCEPTOR_STORE=off keeps no file)"
            )

    def _at_exit(self) -> None:
        """Close the store, to be opened anew by whatever comes later, and say what was lost.

        Whoever closes a store last leaves one file, without the two that SQLite keeps beside it.
        """
        with using:
            self._close()
        self._say_lost()

    def _say_lost(self) -> None:
        with using:
            self._losses.note()
            sentence = self._losses.sentence()
        if sentence:
            _say(f"in {self.path}, {sentence}")


def _identity(path: Path) -> tuple[int, int]:
    """Give what tells a file from another of the same name; zeros if it is not there."""
    try:
        found = os.stat(path)  # noqa: PTH116  once a batch
    except FileNotFoundError:
        return (0, 0)
    return (found.st_dev, found.st_ino)


def _say(sentence: str) -> None:
    if sys.stderr is not None:
        with suppress(OSError, ValueError):  # closed; there is nobody to tell then
            sys.stderr.write(f"interceptor: {sentence}\n")
