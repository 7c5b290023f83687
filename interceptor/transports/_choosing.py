"""Which of the taps fits: by an object's own class, or by the SDK that is installed."""

import importlib
import importlib.metadata
import importlib.util
from typing import Any

from interceptor.errors import TransportError
from interceptor.recorder import Recorder
from interceptor.transports._kinds import LIBRARIES, bases, library
from interceptor.transports._proxies import environment_proxies
from interceptor.transports._tap import AsyncTap, Tap

__all__ = ["clients", "is_tap", "sdk_library", "wrap"]

_OF_TRANSPORT = ("verify", "cert", "http1", "http2", "limits")
_FIRST_ON_HTTPX2 = 3


def wrap(transport: Any, *, recorder: Recorder | None = None) -> Any:
    """Give a transport of the same kind that records what goes through `transport`.

    Takes any transport of httpx or httpx2, sync or async, your own classes included. Pass what
    comes back to a client: `httpx.Client(transport=interceptor.wrap(httpx.HTTPTransport()))`.
    A transport that is tapped already comes back as it is. Raises `TransportError` for anything
    else. `recorder` None means the default one, which the settings describe.
    """
    if is_tap(transport):
        return transport
    found = bases(transport)
    if not found:
        raise TransportError(_refusal(transport))
    module = importlib.import_module(f"interceptor.transports.{library(transport)}")
    name = "EitherTransport" if len(found) > 1 else found[0].replace("Base", "")
    return getattr(module, name)(transport, recorder=recorder)


def is_tap(transport: Any) -> bool:
    """Tell whether a transport is one of ours; then `inner` is the one that it taps."""
    return isinstance(transport, Tap | AsyncTap)


def clients(*, recorder: Recorder | None = None, **options: Any) -> dict[str, Any]:
    """Give the two HTTP clients that a Mistral client takes, recording what goes through them.

    Use as `Mistral(api_key=..., **interceptor.clients())`. The result has `client` and
    `async_client`, of the library that the installed SDK is made for (httpx for mistralai 1 and 2,
    httpx2 for 3). `options` are those of `httpx.Client`, except `transport` and `mounts`, which
    cannot serve both. As in the SDK's own clients, redirects are followed and the environment's
    proxies are honoured, unless an option says otherwise.
    """
    for name in ("transport", "mounts"):
        if name in options:
            raise TransportError(
                f"clients() makes a sync and an async client, and one {name} cannot serve both; "
                f"make the client yourself with {name}=interceptor.wrap(...)"
            )
    name = sdk_library()
    http = importlib.import_module(name)
    taps = importlib.import_module(f"interceptor.transports.{name}")
    sync, async_ = (
        (http.Client, http.HTTPTransport, taps.Transport),
        (http.AsyncClient, http.AsyncHTTPTransport, taps.AsyncTransport),
    )
    return {
        "client": _client(name, *sync, recorder, options),
        "async_client": _client(name, *async_, recorder, options),
    }


def sdk_library() -> str:
    """Give the HTTP library of the installed SDK; without one, the library that is there."""
    try:
        version = importlib.metadata.version("mistralai")
    except importlib.metadata.PackageNotFoundError:
        return next((name for name in LIBRARIES if importlib.util.find_spec(name)), "httpx")
    major = version.partition(".")[0]
    return "httpx2" if major.isdigit() and int(major) >= _FIRST_ON_HTTPX2 else "httpx"


def _client(
    library: str,
    make_client: Any,
    make_transport: Any,
    tap: Any,
    recorder: Recorder | None,
    options: dict[str, Any],
) -> Any:
    """Make a client whose every transport is tapped, one for each of the environment's proxies.

    A client that is given a transport forgets those proxies, so they are given as mounts.
    """
    given = dict(options)
    proxy = given.pop("proxy", None)
    trust_env = given.get("trust_env", True)
    of_transport = {name: given.pop(name) for name in _OF_TRANSPORT if name in given}
    of_transport["trust_env"] = trust_env

    def tapped(proxy: Any) -> Any:
        return tap(make_transport(proxy=proxy, **of_transport), recorder=recorder)

    proxies = environment_proxies(library) if trust_env and proxy is None else {}
    mounts = {pattern: None if url is None else tapped(url) for pattern, url in proxies.items()}
    return make_client(**{"follow_redirects": True} | given, transport=tapped(proxy), mounts=mounts)


def _refusal(given: Any) -> str:
    kind = f"{type(given).__module__}.{type(given).__qualname__}"
    if isinstance(given, type):
        return f"wrap() takes a transport, not the class {given.__qualname__}: give it an instance"
    if library(given) is not None or kind.startswith("mistralai."):
        return (
            f"wrap() takes a transport, and {kind} is none; for a client that exists use "
            "interceptor.instrument(client)"
        )
    return (
        f"wrap() takes a transport of httpx or httpx2, and {kind} derives from neither; derive it "
        "from BaseTransport or AsyncBaseTransport, or give it to the class that you mean, such as "
        "interceptor.transports.httpx2.Transport"
    )
