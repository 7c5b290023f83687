"""A span processor that keeps a store up to date: what ended, and what is still running."""

import atexit
import queue
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress

from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor
from opentelemetry.trace import SpanContext

from interceptor.store._forks import on_fork
from interceptor.store.exporter import StoreExporter

__all__ = ["StoreProcessor"]

_BATCH_SPANS = 256
_AT_EXIT_MS = 5_000
_LAST = -100  # of multiprocessing's priorities: after those who end spans when they go


class _Flush:
    """Somebody waits until everything that was queued before has been written."""

    def __init__(self, *, with_open: bool) -> None:
        self.with_open = with_open
        self.is_kept = False
        self.done = threading.Event()


class StoreProcessor(SpanProcessor):
    """Hands spans to one thread, which writes them `gather_s` seconds later at most.

    A span that is open for `running_after_s` seconds is written as running, with what it
    has by then. On the caller's thread a span costs a dictionary entry and a queue's `put`:
    no lock, no I/O, so that a finaliser may end a span too. At most `limit` ended spans
    wait; beyond that they are counted as lost.

    `wants` picks the spans to keep; the default keeps all that are sampled.
    """

    def __init__(
        self,
        exporter: StoreExporter,
        *,
        wants: Callable[[ReadableSpan], bool] = lambda _: True,
        limit: int = 2048,
        gather_s: float = 0.2,
        running_after_s: float = 1.0,
    ) -> None:
        self._exporter = exporter
        self._wants = wants
        self._limit = limit
        self._gather_s = gather_s
        self._running_after_ns = int(running_after_s * 1e9)
        self._is_shut = False
        self._is_idle = True
        self._start_afresh()
        on_fork(self)
        atexit.register(self._at_exit)

    def on_start(
        self,
        span: Span,
        parent_context: Context | None = None,  # noqa: ARG002  the SDK's name
    ) -> None:
        """Remember an open span."""
        context = span.context
        if not self._is_ours(span, context):
            return
        self._open[context.span_id] = span
        if self._is_idle:
            self._is_idle = False
            self._queue.put(None)
            self._start()

    def on_end(self, span: ReadableSpan) -> None:
        """Queue a span for writing."""
        context = span.context
        known = self._open.pop(context.span_id, None)
        if known is None and not self._is_ours(span, context):
            return
        if self._queue.qsize() < self._limit:
            self._queue.put(span)
        else:
            self._overflow.append(None)
        if self._thread is None:
            self._start()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Wait until all that has ended is written.

        False if that takes too long, or if spans were lost since the last time.
        """
        return self._flush(_Flush(with_open=False), timeout_millis)

    def shutdown(self) -> None:
        """Write what is queued, and what is open as running; then stop and close the store.

        Spans that end later are not looked at.
        """
        if self._is_shut:
            return
        self._at_exit()
        self._is_shut = True
        atexit.unregister(self._at_exit)
        thread = self._thread
        if thread is not None:
            self._queue.put(None)
            thread.join(_AT_EXIT_MS / 1e3)
        self._exporter.shutdown()

    def before_fork(self) -> None:
        """Do nothing: what is queued is the parent's, and stays so."""

    def after_fork_in_child(self) -> None:
        """Leave to the parent what is its own, and start a thread when there is work."""
        self._start_afresh()

    def _start_afresh(self) -> None:
        self._open: dict[int, Span] = {}
        self._queue: queue.SimpleQueue[ReadableSpan | _Flush | None] = queue.SimpleQueue()
        self._overflow: deque[None] = deque()
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        self._hurry = threading.Event()
        self._lost = 0  # of the exporter's, those that a flush has answered for
        self._is_idle = True  # nothing is open that the thread waits for: wake it

    def _is_ours(self, span: ReadableSpan, context: SpanContext) -> bool:
        return context.trace_flags.sampled and not self._is_shut and self._wants(span)

    def _start(self) -> None:
        """Start the thread, unless it runs or somebody is about to start it."""
        if self._thread is not None or not self._starting.acquire(blocking=False):
            return
        try:
            thread = threading.Thread(target=self._run, name="interceptor-store", daemon=True)
            thread.start()
            self._thread = thread
        except RuntimeError:
            return  # no threads left, or none any more: what is queued is written at exit
        finally:
            self._starting.release()
        _when_a_worker_ends(self._at_exit)

    def _run(self) -> None:
        while not self._is_shut:
            item = self._next()
            if isinstance(item, ReadableSpan):
                self._hurry.wait(self._gather_s)
            self._work(item)

    def _next(self) -> ReadableSpan | _Flush | None:
        """Wait for something to do; None when it is to look at what is open."""
        self._is_idle = True  # from here on, who opens a span wakes us…
        timeout = self._until_due_s()
        self._is_idle = timeout is None  # …but not if we wake for an older one in any case
        try:
            return self._queue.get(timeout=timeout)
        except queue.Empty:
            return None

    def _until_due_s(self) -> float | None:
        """Give when the oldest open span will have been running for long; None if none is open."""
        # A list of values or keys alone, here and below: as long as it is made, no object is that
        # the collector counts. It may run in the midst of `items()`, and with it other threads.
        starts = [span.start_time or 0 for span in list(self._open.values())]
        if not starts:
            return None
        due_ns = min(starts) + self._running_after_ns - time.time_ns()
        return min(max(due_ns, 0), self._running_after_ns) / 1e9

    def _work(self, item: ReadableSpan | _Flush | None) -> None:
        """Write what is queued, this item first, and what is running."""
        self._hurry.clear()
        items = [item, *self._drained()]
        flushes = [item for item in items if isinstance(item, _Flush)]
        ended = [item for item in items if isinstance(item, ReadableSpan)]
        spans = [*self._running(also_new=any(flush.with_open for flush in flushes)), *ended]
        for first in range(0, len(spans), _BATCH_SPANS):
            self._exporter.export(spans[first : first + _BATCH_SPANS])
        self._count_overflow()
        if flushes:
            lost_before, self._lost = self._lost, self._exporter.lost
            for flush in flushes:
                flush.is_kept = self._lost == lost_before
                flush.done.set()

    def _drained(self) -> Iterator[ReadableSpan | _Flush | None]:
        # What comes while we take these is for the next time, or there might be no end to it.
        with suppress(queue.Empty):
            for _ in range(self._queue.qsize()):
                yield self._queue.get_nowait()

    def _running(self, *, also_new: bool) -> list[ReadableSpan]:
        """Take out the open spans that are due: they are written once, and not held on to."""
        begun_before = time.time_ns() - self._running_after_ns
        found = ((span_id, self._open.get(span_id)) for span_id in list(self._open))
        return [
            span
            for span_id, span in found
            if span is not None and (also_new or (span.start_time or 0) <= begun_before)
            if self._open.pop(span_id, None) is not None  # else it has just ended
        ]

    def _count_overflow(self) -> None:
        count = len(self._overflow)
        for _ in range(count):
            self._overflow.popleft()
        if count:
            self._exporter.lose(count, f"more than {self._limit} spans waited to be written")

    def _flush(self, flush: _Flush, timeout_millis: float) -> bool:
        has_work = not self._queue.empty() or (flush.with_open and self._open)
        if self._is_shut or (self._thread is None and not has_work):
            return True
        self._queue.put(flush)
        self._hurry.set()
        self._start()
        if self._thread is None:
            self._work(None)
        return flush.done.wait(timeout_millis / 1e3) and flush.is_kept

    def _at_exit(self) -> None:
        self._flush(_Flush(with_open=True), _AT_EXIT_MS)


def _when_a_worker_ends(callback: Callable[[], object]) -> None:
    """Call back when a worker of multiprocessing ends: it skips atexit."""
    multiprocessing = sys.modules.get("multiprocessing")
    if multiprocessing is not None and multiprocessing.parent_process() is not None:
        from multiprocessing.util import Finalize

        Finalize(None, callback, exitpriority=_LAST)
