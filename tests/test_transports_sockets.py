"""Taps on the libraries' own transports, over real sockets: as without them, and recorded."""

import gc
import gzip
import importlib
import json
import socket
import threading
import zlib
from contextlib import contextmanager

import anyio
import pytest

from interceptor import replay
from tests.ways import ASKED, every_async_way, every_way, only, recording

# Under trio, httpx leaves generators of its own to the collector when a stream is left early.
pytestmark = pytest.mark.filterwarnings(
    "ignore:Exception ignored in. <async_generator object:pytest.PytestUnraisableExceptionWarning"
)

PATH = "/v1/chat/completions"
ANSWER = {
    "id": "1",
    "model": "m",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "Hello"},
            "finish_reason": "stop",
        }
    ],
}
BODY = json.dumps(ANSWER).encode()
STREAM = replay.named("chat.completions/streamed").response


@pytest.fixture
def anyio_backend(way):
    return way.backend


def plain(body=BODY, *headers):
    given = (("content-type", "application/json"), *headers)
    return replay.Response(200, "OK", given, body)


@contextmanager
def serving(*scripts):
    with replay.Server([replay.Rule("POST", PATH, scripts)]) as server:
        yield f"{server.url}{PATH}", server


async def outcome(way, transport, url, **options):
    """Give what a caller gets from a real exchange: pieces, errors, and what the response says."""
    client = way.client(transport, **options)
    response, seen = None, []
    try:
        response = await way.send(
            client, client.build_request("POST", url, json=ASKED), stream=True
        )
        seen += [response.status_code, undated(response.headers.raw), response.http_version]
        seen.append(sorted(response.extensions))
        seen.append(b"".join([piece async for piece in way.raw(response)]))
    except Exception as raised:  # noqa: BLE001 - what is raised is what is compared
        seen.append((type(raised), raised.args))
    if response is not None:
        await way.close(response)
        seen += [response.num_bytes_downloaded, response.is_closed]
        seen.append(response.elapsed.total_seconds() > 0)
    seen.append([repr(connection) for connection in connections(transport)])
    await way.close(client)
    return seen


def undated(headers):
    return [(name, value) for name, value in headers if name.lower() != b"date"]


def connections(transport):
    """Give what the pool of a transport has left; a tap is seen through."""
    return [
        type(connection).__name__ + str(connection.is_idle())
        for connection in transport._pool.connections
    ]


SCRIPTS = {
    "one body": (replay.script(plain()),),
    "a stream": (replay.script(STREAM),),
    "early hints": ((replay.EARLY_HINTS, replay.EARLY_HINTS, *replay.script(STREAM)),),
    "a body short of its length": (replay.cut(plain()),),
    "a stream cut in an event": (replay.cut(STREAM, after_events=2),),
    "a stream without its last chunk": ((*replay.script(STREAM)[:-1], replay.HANG_UP),),
    "headers sent twice": (
        replay.script(
            plain(
                BODY,
                ("content-type", "text/plain"),
                ("mistral-correlation-id", "one"),
                ("mistral-correlation-id", "two"),
            )
        ),
    ),
    "a hang-up before the answer": ((replay.HANG_UP,),),
    "an answer that is no HTTP": ((b"nonsense\r\n\r\n", replay.HANG_UP),),
    "an answer without a length": (
        (b"HTTP/1.0 200 OK\r\ncontent-type: application/json\r\n\r\n" + BODY, replay.HANG_UP),
    ),
}


@every_way
@pytest.mark.parametrize("scripts", SCRIPTS.values(), ids=SCRIPTS)
async def test_we_do_not_matter_over_a_socket(way, scripts):
    recorder, kept = recording()
    with serving(*scripts) as (url, _):
        bare = await outcome(way, way.real(), url)
        assert await outcome(way, way.tap(None, recorder), url) == bare
    record = only(recorder, kept)
    failed = [one for one in bare if isinstance(one, tuple)]
    assert (record.failure is not None) == bool(failed)
    if failed:
        assert record.failure.kind == failed[0][0].__name__
        assert record.failure.message == failed[0][1][0]


@every_way
async def test_early_hints_are_not_the_answer(way):
    recorder, kept = recording()
    with serving((replay.EARLY_HINTS, *replay.script(plain()))) as (url, _):
        await outcome(way, way.tap(None, recorder), url)
    record = only(recorder, kept)
    assert (record.status, record.output.id) == (200, "1")
    assert record.server.http_version == "HTTP/1.1"


@every_way
async def test_of_headers_sent_twice_the_first_is_kept(way):
    recorder, kept = recording()
    with serving(*SCRIPTS["headers sent twice"]) as (url, _):
        await outcome(way, way.tap(None, recorder), url)
    record = only(recorder, kept)
    assert record.server.correlation_id == "one"
    assert record.output.id == "1"


@every_way
async def test_nobody_listens(way):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}{PATH}"
    recorder, kept = recording()
    bare = await outcome(way, way.real(), url)
    assert await outcome(way, way.tap(None, recorder), url) == bare
    record = only(recorder, kept)
    assert record.failure.kind == "ConnectError"
    assert [phase.name for phase in record.phases] == ["pool", "connect"]


@every_way
async def test_a_server_that_never_answers(way):
    recorder, kept = recording()
    with serving((replay.HOLD,)) as (url, _):
        timeout = way.http.Timeout(5, read=0.05)
        bare = await outcome(way, way.real(), url, timeout=timeout)
        assert await outcome(way, way.tap(None, recorder), url, timeout=timeout) == bare
    record = only(recorder, kept)
    assert record.failure.kind == "ReadTimeout"
    assert [phase.name for phase in record.phases] == ["pool", "connect", "send", "wait"]


@every_way
async def test_a_stream_that_stops_half_way(way):
    recorder, kept = recording()
    with serving(replay.hold(STREAM, after_events=3)) as (url, _):
        timeout = way.http.Timeout(5, read=0.05)
        bare = await outcome(way, way.real(), url, timeout=timeout)
        assert await outcome(way, way.tap(None, recorder), url, timeout=timeout) == bare
    record = only(recorder, kept)
    assert record.failure.kind == "ReadTimeout"
    assert record.stream.events == 3
    assert record.output.finish_reasons == ("error",)


@every_way
async def test_no_connection_to_be_had(way):
    recorder, kept = recording()
    limits = way.http.Limits(max_connections=1)
    with serving(replay.hold(STREAM, after_events=1)) as (url, _):
        timeout = way.http.Timeout(5, pool=0.05)
        tap = way.tap(way.real(limits=limits), recorder)
        client = way.client(tap, timeout=timeout)
        request = client.build_request("POST", url, json=ASKED)
        held = await way.send(client, request, stream=True)
        with pytest.raises(way.http.PoolTimeout):
            await way.send(client, client.build_request("POST", url, json=ASKED))
        await way.close(held)
        await way.close(client)
    assert recorder.flush(10)
    waited = next(record for record in kept if record.failure)
    assert waited.failure.kind == "PoolTimeout"
    (pool,) = waited.phases
    assert (pool.name, pool.ended_after_ns) == ("pool", waited.times.ended_after_ns)


@every_async_way
async def test_cancelled_over_a_socket(way):
    """The connection is given up as without us, and the pool has room again."""
    recorder, kept = recording()
    got = anyio.Event()
    with serving(replay.hold(STREAM, after_events=1)) as (url, _):
        transport = way.tap(way.real(), recorder)
        async with way.client(transport) as client:

            async def read():
                async with client.stream("POST", url, json=ASKED) as response:
                    async for _ in response.aiter_raw():
                        got.set()

            async with anyio.create_task_group() as tasks:
                tasks.start_soon(read)
                await got.wait()
                tasks.cancel_scope.cancel()
            assert transport._pool.connections == []
    assert only(recorder, kept).failure.kind == anyio.get_cancelled_exc_class().__name__


@every_way
async def test_phases_of_a_new_connection_and_of_one_used_again(way):
    recorder, kept = recording()
    with serving(replay.script(plain())) as (url, _):
        client = way.client(way.tap(None, recorder))
        for _ in range(2):
            await way.send(client, client.build_request("POST", url, json=ASKED))
        await way.close(client)
    assert recorder.flush(10)
    new, again = ([phase.name for phase in record.phases] for record in kept)
    assert new == ["pool", "connect", "send", "wait", "receive"]
    assert again == ["pool", "send", "wait", "receive"]
    for record in kept:
        moments = [(phase.started_after_ns, phase.ended_after_ns) for phase in record.phases]
        flat = [moment for phase in moments for moment in phase]
        assert flat == sorted(flat)
        assert flat[0] == 0
        assert flat[-1] == record.times.ended_after_ns


@every_way
async def test_a_trace_of_the_callers_own_sees_all_that_it_saw(way):
    async def traced(transport, url):
        names = []

        def trace(name, info):
            names.append((name, sorted(info)))

        async def async_trace(name, info):
            trace(name, info)

        client = way.client(transport)
        request = client.build_request(
            "POST", url, json=ASKED, extensions={"trace": async_trace if way.is_async else trace}
        )
        await way.send(client, request)
        await way.close(client)
        return names

    recorder, kept = recording()
    with serving(replay.script(plain())) as (url, _):
        bare = await traced(way.real(), url)
        assert await traced(way.tap(None, recorder), url) == bare
    assert ("http11.receive_response_body.started", ["request"]) in bare
    assert "connect" in [phase.name for phase in only(recorder, kept).phases]


@every_async_way
@pytest.mark.parametrize("has_own", [False, True])
async def test_each_sending_of_one_request_has_phases_of_its_own(way, has_own):
    """A client that hedges sends a request again before there is an answer."""

    async def own(name, info):
        pass

    recorder, kept = recording()
    tap = way.tap(None, recorder)
    with serving(replay.script(plain())) as (url, _):
        request = way.request(url, extensions={"trace": own} if has_own else {})

        async def send():
            await way.read(await way.handle(tap, request))

        async with anyio.create_task_group() as group:
            for _ in range(3):
                group.start_soon(send)
    await way.close(tap)
    assert recorder.flush(10)
    assert request.extensions.get("trace") is (own if has_own else None)
    assert sorted(record.attempt for record in kept) == [1, 2, 3]
    phases = ["pool", "connect", "send", "wait", "receive"]
    assert [[phase.name for phase in record.phases] for record in kept] == [phases] * 3


@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning")
@every_way
async def test_a_trace_of_the_wrong_flavour_fails_as_without_us(way):
    async def failing(transport, url):
        def trace(name, info):
            return None

        async def async_trace(name, info):
            return None

        client = way.client(transport)
        request = client.build_request(
            "POST", url, json=ASKED, extensions={"trace": trace if way.is_async else async_trace}
        )
        with pytest.raises(TypeError) as caught:
            await way.send(client, request)
        await way.close(client)
        return caught.value.args

    recorder, _ = recording()
    with serving(replay.script(plain())) as (url, _):
        bare = await failing(way.real(), url)
        assert await failing(way.tap(None, recorder), url) == bare
    gc.collect()  # what was never awaited says so now


def compressed(encoding):
    """Give the body as a server encodes it; skip where nothing here can."""
    if encoding == "gzip":
        return gzip.compress(BODY)
    if encoding == "deflate":
        return zlib.compress(BODY)
    if encoding == "br":
        return pytest.importorskip("brotli").compress(BODY)
    return pytest.importorskip("zstandard").compress(BODY)


@every_way
@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd"])
async def test_an_encoded_answer(way, encoding):
    accepted = way.http.Client(trust_env=False).headers["accept-encoding"]
    if encoding not in accepted:
        pytest.skip(f"{way.library} does not take {encoding}")
    recorder, kept = recording()
    body = compressed(encoding)
    with serving(replay.script(plain(body, ("content-encoding", encoding)))) as (url, _):
        client = way.client(way.tap(None, recorder))
        response = await way.send(client, client.build_request("POST", url, json=ASKED))
        await way.close(client)
    assert response.json() == ANSWER
    record = only(recorder, kept)
    assert record.output.messages[0].parts[0].content == "Hello"
    assert record.response_bytes == len(body) == response.num_bytes_downloaded
    assert record.notes == ()


@every_way
async def test_an_encoding_that_nobody_knows(way):
    recorder, kept = recording()
    with serving(replay.script(plain(BODY, ("content-encoding", "rot13")))) as (url, _):
        client = way.client(way.tap(None, recorder))
        response = await way.send(client, client.build_request("POST", url, json=ASKED))
        await way.close(client)
    assert response.content == BODY
    assert "rot13" in " ".join(only(recorder, kept).notes)


@every_way
async def test_the_libraries_own_retries_are_one_call(way):
    """`HTTPTransport(retries=...)` connects again inside: that is a phase, and no attempt."""
    recorder, kept = recording()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}{PATH}"
    client = way.client(way.tap(way.real(retries=1), recorder))
    with pytest.raises(way.http.ConnectError):
        await way.send(client, client.build_request("POST", url, json=ASKED))
    await way.close(client)
    assert only(recorder, kept).attempt == 1


@every_way
async def test_http_2(way):
    pytest.importorskip("h2")
    with speaking_http2() as url:
        recorder, kept = recording()
        bare = await outcome(way, way.real(http1=False, http2=True), url)
        tap = way.tap(way.real(http1=False, http2=True), recorder)
        assert await outcome(way, tap, url) == bare
    assert BODY in bare
    record = only(recorder, kept)
    assert record.server.http_version == "HTTP/2"
    assert record.output.id == "1"
    assert [phase.name for phase in record.phases] == ["pool", "connect", "send", "wait", "receive"]


@contextmanager
def speaking_http2():
    """Answer each request of HTTP/2, without TLS, with the same body."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        while True:
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            with peer:
                _converse(peer)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}{PATH}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(10)


def _converse(peer):
    config = importlib.import_module("h2.config")
    connection = importlib.import_module("h2.connection").H2Connection(
        config.H2Configuration(client_side=False)
    )
    ended = importlib.import_module("h2.events").StreamEnded
    connection.initiate_connection()
    peer.sendall(connection.data_to_send())
    while data := peer.recv(1 << 16):
        for event in connection.receive_data(data):
            if isinstance(event, ended):
                headers = [(":status", "200"), ("content-type", "application/json")]
                connection.send_headers(event.stream_id, headers)
                connection.send_data(event.stream_id, BODY, end_stream=True)
        peer.sendall(connection.data_to_send())
