"""Any OTLP backend, over HTTP or gRPC, as the `OTEL_EXPORTER_OTLP_*` variables say."""

import os
from importlib import import_module
from importlib.util import find_spec

from opentelemetry.sdk.trace import SpanProcessor
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from interceptor.errors import SettingsError
from interceptor.settings import OTLP_PROTOCOLS, Settings, first_said

__all__ = ["SHOWS_CONTENT", "build", "remedy"]

SHOWS_CONTENT = False

_REMEDIES = {
    "http": "pip install 'mistral-interceptor[otlp]'",
    "grpc": (
        "pip install opentelemetry-exporter-otlp-proto-grpc, "
        "or set OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf"
    ),
}
_MOST_SPANS_A_BATCH = 16  # with content on, a collector's 4 MiB message limit is near


def build(settings: Settings) -> SpanProcessor:  # noqa: ARG001 - the variables say it all
    """Give a processor that sends spans in small batches."""
    protocol = _protocol()
    try:
        module = import_module(f"{_package(protocol)}.trace_exporter")
    except ImportError as error:
        raise SettingsError(
            f"destination 'otlp' needs a package that is not installed; {_REMEDIES[protocol]}"
        ) from error
    exporter = module.OTLPSpanExporter()
    return BatchSpanProcessor(exporter, max_export_batch_size=_MOST_SPANS_A_BATCH)


def remedy() -> str | None:
    """Say what would bring the exporter that is asked for; None where it is installed."""
    protocol = _protocol()
    try:
        is_there = find_spec(_package(protocol)) is not None
    except ModuleNotFoundError:  # not even what it would lie in
        is_there = False
    return None if is_there else _REMEDIES[protocol]


def _package(protocol: str) -> str:
    return f"opentelemetry.exporter.otlp.proto.{protocol}"


def _protocol() -> str:
    """Give the protocol that the exporters' own variables name; they do not read it themselves."""
    return "grpc" if first_said(os.environ, OTLP_PROTOCOLS) == "grpc" else "http"
