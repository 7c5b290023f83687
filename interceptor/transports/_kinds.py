"""Which library's transport an object is, and whether it is a sync one, an async one or both."""

from typing import Any

from interceptor.errors import TransportError

__all__ = ["LIBRARIES", "bases", "checked", "library"]

LIBRARIES = ("httpx", "httpx2")
_BASES = ("BaseTransport", "AsyncBaseTransport")


def library(given: Any) -> str | None:
    """Give the HTTP library that an object's class comes from, or derives from."""
    roots = (kind.__module__.partition(".")[0] for kind in type(given).__mro__)
    return next((root for root in roots if root in LIBRARIES), None)


def bases(given: Any) -> tuple[str, ...]:
    """Give which of its library's two transport classes an object derives from."""
    own = library(given)
    found = {
        kind.__name__ for kind in type(given).__mro__ if kind.__module__.partition(".")[0] == own
    }
    return tuple(name for name in _BASES if name in found)


def checked(inner: Any, kind: type, method: str, *, tap: str) -> Any:
    """Give `inner` where it is a transport of this kind, or has its method and no library.

    Raises `TransportError` where it is not: the wrong flavour would fail deep inside the library,
    at the first request, in words that say nothing of it.
    """
    own = kind.__module__.partition(".")[0]
    name = f"interceptor.transports.{own}.{tap}"
    if isinstance(inner, type):
        raise TransportError(
            f"{name} takes a transport, not the class {inner.__qualname__}: give it an instance"
        )
    if isinstance(inner, kind):
        return inner
    if library(inner) in (None, own) and callable(getattr(inner, method, None)):
        return inner
    raise TransportError(
        f"{name} cannot wrap {type(inner).__module__}.{type(inner).__qualname__}: give it a "
        f"{own}.{kind.__name__}, or let interceptor.wrap(...) pick the class"
    )
