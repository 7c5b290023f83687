"""Beside other tracing: one span a call, with the right parent, whoever else makes one too."""

import importlib.metadata
import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from interceptor.installing.environment import variables
from interceptor.replay import Server

pytestmark = pytest.mark.sdk

VERSION = tuple(map(int, importlib.metadata.version("mistralai").split(".")[:2]))
PROGRAM = Path(__file__).parent / "programs" / "native.py"
SDK, OURS = "mistralai_sdk_tracer", "interceptor"
FORMS = ("plain", "streamed", "plain, async", "streamed, async")
ANSWERS = ("chat.completions/plain", "chat.completions/streamed") * 2

traces_itself = pytest.mark.skipif(VERSION < (1, 10), reason="this SDK has no tracing of its own")
by_choice = pytest.mark.skipif(VERSION < (2, 4), reason="this SDK cannot be told how to trace")


def spans(tmp_path, mode, provider, **settings):
    """Run the program; give the spans of our store and of the application's exporter."""
    kept = {name: os.environ[name] for name in os.environ if not name.startswith("OTEL")}
    with Server.of(*ANSWERS) as server:
        environ = {
            **kept,
            **variables(kept),
            "INTERCEPTOR_STORE": str(tmp_path / "traces.db"),
            "MISTRAL_OTLP_TRACES_ENDPOINT": f"{server.url}/v1/traces",
            "MISTRAL_SDK_TELEMETRY": "global" if mode == "global" else "",
            **settings,
        }
        command = [sys.executable, PROGRAM, mode, provider, server.url]
        said = json.loads(subprocess.check_output(command, env=environ, text=True))
    return said["ours"], said["theirs"]


def assert_one_span_a_call(ours):
    """Assert that our store has each call once, as the only child of what is around it."""
    around = {span_id: name for name, span_id, parent_id, _ in ours if parent_id is None}
    assert sorted(around.values()) == sorted(FORMS)
    calls = [span for span in ours if span[2] is not None]
    assert {(name, status) for name, _, _, status in calls} == {("chat mistral-small-latest", "ok")}
    assert sorted(around[parent_id] for _, _, parent_id, _ in calls) == sorted(FORMS)


def parents(theirs, scope):
    return Counter(parent for _, one, _, parent in theirs if one == scope and parent is not None)


@traces_itself
@pytest.mark.parametrize("provider", ["ours", "application's"])
def test_the_sdk_traces_to_the_global_provider(tmp_path, provider):
    ours, theirs = spans(tmp_path, "global", provider)
    assert_one_span_a_call(ours)
    roots = Counter(span_id for _, span_id, parent_id, _ in ours if parent_id is None)
    assert parents(theirs, SDK) == roots  # on the application's own exporter, theirs is a sibling
    assert parents(theirs, OURS) == (roots if provider == "application's" else Counter())


@by_choice
@pytest.mark.parametrize("provider", ["ours", "application's"])
@pytest.mark.parametrize("mode", ["configured", "dedicated"])
def test_the_sdk_traces_by_choice(tmp_path, mode, provider):
    if mode == "dedicated":
        pytest.importorskip("opentelemetry.exporter.otlp.proto.http")
    ours, theirs = spans(tmp_path, mode, provider)
    assert_one_span_a_call(ours)
    assert parents(theirs, SDK).total() == (len(FORMS) if mode == "configured" else 0)


@by_choice
def test_the_sdks_own_spans_can_be_silenced_in_public(tmp_path):
    ours, theirs = spans(tmp_path, "silenced", "application's")
    assert_one_span_a_call(ours)
    assert parents(theirs, OURS).total() == len(FORMS)
    assert not parents(theirs, SDK)


@traces_itself
def test_ours_step_back_where_they_are_told_to(tmp_path):
    ours, theirs = spans(tmp_path, "global", "application's", INTERCEPTOR_NATIVE="defer")
    assert sorted(name for name, *_ in ours) == sorted(FORMS)
    assert parents(theirs, SDK).total() == len(FORMS)


def test_ours_stay_where_there_is_nothing_to_step_back_for(tmp_path):
    ours, _ = spans(tmp_path, "off", "ours", INTERCEPTOR_NATIVE="defer")
    assert_one_span_a_call(ours)
