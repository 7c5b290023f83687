"""Reading back: lists, one trace, searches."""

import sqlite3
from contextlib import closing, suppress
from datetime import datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.trace import SpanKind

from interceptor.errors import StoreError
from interceptor.store import Event, Link, Span, State, Status, Store, Trace
from interceptor.store._processes import this_process
from interceptor.store.exporter import StoreExporter
from tests.store_spans import CALL, SECOND, START, message, span

PAYMENT = int("ab" * 16, 16)
PAINTER = int("abcd" + "0" * 28, 16)
FAILED = 3
ATTEMPT = "mistral_ai.request.attempt"
RUNNING = 4
LOST = 5

SPANS = [
    span(
        "payments",
        trace=PAYMENT,
        number=1,
        lasts=4,
        attributes={"session.id": "s1", "user.id": "ana", "tag.tags": ["shop"]},
    ),
    span(
        "chat mistral-small-latest",
        trace=PAYMENT,
        number=2,
        parent=1,
        at=1,
        lasts=2,
        kind=SpanKind.CLIENT,
        attributes=CALL
        | {
            "gen_ai.usage.input_tokens": 12,
            "gen_ai.usage.output_tokens": 5,
            "mistral_ai.usage.total_tokens": 17,
            "mistral_ai.cost.usd": 0.5,
            "gen_ai.response.model": "mistral-small-2506",
            "gen_ai.response.time_to_first_chunk": 0.25,
            "gen_ai.input.messages": message("Was the café paid?", role="user"),
            "gen_ai.output.messages": message("Transaction T1001 is paid."),
        },
        events=[("mistral_ai.agent.handoff", {"next_agent_id": "a"})],
        links=[(PAINTER, 7)],
    ),
    span("painter", trace=PAINTER, at=10, attributes={"output.value": "Mona Lisa"}),
    span("chat big", trace=FAILED, at=20, error="Rate limited", attributes=CALL
         | {"gen_ai.request.model": "big[1]?", "error.type": "429"}),
    span("still here", trace=RUNNING, at=30, lasts=None, attributes={"session.id": "s2"}),
    span("no more", trace=LOST, at=40, lasts=None),
    span("of it", trace=LOST, number=2, parent=1, at=41, lasts=1),
]  # fmt: skip
NAMES = ["no more", "still here", "chat big", "painter", "payments"]


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("store") / "traces.db"
    exporter = StoreExporter(path)
    exporter.export(SPANS)
    exporter.shutdown()
    died = this_process().rpartition("/")[0] + "/1"  # our number, in another life
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE spans SET process = ? WHERE name = 'no more'", (died,))
        connection.commit()
    return path


@pytest.fixture(scope="module")
def store(path):
    return Store(path)


def names(traces):
    return [trace.name for trace in traces]


def test_a_store_says_where_it_looks(path):
    assert Store(path).path == Store(str(path)).path == path
    assert Store().path.name == "traces.db"


def test_latest(store):
    assert names(store.latest()) == NAMES
    assert names(store.latest(2)) == NAMES[:2]
    assert store.latest(0) == store.latest(-1) == []


def test_latest_page_by_page(store):
    pages, before = [], None
    while page := store.latest(2, before_unix_ns=before):
        pages.append(names(page))
        before = page[-1].start_unix_ns
    assert pages == [NAMES[:2], NAMES[2:4], NAMES[4:]]


def test_a_summary(store):
    assert store.latest()[-1] == Trace(
        trace_id="ab" * 16,
        name="payments",
        start_unix_ns=START,
        end_unix_ns=START + 4 * SECOND,
        state=State.ENDED,
        models=("mistral-small-latest",),
        endpoints=("chat.completions",),
        span_count=2,
        call_count=1,
        input_tokens=12,
        output_tokens=5,
        total_tokens=17,
        cost_usd=0.5,
        time_to_first_chunk_s=0.25,
        preview="Transaction T1001 is paid.",
        session_id="s1",
        user_id="ana",
        tags=("shop",),
    )


STATUSES = {
    "no more": (Status.LOST, None),
    "still here": (Status.RUNNING, None),
    "chat big": (Status.ERROR, 1.0),
    "painter": (Status.OK, 1.0),
    "payments": (Status.OK, 4.0),
}


def test_status_and_duration(store):
    found = {trace.name: (trace.status, trace.duration_s) for trace in store.latest()}
    assert found == STATUSES


def test_a_failure_says_what_it_was(store):
    (failed,) = store.search(status="error")
    assert (failed.failed, failed.error_type, failed.error_message) == (True, "429", "Rate limited")


def test_a_trace_whole(store):
    root, call = store.trace("ab" * 16)
    assert call == Span(
        trace_id="ab" * 16,
        span_id=f"{2:016x}",
        parent_id=f"{1:016x}",
        name="chat mistral-small-latest",
        kind="client",
        start_unix_ns=START + SECOND,
        end_unix_ns=START + 3 * SECOND,
        state=State.ENDED,
        attributes=dict(SPANS[1].attributes),
        events=(Event("mistral_ai.agent.handoff", START + SECOND, {"next_agent_id": "a"}),),
        links=(Link(f"{PAINTER:032x}", f"{7:016x}", {}),),
        resource={"service.name": "test"},
    )
    assert (root.name, root.parent_id, root.attributes["tag.tags"]) == ("payments", None, ["shop"])
    assert (call.status, call.duration_s) == (Status.OK, 2.0)


def test_a_span_of_a_dead_process(store):
    lost, ended = store.trace(f"{LOST:032x}")
    assert (lost.status, lost.duration_s, ended.status) == (Status.LOST, None, Status.OK)


def test_the_first_digits_will_do(store):
    assert store.trace("abab")[0].name == "payments"
    assert store.trace(" ABCD ")[0].name == "painter"


PREFIXES = {
    "ambiguous": ("ab", "more than one trace begins with 'ab': ab"),
    "none": ("ff", "no trace in the store"),
    "no digits": ("payments", "`interceptor ls` shows"),
    "wildcards": ("a%", "no trace"),
    "half a pair": ("\ud83d", "no trace"),
    "nothing": ("", "give more of its digits"),
}


@pytest.mark.parametrize(("digits", "said"), PREFIXES.values(), ids=PREFIXES)
def test_digits_that_are_not_one_traces(store, digits, said):
    with pytest.raises(StoreError, match=said):
        store.trace(digits)


def test_traces_that_begin_alike_are_told_apart(tmp_path):
    """Each with its start and its name, in as many digits as it takes; no terminal obeys them."""
    alike = int("ab" * 15 + "00", 16)
    spans = [span(f"step {n}\x1b", trace=alike + n, at=n) for n in range(6)]
    exporter = StoreExporter(tmp_path / "traces.db")
    exporter.export(spans)
    exporter.shutdown()
    with pytest.raises(StoreError) as raised:
        Store(tmp_path / "traces.db").trace("abab")
    said = str(raised.value)
    start = datetime.fromtimestamp(START / 1e9).astimezone()
    first = f"{'ab' * 15}00 ({start:%Y-%m-%d %H:%M:%S} 'step 0\\x1b')"
    assert f"begins with 'abab': {first}, {'ab' * 15}01 (" in said
    assert said.endswith("'step 3\\x1b'), …; give more of its digits")


def test_later_attempts_are_found_by_the_first_ones_trace(tmp_path):
    attempts = [
        span(trace=n, at=n, links=[(1, 1)] if n > 1 else [], attributes={ATTEMPT: n}, error=error)
        for n, error in [(1, "limited"), (2, "limited"), (3, None)]
    ]
    exporter = StoreExporter(tmp_path / "traces.db")
    exporter.export([*attempts, span(trace=4, at=4, links=[(1, 1)])])
    exporter.shutdown()
    store = Store(tmp_path / "traces.db")
    first, second, third = (f"{n:032x}" for n in (1, 2, 3))
    found = [(trace.trace_id, trace.attempt, trace.status) for trace in store.retries(first)]
    assert found == [(second, 2, "error"), (third, 3, "ok")]
    assert store.retries(third) == []
    assert [span.first_attempt is not None for span in store.trace(third)] == [True]
    assert [span.first_attempt for span in store.trace(f"{4:032x}")] == [None]


SEARCHES = {
    "nothing asked": ({}, NAMES),
    "limit": ({"limit": 1}, NAMES[:1]),
    "no limit to speak of": ({"limit": -5}, []),
    "more than anybody can count": ({"limit": 10**20}, NAMES),
    "since before all time": ({"since_unix_ns": -(10**30)}, NAMES),
    "since after all time": ({"since_unix_ns": 10**30}, []),
    "model": ({"model": "mistral-small-latest"}, ["payments"]),
    "the model that answered": ({"model": "mistral-small-2506"}, ["payments"]),
    "any model like it": ({"model": "mistral-*"}, ["payments"]),
    "a part of a model": ({"model": "mistral"}, []),
    "only the star is special": ({"model": "big[1]?"}, ["chat big"]),
    "and nothing else": ({"model": "big[1]x"}, []),
    "ok": ({"status": "ok"}, ["painter", "payments"]),
    "error": ({"status": Status.ERROR}, ["chat big"]),
    "running": ({"status": "running"}, ["still here"]),
    "lost": ({"status": "lost"}, ["no more"]),
    "since": ({"since_unix_ns": START + 20 * SECOND}, NAMES[:3]),
    "until": ({"until_unix_ns": START + 20 * SECOND}, NAMES[3:]),
    "between": (
        {"since_unix_ns": START + 10 * SECOND, "until_unix_ns": START + 30 * SECOND},
        NAMES[2:4],
    ),
    "session": ({"session_id": "s2"}, ["still here"]),
    "user": ({"user_id": "ana"}, ["payments"]),
    "tag": ({"tag": "shop"}, ["payments"]),
    "a part of a tag": ({"tag": "sho*"}, []),
    "no such user": ({"user_id": "an*"}, []),
    "name of a root": ({"name": "painter"}, ["painter"]),
    "name of any span": ({"name": "chat *"}, ["chat big", "payments"]),
    "what was answered": ({"text": "Transaction"}, ["payments"]),
    "whatever the case and the accents": ({"text": "CAFE"}, ["payments"]),
    "how a word begins": ({"text": "transact mon"}, []),
    "all of the words": ({"text": "transact paid"}, ["payments"]),
    "what was asked, and what was answered": ({"text": "café T1001"}, ["payments"]),
    "an observed output": ({"text": "mona"}, ["painter"]),
    "a name": ({"text": "still"}, ["still here"]),
    "an error": ({"text": "rate limited"}, ["chat big"]),
    "no words": ({"text": "  \0"}, NAMES),
    "text and status": ({"text": "chat", "status": "error"}, ["chat big"]),
    "everything": (
        {
            "model": "mistral*",
            "status": "ok",
            "session_id": "s1",
            "user_id": "ana",
            "name": "pay*",
            "text": "paid",
            "since_unix_ns": START,
            "until_unix_ns": START + 1,
        },
        ["payments"],
    ),
}


@pytest.mark.parametrize(("asked", "expected"), SEARCHES.values(), ids=SEARCHES)
def test_search(store, asked, expected):
    assert names(store.search(**asked)) == expected


def test_a_status_that_is_none(store):
    with pytest.raises(StoreError, match="'failed'; use one of: ok, error, running, lost"):
        store.search(status="failed")


HOSTILE = [
    'foo" OR (',
    '"',
    "NEAR(",
    "a AND",
    "words:",
    "-x",
    "*",
    "^a",
    "a\0b",
    "\ud83d",
    "x " * 999,
]


@pytest.mark.parametrize("text", HOSTILE)
def test_text_is_never_a_query(store, text):
    assert store.search(text=text) == []


def test_what_looks_like_an_operator_is_a_word(store):
    assert names(store.search(text="paid? (transaction)")) == ["payments"]
    assert store.search(text="paid OR painter") == []


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(text=st.text(st.characters()), digits=st.text(max_size=40))
def test_whatever_is_asked_is_answered(store, text, digits):
    for asked in ("text", "model", "name", "session_id", "user_id"):
        store.search(**{asked: text})
    with suppress(StoreError):
        store.trace(digits)


def test_what_could_not_be_kept(store):
    assert store.lost() is None


def test_a_store_that_comes_later(tmp_path):
    store = Store(tmp_path / "traces.db")
    for ask in (store.latest, lambda: store.trace("a"), store.search):
        with pytest.raises(StoreError, match="nothing has been recorded there"):
            ask()
    assert store.lost() is None
    assert not store.path.exists(), "reading makes no file"
    StoreExporter(store.path).shutdown()
    assert store.latest() == []


def test_a_damaged_store_says_so(path, tmp_path):
    damaged = tmp_path / "traces.db"
    data = bytearray(path.read_bytes())
    data[4096:] = b"\xff" * (len(data) - 4096)
    damaged.write_bytes(data)
    with pytest.raises(StoreError, match="cannot be read: database disk image is malformed"):
        Store(damaged).latest()


def test_reading_leaves_nothing_open(path):
    Store(path).latest()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
