"""Traces read back in code: as values, as text, as HTML, as JSON."""

import datetime as dt
import json
import os
import subprocess
import sys

import msgspec
import pytest

import interceptor
from interceptor.errors import ArgumentError, StoreError
from interceptor.store import Score, Span, State
from interceptor.traces import Trace
from tests import kept

SECOND = 1_000_000_000
START = 1_790_000_000 * SECOND
TRACE_ID = "0123456789abcdef0123456789abcdef"


def span(number, *, parent=None, start=0.0, end=1.0, name=None, scope="interceptor", **fields):
    """Make a span; times are in seconds after the trace's start."""
    ended = end is not None
    values = {
        "kind": "internal",
        "state": State.ENDED if ended else State.RUNNING,
        "end_unix_ns": START + int(end * SECOND) if ended else None,
        "attributes": {},
        "resource": {},
    }
    return Span(
        trace_id=TRACE_ID,
        span_id=f"{number:016x}",
        parent_id=None if parent is None else f"{parent:016x}",
        name=name or f"span {number}",
        start_unix_ns=START + int(start * SECOND),
        scope=scope,
        **values | fields,
    )


def call(number, tokens=(None, None, None), **fields):
    names = (
        "gen_ai.usage.input_tokens",
        "gen_ai.usage.output_tokens",
        "mistral_ai.usage.total_tokens",
    )
    used = {name: count for name, count in zip(names, tokens, strict=True) if count is not None}
    attributes = {
        "gen_ai.operation.name": "chat",
        "mistral_ai.endpoint": "chat.completions",
        **used,
    }
    attributes |= fields.pop("attributes", {})
    return span(number, attributes=attributes, kind="client", **fields)


def trace(*spans, scores=()):
    return Trace(trace_id=TRACE_ID, spans=spans, scores=scores)


def test_a_trace_is_named_and_timed_by_its_spans():
    found = trace(span(1, end=2.5, name="root"), span(2, parent=1, start=1, end=2))
    assert (found.name, found.duration, found.status) == ("root", 2.5, "ok")
    assert found.root is found.spans[0]


STATUSES = {
    "ok": ([span(1)], "ok"),
    "the root failed": ([span(1, failed=True)], "error"),
    "a child failed, and the root coped": ([span(1), span(2, parent=1, failed=True)], "ok"),
    "a child failed, and no root is here": ([span(2, parent=1, failed=True)], "error"),
    "running": ([span(1, end=None, failed=True), span(2, parent=1)], "running"),
    "lost": ([span(1, end=None, state=State.LOST)], "lost"),
}


@pytest.mark.parametrize(("spans", "status"), STATUSES.values(), ids=STATUSES)
def test_status(spans, status):
    found = trace(*spans)
    assert found.status == status
    assert (found.duration is None) == (status in ("running", "lost"))


USAGE = {
    "nobody said anything": ([span(1), call(2, parent=1)], (None, None, None)),
    "calls add up": ([span(1), call(2, (5, 3, 9), parent=1), call(3, (1, 0, 1))], (6, 3, 10)),
    "zero is a value": ([call(1, (0, 0, 0))], (0, 0, 0)),
    "a part of it": ([call(1, (5, None, None)), call(2, (None, 3, None))], (5, 3, None)),
    "other people's parents repeat their children": (
        [
            span(1, scope="theirs", attributes={"gen_ai.usage.input_tokens": 5}),
            call(2, (5, 3, 8), parent=1),
        ],
        (5, 3, 8),
    ),
    "what is no number counts nothing": (
        [call(1, attributes={"gen_ai.usage.input_tokens": "many"})],
        (None, None, None),
    ),
}


@pytest.mark.parametrize(("spans", "counts"), USAGE.values(), ids=USAGE)
def test_token_usage(spans, counts):
    used = trace(*spans).token_usage
    assert (used.input_tokens, used.output_tokens, used.total_tokens) == counts


def test_a_span_gives_its_usage_with_all_its_parts():
    attributes = {
        "gen_ai.usage.input_tokens": 9,
        "gen_ai.usage.cache_read.input_tokens": 4,
        "gen_ai.usage.reasoning.output_tokens": 2,
        "mistral_ai.usage.audio_seconds": 1.5,
    }
    used = span(1, attributes=attributes).usage
    assert (used.input_tokens, used.cache_read_tokens) == (9, 4)
    assert (used.reasoning_tokens, used.audio_seconds) == (2, 1.5)
    assert used.output_tokens is None
    assert span(1).usage is None


def test_cost_is_the_sum_of_what_has_a_price():
    priced = [call(n, attributes={"mistral_ai.cost.usd": 0.25}) for n in (1, 2)]
    assert trace(*priced, call(3)).cost_usd == 0.5
    assert trace(call(3)).cost_usd is None


SAID = {
    "messages": ({"gen_ai.input.messages": '[{"role":"user"}]'}, [{"role": "user"}], None),
    "values": ({"input.value": '{"a":1}', "output.value": '"text"'}, {"a": 1}, "text"),
    "a tool that the server ran": (
        {"gen_ai.tool.call.arguments": '{"q":"x"}', "gen_ai.tool.call.result": "plain"},
        {"q": "x"},
        "plain",
    ),
    "nothing": ({}, None, None),
    "no text": ({"input.value": 5}, 5, None),
}


@pytest.mark.parametrize(("attributes", "went_in", "came_out"), SAID.values(), ids=SAID)
def test_a_span_gives_what_went_in_and_what_came_out(attributes, went_in, came_out):
    found = span(1, attributes=attributes)
    assert (found.input, found.output) == (went_in, came_out)


def test_labels_are_the_roots_or_else_the_first_that_a_span_has():
    child = span(2, parent=1, attributes={"session.id": "child's", "user.id": "u"})
    root = span(1, attributes={"session.id": "root's"})
    assert (trace(root, child).session_id, trace(root, child).user_id) == ("root's", "u")
    assert trace(span(1)).session_id is None


def test_find():
    tool = span(3, name="look up [1]", attributes={"gen_ai.operation.name": "execute_tool"})
    found = trace(span(1, name="root"), call(2, name="chat mistral-small-latest"), tool)
    assert [one.name for one in found.find("chat *")] == ["chat mistral-small-latest"]
    assert found.find(name="look up [1]") == (tool,)
    assert found.find(kind="tool") == (tool,)
    assert found.find(kind="llm") == ()  # a call is itself, and nothing observed
    assert found.find("root?") == ()
    assert found.find() == found.spans
    assert found.calls == (found.spans[1],)


def test_it_is_a_value():
    found = trace(span(1))
    with pytest.raises(AttributeError):
        found.spans = ()
    assert repr(found) == f"<Trace {TRACE_ID}: span 1, 1 spans>"


def test_as_text_it_is_the_tree():
    found = trace(
        span(1, end=1.5, name="answer"),
        call(2, (7, 2, 9), parent=1, start=0.1, end=0.4, name="chat m"),
        span(
            3,
            parent=2,
            end=0.0123,
            name="look\nup\x1b[31m",
            failed=True,
            status_message="no tea",
            attributes={"error.type": "LookupError"},
        ),
        span(4, parent=1, end=None, name="waits"),
        scores=(Score(name="helpful", value=0.5, label="so so", unix_ns=START),),
    )
    assert str(found).splitlines() == [
        f"trace  {TRACE_ID}  running  7 + 2 tokens",
        "answer  1.50 s",
        "├─ chat m  300.0 ms  7 + 2 tokens",
        "│  └─ look up\N{REPLACEMENT CHARACTER}[31m  error  12.3 ms  LookupError: no tea",
        "└─ waits  running",
        "score helpful: 0.5, so so",
    ]


def test_as_html_it_is_the_tree_with_what_was_said():
    found = trace(
        span(1, name="<root>", end=2, attributes={"input.value": '{"question":"a<b & c"}'}),
        span(
            2, parent=1, end=1, failed=True, status_message="<no>", attributes={"error.type": "E"}
        ),
        span(3, parent=1, end=1, attributes={"output.value": json.dumps("x" * 10_000)}),
    )
    html = found._repr_html_()
    assert "&lt;root&gt;" in html
    assert "a&lt;b &amp; c" in html
    assert "E: &lt;no&gt;" in html
    assert "… [6000 more]" in html
    assert html.count("<details") == html.count("</details>") == 3
    assert "width:16.00em" in html
    assert "width:8.00em" in html
    assert html.count("<div") == html.count("</div>")


def test_html_stays_small_however_large_the_trace():
    html = trace(*(span(number + 1) for number in range(1000)))._repr_html_()
    assert "… 800 more spans" in html
    assert html.count("<details") == 200


def test_a_running_trace_has_no_bars():
    html = trace(span(1, end=None))._repr_html_()
    assert "width:" not in html
    assert "running" in html


def test_a_deep_trace_can_be_shown():
    deep = trace(*(span(number + 1, parent=number or None) for number in range(3000)))
    assert len(str(deep).splitlines()) == 3001
    assert deep._repr_html_()


def test_as_json_it_is_all_of_it():
    found = trace(
        call(1, (7, 2, 9), name="chat m"), scores=(Score(name="s", value=1.0, unix_ns=5),)
    )
    said = json.loads(found.to_json())
    assert said["trace_id"] == TRACE_ID
    assert (said["name"], said["status"], said["duration"]) == ("chat m", "ok", 1.0)
    assert said["token_usage"] == {"input_tokens": 7, "output_tokens": 2, "total_tokens": 9}
    assert said["scores"][0]["name"] == "s"
    assert msgspec.convert(said["spans"][0], Span) == found.spans[0]


def test_a_trace_is_read_back_whole_or_by_its_first_digits(in_memory):
    with interceptor.span("root") as root, interceptor.span("child"):
        pass
    for trace_id in (None, root.trace_id, root.trace_id[:8]):
        found = interceptor.get_trace(trace_id)
        assert found.trace_id == root.trace_id
        assert kept.tree(found) == ["root", "  child"]


def test_a_trace_that_is_not_there_is_an_error(in_memory):
    interceptor.observe(lambda: None)()
    with pytest.raises(StoreError, match="no trace in the store"):
        interceptor.get_trace("f" * 32)


def test_what_is_recorded_elsewhere_is_still_read_when_recording_is_off(tmp_path):
    interceptor.configure(store=tmp_path / "traces.db")
    with interceptor.span("root") as root:
        pass
    interceptor.configure(on=False)
    assert interceptor.get_trace(root.trace_id).name == "root"
    assert interceptor.last_trace_id() == root.trace_id
    interceptor.shutdown()


def test_where_nothing_was_ever_in_force_the_store_of_the_environment_is_read(
    tmp_path, monkeypatch
):
    path = tmp_path / "traces.db"
    interceptor.configure(store=path)
    with interceptor.span("root") as root:
        pass
    interceptor.shutdown()
    monkeypatch.setenv("INTERCEPTOR_STORE", str(path))
    assert interceptor.get_trace(root.trace_id).name == "root"
    monkeypatch.setenv("INTERCEPTOR_STORE", str(tmp_path / "other.db"))
    with pytest.raises(StoreError, match="nothing has been recorded there"):
        interceptor.get_trace(root.trace_id)


def test_search(in_memory):
    before = dt.datetime.now().astimezone()
    with (
        interceptor.context(session_id="s", user_id="u", tags=["x", "hot"]),
        interceptor.span("tea") as tea,
    ):
        tea.set_output("Earl Grey, hot")
    with interceptor.span("coffee", kind="llm") as coffee:
        coffee.update(model="ours-7b")
        coffee.fail("no beans")
    after = dt.datetime.now()  # noqa: DTZ005 - as people write it, in local time

    def names(**asked):
        return [trace.name for trace in interceptor.search(**asked)]

    assert names() == ["coffee", "tea"]
    assert names(limit=1) == ["coffee"]
    assert names(text="earl hot") == names(session_id="s") == names(user_id="u") == ["tea"]
    assert (names(tag="hot"), names(tag="ho")) == (["tea"], [])
    assert names(status="error") == names(model="ours-*") == names(name="cof*") == ["coffee"]
    assert names(since=before, until=after) == ["coffee", "tea"]
    assert names(until=before) == names(since=after) == []
    assert interceptor.search(text="earl")[0].root.output == "Earl Grey, hot"
    hour = dt.timedelta(hours=1)
    assert names(since="1h") == names(since=hour) == names(since=str(before)) == ["coffee", "tea"]
    assert names(until="1h") == names(until=hour) == names(until=before.date()) == []
    with pytest.raises(StoreError, match="status is 'good'"):
        names(status="good")


WRONG = {
    "no time": ({"since": "soon"}, "since is 'soon'; use how long ago, such as '90s', '1h' or a"),
    "a number as time": ({"until": 5}, "until is 5; use how long ago"),
    "less than none": ({"limit": -1}, "limit is -1; use a whole number above 0"),
    "none": ({"limit": 0}, "limit is 0; use a whole number above 0"),
    "any": ({"limit": None}, "limit is None; use a whole number above 0"),
    "a truth value": ({"limit": True}, "limit is True; use a whole number above 0"),
    "a number as text": ({"text": 5}, "text is 5; use text"),
    "a number as a name": ({"name": 5}, "name is 5; use text"),
    "a number as a model": ({"model": 5}, "model is 5; use text"),
}


@pytest.mark.parametrize(("asked", "sentence"), WRONG.values(), ids=WRONG)
def test_what_cannot_be_searched_for_is_an_error(asked, sentence):
    with pytest.raises(ArgumentError) as caught:
        interceptor.search(**asked)
    assert str(caught.value).startswith(sentence)


def test_the_id_of_a_trace_is_text():
    with pytest.raises(ArgumentError, match="trace_id is 5; use text"):
        interceptor.get_trace(5)


def test_before_anything_is_recorded_there_is_no_last_trace(tmp_path):
    program = """
import os
import interceptor
from interceptor.errors import InterceptorError
assert interceptor.last_trace_id() is None
for ask in (interceptor.get_trace, lambda: interceptor.score("helpful", 1)):
    try:
        ask()
    except InterceptorError as error:
        print(error)
    if ask is interceptor.get_trace:
        assert not os.path.exists(os.environ["INTERCEPTOR_STORE"])
"""
    environ = {**os.environ, "INTERCEPTOR_STORE": str(tmp_path / "traces.db")}
    command = [sys.executable, "-c", program]
    said = subprocess.check_output(command, env=environ, text=True, stderr=subprocess.DEVNULL)
    assert said.splitlines() == [
        "nothing has been recorded in this process yet; give a trace_id",
        "there is no trace to score in this process yet; give a trace_id",
    ]
