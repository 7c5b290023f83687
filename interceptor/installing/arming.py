"""Rebinds two names in an HTTP library's client module, and binds them back.

A client builds its own transports by those names, one for each of the environment's proxies too.
The public classes stay what they are, so that mocks which patch them work below ours.
"""

import functools
import importlib
import logging
from types import ModuleType
from typing import Any

from interceptor.installing.injected import AsyncInjected, Injected, switch

__all__ = ["arm", "disarm", "is_armed"]

_MIXINS: dict[str, type] = {"HTTPTransport": Injected, "AsyncHTTPTransport": AsyncInjected}

_armed: dict[str, tuple[ModuleType, dict[str, Any]]] = {}  # the client module, and what it had
_log = logging.getLogger("interceptor")


def arm(library: str) -> None:
    """Have every client of this library that is made from now on build transports of ours.

    Where the names are not what they were when this was written, a warning says so, and nothing
    is changed.
    """
    switch.is_on = True
    public = importlib.import_module(library)
    if public.__name__ != library or library in _armed:
        return  # by `httpx2.alias_httpx`, httpx may be httpx2, which has been armed by its own name
    private = importlib.import_module(f"{library}._client")
    found: dict[str, Any] = {name: getattr(public, name, None) for name in _MIXINS}
    for name, kind in found.items():
        bound = getattr(private, name, None)
        if not isinstance(kind, type) or bound not in (kind, _injected(kind)):
            _log.warning(
                "%s._client.%s is %r, which this version of interceptor does not know: clients "
                "that you do not give to interceptor.instrument(...) are not recorded",
                library,
                name,
                bound,
            )
            return
    for name, kind in found.items():
        setattr(private, name, _injected(kind))
    _armed[library] = private, found


def disarm() -> None:
    """Bind the names back, but for one that somebody else has rebound since."""
    switch.is_on = False
    for library in tuple(_armed):
        private, had = _armed.pop(library, (None, {}))  # another thread may be faster
        for name, kind in had.items():
            if getattr(private, name) is _injected(kind):
                setattr(private, name, kind)


def is_armed(library: str) -> bool:
    """Tell whether clients of this library build transports of ours."""
    return library in _armed


@functools.cache
def _injected(kind: type) -> type:
    """Make the subclass of a library's transport that records."""
    members: dict[str, Any] = {
        "__doc__": f"{kind.__module__.partition('.')[0]}'s own, recording Mistral's requests.",
        "__module__": Injected.__module__,
        "_base": kind,
    }
    return type(kind.__name__, (_MIXINS[kind.__name__], kind), members)
