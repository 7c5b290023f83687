"""`interceptor show`: one trace, as a person reads it and as a program does."""

import json
import os
import pty
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from interceptor.cli import main
from interceptor.cli.show import story
from interceptor.store import Span, State, Store
from tests.cli_store import call, fresh_machine, keep, printed
from tests.store_spans import SECOND, START, span

HEAD = """\
✓ answer about a payment
   trace      5eed0000000000000000000000000000
   started    2025-10-09 08:56:20 · took 2.50s
   calls      2 · 198 tokens in · 55 tokens out
   context    session s-1 · user u-7 · tags demo, payments · service test

"""
TREE = """\
                                    TOOK   IN  OUT
  1  answer about a payment        2.50s    –    –  ━━━━━━━━━━━━━━━━━━━━━━━━━━━━
  2  ├─ chat mistral-small-latest  1.00s   72   38  ━━━━━━━━━━━
  3  ├─ retrieve_payment_status    250ms    –    –             ━━━
  4  └─ chat mistral-small-latest  1.25s  126   17                ━━━━━━━━━━━━━━
"""
TREE_IN_A_PIPE = """\
                                    TOOK   IN  OUT
  1  answer about a payment        2.50s    –    –  ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━
  2  ├─ chat mistral-small-latest  1.00s   72   38  ━━━━━━━━━━━━━━━━
  3  ├─ retrieve_payment_status    250ms    –    –                  ━━━━
  4  └─ chat mistral-small-latest  1.25s  126   17                      ━━━━━━━━━━━━━━━━━━━━
"""
BODY = """\

✓ 1 answer about a payment
   input      {"question": "Has payment P-1003 gone through?"}
   output     Not yet: it is pending.

✓ 2 chat mistral-small-latest
   request    POST api.mistral.ai/v1/chat/completions
   tools      retrieve_payment_status
   response   200 · tool_calls
   tokens     72 in · 38 out · 110 in all

   system     Be brief.
   user       Has payment P-1003 gone through?
   assistant  → retrieve_payment_status(payment_id="P-1003")  OS8HywPnD

✓ 3 retrieve_payment_status
   input      {"payment_id": "P-1003"}
   output     {"status": "pending"}

✓ 4 chat mistral-small-latest
   request    POST api.mistral.ai/v1/chat/completions
   response   200 · stop
   tokens     126 in · 17 out · 143 in all

              3 messages as in span 2
   tool       ← {"status": "pending"}  OS8HywPnD
   assistant  Not yet: it is pending.
"""
FAILED = """\
✗ chat mistral-small-latest
   trace      bad00000000000000000000000000000
   started    2025-10-09 08:55:20 · took 4.0ms
   context    service test
   request    POST api.mistral.ai/v1/chat/completions
   response   429
   error      rate_limited: Rate limit exceeded
"""


@pytest.fixture(autouse=True)
def _fresh(monkeypatch, tmp_path):
    with fresh_machine(monkeypatch, tmp_path / "state"):
        yield


@pytest.fixture
def store(tmp_path, capsys):
    path = keep(tmp_path / "traces.db")
    capsys.readouterr()  # the store has said where it is
    return path


def test_a_pipe_gets_the_newest_trace_in_full(store, capsys):
    assert main(["show", "--store", store]) == 0
    assert capsys.readouterr() == (HEAD + TREE_IN_A_PIPE + BODY, "")


def test_a_trace_is_shown_by_the_first_digits_of_its_id(store, capsys):
    assert main(["show", "BAD", "--store", store]) == 0
    assert capsys.readouterr() == (FAILED, "")


def test_a_terminal_of_80_columns_gets_it_all(store):
    assert in_a_terminal("show", "--store", store, TERM="dumb") == HEAD + TREE + BODY


def test_a_terminal_gets_colours_and_its_width(store):
    out = in_a_terminal("show", "bad", "--store", store, TERM="xterm-256color", COLUMNS="40")
    assert "\x1b[31m✗" in out
    assert "Rate limit\x1b[0m\n              \x1b[31mexceeded\x1b[0m\n" in out


def test_no_color_means_none(store):
    out = in_a_terminal("show", "bad", "--store", store, TERM="xterm-256color", NO_COLOR="1")
    assert "\x1b[1m" in out
    assert "\x1b[3" not in out


def in_a_terminal(*arguments, **environ):
    """Run a command whose input and output are a terminal, and give what it writes there."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "interceptor", *arguments],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, **environ},
    )
    os.close(theirs)
    written = b""
    with process, os.fdopen(ours, "rb", buffering=0) as terminal:
        while data := read(terminal):
            written += data
    assert process.returncode == 0
    return written.decode().replace("\r\n", "\n")


def read(terminal):
    try:
        return terminal.read(65536)
    except OSError:  # how Linux says that the other end is gone
        return b""


def test_json_is_all_that_was_recorded(store, capsys):
    assert main(["show", "--json", "--store", store]) == 0
    found = json.loads(capsys.readouterr().out)
    spans = Store(store).trace("5eed")
    assert found["trace_id"] == spans[0].trace_id
    assert [one["attributes"] for one in found["spans"]] == [one.attributes for one in spans]
    assert [one["duration_s"] for one in found["spans"]] == [2.5, 1.0, 0.25, 1.25]
    assert {one["status"] for one in found["spans"]} == {"ok"}
    assert found["scores"] == []


def test_json_holds_events_links_and_scores(tmp_path, capsys):
    kept = span(events=[("handoff", {"to": "ag_2"})], links=[(2, 7)])
    store = keep(tmp_path / "traces.db", [kept, score("helpful", score_value=1)])
    capsys.readouterr()
    assert main(["show", "--json", "--store", store]) == 0
    trace = json.loads(capsys.readouterr().out)
    (found,), (given,) = trace["spans"], trace["scores"]
    assert (given["name"], given["value"], given["comment"]) == ("helpful", 1.0, None)
    assert found["events"] == [{"name": "handoff", "unix_ns": START, "attributes": {"to": "ag_2"}}]
    assert found["links"] == [{"trace_id": f"{2:032x}", "span_id": f"{7:016x}", "attributes": {}}]


def test_the_first_attempt_says_what_became_of_it(tmp_path, capsys):
    attempts = [
        call(
            trace=n,
            at=n,
            links=[(1, 1)] if n > 1 else [],
            said={"mistral_ai.request.attempt": n},
            error="limited" if n < 3 else None,
        )
        for n in (1, 2, 3)
    ]
    store = keep(tmp_path / "traces.db", attempts)
    capsys.readouterr()
    for trace, said in [
        (1, "sent again as trace 00000000 (error), trace 00000000 (ok)"),
        (2, "retry of trace 00000000"),
    ]:
        assert main(["show", f"{trace:032x}", "--store", store]) == 0
        assert f"   links      {said}\n" in capsys.readouterr().out


BAD = {
    "no such trace": (["ffff"], "no trace in the store at "),
    "not one trace": ([""], "more than one trace begins with ''"),
    "no id": (["chat"], "begins with 'chat'; `interceptor ls` shows"),
    "no such store": (["--store", "none.db"], "there is no file 'none.db'"),
}


@pytest.mark.parametrize(("arguments", "said"), BAD.values(), ids=BAD)
def test_what_is_not_there_is_one_line(arguments, said, store, capsys):
    assert main(["show", "--store", store, *arguments]) == 1
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert said in err


def test_an_empty_store_is_one_line(tmp_path, capsys):
    store = keep(tmp_path / "traces.db", [])
    capsys.readouterr()
    assert main(["show", "--store", store]) == 1
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert "nothing has been recorded yet" in err


def test_the_store_of_the_settings_is_read(store, monkeypatch, capsys):
    monkeypatch.setenv("INTERCEPTOR_STORE", store)
    monkeypatch.setenv("INTERCEPTOR_CONTENT", "some")
    assert main(["show", "bad"]) == 0
    out, err = capsys.readouterr()
    assert out == FAILED
    assert err == (
        "interceptor: INTERCEPTOR_CONTENT is 'some'; use one of: full, metadata; "
        "going on with metadata\n"
    )


def told(tmp_path, *spans, is_full=False, width=None):
    """Give the story of a trace of these spans as lines."""
    found = Store(keep(tmp_path / "traces.db", spans)).latest(1)[0]
    kept = Store(tmp_path / "traces.db").trace(found.trace_id)
    now = START + 12 * SECOND
    scores = Store(tmp_path / "traces.db").scores(found.trace_id)
    return printed(*story(kept, scores, now_unix_ns=now, is_full=is_full), width=width).splitlines()


def test_only_what_was_recorded_is_said(tmp_path):
    assert told(tmp_path, span("alone")) == [
        "✓ alone",
        "   trace      00000000000000000000000000000001",
        "   started    2025-10-09 08:53:20 · took 1.00s",
        "   context    service test",
    ]


def score(name, *, about=None, number=9, **given):
    """Give the span by which a score comes to the store."""
    said = {"gen_ai.evaluation.name": name}
    said |= {f"gen_ai.evaluation.{key.replace('_', '.')}": one for key, one in given.items()}
    where = {} if about is None else {"interceptor.score.span_id": f"{about:016x}"}
    return span(
        f"evaluate {name}",
        number=number,
        parent=1,
        at=60,
        lasts=0,
        attributes={"gen_ai.operation.name": "evaluate", **where},
        events=[("gen_ai.evaluation.result", said)],
    )


def test_scores_stand_with_what_they_are_about(tmp_path):
    lines = told(
        tmp_path,
        span("all"),
        span("chat", number=2, parent=1),
        score("helpful", score_value=0.9, explanation="it\nhelped"),
        score("tone", about=2, number=8, score_label="kind"),
    )
    assert lines[4] == "   score      helpful 0.9 · it helped"
    assert lines[lines.index("✓ 2 chat") + 1] == "   score      tone kind"


def test_a_running_trace_says_so(tmp_path):
    lines = told(tmp_path, call(lasts=None), call("chat done", number=2, parent=1))
    assert lines[0] == "● chat mistral-small-latest"
    assert lines[2] == "   started    2025-10-09 08:53:20"
    assert f"   running    for 12.0s, in process {os.getpid()}" in lines


def test_totals_say_how_many_failed_and_what_it_cost(tmp_path):
    cost = {"mistral_ai.cost.usd": 0.25}
    lines = told(tmp_path, call(said=cost), call(number=2, parent=1, said=cost, error="no"))
    assert "   calls      2 · 1 failed · ≈ $0.50" in lines


@pytest.mark.parametrize("service", ["unknown_service:python", ""])
def test_a_service_without_a_name_is_not_named(service, tmp_path):
    kept = span("alone")
    kept._resource = kept.resource.merge(type(kept.resource)({"service.name": service}))
    assert not [line for line in told(tmp_path, kept) if "context" in line]


def test_a_large_trace_is_shown_in_part(tmp_path):
    spans = [call(f"call {n}", number=n, parent=1, error="no") for n in range(2, 100)]
    lines = told(tmp_path, span("all"), *spans)
    assert "… 60 more spans, 58 of them failed; --full shows all" not in lines
    assert "… 59 more spans, 59 of them failed; --full shows all" in lines
    assert "✗ 40 call 40" in lines
    assert "✗ 41 call 41" not in lines
    whole = told(tmp_path, is_full=True)
    assert "✗ 99 call 99" in whole
    assert not [line for line in whole if "--full" in line]


KEYS = [
    "gen_ai.agent.name",
    "gen_ai.agent.version",
    "gen_ai.embeddings.dimension.count",
    "gen_ai.input.messages",
    "gen_ai.output.messages",
    "gen_ai.provider.name",
    "gen_ai.request.model",
    "gen_ai.request.top_p",
    "gen_ai.response.finish_reasons",
    "gen_ai.response.id",
    "gen_ai.response.model",
    "gen_ai.response.time_to_first_chunk",
    "gen_ai.system_instructions",
    "gen_ai.tool.call.arguments",
    "gen_ai.tool.call.id",
    "gen_ai.tool.definitions",
    "gen_ai.usage.input_tokens",
    "gen_ai.usage.output_tokens",
    "error.type",
    "http.request.method",
    "http.response.status_code",
    "input.value",
    "metadata",
    "mistral_ai.cost.usd",
    "mistral_ai.embeddings.count",
    "mistral_ai.endpoint",
    "mistral_ai.error.code",
    "mistral_ai.notes",
    "mistral_ai.phase.wait",
    "mistral_ai.ratelimit.limit_x",
    "mistral_ai.ratelimit.remaining_x",
    "mistral_ai.request.attempt",
    "mistral_ai.request.bytes",
    "mistral_ai.request.parameters",
    "mistral_ai.stream.events",
    "mistral_ai.truncated",
    "output.value",
    "server.address",
    "server.port",
    "session.id",
    "tag.tags",
    "url.path",
]
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)
PART = st.fixed_dictionaries(
    {"type": st.sampled_from(["text", "tool_call", "tool_call_response", "blob", "generic", "x"])},
    optional=dict.fromkeys(["content", "arguments", "name", "id", "size_bytes", "response"], JSON),
)
MESSAGES = st.lists(
    st.fixed_dictionaries({"role": JSON, "parts": st.lists(PART, max_size=3)}), max_size=3
)
VALUES = JSON | JSON.map(json.dumps) | MESSAGES.map(json.dumps)


@given(st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=12), st.booleans(), st.booleans())
def test_whatever_was_recorded_can_be_shown(attributes, failed, is_full):
    """A store may hold spans of other programs, and of other versions of ours."""
    kept = [
        Span(
            trace_id="t",
            span_id=span_id,
            parent_id=parent,
            name="any",
            kind="client",
            start_unix_ns=START,
            end_unix_ns=START,
            state=State.ENDED,
            failed=failed,
            attributes=attributes,
            resource=attributes,
        )
        for span_id, parent in (("1", None), ("2", "1"))
    ]
    out = printed(*story(kept, [], now_unix_ns=START, is_full=is_full))
    assert out.startswith(("✓ any\n", "✗ any\n"))
    assert all(cell_len(line) <= 80 for line in out.split("\n"))
