"""Where spans can go, which of these show words, and what is said where one cannot be had."""

import json
import sys

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from interceptor import destinations, settings
from interceptor.errors import SettingsError, StoreError
from interceptor.settings import Content, Settings
from interceptor.store import Store

WORDS = {"input.value": "a word that was said"}


def delivered(delivery, words):
    """Have a span of ours delivered, with its words beside it."""
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(delivery)
    span = provider.get_tracer("interceptor").start_span("it")
    words[span.get_span_context().span_id] = WORDS
    span.end()
    provider.shutdown()


def test_the_settings_name_the_destinations_that_there_are():
    assert settings.DESTINATIONS == destinations.NAMES


def test_an_unknown_destination_is_named_with_those_there_are():
    with pytest.raises(SettingsError) as caught:
        destinations.build("jaeger", Settings(), {})
    assert str(caught.value) == (
        "no destination is called 'jaeger'; there are: store, otlp, console"
    )


CONTENT = {
    "left open": (None, True),
    "full": (Content.FULL, True),
    "metadata": (Content.METADATA, False),
}


@pytest.mark.parametrize(("content", "is_shown"), CONTENT.values(), ids=CONTENT)
def test_the_store_shows_words_unless_it_may_not(tmp_path, content, is_shown):
    path, words = tmp_path / "traces.db", {}
    built = destinations.build("store", Settings(store=str(path), content=content), words)
    delivered(built, words)
    (found,) = Store(path).latest()
    (span,) = Store(path).trace(found.trace_id)
    assert span.attributes == (WORDS if is_shown else {})


@pytest.mark.parametrize(("content", "is_shown"), CONTENT.values(), ids=CONTENT)
def test_the_console_shows_words_unless_it_may_not(capsys, content, is_shown):
    words = {}
    delivered(destinations.build("console", Settings(content=content), words), words)
    printed = json.loads(capsys.readouterr().out)
    assert (printed["name"], printed["attributes"]) == ("it", WORDS if is_shown else {})


OTLP = {
    "left open": (None, False),
    "full": (Content.FULL, True),
    "metadata": (Content.METADATA, False),
}


@pytest.mark.parametrize(("content", "is_shown"), OTLP.values(), ids=OTLP)
def test_otlp_shows_words_only_where_the_settings_say_so(monkeypatch, content, is_shown):
    pytest.importorskip("opentelemetry.exporter.otlp.proto.http")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    words = {}
    built = destinations.build("otlp", Settings(content=content), words)
    assert (built._words is words) is is_shown
    assert isinstance(built._inner, BatchSpanProcessor)
    built.shutdown()


HTTP = "pip install 'mistral-interceptor[otlp]'"
GRPC = (
    "pip install opentelemetry-exporter-otlp-proto-grpc, "
    "or set OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf"
)
PROTOCOLS = {
    "none named": ({}, HTTP),
    "HTTP": ({"OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}, HTTP),
    "gRPC": ({"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, GRPC),
    "gRPC for traces": (
        {
            "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
            "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "grpc",
        },
        GRPC,
    ),
}


@pytest.mark.parametrize(("environ", "remedy"), PROTOCOLS.values(), ids=PROTOCOLS)
def test_otlp_without_its_package_says_what_to_install(monkeypatch, environ, remedy):
    for protocol in ("http", "grpc"):
        name = f"opentelemetry.exporter.otlp.proto.{protocol}.trace_exporter"
        monkeypatch.setitem(sys.modules, name, None)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as caught:
        destinations.build("otlp", Settings(), {})
    assert str(caught.value) == (
        f"destination 'otlp' needs a package that is not installed; {remedy}"
    )


def test_a_store_that_cannot_be_opened_is_an_error(tmp_path):
    (tmp_path / "a file").write_text("no folder", "utf-8")
    path = tmp_path / "a file" / "traces.db"
    with pytest.raises(StoreError, match="a file"):
        destinations.build("store", Settings(store=str(path)), {})
