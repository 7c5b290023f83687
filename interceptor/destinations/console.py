"""Each span as JSON on stdout, as OpenTelemetry's own console exporter writes it."""

import sys

from opentelemetry.sdk.trace import SpanProcessor
from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor

from interceptor.settings import Settings

__all__ = ["SHOWS_CONTENT", "build"]

SHOWS_CONTENT = True


def build(settings: Settings) -> SpanProcessor:  # noqa: ARG001 - there is nothing to set
    """Give a processor that prints each span as it ends."""
    return SimpleSpanProcessor(
        ConsoleSpanExporter(out=sys.stdout)
    )  # its default is that of its import
