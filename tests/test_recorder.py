"""From a tap's request to the record of it: which are recorded, how often, and what never harms."""

import gc
import logging
import os
import sys
import threading
from contextlib import contextmanager, nullcontext

import pytest

from interceptor import endpoints, phases
from interceptor.exchange import ABANDONED, CLOSED_EARLY, Ending, Request
from interceptor.record import Record, Text
from interceptor.recorder import Recorder
from interceptor.sink import Asked, asked

HOST, PATH = "api.mistral.ai", "/v1/chat/completions"
SECRET = "an-invented-secret"  # noqa: S105 - as it says
ASKED = b'{"model":"mistral-small-latest","messages":[{"role":"user","content":"Hello"}]}'
ANSWERED = b'{"id":"1","choices":[{"message":{"content":"Hi"},"finish_reason":"stop"}]}'
JSON = {"content-type": "application/json"}


class Call:
    """A call as a sink keeps it, that fails where it is told to."""

    def __init__(self, sink, start):
        self.sink, self.start = sink, start
        self.is_taped = sink.is_taped
        self.identity = f"call {len(sink.starts)}"

    def scope(self):
        return self.sink.scope(self)

    def tell(self, known):
        self.sink.fail("tell")
        self.sink.told.append(known)

    def show(self, record):
        self.sink.fail("show")
        self.sink.shown.append(record)

    def finish(self, record):
        self.sink.fail("finish")
        self.sink.records.append(record)


class Sink:
    """Keeps what it is told."""

    def __init__(self, *failing, is_taped=True, scope=lambda call: nullcontext()):
        self.failing, self.is_taped, self.scope = failing, is_taped, scope
        self.starts, self.told, self.shown, self.records = [], [], [], []

    def fail(self, place):
        if place in self.failing:
            raise ValueError(f"a sink that fails to {place}")

    def begin(self, start):
        self.fail("begin")
        self.starts.append(start)
        return Call(self, start)


class Declining(Sink):
    def begin(self, start):
        return None


class AtOnce:
    """In place of the worker, where a test wants no thread."""

    let_go_count = 0

    def start(self):
        pass

    def submit(self, job):
        job.run()

    def flush(self, timeout_s):
        return True


def recorder(sink=None, **options):
    """Give a recorder without a thread, and its sink."""
    sink = sink or Sink()
    return Recorder(sink, **{"worker": AtOnce()} | options), sink


def request(body=ASKED, *, path=PATH, host=HOST, **fields):
    return Request("POST", host, 443, path, JSON, body, **fields)


def row(path=PATH, method="POST"):
    return endpoints.match(method, path).endpoint


def begun(one, body=ASKED, *, extensions=None, **options):
    """Give a recording that has begun."""
    extensions = {} if extensions is None else extensions
    return one.open(row(), request(body), extensions, **options)


def answer(recording, body=ANSWERED, status=200):
    """Let an answer come, and end."""
    recording.exchange.respond(status, JSON, at_ns=recording.clock_ns())
    recording.exchange.add(body, recording.clock_ns())
    recording.end()


# Which requests


def unasked():
    raise AssertionError("the User-Agent does not count here")


SDK = "mistral-client-python/3.7.0"
WANTED = {
    "a known path at Mistral's": ({}, ("POST", HOST, PATH), "chat.completions"),
    "an unknown path at Mistral's": ({}, ("GET", HOST, "/v9/new"), "other"),
    "a known path elsewhere": ({}, ("POST", "gw.example", f"/llm{PATH}"), "chat.completions"),
    "an unknown path elsewhere": ({}, ("GET", "gw.example", "/v9/new"), None),
    "a host of the setting": (
        {"hosts": ("*.example",)},
        ("GET", "gw.example", "/v9/new"),
        "other",
    ),
    "an operation of the setting": (
        {"operations": ("embeddings", "chat")},
        ("POST", HOST, PATH),
        "chat.completions",
    ),
    "an endpoint of the setting": (
        {"operations": ("chat.completions",)},
        ("POST", HOST, PATH),
        "chat.completions",
    ),
    "an operation that is not of the setting": (
        {"operations": ("embeddings",)},
        ("POST", HOST, PATH),
        None,
    ),
    "inference": ({"operations": ("inference",)}, ("POST", HOST, PATH), "chat.completions"),
    "no inference": ({"operations": ("inference",)}, ("GET", HOST, "/v1/models"), None),
}


@pytest.mark.parametrize(("options", "asked", "name"), WANTED.values(), ids=WANTED)
def test_which_requests_are_recorded(options, asked, name):
    one, _ = recorder(**options)
    found = one.row(*asked, lambda: "", any_host=True)
    assert (found and found.name) == name


def test_elsewhere_the_user_agent_tells():
    one, _ = recorder()
    elsewhere = ("POST", "gw.example", PATH)
    assert one.row(*elsewhere, lambda: SDK, any_host=False).name == "chat.completions"
    assert one.row("GET", "gw.example", "/new", lambda: SDK, any_host=False) is endpoints.OTHER
    assert one.row(*elsewhere, lambda: "curl/8", any_host=False) is None
    assert one.row("POST", HOST, PATH, unasked, any_host=False).name == "chat.completions"


# What a call is known by at its start


GLANCES = {
    "a model": (ASKED, ("mistral-small-latest", None, "chat")),
    "a model with spaces": (b'{"model" : "m"}', ("m", None, "chat")),
    "nothing": (b"{}", (None, None, "chat")),
    "no body": (None, (None, None, "chat")),
    "no JSON": (b"\xff\x00", (None, None, "chat")),
    "a model beyond the first kilobytes": (
        b'{"messages":"' + b"x" * 100_000 + b'","model":"late"}',
        ("late", None, "chat"),
    ),
    "a model in the middle": (
        b'{"a":"' + b"x" * 5000 + b'","model":"m","b":"' + b"x" * 5000 + b'"}',
        (None, None, "chat"),
    ),
    "a name with an escape": (b'{"model":"m\\u00e9"}', (None, None, "chat")),
    "a name that is not UTF-8": (b'{"model":"m\xff"}', ("m�", None, "chat")),
}


@pytest.mark.parametrize(("body", "known"), GLANCES.values(), ids=GLANCES)
def test_what_samplers_see(body, known):
    one, sink = recorder()
    begun(one, body)
    (start,) = sink.starts
    model, agent_id, operation = known
    known = Asked(operation, model, agent_id, HOST, 443, "POST", PATH)
    assert asked(start.row, start.request) == known
    assert (start.row.name, start.attempt, start.first) == ("chat.completions", 1, None)


def test_an_agent_is_an_agent_from_the_start():
    one, sink = recorder()
    path = "/v1/conversations"
    one.open(row(path), request(b'{"agent_id":"ag_1"}', path=path), {})
    one.open(row(path), request(b'{"model":"m"}', path=path), {})
    assert [asked(start.row, start.request)[:3] for start in sink.starts] == [
        ("invoke_agent", None, "ag_1"),
        ("chat", "m", None),
    ]


def test_a_sink_is_told_what_is_asked_once_and_before_the_end():
    one, sink = recorder()
    recording = begun(one)
    assert sink.told == []
    for _ in range(2):
        recording.tell()
    answer(recording)
    answer(begun(one))
    known = Asked("chat", "mistral-small-latest", None, HOST, 443, "POST", PATH)
    assert (sink.told, len(sink.records)) == ([known, known], 2)


def test_a_sink_is_told_of_a_call_that_takes_its_time():
    told = threading.Event()

    class Hearing(Sink):
        def begin(self, start):
            call = super().begin(start)
            call.tell = lambda known: told.set()
            return call

    one, _ = recorder(Hearing(), worker=None)
    recording = begun(one)
    assert told.wait(30)
    recording.end()
    assert one.flush(30)


def test_what_was_asked_of_a_call_that_takes_its_time_is_shown_once():
    now = [0]
    one, sink = recorder(clock_ns=lambda: now[0])
    body = ASKED.replace(b"Hello", SECRET.encode())
    recording = begun(one, body, complete=lambda sent: sent._replace(secrets=(SECRET,)))
    recording.exchange.respond(200, JSON, at_ns=7)
    recording.tell()
    recording.tell()
    assert sink.shown == []
    now[0] = 500_000_000
    for _ in range(2):
        recording.tell()
    (record,) = sink.shown
    assert (record.status, record.input.model) == (200, "mistral-small-latest")
    assert (record.times.headers_after_ns, record.response_bytes, record.failure) == (7, 0, None)
    assert record.input.messages[0].parts == (Text("[redacted]"),)
    answer(recording)
    recording.tell()
    assert (len(sink.shown), len(sink.records)) == (1, 1)


def test_a_call_that_has_ended_is_not_shown_as_under_way():
    one, sink = recorder(clock_ns=iter(range(0, 10**12, 10**9)).__next__)
    recording = begun(one)
    recording.tell()
    recording.end()
    recording.tell()
    assert (len(sink.shown), len(sink.records)) == (0, 1)


def test_a_sink_that_cannot_show_a_call_has_its_record_all_the_same(caplog):
    one, sink = recorder(Sink("show"), clock_ns=iter(range(0, 10**12, 10**9)).__next__)
    recording = begun(one)
    recording.tell()
    recording.tell()
    answer(recording)
    assert (sink.shown, len(sink.records)) == ([], 1)
    assert "what a call under way says was lost" in caplog.text


def test_what_was_asked_outlasts_a_body_that_is_let_go():
    one, sink = recorder()
    recording = begun(one)
    recording.let_go()
    recording.end()
    assert [known.model for known in sink.told] == ["mistral-small-latest"]
    assert sink.records[0].input.model is None


def test_a_sink_that_fails_to_be_told_has_the_record_all_the_same(caplog):
    one, sink = recorder(Sink("tell"))
    answer(begun(one))
    assert len(sink.records) == 1
    assert "what was asked was lost" in caplog.text


def test_the_sink_is_given_what_other_tracers_left():
    one, sink = recorder()
    extensions = {"_tracing_span": "the SDK's"}
    begun(one, extensions=extensions)
    (start,) = sink.starts
    assert start.headers == JSON
    assert start.extensions["_tracing_span"] == "the SDK's"


# The path of a call


def test_a_call_becomes_a_record():
    clock, wall = iter(range(100, 900, 100)), 5_000
    one, sink = recorder(clock_ns=lambda: next(clock), unix_ns=lambda: wall)
    recording = begun(one)
    with recording:
        pass
    answer(recording)
    (record,) = sink.records
    assert (record.endpoint, record.status, record.input.model) == (
        "chat.completions",
        200,
        "mistral-small-latest",
    )
    assert (record.times.started_unix_ns, record.times.ended_after_ns) == (5_000, 300)
    assert record.output.finish_reasons == ("stop",)


def test_headers_are_picked_when_it_is_read():
    one, sink = recorder()
    recording = begun(one)
    recording.answered = lambda: JSON | {"mistral-correlation-id": "c"}
    answer(recording)
    assert sink.records[0].server.correlation_id == "c"


def test_headers_that_cannot_be_read_cost_only_themselves():
    one, sink = recorder()
    recording = begun(one)
    recording.answered = lambda: 1 / 0
    answer(recording)
    assert sink.records[0].output.finish_reasons == ("stop",)


def test_the_first_end_counts():
    one, sink = recorder()
    recording = begun(one)
    recording.end(CLOSED_EARLY)
    recording.end(Ending("ReadError"))
    recording.end()
    (record,) = sink.records
    assert record.failure is None


def test_what_is_forgotten_never_ends():
    one, sink = recorder()
    recording = begun(one)
    recording.forget()
    recording.end()
    assert sink.records == []


def test_a_call_that_a_sink_declines_is_not_recorded():
    one, _ = recorder(Declining())
    extensions = {}
    assert begun(one, extensions=extensions) is None


def test_a_call_that_is_not_sampled_is_not_taped():
    one, sink = recorder(Sink(is_taped=False))
    recording = begun(one, trace=unasked)
    assert not recording.is_taped
    with recording:
        pass
    answer(recording)
    one.abandon()
    assert sink.records == []


def test_a_policy_has_the_last_word():
    one, sink = recorder(policy=lambda record: None)
    answer(begun(one))
    (record,) = sink.records
    assert (record.input.messages, record.input.model) == ((), "mistral-small-latest")


def test_a_body_is_kept_up_to_the_limit():
    one, sink = recorder(limit_bytes=1000)
    recording = begun(one)
    answer(recording, b'{"id":"' + b"x" * 5000 + b'"}')
    (record,) = sink.records
    assert record.response_bytes == 5009
    assert any("bytes" in note for note in record.notes)


def test_of_a_secret_row_no_body_is_kept():
    path = "/v1/client/sessions"
    secret = next(one for one in endpoints.TABLE if one.is_secret)
    one, sink = recorder()
    recording = one.open(secret, request(SECRET.encode(), path=path), {})
    assert recording.exchange.request.body is None
    answer(recording, SECRET.encode())
    assert recording.exchange.body().head == ()
    (record,) = sink.records
    assert SECRET not in repr((record, sink.starts))
    assert record.response_bytes == len(SECRET)


# Attempts, and taps inside taps


def test_attempts_are_numbered_and_know_the_first():
    one, sink = recorder()
    extensions = {}
    for status in (429, 500, 200):
        answer(begun(one, extensions=extensions), status=status)
    assert [(start.attempt, start.first) for start in sink.starts] == [
        (1, None),
        (2, "call 1"),
        (3, "call 1"),
    ]
    assert [record.attempt for record in sink.records] == [1, 2, 3]


def test_another_request_begins_anew():
    one, sink = recorder()
    for _ in range(2):
        answer(begun(one, extensions={}))
    assert [start.attempt for start in sink.starts] == [1, 1]


def test_a_tap_inside_a_tap_records_nothing():
    one, sink = recorder()
    extensions = {}
    outer = begun(one, extensions=extensions, owner=1)
    with outer:
        assert begun(one, extensions=extensions, owner=2) is None
    after = begun(one, extensions=extensions, owner=2)
    assert after is not None  # sent again, by another tap
    assert [start.attempt for start in sink.starts] == [1, 2]


def test_a_request_that_one_tap_sends_twice_at_a_time_is_two_calls():
    one, sink = recorder()
    extensions = {}
    first = begun(one, extensions=extensions, owner=1)
    with first:
        second = begun(one, extensions=extensions, owner=1)
        with second:
            assert begun(one, extensions=extensions, owner=2) is None
        assert begun(one, extensions=extensions, owner=2) is None
    assert [start.attempt for start in sink.starts] == [1, 2]


# httpcore's trace, and the context of a call


def test_the_trace_is_ours_only_while_it_is_sent():
    one, _ = recorder()
    extensions = {}
    recording = begun(one, extensions=extensions, trace=phases.Trace)
    assert "trace" not in extensions
    with recording:
        extensions["trace"]("connect_tcp.started", {})
    assert "trace" not in extensions
    assert [name for name, _ in recording.exchange.marks] == ["connect_tcp.started"]


def test_a_trace_that_was_there_is_called_and_stays():
    one, _ = recorder()
    seen = []
    extensions = {"trace": lambda name, facts: seen.append(name)}
    before = extensions["trace"]
    with begun(one, extensions=extensions, trace=phases.Trace):
        extensions["trace"]("connect_tcp.started", {})
    assert extensions["trace"] is before
    assert seen == ["connect_tcp.started"]


def test_a_trace_that_somebody_sets_meanwhile_stays():
    one, _ = recorder()
    extensions, theirs = {}, object()
    with begun(one, extensions=extensions, trace=phases.Trace):
        extensions["trace"] = theirs
    assert extensions["trace"] is theirs


def test_without_phases_the_trace_is_left_alone():
    one, _ = recorder(phases=False)
    extensions = {}
    with begun(one, extensions=extensions, trace=phases.Trace):
        assert "trace" not in extensions


def test_the_request_is_sent_in_the_scope_of_its_call():
    log = []

    @contextmanager
    def scope(call):
        log.append("entered")
        try:
            yield
        finally:
            log.append("left")

    one, _ = recorder(Sink(scope=scope))
    with begun(one):
        log.append("sent")
    assert log == ["entered", "sent", "left"]


class Scope:
    """A context that fails on one side."""

    def __init__(self, place):
        self.place = place

    def __enter__(self):
        if self.place == "enter":
            raise ValueError

    def __exit__(self, *error):
        if self.place == "exit":
            raise ValueError
        return True  # a context that would swallow what its block raised


@pytest.mark.parametrize("place", ["enter", "exit", "neither"])
def test_a_scope_that_fails_neither_raises_nor_swallows(place):
    one, _ = recorder(Sink(scope=lambda call: Scope(place)))
    recording = begun(one)
    with recording:
        pass
    with pytest.raises(KeyError), recording:
        raise KeyError


# Our mistakes


def test_a_record_that_the_sink_fails_to_take_is_lost_alone(caplog):
    one, sink = recorder(Sink("finish"))
    answer(begun(one))
    assert "a span was lost" in caplog.text
    sink.failing = ()
    answer(begun(one))
    assert len(sink.records) == 1


def test_a_sink_that_fails_to_begin_leaves_nothing_behind():
    """A tap catches that: see `Tapping._begin`. The next call of the same request is well."""
    one, sink = recorder(Sink("begin"))
    extensions = {}
    with pytest.raises(ValueError, match="fails to begin"):
        begun(one, extensions=extensions)
    sink.failing = ()
    answer(begun(one, extensions=extensions))
    assert len(sink.records) == 1


def test_a_clock_that_fails_at_the_end_is_nobodys_trouble(caplog):
    times = iter([1])
    one, sink = recorder(clock_ns=lambda: next(times))
    begun(one).end()
    assert "the end of a call was lost" in caplog.text
    assert sink.records == []


class Unreadable:
    """Headers that cannot be looked at."""

    def __getattr__(self, name):
        raise RuntimeError(f"no {name}")


BARE = {
    "an answer": (200, None, None),
    "an error of the server's": (503, None, "503"),
    "an exception": (None, Ending("ConnectError"), "ConnectError"),
    "an exception after an error": (503, Ending("ReadError"), "ReadError"),
    "closed early": (200, CLOSED_EARLY, None),
    "no answer": (None, ABANDONED, None),
}


@pytest.mark.parametrize(("status", "ending", "failure"), BARE.values(), ids=BARE)
def test_where_reading_fails_the_call_is_still_there(status, ending, failure, caplog):
    one, sink = recorder()
    recording = begun(one)
    if status is not None:
        recording.exchange.respond(status, Unreadable(), at_ns=recording.clock_ns())
    else:
        recording.exchange.headers = Unreadable()
    recording.end(ending)
    (record,) = sink.records
    assert (record.failure and record.failure.kind) == failure
    assert (record.endpoint, record.status, record.input.model, record.server.host) == (
        "chat.completions",
        status,
        "mistral-small-latest",
        HOST,
    )
    assert record.times.ended_after_ns > 0
    assert record.notes == ("could not be read, by a mistake of this library (RuntimeError)",)


# Closing, collecting, forking


def test_abandoned_calls_end_and_say_so():
    one, sink = recorder()
    recording = begun(one)
    recording.exchange.respond(200, JSON, at_ns=recording.clock_ns())
    one.abandon()
    one.abandon()
    (record,) = sink.records
    assert record.failure is None


def test_a_transport_abandons_its_own_calls_alone():
    one, sink = recorder()
    kept, _ = begun(one, owner=1), begun(one, owner=2)
    one.abandon(2)
    assert len(sink.records) == 1
    answer(kept)
    assert len(sink.records) == 2


def test_what_has_ended_is_let_go_of():
    one, _ = recorder()
    answer(begun(one))
    assert one._open == {}


def test_without_a_thread_nothing_is_expected():
    class Threadless(AtOnce):
        def start(self):
            raise RuntimeError("can't start new thread")

    one, _ = recorder(worker=Threadless())
    with pytest.raises(RuntimeError, match="can't start new thread"):
        begun(one)
    assert one._open == {}


def test_on_a_thread_of_its_own():
    one, sink = recorder(worker=None)
    for _ in range(20):
        answer(begun(one))
    assert one.flush(10)
    assert len(sink.records) == 20
    assert one.let_go_count == 0


def test_past_the_queues_budget_calls_are_recorded_without_words():
    reading, go_on = threading.Event(), threading.Event()

    class Slow(Sink):
        def fail(self, place):
            if place == "finish":
                reading.set()
                go_on.wait()

    one, sink = recorder(Slow(), worker=None, queue_bytes=2_000)
    answer(begun(one))
    reading.wait()  # from here on, whatever ends waits
    for number in range(3):
        answer(begun(one, b'{"model":"m%d","stop":"%s"}' % (number, b"x" * 900)))
    assert one.let_go_count == 2
    go_on.set()
    assert one.flush(10)
    _, *records = sink.records
    assert [record.status for record in records] == [200, 200, 200]
    assert [record.input.model for record in records] == [None, None, "m2"]
    assert [len(record.notes) for record in records] == [1, 1, 0]
    assert "were let go unread: the queue was full" in records[0].notes[0]


def test_a_finaliser_may_end_a_call_wherever_it_interrupts_us():
    """A function that runs between any two lines of ours stands for the collector."""
    one, sink = recorder(worker=None)
    waiting = [begun(one, owner=7) for _ in range(400)]
    interrupted, inside = [], []
    ours = ("phases", "recorder", "recording", "worker")
    files = {sys.modules[f"interceptor.{name}"].__file__ for name in ours}

    def interrupt(frame, event, _argument):
        if frame.f_code.co_filename not in files or inside:
            return None if inside else interrupt
        if event == "line" and waiting:
            inside.append(True)
            interrupted.append(frame.f_lineno)
            waiting.pop().end(ABANDONED)
            inside.pop()
        return interrupt

    before = sys.gettrace()  # a measurement of coverage, or None
    sys.settrace(interrupt)
    try:
        for _ in range(3):
            recording = begun(one)
            with recording:
                pass
            answer(recording)
        one.abandon()
    finally:
        sys.settrace(before)
    for left in waiting:
        left.end()
    assert one.flush(30)
    assert len(sink.records) == 403
    assert len(set(interrupted)) > 50
    assert one._open == {}


def test_the_collector_may_end_a_call():
    one, sink = recorder(worker=None)

    class Response:
        """What a tap's stream is: it ends its call when nobody has it any more."""

        def __init__(self):
            self.recording, self.itself = begun(one), self

        def __del__(self):
            self.recording.end(ABANDONED)

    threshold = gc.get_threshold()
    gc.set_threshold(1)
    try:
        for _ in range(50):
            Response()
            answer(begun(one))
    finally:
        gc.set_threshold(*threshold)
    gc.collect()
    assert one.flush(30)
    assert len(sink.records) == 100


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_call_that_is_open_at_a_fork_is_the_parents():
    one, sink = recorder(worker=None)
    recording = begun(one)
    if (child := os.fork()) == 0:  # pragma: no cover - in a process that measures nothing
        status = 1
        try:
            recording.end()
            one.abandon()
            answer(begun(one, b'{"model":"childs"}'))
            assert one.flush(10)
            assert [record.input.model for record in sink.records] == ["childs"]
            status = 0
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0
    answer(recording)
    assert one.flush(10)
    assert len(sink.records) == 1


def test_nothing_is_logged_of_what_was_sent(caplog):
    caplog.set_level(logging.DEBUG)
    one, _ = recorder(Sink("finish"), policy=lambda record: 1 / 0)
    recording = one.open(row(), request(secrets=(SECRET,)), {})
    recording.answered = lambda: 1 / 0
    answer(recording, SECRET.encode())
    assert SECRET not in caplog.text
    assert isinstance(one.read(recording.exchange, row()), Record)
    assert SECRET not in repr(one.read(recording.exchange, row()))
