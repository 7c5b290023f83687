"""Beside what others put into clients: nothing changes for them, and a call is recorded once."""

import asyncio
import importlib

import pytest

import interceptor
from interceptor import testing
from interceptor.replay import Rule, Server, named, script
from tests.ways import ASKED, LIBRARIES

httpx = pytest.importorskip("httpx")

CHAT = "/v1/chat/completions"
URL = f"https://api.mistral.ai{CHAT}"
PLAIN = named("chat.completions/plain")
ANSWER = PLAIN.response.body


@pytest.fixture(autouse=True)
def _installed():
    interceptor.install()
    yield
    interceptor.uninstall()


@pytest.fixture
def records():
    with testing.recorded() as found:
        yield found


@pytest.fixture
def server():
    with Server.of(PLAIN.name) as one:
        yield one


def assert_read(records, count=1):
    """Assert that so many calls were recorded, and that the last was read whole."""
    assert len(records) == count
    assert records[-1].usage.total_tokens == 49
    assert records[-1].failure is None


# Mocks


def test_respx_below_the_transport(records):
    respx = pytest.importorskip("respx")
    with respx.mock(assert_all_called=True) as mocked, httpx.Client() as client:
        route = mocked.post(URL).respond(json={"mocked": True})
        assert client.post(URL, json=ASKED).json() == {"mocked": True}
    assert route.call_count == 1
    assert len(records) == 1


def test_respx_in_place_of_the_transport(records):
    respx = pytest.importorskip("respx")
    with respx.mock(using="httpx") as mocked, httpx.Client() as client:
        route = mocked.post(URL).respond(json={"mocked": True})
        assert client.post(URL, json=ASKED).json() == {"mocked": True}
    assert route.call_count == 1
    assert len(records) <= 1  # it never asks any transport, so that there is nothing to see


def test_pytest_httpx(request, records):
    pytest.importorskip("pytest_httpx")
    httpx_mock = request.getfixturevalue("httpx_mock")
    httpx_mock.add_response(url=URL, content=ANSWER, headers={"content-type": "application/json"})
    with httpx.Client() as client:
        assert client.post(URL, json=ASKED).content == ANSWER
    assert httpx_mock.get_request().url == URL
    assert_read(records)


async def test_pytest_httpx_async(request, records):
    pytest.importorskip("pytest_httpx")
    httpx_mock = request.getfixturevalue("httpx_mock")
    httpx_mock.add_response(url=URL, content=ANSWER, headers={"content-type": "application/json"})
    async with httpx.AsyncClient() as client:
        assert (await client.post(URL, json=ASKED)).content == ANSWER
    assert_read(records)


def test_vcrpy(records, server, tmp_path):
    vcr = pytest.importorskip("vcr")
    cassette = str(tmp_path / "cassette.yaml")
    agent = {"user-agent": "mistral-client-python/3.7.0"}
    for played in (0, 1):
        with vcr.use_cassette(cassette) as tape, httpx.Client() as client:
            assert client.post(server.url + CHAT, json=ASKED, headers=agent).content == ANSWER
        assert tape.play_count == played
    assert len(server.requests) == 1  # the second answer came from the tape
    assert_read(records, 2)


# Transports of others


def failing_once():
    """Give a server that refuses the first time."""
    refused = named("chat.completions/rate_limited").response
    return Server([Rule("POST", CHAT, (script(refused), script(PLAIN.response)))])


def test_httpx_retries_around_a_tap_is_a_record_an_attempt(records):
    retries = pytest.importorskip("httpx_retries")
    retry = retries.Retry(total=2, backoff_factor=0, allowed_methods=["POST"])
    inner = interceptor.wrap(httpx.HTTPTransport())
    with (
        failing_once() as server,
        httpx.Client(transport=retries.RetryTransport(transport=inner, retry=retry)) as client,
    ):
        assert client.post(server.url + CHAT, json=ASKED).content == ANSWER
    assert_read(records, 2)
    assert [record.status for record in records] == [429, 200]
    assert [record.attempt for record in records] == [1, 2]


def test_httpx_retries_inside_a_tap_is_one_record(records):
    retries = pytest.importorskip("httpx_retries")
    retry = retries.Retry(total=2, backoff_factor=0, allowed_methods=["POST"])
    with (
        failing_once() as server,
        httpx.Client(transport=retries.RetryTransport(retry=retry)) as client,
    ):
        interceptor.instrument(client)
        assert client.post(server.url + CHAT, json=ASKED).content == ANSWER
        assert len(server.requests) == 2
    assert_read(records)


def test_hishel_answers_from_its_cache_as_before(records, tmp_path):
    hishel = pytest.importorskip("hishel.httpx", reason="hishel 2 caches what any client asks")
    storage = importlib.import_module("hishel").SqliteStorage(database_path=tmp_path / "cache.db")
    transport = hishel.CacheTransport(httpx.HTTPTransport(), storage=storage)
    models = Rule("GET", "/v1/models", (script(PLAIN.response),))
    with Server([models]) as server, httpx.Client(transport=transport) as client:
        interceptor.instrument(client)
        found = [client.get(f"{server.url}/v1/models").content for _ in range(2)]
        assert len(server.requests) == 1
    storage.close()
    assert found == [ANSWER, ANSWER]
    assert [record.status for record in records] == [200, 200]


def test_httpx_aiohttp(records, server):
    aiohttp = pytest.importorskip("httpx_aiohttp")

    async def ask():
        async with aiohttp.HttpxAiohttpClient() as client:
            interceptor.instrument(client)
            return await client.post(server.url + CHAT, json=ASKED)

    assert asyncio.run(ask()).content == ANSWER
    assert_read(records)


# HTTP/2


@pytest.mark.parametrize("library", LIBRARIES)
def test_http2(records, library):
    pytest.importorskip("h2")
    from tests.h2_server import H2Server

    http = importlib.import_module(library)
    agent = {"user-agent": "mistral-client-python/3.7.0"}
    with H2Server(ANSWER) as server, http.Client(http1=False, http2=True) as client:
        found = client.post(server.url + CHAT, json=ASKED, headers=agent)
    assert (found.content, found.http_version) == (ANSWER, "HTTP/2")
    assert server.requests[0][b":path"] == CHAT.encode()
    assert_read(records)
    assert records[0].server.http_version == "HTTP/2"
