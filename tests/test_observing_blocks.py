"""Blocks as spans, what can be said of them, and of the span and the trace around a line."""

import asyncio
import contextlib
import contextvars
import gc
import threading
import weakref
from enum import Enum
from types import MappingProxyType, SimpleNamespace
from typing import NamedTuple

import pytest
from opentelemetry import context as otel_context
from opentelemetry.sdk.trace import TracerProvider

import interceptor
from interceptor import quiet, surroundings
from interceptor.errors import ArgumentError
from tests import kept

pytestmark = pytest.mark.usefixtures("in_memory")


@pytest.fixture
def warnings(caplog, monkeypatch):
    """Give what is warned of from now on, as if nothing had been before."""
    monkeypatch.setattr(quiet, "_reported", set())
    return lambda: [said.getMessage() for said in caplog.records if said.levelname == "WARNING"]


def test_a_block_is_a_span_and_what_is_inside_its_child():
    with interceptor.span("outer") as outer:
        with interceptor.span("inner", kind="retriever") as inner:
            assert interceptor.current_span().span_id == inner.span_id
        assert interceptor.current_span().span_id == outer.span_id
        assert interceptor.last_trace_id() == outer.trace_id == inner.trace_id
    trace = interceptor.get_trace(outer.trace_id)
    assert kept.tree(trace) == ["outer", "  inner"]
    assert [span.span_id for span in trace.spans] == [outer.span_id, inner.span_id]


def test_what_is_said_of_a_block_is_kept():
    with interceptor.span("it") as span:
        span.set_input({"question": "why?"})
        span.set_output(["because"])
        span.set(
            rows=3, ratio=0.5, ok=True, where={"a": [1]}, words=["x", "y"], api_key="k", no=None
        )
        span.event("found", rows=3, at={"page": 2})
    found = kept.only()
    assert (found.input, found.output) == ({"question": "why?"}, ["because"])
    said = {name: found.attributes[name] for name in ("rows", "ratio", "ok", "where", "api_key")}
    assert said == {
        "rows": 3,
        "ratio": 0.5,
        "ok": True,
        "where": '{"a":[1]}',
        "api_key": "[redacted]",
    }
    assert found.attributes["words"] == ["x", "y"]
    assert "no" not in found.attributes
    (event,) = found.events
    assert (event.name, event.attributes) == ("found", {"rows": 3, "at": '{"page":2}'})


FAILURES = {
    "a reason": ("out of tea", "_OTHER", "out of tea"),
    "an exception": (LookupError("no tea"), "LookupError", "no tea"),
    "an exception without words": (LookupError(), "LookupError", None),
}


@pytest.mark.parametrize(("reason", "kind", "message"), FAILURES.values(), ids=FAILURES)
def test_a_block_can_fail_without_an_exception(reason, kind, message):
    with interceptor.span("it") as span:
        span.fail(reason)
    found = kept.only()
    assert found.failed
    assert (found.attributes["error.type"], found.status_message) == (kind, message)


def test_an_exception_that_leaves_a_block_goes_on_its_way():
    error = LookupError("gone")
    with pytest.raises(LookupError) as caught, interceptor.span("it"):
        raise error
    assert caught.value is error
    assert kept.only().status_message == "gone"


def test_what_is_said_after_the_end_is_not_recorded_and_warned_of_once(warnings):
    with interceptor.span("it") as span:
        pass
    span.set(late=1)
    span.set_output("late")
    span.event("late")
    span.fail("late")
    span.update(usage={"input_tokens": 1}, metadata={"late": 1})
    found = kept.only()
    assert not found.failed
    assert not found.events
    assert not any("late" in str(value) for value in found.attributes.values())
    (said,) = warnings()
    assert said == (
        "what is said of a span after its end is not recorded, as of 'it'; "
        "say it inside its block or function"
    )


def test_nothing_is_said_where_nothing_is_recorded(caplog):
    interceptor.configure(on=False)
    with interceptor.span("it") as span:
        assert (span.trace_id, span.span_id) == (None, None)
        span.set_input(1)
        span.set(a=1)
        span.event("x")
        span.fail("x")
        span.update(input=1, output=2, model="m", usage={"input_tokens": 1}, metadata={"a": 1})
        assert interceptor.current_span().trace_id is None
        interceptor.update_span(output=1)
        interceptor.update_trace(user_id="u")
    assert not caplog.records


def opened(*args, **kwargs):
    with interceptor.span(*args, **kwargs):
        pass


NAMES = (
    "input_tokens, output_tokens, total_tokens, cache_read_tokens, reasoning_tokens, "
    "prompt_tokens, completion_tokens, cached_tokens"
)
WRONG = {
    "a kind": (opened, ("it",), {"kind": "tol"}, "kind is 'tol'; use one of: chain, agent,"),
    "no kind": (opened, ("it",), {"kind": None}, "kind is None; use one of: chain, agent,"),
    "content": (opened, ("it",), {"content": 5}, "content is 5; use one of: full, metadata"),
    "a name": (opened, (5,), {}, "name is 5; use text"),
    "an event": (lambda name: interceptor.current_span().event(name), (5,), {}, "name is 5; use"),
    "a model": (interceptor.update_span, (), {"model": 5}, "model is 5; use text"),
    "parameters": (
        interceptor.update_span,
        (),
        {"parameters": ["seed"]},
        "parameters is ['seed']; use a dict",
    ),
    "metadata": (interceptor.update_span, (), {"metadata": "x"}, "metadata is 'x'; use a dict"),
    "usage under other names": (
        interceptor.update_span,
        (),
        {"usage": {"input": 3}},
        f"usage is {{'input': 3}}; use a dict or an object with any of: {NAMES}",
    ),
    "usage that is a number": (interceptor.update_span, (), {"usage": 3}, "usage is 3; use a dict"),
    "a trace's name": (interceptor.update_trace, (), {"name": 5}, "name is 5; use text"),
    "a trace's tags": (interceptor.update_trace, (), {"tags": 5}, "tags is 5; use a list of words"),
    "a trace's metadata": (interceptor.update_trace, (), {"metadata": []}, "metadata is []; use a"),
}


@pytest.mark.parametrize("is_on", [True, False], ids=["on", "off"])
@pytest.mark.parametrize(("say", "args", "kwargs", "sentence"), WRONG.values(), ids=WRONG)
def test_what_is_written_wrongly_is_an_error_where_it_is_written(
    say, args, kwargs, sentence, is_on, caplog
):
    interceptor.configure(destinations=(), on=is_on)
    with interceptor.span("around"), pytest.raises(ArgumentError) as caught:
        say(*args, **kwargs)
    assert str(caught.value).startswith(sentence)
    assert not caplog.records


@pytest.mark.parametrize("name", [None, "", " "], ids=repr)
def test_a_name_that_is_missing_is_no_error(name, warnings):
    with interceptor.span(name, kind="tool") as span:
        span.event(name)
        interceptor.update_trace(name=name)
    assert (kept.only().name, kept.only().events[0].name) == ("unnamed", "unnamed")
    assert warnings() == ["a span or an event without a name is called 'unnamed'"]


class Word(str, Enum):  # noqa: UP042 - as programs have them that are older than StrEnum
    TEA = "tea"


def test_a_name_may_be_a_word_of_an_enumeration():
    opened(Word.TEA)
    assert kept.only().name == "tea"


class Used(NamedTuple):
    input_tokens: int


NO_COUNTS = "is not kept; use whole numbers from 0 up"
USAGE = {
    "nothing": ({}, None, []),
    "no counts": ({"input_tokens": None}, None, []),
    "more than we know": ({"input_tokens": 3, "prompt_audio_seconds": {}}, 3, []),
    "a tuple with names": (Used(3), 3, []),
    "a text": ({"input_tokens": "3"}, None, [f"of usage, input_tokens {NO_COUNTS}"]),
    "less than nothing": ({"input_tokens": -1}, None, [f"of usage, input_tokens {NO_COUNTS}"]),
    "a part of one": (
        SimpleNamespace(prompt_tokens=3, completion_tokens=0.5),
        3,
        [f"of usage, completion_tokens {NO_COUNTS}"],
    ),
    "other names": (object(), None, [f"usage has none of {NAMES}: nothing of it is kept"]),
    "other names in a mapping of its own": (
        MappingProxyType({"input": 3}),
        None,
        [f"usage has none of {NAMES}: nothing of it is kept"],
    ),
}


@pytest.mark.parametrize(("usage", "count", "warned"), USAGE.values(), ids=USAGE)
def test_what_a_model_says_it_used_may_be_anything(usage, count, warned, warnings):
    with interceptor.span("local", kind="llm"):
        interceptor.update_span(usage=usage)
        interceptor.update_span(usage=usage)
    used = kept.only().usage
    assert (None if used is None else used.input_tokens) == count
    assert warnings() == warned


def test_update_span_reaches_the_nearest_span_around_the_line():
    with interceptor.span("outer"), interceptor.span("inner"):
        interceptor.update_span(input=1, output=2, metadata={"a": 1, "password": "x"})
        interceptor.update_span(metadata={"b": 2})
    found = kept.named("inner")
    assert (found.input, found.output) == (1, 2)
    assert found.attributes["metadata"] == '{"a":1,"password":"[redacted]","b":2}'
    assert "metadata" not in kept.named("outer").attributes


def test_update_span_tells_of_a_model_that_no_tap_can_see():
    with interceptor.span("local", kind="llm"):
        interceptor.update_span(
            model="ours-7b",
            parameters={"temperature": 0.5, "grammar": "json", "api_key": "k"},
            usage={"prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12},
        )
    found = kept.only()
    assert found.attributes["gen_ai.request.model"] == "ours-7b"
    assert found.attributes["gen_ai.request.temperature"] == 0.5
    assert found.attributes["mistral_ai.request.parameters"] == (
        '{"temperature":0.5,"grammar":"json","api_key":"[redacted]"}'
    )
    usage = interceptor.get_trace().token_usage
    assert (usage.input_tokens, usage.output_tokens, usage.total_tokens) == (7, 5, 12)


def test_usage_that_is_said_inside_is_not_said_again_around_it():
    with interceptor.span("outer", kind="llm"):
        interceptor.update_span(usage={"input_tokens": 100})
        with interceptor.span("between"), interceptor.span("inner", kind="llm"):
            interceptor.update_span(usage={"input_tokens": 7})
    assert kept.named("outer").usage is None
    assert interceptor.get_trace().token_usage.input_tokens == 7


def test_update_trace_reaches_the_outermost_span_and_what_begins_after_it():
    guest = interceptor.context(session_id="guest", tags=["web"], metadata={"a": 1})
    with guest, interceptor.span("root"):
        with interceptor.span("before"):
            interceptor.update_trace(
                name="order",
                session_id="known",
                user_id="ada",
                tags=["paid", "web"],
                metadata={"b": 2},
                input="tea, please",
                output="one tea",
            )
        with interceptor.span("after"):
            pass
    trace = interceptor.get_trace()
    assert (trace.name, trace.session_id, trace.user_id) == ("order", "known", "ada")
    assert (trace.root.input, trace.root.output) == ("tea, please", "one tea")
    for name in ("order", "after"):
        attributes = kept.named(name).attributes
        assert (attributes["session.id"], attributes["user.id"]) == ("known", "ada")
        assert attributes["tag.tags"] == ["web", "paid"]
        assert attributes["metadata"] == '{"a":1,"b":2}'
    assert kept.named("before").attributes["session.id"] == "guest"
    assert interceptor.search(session_id="known") != []


def test_a_trace_whose_outermost_span_has_ended_stays_as_it_is():
    with interceptor.span("root"):
        inside = contextvars.copy_context()
    with contextlib.ExitStack() as stack:
        inside.run(stack.enter_context, interceptor.span("late"))
        inside.run(interceptor.update_trace, name="renamed", user_id="u", input=1)
        inside.run(stack.close)
    assert kept.parents() == {("root", None): 1, ("late", "root"): 1}
    assert interceptor.get_trace().user_id is None


@pytest.mark.parametrize("update", [interceptor.update_span, interceptor.update_trace])
def test_an_update_with_nothing_around_it_says_that_it_did_nothing(update, caplog):
    update(output=1)
    assert f"interceptor.{update.__name__} did nothing" in caplog.text


def test_a_span_of_somebody_else_in_between_hides_nothing():
    theirs = TracerProvider(shutdown_on_exit=False).get_tracer("theirs")
    with interceptor.span("ours"), theirs.start_as_current_span("theirs"):
        interceptor.update_span(output="found")
    assert kept.only().output == "found"


def test_the_last_trace_is_that_of_the_line_or_else_the_newest():
    with interceptor.span("first") as first:
        thread = threading.Thread(target=interceptor.observe(lambda: None))
        thread.start()
        thread.join()
        assert interceptor.last_trace_id() == first.trace_id
    assert interceptor.last_trace_id() != first.trace_id
    with interceptor.span("third") as third:
        pass
    assert interceptor.last_trace_id() == third.trace_id


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_tasks_that_start_each_other_for_ever_keep_nothing_of_those_before(anyio_backend):
    loop, done, alive = asyncio.get_running_loop(), asyncio.Event(), weakref.WeakSet()
    running = set()

    def start(left):
        task = loop.create_task(tick(left))
        running.add(task)
        task.add_done_callback(running.discard)

    async def tick(left):
        with interceptor.span("tick"):
            alive.add(surroundings.of(otel_context.get_current()).span)
            if left:
                start(left - 1)
            else:
                done.set()

    start(50)
    await done.wait()
    await asyncio.sleep(0)
    interceptor.flush()
    gc.collect()
    assert len(alive) < 5  # the first, which is the root of them all, and what is on its way
