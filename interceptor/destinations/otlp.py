"""Any OTLP backend, over HTTP, as the `OTEL_EXPORTER_OTLP_*` variables say."""

from opentelemetry.sdk.trace import SpanProcessor
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from interceptor.errors import SettingsError
from interceptor.settings import Settings

__all__ = ["SHOWS_CONTENT", "build"]

SHOWS_CONTENT = False

_MOST_SPANS_A_BATCH = 16  # with content on, a collector's 4 MiB message limit is near


def build(settings: Settings) -> SpanProcessor:  # noqa: ARG001 - the variables say it all
    """Give a processor that sends spans in small batches."""
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    except ImportError as error:
        raise SettingsError(
            "destination 'otlp' needs a package that is not installed; "
            "pip install 'mistral-interceptor[otlp]'"
        ) from error
    return BatchSpanProcessor(OTLPSpanExporter(), max_export_batch_size=_MOST_SPANS_A_BATCH)
