"""A list of traces as lines: for 80 columns, for more, for fewer, for a pipe."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from interceptor.cli._listing import Listing, error_of
from interceptor.store import State, Store, Trace
from tests.cli_store import fresh_machine, keep, printed
from tests.store_spans import SECOND, START

TERMINAL = """\
  ID        TIME      NAME                        TOOK  FIRST   IN  OUT
  5eed0000  08:56:20  answer about a payment     2.50s      –  198   55
                      mistral-small-latest · 2 calls · Not yet: it is pending.
✗ bad00000  08:55:20  chat mistral-small-latest  4.0ms      –    –    –
                      rate_limited: Rate limit exceeded
  e3b00000  08:54:20  embeddings mistral-embed    75ms      –   12    –
  50f70000  08:53:20  chat mistral-small-latest  1.24s  312ms  812  146
                      A shy brown heron that booms in the reeds at night.
"""
WIDE = """\
STATUS  ID        TIME                 NAME                    MODEL                 CALLS   TOOK  FIRST   IN  OUT  ANSWER
ok      5eed0000  2025-10-09 08:56:20  answer about a payment  mistral-small-latest      2  2.50s      –  198   55  Not yet: it is pending.
error   bad00000  2025-10-09 08:55:20  chat                    mistral-small-latest      1  4.0ms      –    –    –  rate_limited: Rate limit exceeded
ok      e3b00000  2025-10-09 08:54:20  embeddings              mistral-embed             1   75ms      –   12    –
ok      50f70000  2025-10-09 08:53:20  chat                    mistral-small-latest      1  1.24s  312ms  812  146  A shy brown heron that booms in the reeds a…
"""  # noqa: E501
NARROW = """\
  ID        TIME      NAME         TOOK  FI…
  5eed0000  08:56:20  answer ab…  2.50s    …
                      mistral-small-latest …
✗ bad00000  08:55:20  chat mist…  4.0ms    …
                      rate_limited: Rate li…
  e3b00000  08:54:20  embedding…   75ms    …
  50f70000  08:53:20  chat mist…  1.24s  31…
                      A shy brown heron tha…
"""
NOW = START + 3600 * SECOND
ANSWERED = Trace(
    trace_id="ab",
    name="chat mistral-small-latest",
    start_unix_ns=START,
    end_unix_ns=START + SECOND,
    state=State.ENDED,
    models=("mistral-small-latest",),
    span_count=1,
    call_count=1,
)


@pytest.fixture(autouse=True)
def _fresh(monkeypatch, tmp_path):
    with fresh_machine(monkeypatch, tmp_path / "state"):
        yield


@pytest.mark.parametrize(("width", "lines"), [(80, TERMINAL), (160, WIDE), (44, NARROW)])
def test_fits_a_terminal(width, lines, tmp_path):
    traces = Store(keep(tmp_path / "traces.db")).latest()
    assert printed(Listing(traces, now_unix_ns=NOW), width=width) == lines


CASES = {
    "just answered": ({}, "  ab  08:53:20  chat mistral-small-latest  1.00s      –   –    –", ""),
    "running": (
        {"state": State.RUNNING, "end_unix_ns": None},
        "● ab  08:53:20  chat mistral-small-latest  1h00m…      –   –    –",
        "running",
    ),
    "running, with something said": (
        {"state": State.RUNNING, "end_unix_ns": None, "preview": "Let me see."},
        "● ab  08:53:20  chat mistral-small-latest  1h00m…      –   –    –",
        "running · Let me see.",
    ),
    "lost": (
        {"state": State.LOST, "end_unix_ns": None},
        "? ab  08:53:20  chat mistral-small-latest     –      –   –    –",
        "lost when its process ended",
    ),
    "failed without a word": (
        {"failed": True},
        "✗ ab  08:53:20  chat mistral-small-latest  1.00s      –   –    –",
        "failed",
    ),
    "went well in the end": (
        {"failed_span_count": 1, "call_count": 2},
        "  ab  08:53:20  chat mistral-small-latest  1.00s      –   –    –",
        "2 calls · 1 failed",
    ),
    "a later attempt": (
        {"attempt": 3, "retry_of": "ab" * 16, "preview": "At last."},
        "  ab  08:53:20  chat mistral-small-latest  1.00s      –   –    –",
        "attempt 3 of abababab · At last.",
    ),
    "a later attempt that failed": (
        {"attempt": 2, "retry_of": "ab" * 16, "failed": True, "error_type": "429"},
        "✗ ab  08:53:20  chat mistral-small-latest  1.00s      –   –    –",
        "attempt 2 of abababab · 429",
    ),
    "a first attempt": (
        {"attempt": 1},
        "  ab  08:53:20  chat mistral-small-latest  1.00s      –   –    –",
        "",
    ),
    "a stream that was left": (
        {"left_early_count": 1, "preview": "Ida had"},
        "  ab  08:53:20  chat mistral-small-latest  1.00s      –   –    –",
        "left early · Ida had",
    ),
    "a stream of several that was left": (
        {"left_early_count": 1, "call_count": 2},
        "  ab  08:53:20  chat mistral-small-latest  1.00s      –   –    –",
        "2 calls · 1 left early",
    ),
    "several models": (
        {"name": "compare", "models": ("a", "b"), "call_count": 2},
        "  ab  08:53:20  compare  1.00s      –   –    –",
        "a, b · 2 calls",
    ),
    "a cost": (
        {"cost_usd": 0.0042},
        "  ab  08:53:20  chat mistral-small-latest  1.00s      –   –    –  $0.0042",
        "",
    ),
    "zero is a count": (
        {"input_tokens": 0, "output_tokens": 0},
        "  ab  08:53:20  chat mistral-small-latest  1.00s      –   0    0",
        "",
    ),
    "control characters": (
        {"name": "a\x1b[31mb\nc", "models": (), "preview": "x\x07\x9by"},
        "  ab  08:53:20  a␛[31mb c  1.00s      –   –    –",
        "x␇\ufffdy",
    ),
}


@pytest.mark.parametrize(("fields", "line", "below"), CASES.values(), ids=CASES)
def test_a_trace_reads(fields, line, below):
    trace = msgspec.structs.replace(ANSWERED, **fields)
    _, *lines = printed(Listing([trace], now_unix_ns=NOW)).splitlines()
    assert lines == [line, " " * 16 + below] if below else [line]


ERRORS = {
    "both": (("429", "Too many"), "429: Too many"),
    "the message says the kind": (("ValueError", "ValueError: no"), "ValueError: no"),
    "a kind alone": (("429", None), "429"),
    "a message alone": ((None, "Too many"), "Too many"),
    "nothing": ((None, None), "failed"),
    "no kind": (("_OTHER", "no rows"), "no rows"),
    "no kind and nothing": (("_OTHER", None), "failed"),
}


@pytest.mark.parametrize(("given_", "said"), ERRORS.values(), ids=ERRORS)
def test_an_error_reads(given_, said):
    assert error_of(*given_) == said


@given(
    width=st.integers(30, 200),
    name=st.text(max_size=60),
    preview=st.text(max_size=120),
    models=st.lists(st.text(min_size=1, max_size=40), max_size=3).map(tuple),
)
def test_no_line_is_longer_than_the_terminal(width, name, preview, models):
    trace = msgspec.structs.replace(ANSWERED, name=name, preview=preview, models=models)
    out = printed(Listing([trace, ANSWERED], now_unix_ns=NOW), width=width)
    assert all(cell_len(line) <= width for line in out.split("\n"))
