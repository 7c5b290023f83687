"""However an exchange ends, it is recorded once, and nobody but us can tell."""

import asyncio
import gc
import threading

import anyio
import pytest

from tests.ways import (
    STREAMED,
    every_async_way,
    every_way,
    only,
    recording,
)

# Under trio, httpx leaves generators of its own to the collector when a stream is left early.
pytestmark = pytest.mark.filterwarnings(
    "ignore:Exception ignored in. <async_generator object:pytest.PytestUnraisableExceptionWarning"
)

HELLO = b'data: {"id":"1","model":"m","choices":[{"index":0,"delta":{"content":"Hello"}}]}\n\n'
YOU = (
    b'data: {"id":"1","model":"m","choices":[{"index":0,"delta":{"content":" you"},'
    b'"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":2}}\n\n'
)
PIECES = (HELLO, YOU, b"data: [DONE]\n\n")
JSON = {"content-type": "application/json"}


class WordlessError(Exception):
    def __str__(self):
        raise RuntimeError("no words")


@pytest.fixture
def anyio_backend(way):
    return way.backend


@pytest.fixture
def tapped(way):
    """Give a function that makes a client over an answer, its recorder and its records."""

    def make(answer, **options):
        recorder, kept = recording(**options)
        return way.client(way.tap(way.inner(answer), recorder)), recorder, kept

    return make


@every_way
async def test_a_stream_read_to_its_end(way, tapped):
    client, recorder, kept = tapped(lambda _: way.response(PIECES))
    response = await way.send(client, way.request(), stream=True)
    assert [piece async for piece in way.raw(response)] == list(PIECES)
    record = only(recorder, kept)
    assert record.failure is None
    assert record.stream.completed
    assert record.output.messages[0].parts[0].content == "Hello you"
    assert record.usage.input_tokens == 3
    assert record.response_bytes == sum(map(len, PIECES))


@every_way
async def test_a_body_read_at_once(way, tapped):
    client, recorder, kept = tapped(lambda _: way.response((b'{"id":', b'"1"}'), headers=JSON))
    response = await way.send(client, way.request())
    assert response.json() == {"id": "1"}
    assert only(recorder, kept).output.id == "1"


@every_way
async def test_a_connection_that_failed(way, tapped):
    error = way.http.ConnectError("no route")

    def answer(_):
        raise error

    client, recorder, kept = tapped(answer)
    with pytest.raises(way.http.ConnectError) as caught:
        await way.send(client, way.request())
    assert caught.value is error
    record = only(recorder, kept)
    assert (record.failure.kind, record.failure.message) == ("ConnectError", "no route")
    assert (record.status, record.response_bytes) == (None, 0)


@every_way
@pytest.mark.parametrize("is_generator", [True, False])
async def test_a_connection_cut_half_way(way, tapped, is_generator):
    error = way.http.ReadError("reset by peer")

    def answer(_):
        body = way.body(PIECES[:1], error=error, is_generator=is_generator)
        return way.http.Response(200, headers=STREAMED, stream=body)

    client, recorder, kept = tapped(answer)
    response = await way.send(client, way.request(), stream=True)
    got = []
    with pytest.raises(way.http.ReadError) as caught:
        got = [got.append(piece) async for piece in way.raw(response)]
    assert caught.value is error
    assert got == list(PIECES[:1])
    await way.close(response)
    record = only(recorder, kept)
    assert record.failure.kind == "ReadError"
    assert record.output.finish_reasons == ("error",)
    assert record.output.messages[0].parts[0].content == "Hello"


@every_way
@pytest.mark.parametrize("name", ["ConnectTimeout", "PoolTimeout", "WriteTimeout", "ReadTimeout"])
async def test_the_librarys_timeouts(way, tapped, name):
    def answer(_):
        raise getattr(way.http, name)("took too long")

    client, recorder, kept = tapped(answer)
    with pytest.raises(getattr(way.http, name)):
        await way.send(client, way.request())
    assert only(recorder, kept).failure.kind == name


@every_way
@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
async def test_what_nobody_catches(way, kind):
    """Through the transports by themselves: an event loop would take these for its own."""
    recorder, kept = recording()

    def answer(_):
        raise kind

    tap = way.tap(way.inner(answer), recorder)
    with pytest.raises(kind):
        await way.handle(tap, way.request())
    assert only(recorder, kept).failure.kind == kind.__name__


@every_way
async def test_an_exception_that_fails_to_say_what_it_is(way, tapped):
    error = WordlessError()

    def answer(_):
        raise error

    client, recorder, kept = tapped(answer)
    with pytest.raises(WordlessError) as caught:
        await way.send(client, way.request())
    assert caught.value is error
    record = only(recorder, kept)
    assert (record.failure.kind, record.failure.message) == ("WordlessError", None)


@every_way
async def test_an_exceptions_message_is_kept_in_part(way, tapped):
    def answer(_):
        raise way.http.ReadError("x" * 100_000 + "\ud800")

    client, recorder, kept = tapped(answer)
    with pytest.raises(way.http.ReadError):
        await way.send(client, way.request())
    assert only(recorder, kept).failure.message == "x" * 4096


@every_way
async def test_closed_before_it_is_read(way, tapped):
    log = []
    client, recorder, kept = tapped(lambda _: way.response(PIECES, log=log))
    response = await way.send(client, way.request(), stream=True)
    await way.close(response)
    assert log == ["closed"]
    record = only(recorder, kept)
    assert record.failure is None
    assert record.response_bytes == 0
    assert record.status == 200


@every_way
async def test_closed_after_a_piece(way, tapped):
    client, recorder, kept = tapped(lambda _: way.response(PIECES))
    response = await way.send(client, way.request(), stream=True)
    pieces = way.raw(response)
    assert await anext(pieces) == PIECES[0]
    await way.close(response)
    await pieces.aclose()
    record = only(recorder, kept)
    assert record.failure is None
    assert not record.stream.completed
    assert record.output.finish_reasons == ()


@every_way
async def test_left_at_the_end_mark(way, tapped):
    """As the SDK leaves: it stops at `[DONE]` and closes."""
    client, recorder, kept = tapped(lambda _: way.response((*PIECES, b"never read")))
    response = await way.send(client, way.request(), stream=True)
    async for piece in way.raw(response):
        if piece == PIECES[-1]:
            break
    await way.close(response)
    record = only(recorder, kept)
    assert record.stream.completed
    assert record.output.finish_reasons == ("stop",)


@every_way
async def test_an_exception_in_the_callers_loop(way, tapped):
    client, recorder, kept = tapped(lambda _: way.response(PIECES))
    response = await way.send(client, way.request(), stream=True)

    async def loop():
        try:
            async for _ in way.raw(response):
                raise ZeroDivisionError
        finally:
            await way.close(response)

    with pytest.raises(ZeroDivisionError):
        await loop()
    record = only(recorder, kept)
    assert record.failure is None
    assert not record.stream.completed


@every_way
async def test_closed_twice(way):
    recorder, kept = recording()
    log = []
    tap = way.tap(way.inner(lambda _: way.response(PIECES, log=log)), recorder)
    response = await way.handle(tap, way.request())
    for _ in range(2):
        await way.close(response.stream)
    assert log == ["closed", "closed"]
    only(recorder, kept)


@every_way
async def test_collected_without_a_close(way, tapped):
    client, recorder, kept = tapped(lambda _: way.response(PIECES))
    response = await way.send(client, way.request(), stream=True)
    del response
    gc.collect()
    record = only(recorder, kept)
    assert record.failure is None
    assert record.status == 200


@every_way
async def test_collected_half_way(way):
    recorder, kept = recording()
    tap = way.tap(way.inner(lambda _: way.response(PIECES)), recorder)
    response = await way.handle(tap, way.request())
    if way.is_async:
        steps = aiter(response.stream)
        assert await anext(steps) == PIECES[0]
        await steps.aclose()
    else:
        steps = iter(response.stream)
        assert next(steps) == PIECES[0]
    del response, steps
    gc.collect()
    record = only(recorder, kept)
    assert record.failure is None
    assert record.response_bytes == len(PIECES[0])


@every_way
async def test_a_response_that_is_read_already(way, tapped):
    """As mocks and caches give: its stream is never iterated."""
    client, recorder, kept = tapped(lambda _: way.http.Response(200, json={"id": "1"}))
    response = await way.send(client, way.request())
    assert response.json() == {"id": "1"}
    record = only(recorder, kept)
    assert record.output.id == "1"
    assert record.response_bytes == len(response.content)


@every_way
async def test_a_response_that_is_read_and_decoded_already(way, tapped):
    def answer(_):
        response = way.http.Response(200, json={"id": "1"})
        response.headers["content-encoding"] = "gzip"
        return response

    client, recorder, kept = tapped(answer)
    await way.send(client, way.request())
    record = only(recorder, kept)
    assert record.output.id == "1"
    assert record.notes == ()


@every_way
async def test_a_response_that_was_closed_unread(way):
    recorder, kept = recording()

    def answer(_):
        response = way.response(PIECES, status=503)
        response.is_closed = True
        return response

    await way.handle(way.tap(way.inner(answer), recorder), way.request())
    record = only(recorder, kept)
    assert (record.status, record.response_bytes) == (503, 0)
    assert record.failure.kind == "503"


@every_way
async def test_switching_protocols_is_left_alone(way, tapped):
    streams = []

    def answer(_):
        response = way.response((), status=101)
        streams.append(response.stream)
        return response

    recorder, kept = recording()
    response = await way.handle(way.tap(way.inner(answer), recorder), way.request())
    assert response.stream is streams[0]
    assert only(recorder, kept).status == 101


@every_way
async def test_a_stream_of_the_wrong_flavour_is_left_to_the_library(way, caplog):
    other = way._replace(is_async=not way.is_async)
    bodies = []

    def answer(_):
        response = way.http.Response(200, stream=other.body(PIECES))
        bodies.append(response.stream)
        return response

    recorder, kept = recording()
    response = await way.handle(way.tap(way.inner(answer), recorder), way.request())
    assert response.stream is bodies[0]
    assert only(recorder, kept).status == 200
    assert not caplog.records


@every_way
async def test_closing_the_client_ends_what_is_open(way, tapped):
    client, recorder, kept = tapped(lambda _: way.response(PIECES))
    first = await way.send(client, way.request(), stream=True)
    second = await way.send(client, way.request(), stream=True)
    await way.close(second)
    await way.close(client)
    assert recorder.flush(10)
    assert [record.failure for record in kept] == [None, None]
    await way.read(first)  # a transport of memory lets it, and nothing more is recorded
    assert recorder.flush(10)
    assert [record.response_bytes for record in kept] == [0, 0]
    assert client._transport.inner.log == ["sent", "sent", "closed"]


@every_way
async def test_closing_a_tap_leaves_others_open(way):
    recorder, kept = recording()
    taps = [way.tap(way.inner(lambda _: way.response(PIECES)), recorder) for _ in range(2)]
    responses = [await way.handle(tap, way.request()) for tap in taps]
    await way.close(taps[0])
    assert recorder.flush(10)
    assert len(kept) == 1
    await way.close(responses[1])
    assert recorder.flush(10)
    assert len(kept) == 2


@every_way
async def test_closing_a_tap_that_recorded_nothing(way):
    recorder, kept = recording()
    tap = way.tap(way.inner(None), recorder)
    await way.close(tap)
    await way.close(tap)
    assert tap.inner.log == ["closed", "closed"]
    assert not kept


@every_way
async def test_a_context_enters_and_leaves_the_inner_transport(way):
    recorder, kept = recording()
    tap = way.tap(way.inner(lambda _: way.response(PIECES)), recorder)
    if way.is_async:
        async with tap as entered:
            response = await way.handle(tap, way.request())
    else:
        with tap as entered:
            response = await way.handle(tap, way.request())
    assert entered is tap
    assert tap.inner.log == ["entered", "sent", "left"]
    only(recorder, kept)
    del response


@every_async_way
async def test_cancelled_while_it_waits_for_the_answer(way, tapped):
    begun = anyio.Event()

    async def answer(_):
        begun.set()
        await anyio.sleep_forever()

    client, recorder, kept = tapped(answer)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(way.send, client, way.request())
        await begun.wait()
        tasks.cancel_scope.cancel()
    record = only(recorder, kept)
    assert record.failure.kind == anyio.get_cancelled_exc_class().__name__


@every_async_way
async def test_cancelled_in_the_midst_of_a_stream(way, tapped):
    begun = anyio.Event()

    class Held(way.http.AsyncByteStream):
        async def __aiter__(self):
            yield PIECES[0]
            begun.set()
            await anyio.sleep_forever()

    client, recorder, kept = tapped(
        lambda _: way.http.Response(
            200, headers={"content-type": "text/event-stream"}, stream=Held()
        )
    )

    async def read():
        response = await way.send(client, way.request(), stream=True)
        try:
            async for _ in response.aiter_raw():
                pass
        finally:
            with anyio.CancelScope(shield=True):
                await response.aclose()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(read)
        await begun.wait()
        tasks.cancel_scope.cancel()
    record = only(recorder, kept)
    assert record.failure.kind == anyio.get_cancelled_exc_class().__name__
    assert record.output.finish_reasons == ("error",)


@every_async_way
async def test_a_timeout_around_the_call(way, tapped):
    async def answer(_):
        await anyio.sleep_forever()

    client, recorder, kept = tapped(answer)
    with pytest.raises(TimeoutError), anyio.fail_after(0.01):
        await way.send(client, way.request())
    assert only(recorder, kept).failure.kind == anyio.get_cancelled_exc_class().__name__


@every_async_way
async def test_asyncios_own_timeout(way, tapped):
    if way.backend != "asyncio":
        pytest.skip("it is asyncio's")

    async def answer(_):
        await anyio.sleep_forever()

    client, recorder, kept = tapped(answer)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await way.send(client, way.request())
    assert only(recorder, kept).failure.kind == "CancelledError"


@every_async_way
async def test_a_coroutine_that_is_dropped_has_not_failed(way):
    """As when an event loop stops with a call in flight: its coroutine is collected."""
    recorder, kept = recording()

    async def answer(_):
        await forever()

    coroutine = way.tap(way.inner(answer), recorder).handle_async_request(way.request())
    coroutine.send(None)
    coroutine.close()
    assert only(recorder, kept).failure is None


@every_async_way
async def test_a_step_that_is_dropped_has_not_failed(way):
    recorder, kept = recording()

    class Held(way.http.AsyncByteStream):
        def __aiter__(self):
            return self

        async def __anext__(self):
            await forever()

    tap = way.tap(way.inner(lambda _: way.http.Response(200, stream=Held())), recorder)
    response = await way.handle(tap, way.request())
    step = anext(aiter(response.stream)).__await__()
    step.send(None)
    step.close()
    assert recorder.flush(10)
    assert not kept  # the stream is still there, and may be closed
    await response.aclose()
    assert only(recorder, kept).failure is None


async def forever():
    """Wait as no event loop does, so that nobody takes it up again."""

    class Never:
        def __await__(self):
            yield

    await Never()


@every_way
async def test_a_generators_other_doors_lead_to_the_inner_one(way):
    log = []
    recorder, kept = recording()
    tap = way.tap(way.inner(lambda _: way.response(PIECES, log=log)), recorder)
    response = await way.handle(tap, way.request())
    if way.is_async:
        steps = aiter(response.stream)
        assert await steps.asend(None) == PIECES[0]
        with pytest.raises(KeyError):
            await steps.athrow(KeyError)
    else:
        steps = iter(response.stream)
        assert steps.send(None) == PIECES[0]
        with pytest.raises(KeyError):
            steps.throw(KeyError)
    assert log == ["pulled 0", "iterator over"]
    await way.close(response.stream)
    only(recorder, kept)


@every_async_way
async def test_a_generator_that_goes_on_when_thrown_into(way):
    class Stubborn(way.http.AsyncByteStream):
        async def __aiter__(self):
            try:
                yield PIECES[0]
            except KeyError:
                yield PIECES[1]

    recorder, kept = recording()
    tap = way.tap(way.inner(lambda _: way.http.Response(200, stream=Stubborn())), recorder)
    response = await way.handle(tap, way.request())
    steps = aiter(response.stream)
    assert await anext(steps) == PIECES[0]
    assert await steps.athrow(KeyError) == PIECES[1]
    await steps.aclose()
    await response.aclose()
    only(recorder, kept)


@every_way
async def test_a_stream_that_is_only_half_made(way):
    """As by `copy`: it has nothing to end, and nothing to give."""
    recorder, _ = recording()
    tap = way.tap(way.inner(lambda _: way.response(PIECES)), recorder)
    response = await way.handle(tap, way.request())
    half = object.__new__(type(response.stream))
    with pytest.raises(AttributeError):
        _ = half.colour
    del half
    await way.close(response)


@every_way
async def test_members_of_the_inner_stream_are_reached(way):
    def answer(_):
        response = way.response(PIECES)
        response.stream.colour = "blue"
        return response

    recorder, _ = recording()
    tap = way.tap(way.inner(answer), recorder)
    response = await way.handle(tap, way.request())
    assert response.stream.colour == "blue"
    assert tap.answer is answer
    with pytest.raises(AttributeError):
        _ = response.stream.size
    with pytest.raises(AttributeError):
        _ = tap.size
    await way.close(response)


@every_way
async def test_a_finaliser_inside_our_own_code(way):
    """The collector may end an exchange while another one is being queued, on the same thread."""
    recorder, kept = recording()
    tap = way.tap(way.inner(lambda _: way.response(PIECES)), recorder)
    before = gc.get_threshold()
    gc.set_threshold(1)  # collect at nearly every allocation
    try:
        for _ in range(50):
            response = await way.handle(tap, way.request())
            response.me = response  # so that only the collector finds it
            await way.close((await way.handle(tap, way.request())).stream)
        del response
    finally:
        gc.set_threshold(*before)
    gc.collect()
    assert recorder.flush(10)
    assert len(kept) == 100


@every_way
async def test_threads_share_a_client(way, tapped):
    if way.is_async:
        pytest.skip("an async client belongs to one event loop")
    client, recorder, kept = tapped(lambda _: way.response(PIECES))

    def work():
        for _ in range(50):
            assert client.send(way.request()).content == b"".join(PIECES)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert recorder.flush(10)
    assert len(kept) == 400
    assert {record.response_bytes for record in kept} == {sum(map(len, PIECES))}


@every_way
async def test_times_are_those_of_the_reading(way):
    now = iter(range(1000, 10_000, 1000))
    recorder, kept = recording(clock_ns=lambda: next(now), unix_ns=lambda: 77)
    tap = way.tap(way.inner(lambda _: way.response(PIECES[:1])), recorder)
    response = await way.handle(tap, way.request())
    await way.read(response)
    times = only(recorder, kept).times
    assert times.started_unix_ns == 77
    assert (times.headers_after_ns, times.first_byte_after_ns) == (1000, 2000)
    assert times.ended_after_ns == 3000
