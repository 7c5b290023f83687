"""What is put together once, and what gives way when something else is put in force."""

import gc
import importlib
import threading
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import interceptor
from interceptor import runtime
from interceptor.destinations import Delivery
from interceptor.errors import InterceptorError, SettingsError
from interceptor.settings import Settings
from interceptor.store import Store
from interceptor.store.rows import State
from interceptor.transports import sdk_library
from tests.waiting import until

http = importlib.import_module(sdk_library())

URL = "https://api.mistral.ai/v1/models"


class Counting(SpanProcessor):
    """A destination that counts what comes, and is as slow to flush as `gate` wants."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.gate = threading.Event()
        self.gate.set()
        self.is_flushing = threading.Event()

    def on_end(self, span: ReadableSpan) -> None:
        self.names.append(span.name)

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        self.is_flushing.set()
        return self.gate.wait(timeout_millis / 1000)


@pytest.fixture(autouse=True)
def _nothing_in_force() -> Iterator[None]:
    yield
    interceptor.shutdown()


def in_force(provider: TracerProvider) -> Counting:
    """Put a new recorder in force on an application's provider; give its destination."""
    interceptor.configure(
        destinations=(), store="off", metrics="off", content="full", tracer_provider=provider
    )
    counting = Counting()
    found = runtime.current()
    assert found is not None
    found.processors = (Delivery(counting, None),)
    return counting


def called() -> None:
    transport = http.MockTransport(lambda _: http.Response(200, json={}))
    with http.Client(transport=interceptor.wrap(transport)) as client:
        client.get(URL)


def test_first_calls_at_one_time_attach_the_destinations_once():
    """Attached twice, a destination would have each span twice."""

    class Attached(TracerProvider):
        def __init__(self) -> None:
            super().__init__(shutdown_on_exit=False)
            self.processors: list[SpanProcessor] = []
            self.others = threading.Event()

        def add_span_processor(self, span_processor: SpanProcessor) -> None:
            self.processors.append(span_processor)
            self.others.wait(0.2)  # whoever else is on the way in gets there
            super().add_span_processor(span_processor)

    provider = Attached()
    made = runtime.Runtime(Settings(destinations=(), metrics="off"), tracer_provider=provider)
    threads = [threading.Thread(target=made.tracer) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(provider.processors) == len(made.processors)


def test_what_is_no_longer_in_force_gets_no_more_spans():
    """Both are on the application's provider, which hands every span to each."""
    provider = TracerProvider(shutdown_on_exit=False)
    before = in_force(provider)
    called()
    interceptor.flush()
    after = in_force(provider)
    called()
    interceptor.flush()
    assert (before.names, after.names) == (["models"], ["models"])


def test_a_call_under_way_ends_where_it_began():
    """Putting something else in force takes nothing from the old destination."""
    provider = TracerProvider(shutdown_on_exit=False)
    before = in_force(provider)

    def answer(_: Any) -> Any:
        in_force(provider)
        return http.Response(200, json={})

    with http.Client(transport=interceptor.wrap(http.MockTransport(answer))) as client:
        client.get(URL)
    interceptor.flush()
    assert before.names == ["models"]


def searched(at: str) -> http.Response:
    """Give the answer of a conversation in which the server ran a tool, by its own clock."""
    times = {"created_at": at, "completed_at": at}
    run = {"type": "tool.execution", "id": "t", "name": "search", "arguments": "{}", **times}
    return http.Response(200, json={"conversation_id": "c", "outputs": [run]})


@pytest.mark.parametrize("at", ["1999-01-01T00:00:00Z", "2199-01-01T00:00:00Z"])
def test_what_the_server_ran_goes_where_its_call_goes(tmp_path, at):
    """The server's clock may be behind, or ahead: it does not tell which of the two it is."""
    provider = TracerProvider(shutdown_on_exit=False)
    paths = [tmp_path / "before.db", tmp_path / "after.db"]

    def put_in_force(path) -> None:
        interceptor.configure(destinations=("store",), store=path, tracer_provider=provider)

    def answer(request: Any) -> Any:
        if b"early" in request.content:
            put_in_force(paths[1])
        return searched(at)

    put_in_force(paths[0])
    with http.Client(transport=interceptor.wrap(http.MockTransport(answer))) as client:
        for model in ("early", "late"):
            body = {"inputs": "hello", "model": model}
            client.post("https://api.mistral.ai/v1/conversations", json=body)
    interceptor.flush()
    names = [
        sorted(span.name for trace in store.latest() for span in store.trace(trace.trace_id))
        for store in map(Store, paths)
    ]
    assert names == [["chat early", "execute_tool search"], ["chat late", "execute_tool search"]]


@pytest.mark.parametrize("content", ["full", None])
def test_a_call_under_way_ends_nowhere_else(tmp_path, content):
    """Not at the new destination of the same provider, either: there it would lack its words."""
    provider = TracerProvider(shutdown_on_exit=False)
    paths = [tmp_path / "before.db", tmp_path / "after.db"]

    def put_in_force(path) -> None:
        interceptor.configure(
            destinations=("store",), store=path, content=content, tracer_provider=provider
        )

    def answer(_: Any) -> Any:
        put_in_force(paths[1])
        called()
        return http.Response(200, json={})

    put_in_force(paths[0])
    with http.Client(transport=interceptor.wrap(http.MockTransport(answer))) as client:
        client.post("https://api.mistral.ai/v1/embeddings", json={"model": "m"})
    assert interceptor.flush()
    names = [[trace.name for trace in Store(path).latest()] for path in paths]
    assert names == [["embeddings m"], ["models"]]


@pytest.mark.parametrize(
    "change",
    [lambda: interceptor.configure(destinations=(), store="off"), interceptor.shutdown],
    ids=["configure", "shutdown"],
)
def test_no_call_waits_for_an_old_destination(change):
    """A destination may take seconds to flush: that is no caller's time, nor an event loop's."""
    slow = in_force(TracerProvider(shutdown_on_exit=False))
    called()
    slow.gate.clear()
    changing = threading.Thread(target=change)
    changing.start()
    assert slow.is_flushing.wait(5)
    called()
    is_waiting = changing.is_alive()
    slow.gate.set()
    changing.join()
    assert is_waiting


def test_a_bad_policy_leaves_no_store_behind(tmp_path):
    """What may be wrong with the settings is found before anything is opened."""
    with pytest.raises(SettingsError):
        interceptor.configure(store=tmp_path / "traces.db", redact="everything")
    assert list(tmp_path.iterdir()) == []


def test_another_implementation_of_the_api_takes_no_processors():
    """It is given the spans alone, and no more is asked of it."""
    made = runtime.Runtime(
        Settings(destinations=(), metrics="off"), tracer_provider=trace.NoOpTracerProvider()
    )
    assert not made.tracer().start_span("a").is_recording()


# Who is given the words


WORD = "a word that was said"
SHOWN = {
    "left open, to ours alone": ({}, False, True),
    "full, to all": ({"content": "full"}, True, True),
    "metadata, to nobody": ({"content": "metadata"}, False, False),
    "no destination, to memory": ({"destinations": ()}, False, True),
}


@pytest.mark.parametrize(("changes", "theirs", "ours"), SHOWN.values(), ids=SHOWN)
def test_who_is_given_the_words(tmp_path, changes, theirs, ours):
    """The application's exporter sends them out of the house: only where that was said."""
    exporter, provider = InMemorySpanExporter(), TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    interceptor.configure(store=tmp_path / "traces.db", tracer_provider=provider, **changes)
    asked = {"model": "m", "messages": [{"role": "user", "content": WORD}]}
    transport = http.MockTransport(lambda _: http.Response(200, json={}))
    with http.Client(transport=interceptor.wrap(transport)) as client:
        client.post("https://api.mistral.ai/v1/chat/completions", json=asked)
    interceptor.flush()
    (exported,) = exporter.get_finished_spans()
    with runtime.kept() as store:
        (found,) = store.latest()
        (kept,) = store.trace(found.trace_id)
    assert (exported.name, kept.name) == ("chat m", "chat m")
    assert (WORD in exported.to_json(), WORD in repr(kept.attributes)) == (theirs, ours)
    assert (tmp_path / "traces.db").exists() is ("destinations" not in changes)


# What may be changed, and what a wrong change leaves as it was


BAD = {
    "an unknown setting": {"colour": "red"},
    "a bad value": {"queue_mb": 0},
    "an unknown policy": {"redact": "everything"},
    "an unknown operation": {"operations": ("chta",)},
    "a store that cannot be opened": {"store": "{folder}/a file/traces.db"},
}


@pytest.mark.parametrize("changes", BAD.values(), ids=BAD)
def test_a_wrong_change_leaves_in_force_what_was(tmp_path, changes):
    (tmp_path / "a file").write_text("no folder", "utf-8")
    before = in_force(TracerProvider(shutdown_on_exit=False))
    found = runtime.current()
    if "store" in changes:
        changes = {"store": changes["store"].format(folder=tmp_path)}
    with pytest.raises(InterceptorError):
        interceptor.configure(**changes)
    assert runtime.current() is found
    called()
    assert interceptor.flush()
    assert before.names == ["models"]


NONE = {
    "a text as provider": (
        {"meter_provider": "x"},
        "meter_provider is 'x'; use a MeterProvider of OpenTelemetry's",
    ),
    "a class as provider": ({"tracer_provider": TracerProvider}, "tracer_provider is <class "),
    "the other's": ({"meter_provider": trace.NoOpTracerProvider()}, "meter_provider is <"),
    "an unknown name": (
        {"contents": "full"},
        "no setting is called 'contents'; there are: on, destinations, store,",
    ),
    "what only variables say": ({"follows_otel": True}, "no setting is called 'follows_otel'; "),
}


@pytest.mark.parametrize("is_on", [True, False], ids=["on", "off"])
@pytest.mark.parametrize(("changes", "sentence"), NONE.values(), ids=NONE)
def test_what_can_be_no_setting_is_an_error_where_it_is_written(changes, sentence, is_on):
    with pytest.raises(SettingsError) as caught:
        interceptor.configure(on=is_on, destinations=(), **changes)
    assert str(caught.value).startswith(sentence)


@pytest.mark.parametrize("given", ["metadata", {"content": "metadata"}, Settings])
def test_settings_are_settings(given):
    with pytest.raises(SettingsError, match=r"settings is .*; use interceptor\.Settings, or"):
        interceptor.configure(given)


def test_an_unknown_operation_is_named_with_those_there_are():
    with pytest.raises(SettingsError) as caught:
        interceptor.configure(destinations=(), operations=("chat", "chta"))
    said = str(caught.value)
    assert said.startswith("operations names 'chta'; use all, inference, or names of endpoints: ")
    assert "chat.completions, " in said


def test_settings_may_be_given_whole():
    interceptor.configure(Settings(destinations=(), metrics="off"), body_limit_mb=1)
    found = runtime.current()
    assert found is not None
    assert (found.settings.body_limit_mb, found.settings.metrics) == (1, "off")


def test_a_doubt_about_opentelemetrys_variable_is_said(monkeypatch, capsys):
    monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "EVENT_ONLY")
    interceptor.configure(destinations=())
    assert "EVENT_ONLY" in capsys.readouterr().err
    interceptor.configure(destinations=(), content="full")
    assert capsys.readouterr().err == ""


def test_of_no_operation_that_there_is_all_are_recorded():
    said: list[InterceptorError] = []
    made = runtime.Runtime(
        Settings(destinations=(), operations=("chta",), metrics="off"), forgive=said.append
    )
    assert len(said) == 1
    assert made.recorder.row("GET", "api.mistral.ai", "/v1/models", str, any_host=True) is not None


def test_switched_off_in_code_nothing_is_recorded():
    before = in_force(TracerProvider(shutdown_on_exit=False))
    interceptor.configure(on=False)
    called()
    assert interceptor.flush()
    assert before.names == []
    assert (runtime.recorder(), runtime.observer()) == (None, None)


def test_after_shutdown_nothing_is_recorded_until_something_is_put_in_force():
    provider = TracerProvider(shutdown_on_exit=False)
    before = in_force(provider)
    interceptor.shutdown()
    interceptor.shutdown()
    called()
    assert before.names == []
    after = in_force(provider)
    called()
    assert interceptor.flush()
    assert (before.names, after.names) == ([], ["models"])


def test_shutdown_ends_what_is_open():
    provider = TracerProvider(shutdown_on_exit=False)
    destination = in_force(provider)
    body = http.ByteStream(b"{}")
    transport = http.MockTransport(lambda _: http.Response(200, stream=body))
    with http.Client(transport=interceptor.wrap(transport)) as client:
        response = client.send(client.build_request("GET", URL), stream=True)
        interceptor.shutdown()
        assert destination.names == ["models"]
        assert response.read() == b"{}"
    assert destination.names == ["models"]


@pytest.mark.parametrize("destinations", [("store",), ()], ids=["a store", "memory"])
def test_what_was_kept_can_be_read_after_it_was_switched_off(tmp_path, destinations):
    interceptor.configure(store=tmp_path / "traces.db", destinations=destinations)
    called()
    interceptor.flush()
    interceptor.configure(on=False)
    with runtime.kept() as store:
        assert [trace.name for trace in store.latest()] == ["models"]


def test_without_a_store_traces_are_read_from_memory():
    interceptor.configure(destinations=())
    called()
    interceptor.flush()
    with runtime.kept() as store:
        assert [trace.name for trace in store.latest()] == ["models"]


def test_flush_says_where_it_took_too_long():
    slow = in_force(TracerProvider(shutdown_on_exit=False))
    called()
    slow.gate.clear()
    assert not interceptor.flush(0.01)
    slow.gate.set()
    assert interceptor.flush()


def test_a_destination_that_fails_at_its_end_keeps_no_other_from_its_own(caplog):
    class Failing(Counting):
        def shutdown(self) -> None:
            raise OSError("the disk is full")

    class Closing(Counting):
        def shutdown(self) -> None:
            self.names.append("closed")

    in_force(TracerProvider(shutdown_on_exit=False))
    found, last = runtime.current(), Closing()
    assert found is not None
    found.processors = (Delivery(Failing(), None), Delivery(last, None))
    interceptor.shutdown()
    assert last.names == ["closed"]
    assert "the end of a destination was lost" in caplog.text


def test_another_implementation_of_the_api_has_our_calls():
    """What it makes of them is its own affair: nothing of ours goes wrong."""
    interceptor.configure(destinations=(), tracer_provider=trace.NoOpTracerProvider())
    called()
    assert interceptor.flush()


# Metrics


METRICS = {
    "by default": ({}, "gen_ai.client.operation.duration", "gen_ai.execute_tool.duration"),
    "the latest": (
        {"metrics": "latest"},
        "gen_ai.client.inference.duration",
        "gen_ai.execute_tool.duration",
    ),
    "off": ({"metrics": "off"},),
}


@pytest.mark.parametrize(("changes", "names"), [(c, n) for c, *n in METRICS.values()], ids=METRICS)
def test_metrics_go_through_the_provider_given(changes, names):
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader], shutdown_on_exit=False)
    interceptor.configure(destinations=(), meter_provider=provider, **changes)
    called()
    with interceptor.span("a tool", kind="tool"):
        pass
    interceptor.flush()
    data = reader.get_metrics_data()
    scopes = [
        scope for one in (data.resource_metrics if data else ()) for scope in one.scope_metrics
    ]
    assert sorted(metric.name for scope in scopes for metric in scope.metrics) == sorted(names)
    assert {scope.scope.name for scope in scopes} <= {"interceptor"}
    provider.shutdown()


def test_one_flush_has_one_deadline():
    """However many destinations there are, nobody waits longer than they said."""
    given = []

    class Slow(SpanProcessor):
        def force_flush(self, timeout_millis: int = 30_000) -> bool:
            given.append(timeout_millis)
            return threading.Event().wait(timeout_millis / 1000)

    in_force(TracerProvider(shutdown_on_exit=False))
    found = runtime.current()
    assert found is not None
    found.processors = (Delivery(Slow(), None), Delivery(Slow(), None))
    assert not interceptor.flush(timeout_s=0.05)
    assert 0 < given[0] <= 50
    assert given[1] == 0


def test_what_was_in_force_is_not_kept_for_ever(tmp_path):
    """Some programs configure often; only calls under way, and the last, need what was before."""

    def put_in_force(number):
        interceptor.configure(destinations=("store",), store=tmp_path / f"{number}.db")
        return weakref.ref(runtime.current())

    found = [put_in_force(number) for number in range(5)]
    gc.collect()
    assert [one() is not None for one in found] == [False, False, False, True, True]
    stores = [thread for thread in threading.enumerate() if thread.name == "interceptor-store"]
    assert len(stores) <= 2


# What a span says from its start


class Looking(SpanProcessor):
    """A processor of the application's, which looks at spans as they start."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, bool]] = []

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        self.seen.append((span.name, "gen_ai.request.model" in (span.attributes or {})))


def asked() -> None:
    transport = http.MockTransport(lambda _: http.Response(200, json={}))
    with http.Client(transport=interceptor.wrap(transport)) as client:
        client.post("https://api.mistral.ai/v1/embeddings", json={"model": "m"})


def test_the_applications_processors_see_what_is_asked_as_a_call_starts():
    """Also where it sets its provider after calls of ours have gone through our own."""
    looking, provider = Looking(), TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(looking)
    interceptor.configure(destinations=(), store="off", tracer_provider=provider)
    asked()
    assert looking.seen == [("embeddings m", True)]


def test_a_sampler_of_the_environments_sees_what_is_asked(monkeypatch):
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "traceidratio")
    monkeypatch.setenv("OTEL_TRACES_SAMPLER_ARG", "1")
    interceptor.configure(destinations=(), store="off")
    found = runtime.current()
    assert found is not None
    found.tracer()
    assert found.is_watched()


def test_a_call_that_takes_its_time_says_what_is_asked_all_the_same(tmp_path):
    """On a provider of our own, where nobody looks at spans as they start."""
    path, is_seen = tmp_path / "traces.db", threading.Event()

    def answer(_: Any) -> Any:
        assert is_seen.wait(30)
        return http.Response(200, json={})

    def call(what: str) -> None:
        with http.Client(transport=interceptor.wrap(http.MockTransport(answer))) as client:
            asked = {"model": "m", "input": f"embed {what}"}
            client.post("https://api.mistral.ai/v1/embeddings", json=asked)

    interceptor.configure(destinations=("store",), store=path)
    thread = threading.Thread(target=interceptor.observe(kind="agent")(call), args=("plums",))
    thread.start()
    try:
        running = {span.name: span for span in until(lambda: running_pair(path))}
        said = Store(path).search(text="plums")
    finally:
        is_seen.set()
        thread.join()
    assert {span.state for span in running.values()} == {State.RUNNING}
    assert running["call"].attributes["gen_ai.operation.name"] == "invoke_agent"
    assert running["embeddings m"].attributes["gen_ai.request.model"] == "m"
    assert running["embeddings m"].attributes["server.address"] == "api.mistral.ai"
    assert running["embeddings m"].attributes["url.path"] == "/v1/embeddings"
    assert "embed plums" in running["embeddings m"].attributes["gen_ai.input.messages"]
    assert running["call"].attributes["input.value"] == '{"what":"plums"}'
    assert [trace.name for trace in said] == ["call"]


def running_pair(path: Path) -> list[Any]:
    """Give the spans of the newest trace, as soon as there are two."""
    store = Store(path)
    found = [span for trace in store.latest() for span in store.trace(trace.trace_id)]
    return found if len(found) == 2 else []
