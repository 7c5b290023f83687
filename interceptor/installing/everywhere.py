"""Taps for every client of the program, in code: `install` and `uninstall`."""

import logging

from interceptor.errors import TransportError
from interceptor.installing import boot
from interceptor.installing.identity import ByIdentity
from interceptor.installing.turns import turn

__all__ = ["install", "uninstall"]

_log = logging.getLogger("interceptor")
_found: ByIdentity[None] = ByIdentity()  # clients that were older than a call of `install`


def install(*, existing: bool = False) -> None:
    """Record the Mistral requests of every httpx and httpx2 client made from now on.

    A request is Mistral's by its host, by the SDK's User-Agent (on gateways, Azure and Google
    too), or by `INTERCEPTOR_HOSTS`; all others pass untouched. Nothing is imported: a library
    that is not loaded yet is seen to when it is. With `existing`, clients that live already are
    tapped too, as `instrument` does. A client that was given a transport of its own needs
    `wrap` or `instrument`. May be called any number of times.
    """
    boot.start()
    if existing or _found:
        from interceptor.installing.clients import by_install, live_clients

        with turn():
            for client in live_clients() if existing else ():
                _found.of(client, lambda: None)
            for client in _found:
                try:
                    by_install.put_in(client)
                except TransportError as error:  # one that can send nothing, either
                    _log.warning("a client is left as it is: %s", error)


def uninstall() -> None:
    """Undo `install`, and what the environment installed: from now on no client records by it.

    Clients that exist have their transports back, or ones that hand everything on. Those that
    code has tapped by `wrap`, `clients` or `instrument` record on.
    """
    boot.stop()
    if _found:
        from interceptor.installing.clients import by_install

        with turn():
            for client in _found:
                by_install.take_out(client)
