"""The four transports as one thing to test: what each needs to send, read and close.

Scenarios are written once, as coroutines. A sync library's calls stand in them as coroutines that
never wait; where an async one waits, `Way.backend` says on which event loop.
"""

import importlib
from contextlib import nullcontext
from typing import Any, NamedTuple

import pytest

from interceptor.recorder import Recorder


def is_there(library):
    """Tell whether a library can be imported: the suite also runs without one or the other."""
    try:
        importlib.import_module(library)
    except ImportError:
        return False
    return True


LIBRARIES = tuple(filter(is_there, ("httpx", "httpx2")))
URL = "https://api.mistral.ai/v1/chat/completions"
ASKED = {"model": "mistral-small-latest", "messages": [{"role": "user", "content": "Hello"}]}
STREAMED = {"content-type": "text/event-stream"}


class Way(NamedTuple):
    """One of the transports, and the event loop that it runs on."""

    library: str
    is_async: bool = False
    backend: str = "asyncio"

    def __str__(self):
        return f"{self.library}-{self.backend}" if self.is_async else f"{self.library}-sync"

    @property
    def http(self) -> Any:
        return importlib.import_module(self.library)

    @property
    def taps(self) -> Any:
        return importlib.import_module(f"interceptor.transports.{self.library}")

    def tap(self, inner, recorder):
        kind = self.taps.AsyncTransport if self.is_async else self.taps.Transport
        return kind(inner, recorder=recorder)

    def client(self, transport, **options):
        kind = self.http.AsyncClient if self.is_async else self.http.Client
        return kind(transport=transport, **options)

    def real(self, **options):
        kind = self.http.AsyncHTTPTransport if self.is_async else self.http.HTTPTransport
        return kind(**options)

    def request(self, url=URL, **options):
        return self.http.Request("POST", url, **{"json": ASKED} | options)

    def inner(self, answer):
        """Give a transport that answers as `answer` does: a function of the request."""
        kind = self.http.AsyncBaseTransport if self.is_async else self.http.BaseTransport
        return type("Inner", (Inner, kind), {})(answer)

    def body(self, pieces, *, error=None, log=None, is_generator=True):
        """Give a stream of these pieces that ends with `error`, and logs what is done to it."""
        kind = self.http.AsyncByteStream if self.is_async else self.http.SyncByteStream
        shape = Body if is_generator else IteratedBody
        return type("Body", (shape, kind), {})(pieces, error, [] if log is None else log)

    def response(self, pieces=(), *, status=200, headers=STREAMED, error=None, log=None, **options):
        stream = self.body(pieces, error=error, log=log)
        return self.http.Response(status, headers=headers, stream=stream, **options)

    async def send(self, client, request, **options):
        if self.is_async:
            return await client.send(request, **options)
        return client.send(request, **options)

    async def handle(self, transport, request):
        """Send through a transport by itself."""
        if self.is_async:
            return await transport.handle_async_request(request)
        return transport.handle_request(request)

    async def raw(self, response):
        """Iterate over the pieces of a response as they came."""
        if self.is_async:
            async for piece in response.aiter_raw():
                yield piece
        else:
            for piece in response.iter_raw():
                yield piece

    async def read(self, response):
        return await response.aread() if self.is_async else response.read()

    async def close(self, closed):
        """Close a response, a client or a transport."""
        if self.is_async:
            await closed.aclose()
        else:
            closed.close()


WAYS = tuple(
    Way(library, is_async, backend)
    for library in LIBRARIES
    for is_async, backend in ((False, "asyncio"), (True, "asyncio"), (True, "trio"))
)
ASYNC_WAYS = tuple(way for way in WAYS if way.is_async)
every_way = pytest.mark.parametrize("way", WAYS, ids=str)
every_async_way = pytest.mark.parametrize("way", ASYNC_WAYS, ids=str)


class Kept(list):
    """A sink that keeps the records; it is the call of each, too."""

    is_taped = True
    identity = "the first"

    def __init__(self):
        super().__init__()
        self.starts = []

    def begin(self, start):
        self.starts.append(start)
        return self

    def scope(self):
        return nullcontext()

    def tell(self, known):
        pass

    def show(self, record):
        pass

    def finish(self, record):
        self.append(record)


def recording(**options):
    """Give a recorder, and the list to which it adds its records."""
    kept = Kept()
    return Recorder(kept, **options), kept


def only(recorder, kept):
    """Give the one record that there is."""
    assert recorder.flush(10)
    (record,) = kept
    return record


class Inner:
    """A transport that answers as a function does, and logs what is done to it."""

    def __init__(self, answer):
        self.answer, self.log = answer, []

    def handle_request(self, request):
        self.log.append("sent")
        return self.answer(request)

    async def handle_async_request(self, request):
        self.log.append("sent")
        found = self.answer(request)
        return await found if hasattr(found, "__await__") else found

    def close(self):
        self.log.append("closed")

    def __enter__(self):
        self.log.append("entered")
        return self

    def __exit__(self, *error):
        self.log.append("left")

    async def aclose(self):
        self.close()

    async def __aenter__(self):
        return self.__enter__()

    async def __aexit__(self, *error):
        self.__exit__(*error)


class Body:
    """A stream of pieces, whose iterators are generators, that logs what is done to it."""

    def __init__(self, pieces, error, log):
        self.pieces, self.error, self.log = list(pieces), error, log

    def __iter__(self):
        try:
            for number, piece in enumerate(self.pieces):
                self.log.append(f"pulled {number}")
                yield piece
            if self.error is not None:
                self.log.append("failed")
                raise self.error
            self.log.append("exhausted")
        finally:
            self.log.append("iterator over")

    async def __aiter__(self):
        for piece in Body.__iter__(self):
            yield piece

    def close(self):
        self.log.append("closed")

    async def aclose(self):
        self.close()


class IteratedBody(Body):
    """The same with iterators that are none, of which the sync one can be closed."""

    def __iter__(self):
        return Steps(Body.__iter__(self), self.log)

    def __aiter__(self):
        return AsyncSteps(Body.__aiter__(self))


class Steps:
    """An iterator that is no generator, and can be closed all the same."""

    def __init__(self, inner, log):
        self.inner, self.log = inner, log

    def __iter__(self):
        return self

    def __next__(self):
        return next(self.inner)

    def close(self):
        self.log.append("iterator closed")


class AsyncSteps:
    """An asynchronous iterator that is no generator: nobody closes it."""

    def __init__(self, inner):
        self.inner = inner

    def __aiter__(self):
        return self

    async def __anext__(self):
        return await anext(self.inner)
