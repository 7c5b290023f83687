"""Programs that fork, and programs that end, with calls under way: each call is there once."""

import sys

import pytest

from interceptor.store import Status, Store
from tests.environments import PROGRAMS, environ, run, traces
from tests.ways import LIBRARIES

# What a program printed, and the models of the calls in the store.
STORIES = {
    "fork inside, then exit": ("75", ["childs", "parents"]),
    "fork inside, then vanish": ("75", ["childs", "parents"]),
    "fork with a stream": ("True\nTrue", ["childs", "parents"]),
    "leave a stream": ("True", ["left"]),
    "leave an async stream": ("200", ["left"]),
    "leave a thread": ("True", ["left"]),
    "end with an error": ("True", ["left"]),
}


def told(library, story, store, *options):
    command = [sys.executable, *options, str(PROGRAMS / "endings.py"), library, story]
    return run(command, env=environ(INTERCEPTOR_STORE=store, PYTHONWARNINGS="error"))


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize(("story", "expected"), STORIES.items(), ids=STORIES)
def test_each_call_is_there_once(tmp_path, library, story, expected):
    path = tmp_path / "traces.db"
    out, err = told(library, story, path)
    printed, models = expected
    assert out.strip() == printed
    assert [line for line in err.splitlines() if "traces are kept in" not in line] == []
    spans = [span for trace in traces(path) for span in Store(path).trace(trace.trace_id)]
    assert sorted(span.name.removeprefix("chat ") for span in spans) == models
    assert {span.status for span in spans} == {Status.OK}
    assert {span.attributes["http.response.status_code"] for span in spans} == {200}


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_call_in_an_exit_handler_is_the_callers_alone(tmp_path, library):
    """It may come too late to be recorded; it is made all the same."""
    path = tmp_path / "traces.db"
    out, err = told(library, "call at exit", path)
    assert out.strip() == "75"
    assert "Traceback" not in err
    assert "chat early" in [trace.name for trace in traces(path)]


@pytest.mark.parametrize("library", LIBRARIES)
def test_without_asserts_nothing_is_different(tmp_path, library):
    """`python -O` leaves them out."""
    stores = tmp_path / "with.db", tmp_path / "without.db"
    with_them, without = (
        told(library, "plain", store, *options)
        for store, options in zip(stores, ((), ("-O",)), strict=True)
    )
    assert with_them[0] == without[0]
    assert with_them[1].count("\n") == without[1].count("\n")
    first, second = ([(t.name, t.status) for t in traces(store)] for store in stores)
    assert first == second
    assert len(first) == 3
