"""Which tap fits which transport, and the clients that we make."""

import importlib
import importlib.metadata
import importlib.util

import pytest

import interceptor
from interceptor.errors import TransportError
from interceptor.transports import is_tap, sdk_library
from tests.ways import LIBRARIES, every_way

LIBRARY = sdk_library()
OTHER = {"httpx": "httpx2", "httpx2": "httpx"}


class Duck:
    """It has what a transport has, and derives from none."""

    def handle_request(self, request):
        raise NotImplementedError

    async def handle_async_request(self, request):
        raise NotImplementedError


@every_way
def test_a_transport_is_wrapped_in_one_of_its_kind(way):
    with_own_class = way.inner(None)
    for inner in (way.real(), with_own_class):
        wrapped = interceptor.wrap(inner)
        kind = way.http.AsyncBaseTransport if way.is_async else way.http.BaseTransport
        other = way.http.BaseTransport if way.is_async else way.http.AsyncBaseTransport
        assert isinstance(wrapped, kind)
        assert not isinstance(wrapped, other)
        assert wrapped.inner is inner
        assert is_tap(wrapped)


@every_way
def test_what_is_tapped_already_comes_back(way):
    wrapped = interceptor.wrap(way.inner(None))
    assert interceptor.wrap(wrapped) is wrapped


@every_way
def test_without_an_inner_transport_a_tap_has_the_librarys_own(way):
    kind = way.http.AsyncHTTPTransport if way.is_async else way.http.HTTPTransport
    assert isinstance(way.tap(None, None).inner, kind)


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_transport_that_is_both_stays_both(library):
    http = importlib.import_module(library)
    wrapped = interceptor.wrap(http.MockTransport(lambda _: http.Response(204)))
    assert isinstance(wrapped, http.BaseTransport)
    assert isinstance(wrapped, http.AsyncBaseTransport)
    with http.Client(transport=wrapped) as client:
        assert client.get("https://host.example").status_code == 204


@every_way
def test_others_may_set_attributes(way):
    wrapped = interceptor.wrap(way.inner(None))
    wrapped.label = "mine"
    assert wrapped.label == "mine"


@every_way
def test_the_classes_take_what_has_the_method(way):
    duck = Duck()
    assert way.tap(duck, None).inner is duck


NEITHER = (
    "wrap() takes a transport of httpx or httpx2, and {kind} derives from neither; derive it from "
    "BaseTransport or AsyncBaseTransport, or give it to the class that you mean, such as "
    "interceptor.transports.httpx2.Transport"
)
NONE = (
    "wrap() takes a transport, and {kind} is none; for a client that exists use "
    "interceptor.instrument(client)"
)
REFUSED = {
    "a class": (
        lambda http: http.HTTPTransport,
        "wrap() takes a transport, not the class HTTPTransport: give it an instance",
    ),
    "a client": (lambda http: http.Client(), NONE.replace("{kind}", "{library}.Client")),
    "a duck": (lambda http: Duck(), NEITHER.format(kind=f"{__name__}.Duck")),
    "nothing": (lambda http: None, NEITHER.format(kind="builtins.NoneType")),
}


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize(("make", "said"), REFUSED.values(), ids=REFUSED)
def test_wrap_refuses(library, make, said):
    with pytest.raises(TransportError) as caught:
        interceptor.wrap(make(importlib.import_module(library)))
    assert str(caught.value) == said.format(library=library)
    assert isinstance(caught.value, TypeError)


def test_wrap_refuses_the_sdk_itself():
    major = importlib.metadata.version("mistralai").partition(".")[0]
    module = importlib.import_module("mistralai" if major == "1" else "mistralai.client")
    with pytest.raises(TransportError, match=r"use interceptor\.instrument\(client\)"):
        interceptor.wrap(module.Mistral(api_key="invented"))


@every_way
def test_a_class_refuses_the_other_flavour(way):
    other = way._replace(is_async=not way.is_async)
    with pytest.raises(TransportError) as caught:
        way.tap(other.real(), None)
    tapped, base = (
        ("AsyncTransport", "AsyncBaseTransport")
        if way.is_async
        else (
            "Transport",
            "BaseTransport",
        )
    )
    kind = type(other.real())
    assert str(caught.value) == (
        f"interceptor.transports.{way.library}.{tapped} cannot wrap {kind.__module__}."
        f"{kind.__name__}: give it a {way.library}.{base}, or let interceptor.wrap(...) pick the "
        "class"
    )


@every_way
def test_a_class_refuses_the_other_librarys_transport(way):
    other = way._replace(library=OTHER[way.library])
    if other.library not in LIBRARIES:
        pytest.skip("there is one library only")
    with pytest.raises(TransportError, match="cannot wrap"):
        way.tap(other.inner(None), None)


@every_way
def test_a_class_refuses_a_class(way):
    with pytest.raises(TransportError, match="not the class Duck: give it an instance"):
        way.tap(Duck, None)


@pytest.mark.parametrize("library", LIBRARIES)
def test_the_class_for_both_refuses_what_is_one(library):
    taps = importlib.import_module(f"interceptor.transports.{library}")
    http = importlib.import_module(library)
    for one in (http.HTTPTransport(), http.AsyncHTTPTransport()):
        with pytest.raises(TransportError, match="EitherTransport cannot wrap"):
            taps.EitherTransport(one)


@pytest.mark.parametrize("name", ["transport", "mounts"])
def test_clients_refuses_what_cannot_serve_both(name):
    with pytest.raises(TransportError) as caught:
        interceptor.clients(**{name: None})
    assert str(caught.value) == (
        f"clients() makes a sync and an async client, and one {name} cannot serve both; make the "
        f"client yourself with {name}=interceptor.wrap(...)"
    )


def test_clients_refuses_an_option_that_no_client_has():
    with pytest.raises(TypeError, match="surprise"):
        interceptor.clients(surprise=1)


def test_clients_are_of_the_librarys_that_the_sdk_uses():
    http = importlib.import_module(LIBRARY)
    made = interceptor.clients()
    assert list(made) == ["client", "async_client"]
    assert type(made["client"]) is http.Client
    assert type(made["async_client"]) is http.AsyncClient
    assert all(is_tap(client._transport) for client in made.values())


def test_clients_are_like_the_sdks_own():
    for client in interceptor.clients().values():
        bare = type(client)(follow_redirects=True)
        assert client.follow_redirects
        assert client.timeout == bare.timeout
        assert client.headers == bare.headers
        assert client.trust_env == bare.trust_env
        assert pool(client._transport.inner) == pool(bare._transport)


def test_options_arrive():
    http = importlib.import_module(LIBRARY)
    options = {
        "headers": {"x-app": "mine"},
        "timeout": 3.0,
        "base_url": "https://host.example/v1",
        "follow_redirects": False,
        "http2": importlib.util.find_spec("h2") is not None,
        "http1": False,
        "verify": False,
        "limits": http.Limits(max_connections=7, max_keepalive_connections=3, keepalive_expiry=2),
    }
    for client in interceptor.clients(**options).values():
        bare = type(client)(**options)
        assert client.headers["x-app"] == "mine"
        assert client.timeout == http.Timeout(3.0)
        assert client.base_url == bare.base_url
        assert not client.follow_redirects
        assert pool(client._transport.inner) == pool(bare._transport)
        assert pool(bare._transport)["_max_connections"] == 7
        assert pool(bare._transport)["verify_mode"].name == "CERT_NONE"


def test_a_recorder_is_given_on():
    recorder = object()
    for client in interceptor.clients(recorder=recorder).values():
        assert client._transport._recorder is recorder


def test_a_proxy_that_is_given_serves_all_requests():
    for client in interceptor.clients(proxy="http://proxy.example:3128").values():
        assert client._mounts == {}
        assert client._transport.inner._pool._proxy_url.host == b"proxy.example"


VERSIONS = {
    "1.12.4": "httpx",
    "2.10.1": "httpx",
    "3.0.0rc1": "httpx2",
    "3.7.0": "httpx2",
    "10.0": "httpx2",
    "unknown": "httpx",
}


@pytest.mark.parametrize(("version", "library"), VERSIONS.items(), ids=VERSIONS)
def test_the_sdks_version_names_the_library(monkeypatch, version, library):
    monkeypatch.setattr(importlib.metadata, "version", {"mistralai": version}.__getitem__)
    assert sdk_library() == library


def test_without_the_sdk_it_is_the_library_that_is_there(monkeypatch):
    def absent(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", absent)
    assert sdk_library() == LIBRARIES[0]


def pool(transport):
    """Give what a transport was told about its connections."""
    found = transport._pool
    names = ("_http1", "_http2", "_max_connections", "_max_keepalive_connections")
    names += ("_keepalive_expiry", "_retries")
    told = {name: getattr(found, name) for name in names}
    return told | {"verify_mode": found._ssl_context.verify_mode}
