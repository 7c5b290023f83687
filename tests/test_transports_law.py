"""We do not matter: through a tap, a caller gets what the transport inside gives, and no more.

Each case is played twice, over a bare transport and over a tapped one. What the caller saw and
what was done to the transport inside, in its order, must be the same.
"""

import gzip

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.ways import every_way, recording

# Under trio, httpx leaves generators of its own to the collector when a stream is left early.
pytestmark = pytest.mark.filterwarnings(
    "ignore:Exception ignored in. <async_generator object:pytest.PytestUnraisableExceptionWarning"
)

ERRORS = ("ReadError", "RemoteProtocolError", "ReadTimeout", "ValueError")
ENDS = ("read", "raw", "bytes", "lines", "leave", "break", "raise", "close")
HEADERS = (
    ("content-type", "text/event-stream"),
    ("content-type", "application/json"),
    ("Mistral-Correlation-Id", "one"),
    ("mistral-correlation-id", "two"),
    ("set-cookie", "a=b"),
    ("x-latin", "caf\xe9"),
)
EXTENSIONS = (
    {},
    {"http_version": b"HTTP/2", "reason_phrase": b"Fine"},
    {"http_version": b"HTTP/1.1", "network_stream": object()},
)

cases = {
    "pieces": st.lists(st.binary(max_size=40), max_size=6),
    "error": st.one_of(st.none(), st.sampled_from(ERRORS)),
    "status": st.sampled_from([200, 201, 204, 302, 404, 429, 500]),
    "headers": st.lists(st.sampled_from(HEADERS), max_size=6),
    "extensions": st.sampled_from(EXTENSIONS),
    "end": st.sampled_from(ENDS),
    "after": st.integers(0, 3),
    "is_generator": st.booleans(),
    "is_gzip": st.booleans(),
}


class LeaveError(Exception):
    pass


@pytest.fixture
def anyio_backend(way):
    return way.backend


@every_way
@given(case=st.fixed_dictionaries(cases))
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60
)
@example(
    case={
        "pieces": [b"one", b"two"],
        "error": None,
        "status": 200,
        "headers": [],
        "extensions": {},
        "end": "leave",
        "after": 1,
        "is_generator": False,
        "is_gzip": False,
    }
)
async def test_we_do_not_matter(way, case):
    recorder, kept = recording()
    bare = await played(way, case, lambda inner: inner)
    tapped = await played(way, case, lambda inner: way.tap(inner, recorder))
    assert tapped == bare
    assert recorder.flush(10)
    assert len(kept) == 1


async def played(way, case, through):
    """Give all that a caller saw, and all that was done to the transport inside."""
    log = []
    pieces, headers = case["pieces"], list(case["headers"])
    if case["is_gzip"]:
        pieces = [gzip.compress(b"".join(pieces), mtime=0)]
        headers.append(("content-encoding", "gzip"))
    error = raised(way, case["error"])
    request = way.request(extensions={"timeout": {}, "mine": "own"})
    content, stream = request.content, request.stream

    def answer(got):
        log.append(got is request)
        body = way.body(pieces, error=error, log=log, is_generator=case["is_generator"])
        return way.http.Response(
            case["status"], headers=headers, extensions=case["extensions"], stream=body
        )

    inner = way.inner(answer)
    client = way.client(through(inner))
    seen = []
    response = None
    try:
        response = await way.send(client, request, stream=True)
        await consume(way, response, case, seen)
    except Exception as failed:  # noqa: BLE001 - what is raised is what is compared
        seen.append((type(failed), failed.args, failed is error))
    log.append("the caller is done")
    if response is not None:
        await way.close(response)
        seen += facts(response)
    await way.close(client)
    seen += [request.content is content, request.stream is stream]
    seen += [{key: value for key, value in request.extensions.items() if key != "interceptor"}]
    return seen, log, inner.log


async def consume(way, response, case, seen):
    """Read a response as the case says, keeping what comes."""
    end, http_iterators = case["end"], {"bytes": "iter_bytes", "lines": "iter_lines"}
    if end == "close":
        return
    if end == "read":
        seen.append(await way.read(response))
        return
    name = http_iterators.get(end, "iter_raw")
    pieces = getattr(response, f"a{name}" if way.is_async else name)()
    if not way.is_async:
        pieces = stepped(pieces)
    after = case["after"] if end in ("leave", "break", "raise") else None
    async for piece in pieces:
        seen.append(piece)
        if after == len(seen):
            if end == "raise":
                raise LeaveError
            break
    if end == "leave":
        await pieces.aclose()


async def stepped(pieces):
    """Step through a synchronous iterator, and close it when this one is closed."""
    try:
        for piece in pieces:
            yield piece
    finally:
        pieces.close()


def facts(response):
    """Give what a response says of itself."""
    return [
        response.status_code,
        response.headers.raw,
        response.extensions,
        response.http_version,
        response.reason_phrase,
        response.is_closed,
        response.is_stream_consumed,
        response.num_bytes_downloaded,
        response.elapsed.total_seconds() >= 0,
        sorted(response.cookies),
        response.history,
    ]


def raised(way, name):
    if name is None:
        return None
    kind = ValueError if name == "ValueError" else getattr(way.http, name)
    return kind("reset by peer")


@every_way
async def test_the_response_is_the_one_that_was_given(way):
    recorder, _ = recording()
    responses = []

    def answer(_):
        responses.append(Named(200, stream=way.body(())))
        return responses[0]

    class Named(way.http.Response):
        pass

    response = await way.handle(way.tap(way.inner(answer), recorder), way.request())
    assert response is responses[0]
    await way.close(response)
