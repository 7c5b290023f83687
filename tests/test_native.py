"""Beside other tracing: one span a call, with the right parent, whoever else makes one too."""

import importlib.metadata
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from interceptor.installing.environment import variables
from interceptor.replay import Server

pytestmark = pytest.mark.sdk

VERSION = tuple(map(int, importlib.metadata.version("mistralai").split(".")[:2]))
PROGRAM = Path(__file__).parent / "programs" / "native.py"
SDK, OURS = "mistralai_sdk_tracer", "interceptor"
FORMS = ("plain", "streamed", "plain, async", "streamed, async")

traces_itself = pytest.mark.skipif(VERSION < (1, 10), reason="this SDK has no tracing of its own")
by_choice = pytest.mark.skipif(VERSION < (2, 4), reason="this SDK cannot be told how to trace")


def spans(tmp_path, mode, provider, form="plain", **settings):
    """Run the program; give the spans of our store and of the application's exporter."""
    answer = (
        "chat.completions/streamed" if form.startswith("streamed") else "chat.completions/plain"
    )
    with Server.of(answer) as server:
        environ = {
            **{name: os.environ[name] for name in os.environ if not name.startswith("OTEL")},
            **variables(os.environ),
            "INTERCEPTOR_STORE": str(tmp_path / "traces.db"),
            "MISTRAL_OTLP_TRACES_ENDPOINT": f"{server.url}/v1/traces",
            "MISTRAL_SDK_TELEMETRY": "global" if mode == "global" else "",
            **settings,
        }
        output = subprocess.check_output(
            [sys.executable, PROGRAM, mode, provider, form, server.url], env=environ, text=True
        )
    said = json.loads(output)
    return said["ours"], said["theirs"]


def assert_one_call(ours):
    """Assert that our store has the call once, as a child of what is around it."""
    (work,) = (span for span in ours if span[0] == "work")
    (call,) = (span for span in ours if span[0] != "work")
    name, _, parent_id, status = call
    assert (name, status) == ("chat mistral-small-latest", "ok")
    assert parent_id == work[1]
    assert work[2] is None


@traces_itself
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("provider", ["ours", "application's"])
def test_the_sdk_traces_to_the_global_provider(tmp_path, provider, form):
    ours, theirs = spans(tmp_path, "global", provider, form)
    assert_one_call(ours)
    work_id = next(span[1] for span in ours if span[0] == "work")
    found = sorted((scope, parent_id) for name, scope, _, parent_id in theirs if name != "work")
    one_more = [(OURS, work_id)] if provider == "application's" else []
    assert found == [*one_more, (SDK, work_id)]  # theirs is a sibling: we leave it where it is


@by_choice
@pytest.mark.parametrize("form", ["plain", "streamed, async"])
@pytest.mark.parametrize("provider", ["ours", "application's"])
@pytest.mark.parametrize("mode", ["configured", "dedicated"])
def test_the_sdk_traces_by_choice(tmp_path, mode, provider, form):
    ours, theirs = spans(tmp_path, mode, provider, form)
    assert_one_call(ours)
    assert sum(scope == SDK for _, scope, _, _ in theirs) == (mode == "configured")


@by_choice
@pytest.mark.parametrize("provider", ["ours", "application's"])
def test_the_sdks_own_can_be_silenced_in_public(tmp_path, provider):
    ours, theirs = spans(tmp_path, "silenced", provider)
    assert_one_call(ours)
    assert SDK not in {scope for _, scope, _, _ in theirs}


@traces_itself
@pytest.mark.parametrize("form", FORMS)
def test_ours_steps_back_where_it_is_told_to(tmp_path, form):
    ours, theirs = spans(tmp_path, "global", "application's", form, INTERCEPTOR_NATIVE="defer")
    assert [span[0] for span in ours] == ["work"]
    assert [scope for name, scope, _, _ in theirs if name != "work"] == [SDK]


def test_ours_stays_where_there_is_nothing_to_step_back_for(tmp_path):
    ours, _ = spans(tmp_path, "off", "ours", INTERCEPTOR_NATIVE="defer")
    assert_one_call(ours)
