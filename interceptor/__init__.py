"""See what your program says to Mistral's API, what it answers, how long it takes.

`Mistral(api_key=..., **interceptor.clients())` is the shortest way in; `interceptor.wrap` taps a
transport of your own. Everything public is reached from here, and imported when first used:
`import interceptor` by itself loads no HTTP library, no OpenTelemetry SDK and no SQLite.
"""

import importlib
from typing import TYPE_CHECKING, Any

from interceptor import slot
from interceptor._version import __version__

if TYPE_CHECKING:
    from interceptor import store, transports
    from interceptor.errors import InterceptorError, SettingsError, StoreError, TransportError
    from interceptor.reading import read
    from interceptor.record import Record
    from interceptor.recorder import Recorder
    from interceptor.runtime import configure, flush, shutdown
    from interceptor.settings import Settings
    from interceptor.transports import clients, wrap

__all__ = [
    "InterceptorError",
    "Record",
    "Settings",
    "SettingsError",
    "StoreError",
    "TransportError",
    "__version__",
    "clients",
    "configure",
    "flush",
    "read",
    "shutdown",
    "store",
    "transports",
    "wrap",
]

_HOMES = {
    "InterceptorError": "errors",
    "Record": "record",
    "Settings": "settings",
    "SettingsError": "errors",
    "StoreError": "errors",
    "TransportError": "errors",
    "clients": "transports",
    "configure": "runtime",
    "flush": "runtime",
    "read": "reading",
    "shutdown": "runtime",
    "wrap": "transports",
}
_MODULES = ("store", "transports")


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f"interceptor.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module 'interceptor' has no attribute {name!r}")
    found = getattr(importlib.import_module(f"interceptor.{_HOMES[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted(__all__)


def _recorder() -> "Recorder | None":
    """Give the default recorder; on the first call, put it together from the settings."""
    runtime = importlib.import_module("interceptor.runtime")
    slot.recorder = runtime.recorder
    return slot.recorder()


slot.recorder = _recorder
