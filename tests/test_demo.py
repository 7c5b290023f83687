"""`interceptor demo`, run as a user runs it: a process of its own, in an empty folder."""

import importlib.metadata
import json
import os
import re
import subprocess
import sys
from collections import Counter
from itertools import pairwise

import pytest

from interceptor.cli._stories import PAYMENT, STORIES
from interceptor.replay import Server
from interceptor.store import Store

VERSION = importlib.metadata.version("mistralai")

pytestmark = [
    pytest.mark.sdk,
    pytest.mark.skipif(
        VERSION == "1.0.0", reason="its User-Agent hook fails when a request is sent again"
    ),
]


def demo(folder, *arguments, **environ):
    """Run the demo in a folder, with nothing of this environment that could lead elsewhere."""
    temporary = folder.with_name(f"{folder.name}-temporary")
    temporary.mkdir()
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("INTERCEPTOR", "MISTRAL", "OTEL"))
        and not name.lower().endswith("_proxy")
    }
    return subprocess.run(
        [sys.executable, "-m", "interceptor", "demo", *arguments],
        cwd=folder,
        env=kept | {"PYTHONIOENCODING": "utf-8", "TMPDIR": str(temporary), **environ},
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


def store_of(output):
    return Store(re.search(r"The traces stay in (.*), a store of the demo's own", output)[1])


@pytest.fixture(scope="module")
def output(tmp_path_factory):
    """Run it once, where the environment has a proxy, a store, and recording off."""
    folder = tmp_path_factory.mktemp("empty")
    environ = {
        "HTTP_PROXY": "http://127.0.0.1:9",
        "INTERCEPTOR": "0",
        "INTERCEPTOR_STORE": str(folder / "mine.db"),
    }
    done = demo(folder, **environ)
    assert (done.returncode, done.stderr) == (0, "")
    assert list(folder.iterdir()) == []
    return done.stdout


@pytest.fixture(scope="module")
def traces(output):
    """Give the spans of each trace, the oldest trace first."""
    store = store_of(output)
    return [store.trace(trace.trace_id) for trace in reversed(store.latest(100))]


@pytest.fixture(scope="module")
def calls(traces):
    """Give the spans of calls, by the text that was asked last."""
    spans = [span for trace in traces for span in trace if span.kind == "client"]
    return {asked(span): span for span in spans}


def asked(span):
    messages = json.loads(span.attributes["gen_ai.input.messages"])
    return messages[-1]["parts"][-1].get("content", span.span_id)


def of(calls, beginning):
    return next(span for text, span in calls.items() if text.startswith(beginning))


def test_each_story_is_told_in_its_line(output):
    for story in STORIES:
        (line,) = [line for line in output.splitlines() if line.startswith(f"  {story.title}  ")]
        assert "Error" not in line
        assert len(line) <= 80


def test_every_story_leaves_its_traces(traces):
    found = Counter((trace[0].name, len(trace), trace[0].status) for trace in traces)
    assert found == {
        ("chat mistral-small-latest", 1, "ok"): 5,  # plain, two streams, retried, left early
        ("chat mistral-small-latest", 1, "error"): 1,  # the 429
        ("embeddings mistral-embed", 1, "ok"): 1,
        (PAYMENT, 5, "ok"): 1,
        ("translate a notice", 4, "ok"): 1,
    }


def test_the_tools_ran_between_the_turns_and_their_results_are_in_the_second(traces):
    (agent, first, *tools, second) = next(trace for trace in traces if trace[0].name == PAYMENT)
    assert {span.parent_id for span in (first, *tools, second)} == {agent.span_id}
    assert list(first.attributes["gen_ai.response.finish_reasons"]) == ["tool_calls"]
    assert [tool.name for tool in tools] == ["retrieve_payment_status", "retrieve_payment_date"]
    results = [
        (part["id"], part["response"])
        for message in json.loads(second.attributes["gen_ai.input.messages"])
        for part in message["parts"]
        if part["type"] == "tool_call_response"
    ]
    calls = [tool.attributes["gen_ai.tool.call.id"] for tool in tools]
    assert results == list(
        zip(calls, ['{"status": "pending"}', '{"date": "2026-10-05"}'], strict=True)
    )


def test_concurrent_calls_overlap_under_one_parent(traces):
    (parent, *children) = next(trace for trace in traces if trace[0].name == "translate a notice")
    assert {child.parent_id for child in children} == {parent.span_id}
    assert all(later.start_unix_ns < sooner.end_unix_ns for sooner, later in pairwise(children))


def test_streams_are_paced_and_complete(calls):
    for beginning in ("Write four lines", "In two sentences"):
        attributes = of(calls, beginning).attributes
        assert attributes["mistral_ai.stream.completed"] is True
        assert attributes["gen_ai.response.time_to_first_chunk"] >= 0.13
        assert attributes["mistral_ai.stream.chunk_interval.p50"] >= 0.015


def test_the_stream_that_was_left_is_no_error_and_not_complete(calls):
    left = of(calls, "Tell me the story of a tram driver")
    assert left.status == "ok"
    assert left.attributes["mistral_ai.stream.completed"] is False


def test_the_retry_is_linked_to_the_call_that_failed(traces):
    attempts = {
        trace[0].attributes["mistral_ai.request.attempt"]: trace[0]
        for trace in traces
        if trace[0].kind == "client" and asked(trace[0]).startswith("Which bird")
    }
    assert attempts[1].attributes["http.response.status_code"] == 429
    assert [link.span_id for link in attempts[2].links] == [attempts[1].span_id]


def test_it_ends_with_the_commands_and_what_to_type_next(output):
    path = store_of(output).path
    assert f"\n$ interceptor ls --store {path}\n" in output
    assert re.search(
        rf"\n\$ interceptor show [0-9a-f]{{8}} --store {re.escape(str(path))}\n", output
    )
    assert "\nNext:\n" in output
    assert "interceptor.clients()" in output


def test_live_needs_a_key(tmp_path):
    done = demo(tmp_path, "--live")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "interceptor: MISTRAL_API_KEY is not set, and --live calls the real API with it; "
        "`interceptor demo` by itself needs no key\n"
    )


def test_live_calls_the_real_api_and_shows_what_failed(tmp_path):
    """A proxy that lets nothing through stands where the network would begin."""
    with Server([]) as proxy:
        environ = {"HTTPS_PROXY": proxy.url, "MISTRAL_API_KEY": "invented"}
        done = demo(tmp_path, "--live", "--model", "mistral-medium-latest", **environ)
    assert {(r.method, r.path) for r in proxy.requests} == {("CONNECT", "api.mistral.ai:443")}
    assert done.returncode == 1
    assert "calls the real API, and asks mistral-medium-latest." in done.stdout
    assert done.stderr.splitlines()[-1].startswith("interceptor: 7 of 7 failed: a chat, ")
    store = store_of(done.stdout)
    spans = [span for trace in store.latest(100) for span in store.trace(trace.trace_id)]
    calls = [span.attributes for span in spans if span.kind == "client"]
    assert {call["error.type"] for call in calls} == {"ProxyError"}
    assert {call["gen_ai.request.model"] for call in calls} == {
        "mistral-medium-latest",
        "mistral-embed",
    }
