"""Our own mistakes: whatever breaks on our side, the caller's call is what it would have been."""

import logging
import sys
from contextlib import contextmanager, nullcontext

import pytest

from interceptor.recorder import Recorder
from interceptor.transports import _tap
from tests.ways import Kept, every_way, recording

PIECES = (b'data: {"choices":[{"index":0,"delta":{"content":"Hello"}}]}\n\n', b"data: [DONE]\n\n")


class MistakeError(Exception):
    pass


@pytest.fixture
def anyio_backend(way):
    return way.backend


@pytest.fixture(autouse=True)
def all_said(caplog):
    """See what is logged for debugging, as a mistake is that has been reported before."""
    caplog.set_level(logging.DEBUG, "interceptor")


def failing(*_, **__):
    raise MistakeError


@contextmanager
def failing_first():
    raise MistakeError
    yield


@contextmanager
def failing_last():
    yield
    raise MistakeError


class Failing(Kept):
    """A sink that fails at one thing."""

    def __init__(self, at):
        super().__init__()
        self.at = at

    def begin(self, start):
        if self.at == "begin":
            raise MistakeError
        return super().begin(start)

    def scope(self):
        if self.at == "scope":
            raise MistakeError
        if self.at == "entering":
            return failing_first()
        return failing_last() if self.at == "leaving" else nullcontext()

    def finish(self, record):
        if self.at == "finish":
            raise MistakeError
        super().finish(record)


class Countdown:
    """A clock that stops working after so many readings."""

    def __init__(self, readings):
        self.left = readings

    def __call__(self):
        self.left -= 1
        if self.left < 0:
            raise MistakeError
        return 1000 - self.left


def sink(at):
    kept = Failing(at)
    return Recorder(kept), kept


def clock(readings):
    kept = Kept()
    return Recorder(kept, clock_ns=Countdown(readings)), kept


def without_threads():
    kept = Kept()

    class Threadless:
        let_go_count = 0

        def start(self):
            raise RuntimeError("can't start new thread")

        def submit(self, job):
            raise MistakeError

        def flush(self, timeout_s):
            return True

    return Recorder(kept, worker=Threadless()), kept


# What breaks, how many records there are all the same of each of five calls, and what is said.
MISTAKES = {
    "the sink, when a call begins": (lambda: sink("begin"), [0] * 5, "a call was lost"),
    "the context to send in": (lambda: sink("scope"), [0] * 5, "a call was lost"),
    "entering the context": (lambda: sink("entering"), [1] * 5, "the context of a call was lost"),
    "leaving the context": (lambda: sink("leaving"), [1] * 5, "the context of a call was lost"),
    "the sink, when a call ends": (lambda: sink("finish"), [0] * 5, "a span was lost"),
    "the clock, at once": (lambda: clock(0), [0] * 5, "a call was lost"),
    "the clock, at the headers": (lambda: clock(1), [0] * 5, "the end of a call was lost"),
    "the clock, at the first piece": (
        lambda: clock(2),
        [0, 1, 0, 0, 0],
        "a piece of an answer was lost",
    ),
    "the clock, at the end": (lambda: clock(4), [0, 1, 0, 1, 0], "the end of a call was lost"),
    "no thread to be had": (without_threads, [0] * 5, "a call was lost"),
}


async def outcome(way, transport):
    """Give what a caller gets: bytes and errors, of answers and failures of every kind."""
    found = []
    error = way.http.ReadError("reset by peer")
    for answer in (
        lambda _: way.response(PIECES),
        lambda _: failing(),
        lambda _: way.response(PIECES, error=error),
        lambda _: way.http.Response(200, json={"id": "1"}),
        lambda _: way.http.Response(200, stream=way.body(PIECES, is_generator=False)),
    ):
        client = way.client(transport(way.inner(answer)))
        try:
            response = await way.send(client, way.request(), stream=True)
            if response.is_closed:
                found.append(response.content)
            else:
                found += [piece async for piece in way.raw(response)]
                await way.close(response)
        except Exception as raised:  # noqa: BLE001 - what is raised is what is compared
            found.append((type(raised), raised.args))
        await way.close(client)
    return found


@every_way
@pytest.mark.parametrize(("make", "records", "said"), MISTAKES.values(), ids=MISTAKES)
async def test_a_mistake_of_ours_is_logged_and_nothing_else(way, make, records, said, caplog):
    made = []

    def tapped(inner):
        made.append(make())
        return way.tap(inner, made[-1][0])

    assert await outcome(way, tapped) == await outcome(way, lambda inner: inner)
    assert all(recorder.flush(10) for recorder, _ in made)
    assert [len(kept) for _, kept in made] == records
    assert f"{said}; the call itself is unaffected" in caplog.text


@every_way
async def test_a_policy_that_ends_the_program_ends_nothing(way):
    recorder, kept = recording(policy=lambda _: sys.exit())
    for _ in range(2):
        client = way.client(way.tap(way.inner(lambda _: way.response(PIECES)), recorder))
        await way.send(client, way.request())
    assert recorder.flush(10)
    assert [record.notes for record in kept] == 2 * [
        ("the redact policy raised SystemExit: words left out",)
    ]


@every_way
async def test_an_answer_that_is_none(way, caplog):
    """A transport may give anything: it is passed on, for the library to say what it thinks."""
    recorder, kept = recording()
    tap = way.tap(way.inner(lambda _: None), recorder)
    assert await way.handle(tap, way.request()) is None
    assert recorder.flush(10)
    assert len(kept) == 1
    assert "an answer was lost; the call itself is unaffected" in caplog.text


@every_way
async def test_a_request_that_cannot_be_looked_at(way, caplog):
    recorder, kept = recording()
    tap = way.tap(way.inner(lambda request: request), recorder)
    assert await way.handle(tap, "no request") == "no request"
    assert not kept
    assert "a call was lost; the call itself is unaffected" in caplog.text


@every_way
async def test_a_head_that_cannot_be_read_costs_nothing_else(way, caplog):
    recorder, kept = recording()

    class Odd:
        raw = ((None, None),)

        def __init__(self, *_):
            pass

    def answer(_):
        response = way.response(PIECES)
        response.headers = Odd()
        return response

    response = await way.handle(way.tap(way.inner(answer), recorder), way.request())
    await way.close(response)
    assert recorder.flush(10)
    assert [record.status for record in kept] == [200]
    assert "the head of an answer was lost" in caplog.text


@every_way
async def test_a_requests_head_that_cannot_be_read_costs_all_words(way, caplog):
    """What is to be struck out is not known then."""
    recorder, kept = recording()

    class Odd:
        raw = ((None, None),)

        def __init__(self, *_):
            pass

    def answer(_):
        raise way.http.LocalProtocolError("Illegal header value b'Bearer secret'")

    request = way.request()
    request.headers = Odd()
    with pytest.raises(way.http.LocalProtocolError):
        await way.handle(way.tap(way.inner(answer), recorder), request)
    assert recorder.flush(10)
    (record,) = kept
    assert (record.failure.kind, record.failure.message) == ("LocalProtocolError", None)
    assert record.input.messages == ()
    assert "the head of a request was lost" in caplog.text


@every_way
async def test_phases_that_cannot_be_noted(way, caplog):
    """httpcore calls our function in the midst of its work: it never raises."""
    recorder, _ = clock(1)
    results = []

    async def answer_async(request):
        trace = request.extensions["trace"]
        results.append(await trace("http11.send_request_headers.started", {}))
        return way.response(PIECES)

    def answer(request):
        if way.is_async:
            return answer_async(request)
        results.append(request.extensions["trace"]("http11.send_request_headers.started", {}))
        return way.response(PIECES)

    await way.handle(way.tap(way.inner(answer), recorder), way.request())
    assert results == [None]
    assert "the phases of a call was lost" in caplog.text


@every_way
async def test_closing_goes_on_where_recording_fails(way, caplog):
    class Broken:
        def abandon(self, owner):
            raise MistakeError

    tap = way.tap(way.inner(None), None)
    tap._last = Broken()
    await way.close(tap)
    assert tap.inner.log == ["closed"]
    assert "an open call was lost" in caplog.text


def test_the_half_that_is_shared_needs_the_other():
    with pytest.raises(NotImplementedError):
        _tap.Tap()
    with pytest.raises(NotImplementedError):
        _tap.Tap("inner")
