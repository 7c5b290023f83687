"""What is put together of a process's environment and globals, seen from outside the process."""

import json
import os
import sys

import pytest

from interceptor.store import Store
from tests.environments import PROGRAMS, environ, run

WORD = "a word that was said"
CAPTURE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
KEPT = "interceptor: traces are kept in"

forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")


@pytest.fixture
def store(tmp_path):
    return tmp_path / "traces.db"


@pytest.fixture
def play(store):
    """Give what plays a scenario: it gives what the scenario printed, and what stood on stderr."""

    def play(scenario, **variables):
        command = [sys.executable, PROGRAMS / "runtime.py", scenario]
        env = environ(PYTHONPATH=PROGRAMS.parents[1], **{"INTERCEPTOR_STORE": store} | variables)
        out, err = run(command, env=env)
        return [json.loads(line) for line in out.splitlines()], err

    return play


def kept(store):
    """Give the spans of a store: their names, and whether they say what was said."""
    if not store.exists():
        return None
    one = Store(store)
    spans = [span for trace in one.latest(100) for span in one.trace(trace.trace_id)]
    return sorted((span.name, WORD in repr(span.attributes)) for span in spans)


WHERE = {
    "without a provider, a private one": ("private", ["ProxyTracerProvider"], [("chat m", True)]),
    "through a provider set before us, the words to ours alone": (
        "before",
        [[["chat m", False]]],
        [("chat m", True)],
    ),
    "through a provider set after us": (
        "after",
        [[["chat late", False]]],
        [("chat early", True), ("chat late", True)],
    ),
    "beside a provider that is not the SDK's": ("api_only", [None], [("chat m", True)]),
}


@pytest.mark.parametrize(("scenario", "printed", "stored"), WHERE.values(), ids=WHERE)
def test_where_spans_go(play, store, scenario, printed, stored):
    """The last call of each is in the store although nobody has flushed that."""
    assert play(scenario)[0] == printed
    assert kept(store) == stored


OFF = {"switched off": {"INTERCEPTOR": "0"}, "disabled": {"OTEL_SDK_DISABLED": "true"}}


@pytest.mark.parametrize("variables", OFF.values(), ids=OFF)
def test_off_is_off(play, store, variables):
    assert play("plain", **variables) == ([200], "")
    assert kept(store) is None


def test_a_bad_environment_is_said_line_by_line_and_the_program_goes_on(play, store):
    printed, said = play(
        "plain",
        INTERCEPTOR_QUEUE_MB="many",
        INTERCEPTOR_METRICS="v2",
        INTERCEPTOR_OPERATIONS="chta",
        **{CAPTURE: "EVENT_ONLY"},
    )
    assert printed == [200]
    metrics, queue, capture, operations, first = said.splitlines()
    default = "going on with the default"
    assert queue == (
        "interceptor: INTERCEPTOR_QUEUE_MB is 'many'; use a whole number above 0; " + default
    )
    assert metrics == (
        "interceptor: INTERCEPTOR_METRICS is 'v2'; use one of: v1.41, latest, off; " + default
    )
    assert capture == (
        f"interceptor: {CAPTURE} is 'EVENT_ONLY'; content goes on spans only, as with SPAN_ONLY"
    )
    assert operations.startswith("interceptor: operations names 'chta'; use all, inference, or")
    assert operations.endswith("; going on without it")
    assert first.startswith(KEPT)
    assert kept(store) == [("chat m", True)]


def test_a_store_that_cannot_be_written_is_said_and_the_program_goes_on(play, tmp_path):
    (tmp_path / "file").write_text("no folder", "utf-8")
    printed, said = play("plain", INTERCEPTOR_STORE=tmp_path / "file" / "traces.db")
    assert printed == [200]
    (line,) = said.splitlines()
    assert str(tmp_path / "file") in line
    assert line.startswith("interceptor: ")
    assert line.endswith("; going on without it")


def test_where_otlp_alone_is_asked_for_and_cannot_be_had_the_store_has_the_traces(play, store):
    """The variable may be there for another library; what nobody exports would be lost."""
    _, said = play("hindered", OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9")
    why, first = said.splitlines()
    assert why == (
        "interceptor: OTEL_* asks for OTLP, and its exporter is not installed "
        "(pip install 'mistral-interceptor[otlp]'): traces are kept in the store instead"
    )
    assert first.startswith(KEPT)
    assert kept(store) == [("chat m", True)]


def test_of_three_destinations_the_one_that_can_be_had_is_kept(play, tmp_path):
    (tmp_path / "file").write_text("no folder", "utf-8")
    env = {
        "INTERCEPTOR_STORE": tmp_path / "file" / "traces.db",
        "INTERCEPTOR_DESTINATIONS": "store,otlp,console",
    }
    command = [sys.executable, PROGRAMS / "runtime.py", "hindered"]
    out, said = run(command, env=environ(PYTHONPATH=PROGRAMS.parents[1], **env))
    assert '"name": "chat m"' in out
    store, otlp = said.splitlines()
    assert str(tmp_path / "file") in store
    assert otlp == (
        "interceptor: destination 'otlp' needs a package that is not installed; "
        "pip install 'mistral-interceptor[otlp]'; going on without it"
    )


# The end of a process


def test_a_call_that_nobody_read_to_its_end_is_kept(play, store):
    play("unread")
    assert kept(store) == [("chat m", False)]


def test_the_last_call_reaches_an_exporter_that_the_application_closes_at_its_end(play, store):
    assert play("batched")[0] == [None, "exported chat late"]
    assert kept(store) == [("chat early", True), ("chat late", True)]


@forks
def test_a_forked_childs_last_call_is_kept(play, store):
    assert play("fork")[0] == [0]
    assert kept(store) == [("chat child", True), ("chat parent", True)]


def test_a_spawned_childs_last_call_is_kept(play, store):
    assert play("spawn")[0] == [0]
    assert kept(store) == [("chat child", True), ("chat parent", True)]


@forks
def test_a_pools_last_calls_are_kept(play, store):
    assert play("pool")[0] == [[200, 200]]
    assert kept(store) == [("chat first", True), ("chat second", True)]


@forks
def test_calls_under_way_at_a_fork_are_the_parents_and_kept_once(play, store):
    assert play("mid_call")[0] == [200]
    assert kept(store) == [
        ("chat child", True),
        ("chat forking", True),
        ("chat other thread", True),
    ]
