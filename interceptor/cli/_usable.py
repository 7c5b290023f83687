"""Whether spans can get where the settings send them: looked at, and nothing left behind."""

import os
import socket
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from interceptor import destinations
from interceptor.cli._where import endpoint
from interceptor.errors import InterceptorError, StoreError
from interceptor.settings import Settings
from interceptor.store import default_path
from interceptor.store.exporter import StoreExporter

__all__ = ["unusable"]

_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
_PORTS = {"http": 80, "https": 443}
_GRPC_PORT = 4317
_TIMEOUT_S = 3


def unusable(settings: Settings) -> Iterator[InterceptorError]:
    """Give what is wrong with each destination that cannot be had."""
    for name in settings.destinations:
        try:
            if name != "store":
                destinations.build(name, settings, {}).shutdown()
                if name == "otlp":
                    _reach(os.environ)
            elif settings.store != "off":
                _open(Path(settings.store or default_path()).absolute())
        except InterceptorError as error:
            yield error


def _reach(environ: Mapping[str, str]) -> None:
    """Connect to where OTLP goes, and say nothing; by a proxy it may be reached in other ways."""
    if any(environ.get(name) or environ.get(name.lower()) for name in _PROXIES):
        return
    url = endpoint(environ)
    parts = urlsplit(url if "://" in url else f"//{url}")
    port = parts.port or _PORTS.get(parts.scheme, _GRPC_PORT)
    try:
        socket.create_connection((parts.hostname or "", port), timeout=_TIMEOUT_S).close()
    except OSError as error:
        raise InterceptorError(
            f"nothing answers at {parts.hostname}:{port}, where spans go by OTLP: {error}; start "
            "what listens there, or correct OTEL_EXPORTER_OTLP_ENDPOINT"
        ) from error


def _open(path: Path) -> None:
    """Open a store that there is; else see whether one could be made, but make none."""
    if path.exists():
        StoreExporter(path).shutdown()
        return
    folder = next(one for one in path.parents if one.exists())
    try:
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise StoreError(
            f"no store can be kept at {str(path)!r}: {error.strerror}; set INTERCEPTOR_STORE to a "
            "file in a folder that you can write to, or to off"
        ) from error
