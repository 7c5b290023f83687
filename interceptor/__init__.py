"""See what your program says to Mistral's API, what it answers, how long it takes.

`Mistral(api_key=..., **interceptor.clients())` is the shortest way in; `interceptor.wrap` taps a
transport of your own. Everything public is reached from here, and imported when first used:
`import interceptor` by itself loads no HTTP library, no OpenTelemetry SDK and no SQLite.
"""

from interceptor import slot
from interceptor._version import __version__

TYPE_CHECKING = False  # nothing is imported that a program which starts up has not got already

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from typing import Any

    from interceptor import store, testing, transports
    from interceptor.errors import (
        ArgumentError,
        InterceptorError,
        SettingsError,
        StoreError,
        TransportError,
    )
    from interceptor.installing import install, instrument, uninstall, uninstrument
    from interceptor.observer import Observer
    from interceptor.observing import (
        ContextThreadPoolExecutor,
        context,
        current_span,
        last_trace_id,
        observe,
        span,
        update_span,
        update_trace,
    )
    from interceptor.reading import read
    from interceptor.record import Record
    from interceptor.recorder import Recorder
    from interceptor.runtime import configure, flush, shutdown
    from interceptor.settings import Settings
    from interceptor.traces import Trace, get_trace, score, search
    from interceptor.transports import clients, wrap

__all__ = [
    "ArgumentError",
    "ContextThreadPoolExecutor",
    "InterceptorError",
    "Record",
    "Settings",
    "SettingsError",
    "StoreError",
    "Trace",
    "TransportError",
    "__version__",
    "clients",
    "configure",
    "context",
    "current_span",
    "flush",
    "get_trace",
    "install",
    "instrument",
    "last_trace_id",
    "observe",
    "read",
    "score",
    "search",
    "shutdown",
    "span",
    "store",
    "testing",
    "transports",
    "uninstall",
    "uninstrument",
    "update_span",
    "update_trace",
    "wrap",
]

_HOMES = {
    "ArgumentError": "errors",
    "ContextThreadPoolExecutor": "observing",
    "InterceptorError": "errors",
    "Record": "record",
    "Settings": "settings",
    "SettingsError": "errors",
    "StoreError": "errors",
    "Trace": "traces",
    "TransportError": "errors",
    "clients": "transports",
    "configure": "runtime",
    "context": "observing",
    "current_span": "observing",
    "flush": "runtime",
    "get_trace": "traces",
    "install": "installing",
    "instrument": "installing",
    "last_trace_id": "observing",
    "observe": "observing",
    "read": "reading",
    "score": "traces",
    "search": "traces",
    "shutdown": "runtime",
    "span": "observing",
    "uninstall": "installing",
    "uninstrument": "installing",
    "update_span": "observing",
    "update_trace": "observing",
    "wrap": "transports",
}
_MODULES = ("store", "testing", "transports")


def __getattr__(name: str) -> "Any":
    from importlib import import_module

    if name in _MODULES:
        return import_module(f"interceptor.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module 'interceptor' has no attribute {name!r}")
    found = getattr(import_module(f"interceptor.{_HOMES[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted(__all__)


def _is_off() -> bool:
    """Tell by the environment whether recording is off; then OpenTelemetry's SDK is not loaded."""
    import os

    from interceptor.settings import Settings

    slot.is_off = Settings.from_env_or_default(os.environ)[0].is_off
    return slot.is_off


def _recorder() -> "Recorder | None":
    """Give the default recorder; on the first call, put it together from the environment."""
    if _is_off():
        return None
    from interceptor import runtime

    return runtime.recorder()


def _observer() -> "Observer | None":
    """Give the default observer; on the first call, put it together from the environment."""
    if _is_off():
        return None
    from interceptor import runtime

    return runtime.observer()


def _flush() -> bool:
    """Bring all that has ended where it goes."""
    from interceptor import runtime

    return runtime.flush()


def _kept() -> "AbstractContextManager[Any]":
    """Give what reads back; also where nothing is recorded, for there may be older traces."""
    from interceptor import runtime

    return runtime.kept()


def _knows(host: str, agent: "Callable[[], str]") -> bool:
    """Tell Mistral's requests by the environment's settings, until a recorder is in force."""
    import os

    from interceptor.hosts import knower
    from interceptor.settings import Settings

    slot.knows = knower(Settings.from_env_or_default(os.environ)[0].hosts)
    return slot.knows(host, agent)


slot.recorder, slot.observer, slot.knows = _recorder, _observer, _knows
slot.flush, slot.kept = _flush, _kept
