"""`interceptor ls`: the list, what it picks, and what it says where there is none."""

import json
import re
import time
from pathlib import Path

import pytest
from opentelemetry.sdk.trace import TracerProvider

from interceptor.cli import main
from interceptor.store import Store, default_path
from interceptor.store.exporter import StoreExporter
from interceptor.store.processor import StoreProcessor
from interceptor.store.schema import MIGRATIONS, connect_to_write
from tests.cli_store import TRACES, call, fresh_machine, keep
from tests.store_spans import SECOND

PIPE = """\
STATUS  ID        TIME                 NAME                    MODEL                 CALLS   TOOK  FIRST   IN  OUT  ANSWER
ok      5eed0000  2025-10-09 08:56:20  answer about a payment  mistral-small-latest      2  2.50s      –  198   55  Not yet: it is pending.
error   bad00000  2025-10-09 08:55:20  chat                    mistral-small-latest      1  4.0ms      –    –    –  rate_limited: Rate limit exceeded
ok      e3b00000  2025-10-09 08:54:20  embeddings              mistral-embed             1   75ms      –   12    –
ok      50f70000  2025-10-09 08:53:20  chat                    mistral-small-latest      1  1.24s  312ms  812  146  A shy brown heron that booms in the reeds at night.
"""  # noqa: E501


@pytest.fixture(autouse=True)
def _fresh(monkeypatch, tmp_path):
    with fresh_machine(monkeypatch, tmp_path / "state"):
        yield


@pytest.fixture
def store(tmp_path, capsys):
    path = keep(tmp_path / "traces.db")
    capsys.readouterr()  # the store has said where it is
    return path


def test_a_pipe_gets_one_line_for_each_trace(store, capsys):
    assert main(["ls", "--store", store]) == 0
    assert capsys.readouterr() == (PIPE, "")


def test_a_long_name_is_cut_in_a_pipe_too(tmp_path, capsys):
    store = keep(tmp_path / "traces.db", [call("a step " * 50)])
    capsys.readouterr()
    assert main(["ls", "--store", store]) == 0
    (line,) = capsys.readouterr().out.splitlines()[1:]
    assert "  a step a step a step a step a s…  mistral-small-latest  " in line


def test_json_is_a_line_for_each_trace_with_all_its_fields(store, capsys):
    assert main(["ls", "--json", "--store", store]) == 0
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    traces = Store(store).latest()
    assert [one["trace_id"] for one in found] == [trace.trace_id for trace in traces]
    fields = {*traces[0].__struct_fields__, "status", "duration_s"}
    assert all(set(one) == fields for one in found)
    assert found[1]["status"] == "error"
    assert found[1]["duration_s"] == 0.004
    assert found[0]["tags"] == ["demo", "payments"]


PAYMENT, LIMITED, EMBEDDED, ANSWER = "5eed", "bad0", "e3b0", "50f7"
PICKED = {
    "the newest": (["-n", "2"], [PAYMENT, LIMITED]),
    "by model": (["--model", "mistral-e*"], [EMBEDDED]),
    "by name": (["--name", "retrieve_*"], [PAYMENT]),
    "by status": (["--status", "error"], [LIMITED]),
    "by session": (["--session", "s-1"], [PAYMENT]),
    "by user": (["--user", "u-7"], [PAYMENT]),
    "by tag": (["--tag", "payments"], [PAYMENT]),
    "by words": (["--text", "heron night"], [ANSWER]),
    "since": (["--since", "2025-10-09T08:55"], [PAYMENT, LIMITED]),
    "until": (["--until", "2025-10-09T08:55"], [EMBEDDED, ANSWER]),
    "since before all": (["--since", "1000w"], [PAYMENT, LIMITED, EMBEDDED, ANSWER]),
    "several at once": (["--model", "mistral-small*", "--status", "ok", "-n", "1"], [PAYMENT]),
}


@pytest.mark.parametrize(("arguments", "ids"), PICKED.values(), ids=PICKED)
def test_picks(arguments, ids, store, capsys):
    assert main(["ls", "--store", store, "--json", *arguments]) == 0
    found = [json.loads(line)["trace_id"][:4] for line in capsys.readouterr().out.splitlines()]
    assert found == ids


def test_says_when_nothing_is_like_that(store, capsys):
    assert main(["ls", "--store", store, "--model", "gpt"]) == 0
    assert capsys.readouterr() == ("", "interceptor: no trace matches\n")


BAD = {
    "a count of none": (["-n", "0"], "'0' is no whole number above 0"),
    "a count of words": (["-n", "many"], "'many' is no whole number above 0"),
    "a status": (["--status", "broken"], "invalid choice: 'broken'"),
    "a time": (["--since", "yesterday"], "'yesterday' is no time; use how long ago"),
}


@pytest.mark.parametrize(("arguments", "said"), BAD.values(), ids=BAD)
def test_what_is_asked_wrongly_is_one_line(arguments, said, store, capsys):
    assert main(["ls", "--store", store, *arguments]) == 1
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert said in err


def test_a_fresh_machine_is_told_what_to_type(capsys):
    assert main(["ls"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("nothing has been recorded yet\n")
    assert "interceptor demo" in out
    assert "Mistral(**interceptor.clients())" in out
    assert str(default_path()) in out
    assert err == ""


def test_a_store_without_traces_is_as_good_as_none(tmp_path, capsys):
    store = keep(tmp_path / "traces.db", [])
    capsys.readouterr()
    assert main(["ls", "--store", store]) == 0
    assert capsys.readouterr().out.startswith("nothing has been recorded yet\n")


def test_nothing_in_json_is_no_line(capsys):
    assert main(["ls", "--json"]) == 0
    assert capsys.readouterr() == ("", "interceptor: nothing has been recorded yet\n")


NO_STORES = {
    "no file": ("none.db", "there is no file {}: nothing has been recorded there; run a program"),
    "an empty file": ("empty.db", "the file {} is empty: nothing has been recorded there; run a"),
    "a folder": ("folder", "the store at {} cannot be read: it is a folder; name a file with"),
    "another file": ("text", "the store at {} cannot be read: file is not a database; move it"),
}


@pytest.mark.parametrize("command", ["ls", "show"])
@pytest.mark.parametrize(("name", "said"), NO_STORES.values(), ids=NO_STORES)
def test_a_store_that_was_named_must_be_there(name, said, command, tmp_path, monkeypatch, capsys):
    """And what is said speaks of what it was named with."""
    (tmp_path / "empty.db").touch()
    (tmp_path / "folder").mkdir()
    (tmp_path / "text").write_text("no store\n" * 200)
    path = str(tmp_path / name)
    assert main([command, "--store", path]) == 1
    out, by_option = capsys.readouterr()
    assert (out, by_option.count("\n")) == ("", 1)
    assert by_option.startswith(f"interceptor: {said.format(repr(path))}")
    assert by_option.endswith(" with --store\n")
    monkeypatch.setenv("INTERCEPTOR_STORE", path)
    assert main([command]) == 1
    by_variable = by_option.replace("with --store", "with INTERCEPTOR_STORE")
    assert capsys.readouterr() == ("", by_variable)


def test_the_store_of_the_settings_is_read(store, monkeypatch, capsys):
    monkeypatch.setenv("INTERCEPTOR_STORE", store)
    assert main(["ls"]) == 0
    assert capsys.readouterr() == (PIPE, "")


ELSEWHERE = {
    "no store": (
        {"INTERCEPTOR_STORE": "off"},
        "spans go nowhere, not to a store: INTERCEPTOR_STORE is off",
    ),
    "OTLP": (
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://user:secret@collector:4318"},
        "spans go to http://collector:4318 by OTLP, not to a store",
    ),
    "OTLP, for traces": (
        {
            "INTERCEPTOR_DESTINATIONS": "otlp",
            "OTEL_EXPORTER_OTLP_ENDPOINT": "http://all:4318",
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://traces:4318/v1/traces",
        },
        "spans go to http://traces:4318 by OTLP, not to a store",
    ),
    "OTLP by default": (
        {"INTERCEPTOR_DESTINATIONS": "otlp,console"},
        "spans go to http://localhost:4318 by OTLP and to stdout, not to a store",
    ),
    "off": ({"INTERCEPTOR": "0"}, "tracing is off here: INTERCEPTOR is 0"),
    "OpenTelemetry off": (
        {"OTEL_SDK_DISABLED": "true"},
        "tracing is off here: OTEL_SDK_DISABLED is true",
    ),
}


@pytest.mark.parametrize(("environ", "said"), ELSEWHERE.values(), ids=ELSEWHERE)
def test_says_where_spans_go_instead(environ, said, monkeypatch, capsys):
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    assert main(["ls"]) == 0
    assert capsys.readouterr() == ("", f"interceptor: {said}\n")


def test_what_was_kept_before_is_listed_all_the_same(monkeypatch, capsys):
    keep(default_path())
    monkeypatch.setenv("INTERCEPTOR_DESTINATIONS", "console")
    capsys.readouterr()
    assert main(["ls"]) == 0
    assert capsys.readouterr() == (PIPE, "interceptor: spans go to stdout, not to a store\n")


def test_a_store_by_name_is_listed_without_a_word_on_settings(store, monkeypatch, capsys):
    monkeypatch.setenv("INTERCEPTOR_DESTINATIONS", "console")
    assert main(["ls", "--store", store]) == 0
    assert capsys.readouterr() == (PIPE, "")


def test_a_bad_setting_is_said_and_does_not_stop_the_list(store, monkeypatch, capsys):
    monkeypatch.setenv("INTERCEPTOR_CONTENT", "some")
    assert main(["ls", "--store", store]) == 0
    out, err = capsys.readouterr()
    assert out == PIPE
    assert err == (
        "interceptor: INTERCEPTOR_CONTENT is 'some'; use one of: full, metadata; "
        "going on with metadata\n"
    )


@pytest.mark.parametrize(("count", "said"), [(1, "1 span"), (3, "3 spans")])
def test_says_what_could_not_be_kept(count, said, tmp_path, capsys):
    path = tmp_path / "traces.db"
    exporter = StoreExporter(path)
    exporter.export(TRACES)
    exporter.lose(count, "database or disk is full")
    exporter.shutdown()
    capsys.readouterr()
    assert main(["ls", "--store", str(path)]) == 0
    out, err = capsys.readouterr()
    assert out == PIPE
    assert err.startswith(f"interceptor: {said} could not be kept, most recently at ")
    assert err.endswith(": database or disk is full\n")


def test_a_newer_store_is_one_line(store, capsys):
    newer = (*MIGRATIONS, lambda connection: connection.execute("CREATE TABLE more (id)"))
    connect_to_write(Path(store), migrations=newer).close()
    assert main(["ls", "--store", store]) == 1
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert f"is of version {len(newer)}" in err
    assert "upgrade mistral-interceptor" in err


def test_what_is_running_is_marked(tmp_path, capsys):
    path = str(tmp_path / "traces.db")
    processor = StoreProcessor(StoreExporter(path), running_after_s=0.0)
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(processor)
    running = provider.get_tracer("test").start_span(
        "chat slow", start_time=time.time_ns() - SECOND
    )
    eventually(lambda: Store(path).latest())
    capsys.readouterr()
    assert main(["ls", "--store", path]) == 0
    (line,) = capsys.readouterr().out.splitlines()[1:]
    assert line.startswith("running  ")
    assert re.search(r" [\d.]+s…  ", line)
    running.end()
    assert processor.force_flush()
    assert main(["ls", "--store", path]) == 0
    (line,) = capsys.readouterr().out.splitlines()[1:]
    assert line.startswith("ok      ")
    provider.shutdown()


def eventually(is_so, *, within_s=10.0):
    """Wait until something is so, and not longer."""
    deadline = time.monotonic() + within_s
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.01)
