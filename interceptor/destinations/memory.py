"""The newest traces, in memory: to be read back by a program that keeps no store."""

import os
import threading
from collections import OrderedDict
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor

if TYPE_CHECKING:
    from interceptor.store import Store

__all__ = ["Memory"]

_MOST_SPANS = 2048
_MOST_BYTES = 1 << 24
_SPAN_BYTES = 2048  # what one takes besides its texts, about

# One for all memories, and held over a fork: else the child would wait for ever for a thread that
# is the parent's alone, or would go on with what that thread had half done. Each use is short. It
# can be taken twice by one thread: a signal's handler may fork in the midst of a use.
_using = threading.RLock()

if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_using.acquire, after_in_parent=_using.release, after_in_child=_using.release
    )


class _Trace:
    """The spans of one trace, and about how much memory they take."""

    __slots__ = ("size_bytes", "spans")

    def __init__(self) -> None:
        self.spans: list[ReadableSpan] = []
        self.size_bytes = 0


class Memory(SpanProcessor):
    """Keeps ended spans until there are too many of them, or their texts are too long.

    Then the trace goes first that was last added to longest ago. Of one that is too large by
    itself, the newest spans stay.
    """

    def __init__(self, *, most_spans: int = _MOST_SPANS, most_bytes: int = _MOST_BYTES) -> None:
        """Keep at most about this much."""
        self._most_spans, self._most_bytes = most_spans, most_bytes
        self._traces: OrderedDict[int, _Trace] = OrderedDict()
        self._spans = self._size_bytes = 0

    def on_end(self, span: ReadableSpan) -> None:
        """Keep a span."""
        trace_id = span.context.trace_id
        with _using:
            trace = self._traces.setdefault(trace_id, _Trace())
            self._traces.move_to_end(trace_id)
            trace.spans.append(span)
            self._count(trace, 1, _size_bytes(span))
            self._make_room()

    def shutdown(self) -> None:
        """Do nothing: what was kept can still be read."""

    def force_flush(self, timeout_millis: int = 30_000) -> bool:  # noqa: ARG002 - the SDK's name
        """Do nothing: what has ended is kept."""
        return True

    def reading(self) -> AbstractContextManager["Store"]:
        """Give a store that holds what is kept now."""
        from interceptor.store.memory import holding  # SQLite, for those who read back

        with _using:
            spans = [span for trace in self._traces.values() for span in trace.spans]
        return holding(spans)

    def _make_room(self) -> None:
        while self._spans > self._most_spans or self._size_bytes > self._most_bytes:
            oldest, trace = next(iter(self._traces.items()))
            if len(self._traces) == 1:
                if len(trace.spans) == 1:
                    return  # the only one there is: it is as long as the settings let it be
                self._count(trace, -1, -_size_bytes(trace.spans.pop(0)))
            else:
                del self._traces[oldest]
                self._count(trace, -len(trace.spans), -trace.size_bytes)

    def _count(self, trace: _Trace, spans: int, size_bytes: int) -> None:
        trace.size_bytes += size_bytes
        self._spans += spans
        self._size_bytes += size_bytes


def _size_bytes(span: ReadableSpan) -> int:
    texts = (span.attributes or {}).values()
    return _SPAN_BYTES + sum(len(text) for text in texts if isinstance(text, str))
