"""The recorded exchanges, seen through the installed SDK: it reads what we say the API sends."""

import importlib
import importlib.metadata

import pytest

from interceptor.replay import Server, all_fixtures
from interceptor.replay.messages import value

MAJOR, MINOR = map(int, importlib.metadata.version("mistralai").split(".")[:2])
Mistral = importlib.import_module("mistralai" if MAJOR == 1 else "mistralai.client").Mistral
http = importlib.import_module("httpx" if MAJOR < 3 else "httpx2")

pytestmark = [
    pytest.mark.sdk,
    pytest.mark.skipif(
        (MAJOR, MINOR) < (1, 12) or (MAJOR, MINOR) == (2, 0),
        reason="the SDK's types are older than the API's",
    ),
]

PATHS = ("/v1/chat/completions", "/v1/fim/completions", "/v1/embeddings")
FIXTURES = {f.name: f for f in all_fixtures() if f.request.path in PATHS}
ASKED = ("messages", "model", "prompt", "suffix", "tools")  # every release line takes these
REFUSED = {"SDKError", "HTTPValidationError"}
UNTYPED = {"ResponseValidationError", "SDKError", "ValidationError"}  # it differs by release line
ERRORS = {
    "chat.completions/error_400": REFUSED,
    "chat.completions/error_422_detail_list": REFUSED,
    "chat.completions/error_422_message_object": REFUSED,
    "chat.completions/error_in_stream": UNTYPED,  # the SDK knows no event but a chunk
    "chat.completions/rate_limited": REFUSED,
    "chat.completions/unauthorized": REFUSED,
    "embeddings/base64": UNTYPED,  # the SDK has a type for lists of floats only
}

if MAJOR == 1:  # its choices have one message each, and no tools but functions
    ERRORS["chat.completions/server_side_tool"] = UNTYPED

READ = [name for name in FIXTURES if name not in ERRORS]


def answers(fixture, server):
    """Send what the fixture asks through the SDK; give the response, or the chunks of a stream."""
    asked = fixture.request.json()
    options = {name: asked[name] for name in ASKED if name in asked}
    if MAJOR == 1 and any("function" not in tool for tool in asked.get("tools", ())):
        del options["tools"]  # it knows no others; the answer is what is read here
    with http.Client() as client:  # the oldest SDKs never close one of their own
        mistral = Mistral(api_key="invented", server_url=server.url, client=client)
        if fixture.name.startswith("embeddings/"):
            return [mistral.embeddings.create(inputs=asked["input"], **options)]
        endpoint = mistral.fim if fixture.name.startswith("fim.") else mistral.chat
        if asked["stream"]:
            return [event.data for event in endpoint.stream(**options)]
        return [endpoint.complete(**options)]


def is_stream(fixture):
    return value(fixture.response.headers, "content-type").startswith("text/event-stream")


@pytest.mark.parametrize("name", READ)
def test_the_sdk_reads_every_answer(name):
    fixture = FIXTURES[name]
    with Server.of(name) as server:
        answered = answers(fixture, server)
    assert answered[-1].usage.total_tokens
    if is_stream(fixture):
        assert len(answered) == fixture.response.body.count(b"data: {")


@pytest.mark.parametrize(("name", "kinds"), ERRORS.items(), ids=ERRORS)
def test_an_error_is_one_for_the_sdk_too(name, kinds):
    with Server.of(name) as server, pytest.raises(Exception) as caught:  # noqa: PT011
        answers(FIXTURES[name], server)
    assert type(caught.value).__name__ in kinds
