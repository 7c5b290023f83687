"""`interceptor doctor`: what it says of an environment, and when it fails."""

import socket

import pytest

from interceptor.installing.environment import SITE, variables
from tests.environments import Environment, environ, run


@pytest.fixture(scope="module")
def venv(tmp_path_factory):
    return Environment(tmp_path_factory.mktemp("venv"))


def doctor(venv, status=0, **changes):
    printed, errors = run(venv.interceptor("doctor"), env=environ(**changes), status=status)
    return dict(line.split(None, 1) for line in printed.splitlines()), errors


SWITCHED = {
    "in code alone": ({}, "only where code does it", "through interceptor.clients(): recorded"),
    "by the environment": (variables({}), "for every program started here", "that is switched on"),
}


@pytest.mark.sdk
@pytest.mark.parametrize(("changes", "way", "call"), SWITCHED.values(), ids=SWITCHED)
def test_it_makes_a_call_in_the_way_that_is_on(venv, tmp_path, changes, way, call):
    said, errors = doctor(venv, INTERCEPTOR_STORE=tmp_path / "mine.db", **changes)
    assert errors == ""
    assert way in said["switched"]
    assert call in said["one"]
    assert said["one"].endswith("recorded (chat mistral-small-latest, 49 tokens)")
    assert list(tmp_path.iterdir()) == []  # the call is not kept among the user's own


def test_it_says_what_is_installed(venv):
    said, _ = doctor(venv)
    assert f"at {venv.python}" in said["interceptor"]
    assert "mistralai " in said["installed"]
    assert "; the SDK uses httpx" in said["installed"]


GOES = {
    "a file": ({"INTERCEPTOR_STORE": "mine.db"}, "to the store mine.db"),
    "nowhere": ({"INTERCEPTOR_STORE": "off"}, "INTERCEPTOR_STORE is off"),
}


@pytest.mark.parametrize(("changes", "where"), GOES.values(), ids=GOES)
def test_it_says_where_spans_go(venv, changes, where):
    said, _ = doctor(venv, **changes)
    assert where in said["spans"]


def test_it_says_whether_anything_answers_where_otlp_goes(venv):
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        said, errors = doctor(venv, OTEL_EXPORTER_OTLP_ENDPOINT=url)
    assert f"to {url} by OTLP" in said["spans"]
    assert errors == ""
    _, errors = doctor(venv, status=1, OTEL_EXPORTER_OTLP_ENDPOINT=url)
    assert f"nothing answers at {url.removeprefix('http://')}, where spans go by OTLP" in errors


NATIVE = {
    "off": ({}, "not switched on"),
    "on": (
        {"MISTRAL_SDK_TELEMETRY": "global"},
        "on too (MISTRAL_SDK_TELEMETRY=global): ours is kept",
    ),
    "on, and ours defer": (
        {"MISTRAL_SDK_TELEMETRY": "global", "INTERCEPTOR_NATIVE": "defer"},
        "ours steps back",
    ),
}


@pytest.mark.parametrize(("changes", "kept"), NATIVE.values(), ids=NATIVE)
def test_it_says_whether_the_sdk_traces_itself(venv, changes, kept):
    said, _ = doctor(venv, **changes)
    assert kept in said["SDK's"]


def test_it_says_what_a_framework_needs(venv, tmp_path):
    info = tmp_path / "litellm-9.9.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: litellm\nVersion: 9.9\n")
    said, _ = doctor(venv, PYTHONPATH=tmp_path)
    assert "litellm 9.9; litellm's async calls go by aiohttp" in said["frameworks"]
    assert said["frameworks"].endswith("it is not set")
    said, _ = doctor(venv, PYTHONPATH=tmp_path, DISABLE_AIOHTTP_TRANSPORT="True")
    assert said["frameworks"].endswith("it is set")


ILL = {
    "the switch alone": ({"INTERCEPTOR": "1"}, "INTERCEPTOR is set, but no Python heeds it yet"),
    "off": ({"INTERCEPTOR": "0"}, "left no span: recording is off"),
    "disabled": ({"OTEL_SDK_DISABLED": "true"}, "left no span: recording is off"),
    "a bad setting": ({"INTERCEPTOR_QUEUE_MB": "many"}, "INTERCEPTOR_QUEUE_MB is 'many'"),
    "operations that leave it out": (
        {"INTERCEPTOR_OPERATIONS": "embeddings", "INTERCEPTOR": "1", "PYTHONPATH": SITE},
        "left no span: it is a chat, and INTERCEPTOR_OPERATIONS is embeddings",
    ),
    "an operation that there is none of": (
        {"INTERCEPTOR_OPERATIONS": "chta"},
        "INTERCEPTOR_OPERATIONS names 'chta'",
    ),
    "a sampler that leaves all out": (
        {"OTEL_TRACES_SAMPLER": "always_off"},
        "left no span: OTEL_TRACES_SAMPLER is always_off",
    ),
    "a store in a folder that there cannot be": (
        {"INTERCEPTOR_STORE": "/dev/null/traces.db"},
        "no store can be kept at '/dev/null/traces.db': Not a directory; set INTERCEPTOR_STORE",
    ),
    "a store that is none": (
        {"INTERCEPTOR_STORE": __file__},
        f"no store can be kept at {__file__!r}: file is not a database",
    ),
    "an SDK that does not start": (
        {"PYTHONPATH": "no-sdk"},
        "the SDK could not make a call through interceptor.clients(): ",
    ),
}


@pytest.mark.sdk
def test_it_makes_its_call_where_a_sampler_leaves_out_some(venv):
    said, errors = doctor(venv, OTEL_TRACES_SAMPLER="traceidratio", OTEL_TRACES_SAMPLER_ARG="0")
    assert said["spans"].endswith("; OTEL_TRACES_SAMPLER=traceidratio leaves out some")
    assert "recorded" in said["one"]
    assert errors == ""


def test_it_says_which_package_a_destination_lacks(venv, tmp_path):
    module = "opentelemetry.exporter.otlp.proto.http.trace_exporter"
    (tmp_path / "sitecustomize.py").write_text(f"import sys; sys.modules[{module!r}] = None\n")
    _, errors = doctor(venv, status=1, PYTHONPATH=tmp_path, INTERCEPTOR_DESTINATIONS="otlp")
    assert errors.startswith("interceptor: destination 'otlp' needs a package that is not install")


def test_it_says_all_that_is_wrong(venv):
    _, errors = doctor(
        venv,
        status=1,
        INTERCEPTOR_CONTNET="metadata",
        INTERCEPTOR_QUEUE_MB="many",
        INTERCEPTOR_OPERATIONS="chta",
    )
    assert [line.split()[1] for line in errors.splitlines()] == [
        "INTERCEPTOR_CONTNET",
        "INTERCEPTOR_QUEUE_MB",
        "INTERCEPTOR_OPERATIONS",
    ]


@pytest.mark.parametrize(("changes", "reason"), ILL.values(), ids=ILL)
def test_it_fails_with_the_reason(venv, tmp_path, changes, reason):
    if changes.get("PYTHONPATH") == "no-sdk":
        (tmp_path / "mistralai.py").write_text("raise ImportError('broken')\n")
        changes = {"PYTHONPATH": str(tmp_path)}
    _, errors = doctor(venv, status=1, **changes)
    assert errors.startswith("interceptor: ")
    assert reason in errors
    assert errors.count("\n") == 1
