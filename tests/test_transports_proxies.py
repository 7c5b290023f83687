"""The environment's proxies serve our clients as they serve bare ones."""

import importlib

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import interceptor
from interceptor import replay
from interceptor.transports._choosing import sdk_library
from interceptor.transports._proxies import environment_proxies
from tests.ways import ASKED, LIBRARIES, recording

VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
PROXY = "http://proxy.example:3128"
ENVIRONMENTS = {
    "none": {},
    "each scheme": {
        "HTTP_PROXY": PROXY,
        "HTTPS_PROXY": "http://other.example:8080",
        "ALL_PROXY": "https://all.example",
    },
    "without a scheme": {"HTTPS_PROXY": "proxy.example:3128"},
    "with credentials": {"ALL_PROXY": "http://user:password@proxy.example:3128"},
    "everything directly": {"ALL_PROXY": PROXY, "NO_PROXY": "host.example, *"},
    "no proxy to go around": {"NO_PROXY": "host.example"},
}
DIRECT = (
    "host.example",
    ".host.example",
    "*.host.example",
    "host.example:8080",
    "https://host.example",
    "all://host.example:443",
    "localhost",
    "LOCALHOST",
    "127.0.0.1",
    "10.0.0.0/8",
    "::1",
    " host.example ,, other.example",
)
DIRECT_FOR_HTTPX2 = (
    "fe80::/10",
    "[::1]",
    "[::1]/64",
    "host/path",
    "10.0.0.0/99",
    "[",
    "*.a/b",
    "%",
)


@pytest.fixture
def environ(monkeypatch):
    """Set the variables of proxies, and no others."""

    def put(**given):
        for name in VARIABLES:
            monkeypatch.delenv(name, raising=False)
            monkeypatch.delenv(name.lower(), raising=False)
        for name, value in given.items():
            monkeypatch.setenv(name, value)

    put()
    return put


def routes(client):
    """Give the patterns of a client, in its order, and the proxy of each."""
    return [
        (pattern.pattern, proxy_of(transport) if transport else None)
        for pattern, transport in client._mounts.items()
    ]


def proxy_of(transport):
    pool = getattr(transport, "inner", transport)._pool
    return getattr(pool, "_proxy_url", None)


@pytest.mark.parametrize("given", ENVIRONMENTS.values(), ids=ENVIRONMENTS)
def test_our_clients_take_the_routes_of_bare_ones(environ, given):
    environ(**given)
    http = importlib.import_module(sdk_library())
    ours = interceptor.clients()
    for client, kind in ((ours["client"], http.Client), (ours["async_client"], http.AsyncClient)):
        assert [repr(route) for route in routes(client)] == [
            repr(route) for route in routes(kind())
        ]
        assert proxy_of(client._transport) is None


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("given", ENVIRONMENTS.values(), ids=ENVIRONMENTS)
def test_each_librarys_proxies(environ, library, given):
    environ(**given)
    assert_as_bare(library)


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("direct", DIRECT)
def test_each_librarys_ways_around_a_proxy(environ, library, direct):
    environ(ALL_PROXY=PROXY, NO_PROXY=direct)
    assert_as_bare(library)


@pytest.mark.skipif("httpx2" not in LIBRARIES, reason="these forms are httpx2's")
@pytest.mark.parametrize("direct", DIRECT_FOR_HTTPX2)
def test_httpx2_knows_more_forms_and_leaves_out_what_it_cannot_read(environ, direct):
    environ(ALL_PROXY=PROXY, NO_PROXY=direct)
    assert_as_bare("httpx2")


@pytest.mark.parametrize("library", LIBRARIES)
@given(direct=st.text(st.sampled_from("a1.*:/[]-,% "), max_size=12))
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=25
)
@example(direct="1::/1")
def test_any_way_around_a_proxy(environ, library, direct):
    environ(ALL_PROXY=PROXY, NO_PROXY=direct)
    assert_as_bare(library)


def assert_as_bare(library):
    """Hold our map against the mounts of a bare client; what it refuses, ours refuses too."""
    http = importlib.import_module(library)
    try:
        bare = http.Client(verify=False)
    except (http.InvalidURL, ValueError) as refused:
        with pytest.raises(type(refused)):
            http.Client(mounts=dict.fromkeys(environment_proxies(library)))
        return
    ours = http.Client(mounts=dict.fromkeys(environment_proxies(library)), trust_env=False)
    assert list(ours._mounts) == list(bare._mounts)
    assert {pattern: url is None for pattern, url in environment_proxies(library).items()} == {
        pattern.pattern: transport is None for pattern, transport in bare._mounts.items()
    }


def test_without_trust_in_the_environment_there_are_none(environ):
    environ(ALL_PROXY=PROXY)
    for client in interceptor.clients(trust_env=False).values():
        assert client._mounts == {}


@pytest.mark.parametrize("is_direct", [False, True])
async def test_requests_go_through_the_proxy_and_are_recorded(environ, is_direct):
    """A plain request to a proxy names the whole URL, a direct one the path alone."""
    recorder, kept = recording()
    with (
        replay.Server.of("chat.completions/plain") as proxy,
        replay.Server.of("chat.completions/plain") as server,
    ):
        url = f"{server.url}/v1/chat/completions"
        environ(HTTP_PROXY=proxy.url, NO_PROXY="127.0.0.0/8, 127.0.0.1" if is_direct else "")
        ours = interceptor.clients(recorder=recorder)
        with ours["client"] as client:
            client.post(url, json=ASKED).raise_for_status()
        async with ours["async_client"] as client:
            (await client.post(url, json=ASKED)).raise_for_status()
    seen, silent = (server, proxy) if is_direct else (proxy, server)
    assert [request.path for request in seen.requests] == 2 * [
        "/v1/chat/completions" if is_direct else url
    ]
    assert not silent.requests
    assert recorder.flush(10)
    assert [record.status for record in kept] == [200, 200]


def test_a_proxys_credentials_are_not_recorded(environ):
    recorder, kept = recording()
    with replay.Server(()) as proxy:
        credentials = "user:hunter2-and-more"
        environ(HTTPS_PROXY=proxy.url.replace("://", f"://{credentials}@"))
        http = importlib.import_module(sdk_library())
        with (
            interceptor.clients(recorder=recorder)["client"] as client,
            pytest.raises(http.ProxyError),
        ):
            client.post("https://api.mistral.ai/v1/chat/completions", json=ASKED)
    assert any(name == "proxy-authorization" for name, _ in proxy.requests[0].headers)
    assert recorder.flush(10)
    (record,) = kept
    assert record.failure.kind == "ProxyError"
    assert "hunter2" not in repr(record)
