"""The embedded store: one SQLite file."""

from opentelemetry.sdk.trace import SpanProcessor

from interceptor.settings import Settings
from interceptor.store import default_path
from interceptor.store.exporter import StoreExporter
from interceptor.store.processor import StoreProcessor

__all__ = ["SHOWS_CONTENT", "build"]

SHOWS_CONTENT = True


def build(settings: Settings) -> SpanProcessor:
    """Open the store of the settings, or the user's own, for writing."""
    path = settings.store or default_path()
    return StoreProcessor(StoreExporter(path, max_mb=settings.store_max_mb))
