"""Blocks as spans, what can be said of them, and of the span and the trace around a line."""

import asyncio
import contextlib
import contextvars
import gc
import threading
import weakref

import pytest
from opentelemetry import context as otel_context
from opentelemetry.sdk.trace import TracerProvider

import interceptor
from interceptor import surroundings
from interceptor.errors import InterceptorError
from tests import kept

pytestmark = pytest.mark.usefixtures("in_memory")


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


def test_what_is_said_after_the_end_is_not_recorded(caplog):
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
    assert not caplog.records


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


def test_an_unknown_kind_is_refused():
    with (
        pytest.raises(InterceptorError, match="kind is 'tol'; use one of: chain"),
        interceptor.span("it", kind="tol"),
    ):
        pass


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
