"""Taps for clients that exist already, and for every client that is made from now on.

What is rebound is two names in the HTTP library's client module, `HTTPTransport` and
`AsyncHTTPTransport`, by subclasses that record Mistral's requests and pass on all others; no
object of the SDK is touched. The start of a program may import this package, so that it loads
nothing by itself.
"""

TYPE_CHECKING = False

if TYPE_CHECKING:
    from interceptor.installing.clients import instrument, uninstrument
    from interceptor.installing.everywhere import install, uninstall

__all__ = ["install", "instrument", "uninstall", "uninstrument"]

_HOMES = {
    "install": "everywhere",
    "instrument": "clients",
    "uninstall": "everywhere",
    "uninstrument": "clients",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:  # asked for `boot` too, by whoever starts: so it imports nothing yet
        raise AttributeError(f"module 'interceptor.installing' has no attribute {name!r}")
    from importlib import import_module

    found: object = getattr(import_module(f"interceptor.installing.{_HOMES[name]}"), name)
    return found
