"""The span of a call: where it stands, what it says, and that it ends whatever happens."""

import contextvars
import importlib
import logging
import os
import signal
import threading

import msgspec
import pytest
from opentelemetry import trace
from opentelemetry.context import attach, detach, set_value
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult
from opentelemetry.trace import SpanKind, StatusCode

import interceptor
from interceptor import endpoints
from interceptor.exchange import Request
from interceptor.record import (
    Failure,
    Handoff,
    Input,
    Message,
    Output,
    Record,
    Server,
    Stream,
    Text,
    Times,
    ToolCall,
    ToolResult,
    ToolRun,
    Usage,
)
from interceptor.settings import Native
from interceptor.sink import Start
from interceptor.spans import SCOPE, SpanSink

http = importlib.import_module(interceptor.transports.sdk_library())

URL = "https://api.mistral.ai/v1/chat/completions"


@pytest.fixture
def exporter():
    yield InMemorySpanExporter()
    interceptor.shutdown()


def configure(exporter, **settings):
    """Have spans go to an application's own exporter."""
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    interceptor.configure(destinations=(), store="off", tracer_provider=provider, **settings)


def post(status=200, json=None):
    transport = http.MockTransport(lambda _: http.Response(status, json=json or {}))
    with http.Client(transport=interceptor.wrap(transport)) as client:
        client.post(URL, json={"model": "mistral-small-latest"})
    interceptor.flush()


def broken(record):
    """Be a policy whose record is none that can be shown."""
    return msgspec.structs.replace(record, output=None)


def test_a_call_ends_where_its_record_cannot_be_shown(exporter):
    configure(exporter, redact=broken)
    post()
    (span,) = exporter.get_finished_spans()
    assert span.name == "chat mistral-small-latest"


def test_an_observed_span_ends_where_its_words_cannot_be_shown(exporter):
    configure(exporter, redact=broken)
    with interceptor.span("think") as span:
        span.set_input("of something")
    interceptor.flush()
    (ended,) = exporter.get_finished_spans()
    assert (ended.name, "input.value" in ended.attributes) == ("think", False)


def test_an_error_is_no_longer_than_an_attribute(exporter):
    """Some gateways send back the whole request as the message."""
    configure(exporter, attribute_limit_kb=1, content="full")
    post(422, {"message": "no: " + "x" * 5000})
    (span,) = exporter.get_finished_spans()
    assert span.status.description == "no: " + "x" * 1020


def test_a_coroutine_dropped_elsewhere_leaves_its_context_quietly(exporter, caplog):
    """A loop that ends closes its tasks' coroutines in a context that is not theirs."""

    class Waiting(http.AsyncBaseTransport):
        async def handle_async_request(self, request):
            await self

        def __await__(self):
            yield

    configure(exporter)
    sending = interceptor.wrap(Waiting()).handle_async_request(http.Request("POST", URL))
    with caplog.at_level(logging.ERROR):
        contextvars.copy_context().run(sending.send, None)
        contextvars.copy_context().run(sending.close)
    interceptor.flush()
    assert caplog.records == []
    assert len(exporter.get_finished_spans()) == 1


# From a start and a record to a span: with a real provider, and the sink alone


PATH = "/v1/chat/completions"
START = Start(
    row=endpoints.match("POST", PATH).endpoint,
    request=Request("POST", "api.mistral.ai", 443, PATH, {}, b'{"model":"asked"}'),
    attempt=1,
    started_unix_ns=1_000,
)
WORD = "a word that was said"
SAID = {
    "input": Input(
        model="m",
        messages=(Message(role="user", parts=(Text(WORD),)),),
        stop=(WORD,),
        parameters={"model": "m", "new": WORD, "response_format": {"schema": {WORD: WORD}}},
    ),
    "output": Output(
        messages=(Message(role="assistant", parts=(Text(WORD),)),),
        guardrails=f'[{{"quote":"{WORD}"}}]',
    ),
    "usage": Usage(input_tokens=3, raw=f'{{"prompt_tokens":3,"note":"{WORD}"}}'),
}


def record(**fields):
    bare = {
        "endpoint": "chat.completions",
        "operation": "chat",
        "times": Times(started_unix_ns=1_000, ended_after_ns=500),
        "server": Server(host="api.mistral.ai", port=443),
        "input": Input(model="m"),
    }
    return Record(**bare | fields)


class Sampling(Sampler):
    """Keeps what it is asked about, and decides always the same."""

    def __init__(self, decision):
        self.decision, self.asked = decision, []

    def should_sample(
        self,
        parent_context,
        trace_id,
        name,
        kind=None,
        attributes=None,
        links=None,
        trace_state=None,
    ):
        self.asked.append((name, kind, dict(attributes or {})))
        return SamplingResult(self.decision)

    def get_description(self):
        return "a test's"


@pytest.fixture
def sinking(exporter):
    """Give what makes a sink, whose spans the exporter has."""
    made = []

    def make(*, sampler=None, **options):
        provider = TracerProvider(sampler=sampler, shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(exporter))
        made.append(provider)
        return SpanSink(lambda: provider.get_tracer(SCOPE), **options)

    yield make
    for provider in made:
        provider.shutdown()


def ended(sink, exporter, start=START, **fields):
    """Let a call begin and end; give its spans, the call's own last."""
    sink.begin(start).finish(record(**fields))
    return exporter.get_finished_spans()


def test_a_span_has_the_times_of_its_record(sinking, exporter):
    (span,) = ended(sinking(), exporter)
    assert (span.start_time, span.end_time, span.kind) == (1_000, 1_500, SpanKind.CLIENT)
    assert span.instrumentation_scope.name == "interceptor"


NAMES = {
    "a model": (START, {}, "chat m"),
    "no model": (START, {"input": Input()}, "chat"),
    "an agent": (
        START,
        {"operation": "invoke_agent", "input": Input(agent_id="ag_1", model="m")},
        "invoke_agent ag_1",
    ),
    "an agent that is a model": (
        START,
        {"operation": "invoke_agent", "input": Input(model="m")},
        "invoke_agent m",
    ),
    "another operation with an agent": (
        START,
        {"operation": "agents.crud", "input": Input(agent_id="ag_1")},
        "agents.crud",
    ),
}


@pytest.mark.parametrize(("start", "fields", "name"), NAMES.values(), ids=NAMES)
def test_a_span_is_named_by_its_record(sinking, exporter, start, fields, name):
    (span,) = ended(sinking(), exporter, start, **fields)
    assert span.name == name


def test_a_sampler_sees_what_is_known_at_the_start(sinking):
    sampler = Sampling(Decision.RECORD_AND_SAMPLE)
    sinking(sampler=sampler).begin(START)
    assert sampler.asked == [
        (
            "chat asked",
            SpanKind.CLIENT,
            {
                "gen_ai.operation.name": "chat",
                "gen_ai.provider.name": "mistral_ai",
                "gen_ai.request.model": "asked",
                "server.address": "api.mistral.ai",
                "server.port": 443,
            },
        )
    ]


def test_a_call_that_is_not_sampled_is_not_taped(sinking, exporter):
    call = sinking(sampler=Sampling(Decision.DROP)).begin(START)
    assert not call.is_taped
    call.finish(record())
    assert exporter.get_finished_spans() == ()


def test_a_call_is_inside_what_is_current(sinking, exporter):
    sink = sinking()
    with sink.tracer().start_as_current_span("outer") as outer:
        call = sink.begin(START)
    call.finish(record())
    span, _ = sorted(exporter.get_finished_spans(), key=lambda one: one.name)
    assert span.parent == outer.get_span_context()


def test_a_call_is_current_while_it_is_sent_and_only_then(sinking):
    call = sinking().begin(START)
    assert trace.get_current_span() is trace.INVALID_SPAN
    with call.scope():
        assert trace.get_current_span().get_span_context() == call.identity
    assert trace.get_current_span() is trace.INVALID_SPAN


@pytest.mark.parametrize(
    "key", ["opentelemetry.genai.client.inference.context", "suppress_instrumentation"]
)
def test_a_call_that_another_accounts_for_has_no_span(sinking, exporter, key):
    token = attach(set_value(key, value=True))
    try:
        assert sinking().begin(START) is None
    finally:
        detach(token)
    assert sinking().begin(START) is not None


def test_ours_stands_where_the_sdks_own_span_stood(sinking, exporter):
    sink = sinking()
    with sink.tracer().start_as_current_span("outer") as outer:
        sdks = sink.tracer().start_span("the SDK's")
        start = msgspec.structs.replace(START, extensions={"_tracing_span": sdks})
        with trace.use_span(sdks):
            call = sink.begin(start)
    call.finish(record())
    (span,) = [one for one in exporter.get_finished_spans() if one.name == "chat m"]
    assert span.parent == outer.get_span_context()


def test_ours_steps_back_where_the_settings_say_so(sinking):
    sink = sinking(native=Native.DEFER)
    sdks = sink.tracer().start_span("the SDK's")
    assert sink.begin(msgspec.structs.replace(START, extensions={"_tracing_span": sdks})) is None
    sdks.end()
    assert (
        sink.begin(msgspec.structs.replace(START, extensions={"_tracing_span": sdks})) is not None
    )


def test_a_span_around_a_call_leaves_counting_to_it(exporter):
    configure(exporter)
    with interceptor.span("outer", kind="llm"):
        post()
        interceptor.update_span(usage={"input_tokens": 3})
    interceptor.flush()
    (outer,) = [one for one in exporter.get_finished_spans() if one.name == "outer"]
    assert not [key for key in outer.attributes if ".usage." in key]


def test_a_further_attempt_links_to_the_first(sinking, exporter):
    sink = sinking()
    first = sink.begin(START)
    second = sink.begin(msgspec.structs.replace(START, attempt=2, first=first.identity))
    first.finish(record())
    second.finish(record(attempt=2))
    one, two = exporter.get_finished_spans()
    assert (one.links, [link.context for link in two.links]) == ((), [one.context])
    assert two.attributes["mistral_ai.request.attempt"] == 2


STATUSES = {
    "all well": ({}, StatusCode.UNSET, None),
    "the server says why": (
        {"failure": Failure(kind="429", message="slow down")},
        StatusCode.ERROR,
        "slow down",
    ),
    "nobody says why": ({"failure": Failure(kind="500")}, StatusCode.ERROR, None),
    "left early": (
        {"stream": Stream(events=2, completed=False)},
        StatusCode.UNSET,
        None,
    ),
}


@pytest.mark.parametrize(("fields", "code", "message"), STATUSES.values(), ids=STATUSES)
def test_status(sinking, exporter, fields, code, message):
    (span,) = ended(sinking(), exporter, **fields)
    assert (span.status.status_code, span.status.description) == (code, message)


def test_what_a_server_says_of_a_failure_is_words(sinking, exporter):
    """It may quote what was asked: as parts of a request that was refused, say."""
    failure = Failure(kind="invalid_request", code="1", message=f"cannot take {WORD}")
    ended(sinking(content=False), exporter, failure=failure)
    ended(sinking(words={}), exporter, failure=failure)
    for span in exporter.get_finished_spans():
        assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, None)
        assert span.attributes["error.type"] == "invalid_request"
        assert WORD not in span.to_json()


@pytest.mark.parametrize("content", [True, False])
def test_what_is_shown_of_a_call_under_way_is_words_too(sinking, exporter, content):
    words = {}
    sink = sinking(content=content, words=words)
    call = sink.begin(START)
    call.show(record(**SAID))
    assert [WORD in str(shown) for shown in words.values()] == [True] * content
    assert WORD not in str(dict(call._span.attributes))
    assert "mistral_ai.response.bytes" not in call._span.attributes
    call.finish(record())
    assert words == {}


def test_nothing_that_was_shown_stays_of_a_call_that_cannot_be_filled(sinking, exporter):
    words = {}
    call = sinking(words=words).begin(START)
    call.show(record(**SAID))
    with pytest.raises(AttributeError):
        call.finish(broken(record()))
    (span,) = exporter.get_finished_spans()
    assert (words, WORD in span.to_json()) == ({}, False)


def test_what_is_shown_stands_on_a_span_where_its_words_do(sinking):
    call = sinking().begin(START)
    call.show(record(**SAID))
    assert WORD in call._span.attributes["gen_ai.input.messages"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_child_forked_while_a_span_is_written_to_can_write_to_it(sinking):
    sink, writes, forks = sinking(), threading.Event(), threading.Event()
    call = sink.begin(START)
    os.register_at_fork(before=forks.set)

    class Slow(dict):
        def items(self):
            writes.set()
            forks.wait(10)  # the span's lock is taken when the fork begins, and no longer than that
            return super().items()

    writing = threading.Thread(target=sink.say, args=(call._span, Slow(a=1)))
    writing.start()
    assert writes.wait(10)
    if (child := os.fork()) == 0:  # pragma: no cover - in a process that measures nothing
        signal.alarm(10)  # one that waits for ever ends so
        call._span.set_attribute("b", 2)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    writing.join(10)
    assert call._span.attributes["a"] == 1


def test_handoffs_are_events(sinking, exporter):
    handoff = Handoff(previous_agent_id="1", next_agent_id="2")
    (span,) = ended(sinking(), exporter, handoffs=(handoff,))
    (event,) = span.events
    assert (event.name, event.timestamp) == ("mistral_ai.agent.handoff", 1_500)
    assert dict(event.attributes) == {"previous_agent_id": "1", "next_agent_id": "2"}


TIMES_OF_RUNS = {
    "the server's own": ({"started_unix_ns": 1_100, "ended_unix_ns": 1_300}, (1_100, 1_300)),
    "a start alone": ({"started_unix_ns": 1_100}, (1_100, 1_100)),
    "an end alone": ({"ended_unix_ns": 1_300}, (1_000, 1_300)),
    "none": ({}, (1_000, 1_000)),
}


@pytest.mark.parametrize(("fields", "times"), TIMES_OF_RUNS.values(), ids=TIMES_OF_RUNS)
def test_a_tool_that_the_server_ran_is_a_child_with_its_own_times(sinking, exporter, fields, times):
    run = ToolRun(name="web_search", id="t", arguments=WORD, **fields)
    child, span = ended(sinking(), exporter, tool_runs=(run,), usage=Usage(input_tokens=3))
    assert (child.name, child.kind) == ("execute_tool web_search", SpanKind.INTERNAL)
    assert child.parent == span.context
    assert (child.start_time, child.end_time) == times
    assert child.attributes["gen_ai.tool.call.arguments"] == WORD


def test_endpoint_and_usage_stand_on_the_call_alone(sinking, exporter):
    sink = sinking()
    with sink.tracer().start_as_current_span("outer"):
        call = sink.begin(START)
    usage = Usage(input_tokens=3, output_tokens=1)
    call.finish(record(usage=usage, tool_runs=(ToolRun(name="search"),)))
    having = {
        span.name
        for span in exporter.get_finished_spans()
        if any(key == "mistral_ai.endpoint" or ".usage." in key for key in span.attributes)
    }
    assert having == {"chat m"}


def test_spans_of_one_tool_call_link_to_each_other(sinking, exporter):
    sink = sinking()
    asks = Message(role="assistant", parts=(ToolCall("id-1", "add", "{}"),))
    takes = Message(role="tool", parts=(ToolResult("id-1", "2"),))
    sink.begin(START).finish(record(output=Output(messages=(asks,))))
    sink.begin(START).finish(record(input=Input(messages=(asks, takes))))
    asked, took = exporter.get_finished_spans()
    ((link),) = took.links
    assert link.context == asked.context
    assert dict(link.attributes) == {
        "gen_ai.tool.call.id": "id-1",
        "interceptor.tool_call": "asked",
    }


def test_what_is_said_around_a_call_stands_on_it_and_on_its_tools(sinking, exporter):
    sink = sinking()
    with interceptor.context(session_id="s", user_id="u"):
        call = sink.begin(START)
    call.finish(record(tool_runs=(ToolRun(name="search"),)))
    assert [
        (span.attributes["session.id"], span.attributes["user.id"])
        for span in exporter.get_finished_spans()
    ] == [("s", "u"), ("s", "u")]


# Words


RUN = ToolRun(name="search", arguments=WORD, result=WORD)


def shown(spans):
    return [WORD in span.to_json() for span in spans]


def test_words_are_attributes_where_the_settings_say_so(sinking, exporter):
    assert shown(ended(sinking(), exporter, **SAID, tool_runs=(RUN,))) == [True, True]


def test_what_was_cut_is_named_whether_words_or_not(sinking, exporter):
    long = "word " * 1000
    asked = Input(
        model="m",
        messages=(Message(role="user", parts=(Text(long),)),),
        parameters={"metadata": {"note": long}},
    )
    (span,) = ended(sinking(limit_bytes=300), exporter, input=asked)
    assert span.attributes["mistral_ai.truncated"] == (
        "mistral_ai.request.parameters",
        "gen_ai.input.messages",
    )


def test_what_was_cut_of_the_metadata_and_of_the_whole_is_named_once(sinking, exporter):
    asked = Input(model="m", parameters={f"n{number}": number for number in range(100)})
    said = msgspec.structs.replace(asked, parameters={**asked.parameters, "new": WORD})
    for given in (asked, said):
        *_, span = ended(sinking(limit_bytes=300), exporter, input=given)
        assert span.attributes["mistral_ai.truncated"] == ("mistral_ai.request.parameters",)


def test_words_are_nowhere_where_the_settings_say_so(sinking, exporter):
    words = {}
    sink = sinking(content=False, words=words)
    assert shown(ended(sink, exporter, **SAID, tool_runs=(RUN,))) == [False, False]
    assert words == {}


def test_words_stand_beside_a_span_only_as_long_as_it_ends(exporter):
    words, seen = {}, []

    class Looking(SpanProcessor):
        def on_end(self, span):
            seen.append((span.name, WORD in span.to_json(), WORD in repr(words)))

    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(Looking())
    sink = SpanSink(lambda: provider.get_tracer(SCOPE), words=words)
    sink.begin(START).finish(record(**SAID, tool_runs=(RUN,)))
    assert seen == [("execute_tool search", False, True), ("chat m", False, True)]
    assert words == {}


def test_words_go_although_a_processor_raises(sinking):
    class Raising(SpanProcessor):
        def on_end(self, span):
            raise OSError("the disk is full")

    words, provider = {}, TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(Raising())
    sink = SpanSink(lambda: provider.get_tracer(SCOPE), words=words)
    with pytest.raises(OSError, match="the disk is full"):
        sink.begin(START).finish(record(**SAID))
    assert words == {}


def test_what_an_observed_function_raised_is_said_where_its_words_are(exporter):
    configure(exporter, content="full")
    with pytest.raises(ValueError, match=WORD), interceptor.span("fails"):
        raise ValueError(WORD)
    interceptor.flush()
    (span,) = exporter.get_finished_spans()
    assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, WORD)


def test_every_record_is_measured(sinking, exporter):
    measured = []
    ended(sinking(measure=measured.append), exporter)
    assert [one.endpoint for one in measured] == ["chat.completions"]


# Never a secret


KEY = "an-invented-key-7f3a"


@pytest.mark.parametrize("status", [200, 401])
def test_a_secret_stands_nowhere(exporter, caplog, status):
    """Not where a gateway or an exception quotes it, either."""
    caplog.set_level(logging.DEBUG, logger="interceptor")  # httpx logs the address by itself
    configure(exporter, content="full")

    def answer(request):
        if request.headers.get("x-fail"):
            raise http.ConnectError(f"cannot send {KEY}")
        quoted = {"message": f"bad key {KEY}", "type": "auth", "code": KEY}
        return http.Response(status, json=quoted, headers={"mistral-correlation-id": "c"})

    sent = {"authorization": f"Bearer {KEY}", "cookie": f"session={KEY}", "x-api-key": KEY}
    asked = {"model": "m", "messages": [{"role": "user", "content": f"my key is {KEY}"}]}
    with http.Client(transport=interceptor.wrap(http.MockTransport(answer))) as client:
        client.post(f"{URL}?api_key={KEY}", json=asked, headers=sent)
        with pytest.raises(http.ConnectError):
            client.post(URL, json=asked, headers=sent | {"x-fail": "1"})
    interceptor.flush()
    spans = exporter.get_finished_spans()
    assert len(spans) == 2
    assert KEY not in "".join(span.to_json() for span in spans)
    assert KEY not in caplog.text
