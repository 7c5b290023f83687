"""Spans in SQLite: kept by a span processor and an exporter, read with `Store`.

Reading needs no OpenTelemetry SDK, so what writes is imported by its own name:
`interceptor.store.exporter.StoreExporter`, `interceptor.store.processor.StoreProcessor`.
"""

from interceptor.store.queries import Store
from interceptor.store.rows import Event, Link, Loss, Score, Span, State, Status, Trace
from interceptor.store.schema import default_path

__all__ = [
    "Event",
    "Link",
    "Loss",
    "Score",
    "Span",
    "State",
    "Status",
    "Store",
    "Trace",
    "default_path",
]
