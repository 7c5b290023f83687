"""A transport that answers from memory, so that nothing but the taps is measured."""

import importlib
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from interceptor.transports._choosing import sdk_library

__all__ = ["CHUNK", "answer", "http", "requests", "sends", "stream"]

_URL = "https://api.mistral.ai/v1/chat/completions"
_HEADERS = {
    "date": "Sat, 21 Nov 2026 10:00:00 GMT",
    "connection": "keep-alive",
    "mistral-correlation-id": "019f83ae-0000-7669-90e2-000000000000",
    "x-kong-request-id": "019f83ae-0000-7669-90e2-000000000000",
    "x-envoy-upstream-service-time": "207",
    "x-ratelimit-limit-req-minute": "60",
    "x-ratelimit-remaining-req-minute": "59",
    "x-ratelimit-limit-tokens-minute": "500000",
    "x-ratelimit-remaining-tokens-minute": "499000",
    "strict-transport-security": "max-age=15552000",
    "x-content-type-options": "nosniff",
    "server": "cloudflare",
    "alt-svc": 'h3=":443"',
    "access-control-allow-origin": "*",
}
_ANSWER = (
    b'{"id":"bench","object":"chat.completion","created":1700000000,'
    b'"model":"mistral-small-latest","choices":[{"index":0,"message":{"role":"assistant",'
    b'"content":"The answer is forty-two, as it always was.","tool_calls":null},'
    b'"finish_reason":"stop"}],"usage":{"prompt_tokens":21,"completion_tokens":12,'
    b'"total_tokens":33,"prompt_tokens_details":{"cached_tokens":0}}}'
)
_REQUEST = {
    "model": "mistral-small-latest",
    "messages": [{"role": "user", "content": "What is the answer to the ultimate question?"}],
    "temperature": 0.2,
    "max_tokens": 256,
    "stream": False,
}
CHUNK = (
    b'data: {"id":"bench","object":"chat.completion.chunk","created":1700000000,'
    b'"model":"mistral-small-latest","choices":[{"index":0,"delta":{"content":" word"},'
    b'"finish_reason":null}]}\n\n'
)
_LAST = (
    b'data: {"id":"bench","object":"chat.completion.chunk","created":1700000000,'
    b'"model":"mistral-small-latest","choices":[{"index":0,"delta":{"content":""},'
    b'"finish_reason":"stop"}],"usage":{"prompt_tokens":9,"completion_tokens":9,'
    b'"total_tokens":18}}\n\ndata: [DONE]\n\n'
)


def http() -> ModuleType:
    """Give the HTTP library of the installed SDK."""
    return importlib.import_module(sdk_library())


def answer(body: bytes = _ANSWER, content_type: str = "application/json") -> Any:
    """Give a transport that answers every request with `body`, in one piece."""
    return _transport([body], content_type)


def stream(chunks: int) -> Any:
    """Give a transport that answers with a stream of `chunks` events, a piece each."""
    return _transport([*[CHUNK] * (chunks - 1), _LAST], "text/event-stream")


def requests(number: int, url: str = _URL) -> list[Any]:
    """Give requests to send, each its own: a request that is sent again is a retry."""
    library = http()
    headers = {"authorization": "Bearer none"}
    return [library.Request("POST", url, json=_REQUEST, headers=headers) for _ in range(number)]


def sends(transport: Any, given: list[Any]) -> None:
    """Send requests one after the other, reading each answer to its end."""
    for request in given:
        response = transport.handle_request(request)
        for _ in response.stream:
            pass
        response.close()


def _transport(pieces: list[bytes], content_type: str) -> Any:
    library = http()
    headers = [*_HEADERS.items(), ("content-type", content_type)]

    class Body(library.SyncByteStream):  # type: ignore[name-defined,misc]
        def __iter__(self) -> Iterator[bytes]:
            yield from pieces

    class Inner(library.BaseTransport):  # type: ignore[name-defined,misc]
        def handle_request(self, request: Any) -> Any:  # noqa: ARG002 - every request is alike
            return library.Response(200, headers=headers, stream=Body())

    return Inner()
