"""What is put together once, and what gives way when something else is put in force."""

import threading
from collections.abc import Iterator

import httpx
import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider

import interceptor
from interceptor import runtime
from interceptor.destinations import Delivery
from interceptor.errors import SettingsError
from interceptor.settings import Settings

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
    transport = httpx.MockTransport(lambda _: httpx.Response(200, json={}))
    with httpx.Client(transport=interceptor.wrap(transport)) as client:
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

    def answer(_: httpx.Request) -> httpx.Response:
        in_force(provider)
        return httpx.Response(200, json={})

    with httpx.Client(transport=interceptor.wrap(httpx.MockTransport(answer))) as client:
        client.get(URL)
    interceptor.flush()
    assert before.names == ["models"]


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
