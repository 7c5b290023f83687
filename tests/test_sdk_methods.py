"""Every method of the real SDK that reaches an endpoint of ours, over a socket, sync and async."""

import contextlib

import pytest

import interceptor
from interceptor.reading import read
from interceptor.replay import Server
from interceptor.replay.fixtures import all_fixtures, named
from interceptor.testing import recorded
from tests.recorded_exchanges import of_fixture
from tests.sdk_calls import (
    MAJOR,
    METHODS,
    MINOR,
    Mistral,
    arguments,
    http,
    is_stream,
    method,
    method_name,
)

pytestmark = [
    pytest.mark.sdk,
    pytest.mark.skipif((MAJOR, MINOR) < (1, 12), reason="the SDK's types are older than the API's"),
]

SKIPPED = ("audio.speech/raw_audio", "embeddings/base64", "chat.completions/server_side_tool")
MODELS = {
    (endpoint, is_streamed): fixture
    for fixture in reversed(list(all_fixtures()))
    for endpoint, is_streamed in [(fixture.name.partition("/")[0], is_stream(fixture))]
    if endpoint in METHODS
    and fixture.response.status < 400
    and fixture.name not in SKIPPED
    and not {"error", "failed"} & set(fixture.name.replace("/", "_").split("_"))
    and fixture.request.path.startswith("/v1/" + endpoint.partition(".")[0])
}
LIGHT = {
    "models.list": ("models/list", {}),
    "files.upload": (
        "files/upload",
        {"purpose": "ocr", "file": {"file_name": "log-1911.pdf", "content": b"%PDF"}},
    ),
    "files.download": ("files/batch_output", {"file_id": "abbe56be-0000-4562-9586-d3046defca39"}),
    "batch.jobs.create": (
        "batch.jobs/created",
        {
            "endpoint": "/v1/chat/completions",
            "model": "mistral-small-latest",
            "requests": [{"custom_id": "0", "body": {"messages": []}}],
        },
    ),
    "batch.jobs.get": (
        "batch.jobs/inline_outputs",
        {"job_id": "7d0e5c1a-3b2f-4c8d-9e6a-1f2b3c4d5e6f", "inline": True},
    ),
    "beta.agents.create": (
        "agents.crud/created",
        {"model": "mistral-medium-latest", "name": "front-desk"},
    ),
    "beta.agents.delete": ("agents.crud/deleted", {}),
}


@pytest.fixture
def anyio_backend():
    """Give asyncio alone: the SDK calls `asyncio.to_thread`, so that it never runs under trio."""
    return "asyncio"


def found(sdk, name):
    called = method(sdk, name)
    if called is None:
        pytest.skip(f"this release line of the SDK has no {name}")
    return called


def call(server, name, given):
    """Call a method, and read its answer to the end."""
    with http.Client(transport=interceptor.wrap(http.HTTPTransport())) as client:
        called = found(Mistral(api_key="invented", server_url=server.url, client=client), name)
        answer = called(**given(called))
        if hasattr(answer, "__next__"):
            with answer:
                list(answer)
        elif hasattr(answer, "read"):
            answer.read()


async def call_async(server, name, given):
    """Call the asynchronous twin of a method, and read its answer to the end."""
    transport = interceptor.wrap(http.AsyncHTTPTransport())
    async with http.AsyncClient(transport=transport) as client:
        sdk = Mistral(api_key="invented", server_url=server.url, async_client=client)
        called = found(sdk, f"{name}_async")
        answer = await called(**given(called))
        if hasattr(answer, "__anext__"):
            async with answer:
                _ = [event async for event in answer]
        elif hasattr(answer, "aread"):
            await answer.aread()


@contextlib.contextmanager
def one_record(fixture):
    """Give a server that answers from a fixture; what is recorded must say what it does."""
    with recorded() as records, Server.of(fixture.name) as server:
        yield server
        (record,) = records
    expected = read(of_fixture(fixture))
    said = ("endpoint", "operation", "output", "usage", "usage_by_model", "tool_runs", "handoffs")
    assert {name: getattr(record, name) for name in said} == {
        name: getattr(expected, name) for name in said
    }
    assert (record.failure, record.notes) == (None, ())
    if expected.stream:
        assert (record.stream.events, record.stream.completed) == (expected.stream.events, True)


@pytest.mark.parametrize("key", MODELS, ids=lambda key: MODELS[key].name)
class TestAMethodThatRunsAModel:
    def test_sync(self, key):
        fixture = MODELS[key]
        with one_record(fixture) as server:
            call(server, method_name(fixture), lambda called: arguments(fixture, called))

    async def test_async(self, key):
        fixture = MODELS[key]
        with one_record(fixture) as server:
            name = method_name(fixture)
            await call_async(server, name, lambda called: arguments(fixture, called))


@pytest.mark.parametrize(("name", "case"), LIGHT.items(), ids=LIGHT)
class TestALightMethod:
    @staticmethod
    def given(case):
        fixture = named(case[0])
        agent = {"agent_id": fixture.request.path.split("/")[-1]} if "deleted" in case[0] else {}
        return fixture, lambda _: case[1] | agent

    def test_sync(self, name, case):
        fixture, given = self.given(case)
        with one_record(fixture) as server:
            call(server, name, given)

    async def test_async(self, name, case):
        fixture, given = self.given(case)
        with one_record(fixture) as server:
            await call_async(server, name, given)


def test_an_upload_is_recorded_by_its_fields_and_never_read():
    fixture = named("audio.transcriptions/file")
    with recorded() as records, Server.of(fixture.name) as server:
        call(
            server,
            "audio.transcriptions.complete",
            lambda _: {
                "model": "voxtral-mini-latest",
                "file": {"file_name": "a.mp3", "content": b"RIFF"},
                "temperature": 0.5,
            },
        )
        (record,) = records
    (part,) = record.input.messages[0].parts
    assert (part.name, part.modality, part.sha256) == ("a.mp3", "audio", None)
    assert (record.input.model, record.input.temperature) == ("voxtral-mini-latest", 0.5)
    assert record.request_bytes is None


def test_every_method_that_runs_a_model_is_called():
    called = {METHODS[endpoint][is_streamed] for endpoint, is_streamed in MODELS}
    assert called == {name for names in METHODS.values() for name in names if name}
