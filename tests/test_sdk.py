"""The real SDK, whichever release is installed, takes HTTP clients of our making."""

import importlib
import importlib.metadata

import pytest

pytestmark = pytest.mark.sdk

MAJOR = int(importlib.metadata.version("mistralai").partition(".")[0])
Mistral = importlib.import_module("mistralai" if MAJOR == 1 else "mistralai.client").Mistral
http = importlib.import_module("httpx" if MAJOR < 3 else "httpx2")

QUESTION = {"model": "mistral-small-latest", "messages": [{"role": "user", "content": "Hello"}]}
ANSWER = {
    "id": "7d1c0f5e",
    "object": "chat.completion",
    "model": "mistral-small-latest",
    "created": 1760000000,
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "Hello to you."},
            "finish_reason": "stop",
        }
    ],
    "usage": {"prompt_tokens": 4, "completion_tokens": 5, "total_tokens": 9},
}


@pytest.fixture
def anyio_backend():
    """Give asyncio alone: the SDK calls `asyncio.to_thread`, so that it never runs under trio."""
    return "asyncio"


def answer(request):
    assert request.url.path == "/v1/chat/completions"
    return http.Response(200, json=ANSWER)


def test_it_takes_a_client():
    with http.Client(transport=http.MockTransport(answer)) as client:
        response = Mistral(api_key="invented", client=client).chat.complete(**QUESTION)
    assert response.choices[0].message.content == "Hello to you."


async def test_it_takes_an_async_client():
    async with http.AsyncClient(transport=http.MockTransport(answer)) as client:
        sdk = Mistral(api_key="invented", async_client=client)
        response = await sdk.chat.complete_async(**QUESTION)
    assert response.choices[0].message.content == "Hello to you."
