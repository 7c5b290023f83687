"""Taps in clients that exist already: put around the transports that a client has, and taken out.

A client of httpx or httpx2 has one transport for all, `_transport`, and in `_mounts` those for
certain URLs, the environment's proxies among them. Each way in takes out what it has put in and
nothing else, in whatever order that happens.
"""

import gc
import importlib
import sys
from collections.abc import Iterator
from typing import Any

from interceptor.errors import TransportError
from interceptor.installing.boot import LIBRARIES
from interceptor.installing.identity import ByIdentity
from interceptor.installing.turns import turn
from interceptor.recorder import Recorder
from interceptor.transports import is_tap

__all__ = ["Taps", "by_install", "instrument", "live_clients", "uninstrument"]

# Other instrumentations set these on a client's transport, whatever it is, to see its requests.
_METHODS = {"handle_request", "handle_async_request"}


class Taps:
    """The taps that one way in has put into clients."""

    def __init__(self, *, any_host: bool) -> None:
        """With `any_host` False, taps record only what is Mistral's whatever it asks for."""
        self._any_host = any_host
        self._of: ByIdentity[list[Any]] = ByIdentity()

    def put_in(self, client: Any, *, recorder: Recorder | None = None) -> None:
        """Tap every transport of an HTTP client where that has not been done."""
        ours = self._of.of(client, list)
        made: dict[int, Any] = {}  # one transport may stand in several places
        tap = _tap_for(client)

        def tapped(transport: Any) -> Any:
            if transport is None or any(one in ours for one in _chain(transport)):
                return transport
            if id(transport) not in made:
                made[id(transport)] = new = tap(transport, recorder=recorder)
                new.any_host = self._any_host
                ours.append(new)
            return made[id(transport)]

        _change(client, tapped)

    def take_out(self, client: Any) -> None:
        """Leave every transport of an HTTP client as it was.

        A tap that somebody else has put a transport around, or has given a method of their own,
        cannot be taken out: it is put off.
        """
        ours = self._of.pop(client) or []
        for one in ours:
            one.is_on = False
        _change(client, lambda transport: _without(transport, ours))


by_install = Taps(any_host=False)
"""Those that `install` has put into clients which it found."""

_by_hand = Taps(any_host=True)


def instrument(client: Any, *, recorder: Recorder | None = None) -> Any:
    """Record what goes through a client that exists already; gives the client back.

    Takes a Mistral client of any SDK version, and a client of httpx or httpx2, sync or async. Its
    requests to Mistral's API are recorded on any host, told by their paths. Doing it twice is
    doing it once, and a call is recorded once however many taps it goes through. Raises
    `TransportError` for anything else, and for a client that is closed. `recorder` None means
    the default one, which the settings describe.
    """
    with turn():
        for one in _http_clients(client, "instrument"):
            _by_hand.put_in(one, recorder=recorder)
    return client


def uninstrument(client: Any) -> None:
    """Undo `instrument`: the client has the transports that it had. Other taps stay."""
    with turn():
        for one in _http_clients(client, "uninstrument"):
            _by_hand.take_out(one)


def live_clients() -> list[Any]:
    """Find the clients of httpx and httpx2 that live in this process.

    One that is still being made, or whose making failed, has no transports yet: it is left out.
    """
    libraries = [sys.modules[name] for name in LIBRARIES if name in sys.modules]
    bases = tuple(kind for http in libraries for kind in (http.Client, http.AsyncClient))
    # Who refers to a class is an object of it, or little else. To go through all objects of the
    # program would hold those that other threads are making: `tuple(...)` fails where one is held.
    found = gc.get_referrers(*_derived(*bases))
    # By `type`, not `isinstance`: that would ask anything that is found for its `__class__`.
    return [one for one in found if issubclass(type(one), bases) and _is_made(one)]


def _derived(*kinds: type) -> set[type]:
    """Give classes and all that derive from them."""
    found = set(kinds)
    for kind in kinds:
        found |= _derived(*type.__subclasses__(kind))
    return found


def _tap_for(client: Any) -> Any:
    """Give the class of the taps for a client: its own flavour tells what its transports are."""
    library = next(filter(LIBRARIES.__contains__, _roots(client)))
    taps = importlib.import_module(f"interceptor.transports.{library}")
    is_async = isinstance(client, sys.modules[library].AsyncClient)
    return taps.AsyncTransport if is_async else taps.Transport


def _change(client: Any, change: Any) -> None:
    first = change(client._transport)
    mounts = {pattern: change(transport) for pattern, transport in client._mounts.items()}
    client._transport = first  # only now: where one is no transport at all, none is changed
    client._mounts.update(mounts)


def _chain(transport: Any) -> Iterator[Any]:
    """Give a transport and, while it is a tap of ours, the one inside."""
    while is_tap(transport):
        yield transport
        transport = transport.inner


def _without(transport: Any, taps: list[Any]) -> Any:
    while is_tap(transport) and transport in taps and vars(transport).keys().isdisjoint(_METHODS):
        transport = transport.inner
    if is_tap(transport):
        transport.inner = _without(transport.inner, taps)
    return transport


def _http_clients(client: Any, asked: str) -> list[Any]:
    """Give the HTTP clients that a client is or has; say what is wrong where there is none."""
    if client is None:
        raise TransportError("None is no client; use a Mistral, httpx or httpx2 client")
    of_sdk = getattr(client, "sdk_configuration", None)
    halves = [] if of_sdk is None else [of_sdk.client, of_sdk.async_client]
    found = [client] if of_sdk is None else [one for one in halves if one is not None]
    for one in found:
        kind = f"{type(one).__module__}.{type(one).__qualname__}"
        if not _is_http_client(one):
            raise TransportError(
                f"{asked}() takes a client of Mistral, httpx or httpx2, and {kind} is none; "
                "for a transport use interceptor.wrap(transport)"
            )
        if one.is_closed and asked == "instrument":
            raise TransportError(f"the {kind} is closed and sends nothing more; make a new one")
    if not found and asked == "instrument":
        raise TransportError("the Mistral client is closed and sends nothing more; make a new one")
    return found


def _is_http_client(client: Any) -> bool:
    """Tell whether a client is of a library that we know, and as we know it."""
    return not _roots(client).isdisjoint(LIBRARIES) and _is_made(client)


def _is_made(client: Any) -> bool:
    return "_transport" in vars(client) and "_mounts" in vars(client)


def _roots(client: Any) -> set[str]:
    """Give the libraries that an object's class and its bases come from."""
    return {one.__module__.partition(".")[0] for one in type(client).__mro__}
