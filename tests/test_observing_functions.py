"""A function with `@observe` does what it did without, and its calls are spans."""

import asyncio
import contextvars
import functools
import inspect
import logging
import os
import pickle
import threading

import anyio
import pytest
from opentelemetry import context as otel_context
from opentelemetry import trace as otel_trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

import interceptor
from interceptor import observe
from interceptor.errors import ArgumentError, InterceptorError
from tests import kept

pytestmark = pytest.mark.usefixtures("in_memory")


@pytest.fixture(autouse=True)
def what_is_logged_again(caplog):
    """The log has a mistake as a warning once, and for debugging after that."""
    caplog.set_level(logging.DEBUG, "interceptor")


def double(number, /, *more, times=2, **rest):
    """Give a number twice."""
    return number * times, more, rest


async def adouble(number, /, *more, times=2, **rest):
    """Give a number twice."""
    await anyio.lowlevel.checkpoint()
    return number * times, more, rest


def doubles(number, /, *more, times=2, **rest):
    """Give a number twice."""
    yield number * times
    yield more
    yield rest


async def adoubles(number, /, *more, times=2, **rest):
    """Give a number twice."""
    yield number * times
    await anyio.lowlevel.checkpoint()
    yield more
    yield rest


FUNCTIONS = (double, adouble, doubles, adoubles)
each = pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)


async def run(function, *args, **kwargs):
    """Call a function of any of the four kinds; give its result, or the list of its items."""
    made = function(*args, **kwargs)
    if inspect.isasyncgen(made):
        return [item async for item in made]
    if inspect.isgenerator(made):
        return list(made)
    return await made if inspect.isawaitable(made) else made


@each
async def test_it_gives_what_it_gave(function):
    bare = await run(function, 3, 4, times=5, other=6)
    assert await run(observe(function), 3, 4, times=5, other=6) == bare
    assert kept.only().name == function.__name__


@each
def test_it_is_of_the_kind_that_it_was(function):
    observed = observe(function)
    for is_such in (
        inspect.isfunction,
        inspect.iscoroutinefunction,
        inspect.isgeneratorfunction,
        inspect.isasyncgenfunction,
        asyncio.iscoroutinefunction,
    ):
        assert is_such(observed) == is_such(function)
    assert inspect.signature(observed) == inspect.signature(function)
    assert (observed.__name__, observed.__doc__) == (function.__name__, function.__doc__)
    assert observed.__module__ == function.__module__
    assert observed.__wrapped__ is function


@each
async def test_wrong_arguments_raise_what_they_raised(function):
    with pytest.raises(TypeError) as bare:
        await run(function)
    with pytest.raises(TypeError) as observed:
        await run(observe(function))
    assert str(observed.value) == str(bare.value)


class Failed(Exception):  # noqa: N818 - a test reads better so
    """Raised by the functions of a test."""


def fails():
    raise Failed("no")


async def afails():
    await anyio.lowlevel.checkpoint()
    raise Failed("no")


def fails_late():
    yield 1
    raise Failed("no")


async def afails_late():
    yield 1
    raise Failed("no")


@pytest.mark.parametrize("function", [fails, afails, fails_late, afails_late])
async def test_an_exception_is_the_same_and_is_recorded(function):
    with pytest.raises(Failed) as caught:
        await run(observe(function))
    assert caught.value.__traceback__.tb_next is not None
    span = kept.only()
    assert (span.failed, span.status_message) == (True, "no")
    assert span.attributes["error.type"] == "Failed"


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_what_is_no_exception_is_recorded_too(error):
    @observe
    def leave():
        raise error

    with pytest.raises(error):
        leave()
    assert kept.only().attributes["error.type"] == error.__name__


def test_an_exception_that_cannot_say_what_it_is_goes_by():
    class MuteError(Exception):
        def __str__(self):
            raise RuntimeError("not even that")

    @observe
    def leave():
        raise MuteError

    with pytest.raises(MuteError):
        leave()
    span = kept.only()
    assert span.attributes["error.type"].endswith("MuteError")
    assert span.status_message is None


class Shop:
    """Methods of every kind."""

    name = "shop"

    @observe
    def method(self, item):
        return self.name, item

    @observe
    async def amethod(self, item):
        return self.name, item

    @observe
    def items(self, item):
        yield self.name
        yield item

    @classmethod
    @observe
    def of_class(cls, item):
        return cls.name, item

    @observe
    @classmethod
    def of_class_outside(cls, item):
        return cls.name, item

    @staticmethod
    @observe
    def static(item):
        return "shop", item

    @observe
    @staticmethod
    def static_outside(item):
        return "shop", item

    @observe(name="called")
    def __call__(self, item):
        return self.name, item


METHODS = (
    "method",
    "amethod",
    "items",
    "of_class",
    "of_class_outside",
    "static",
    "static_outside",
    "__call__",
)


@pytest.mark.parametrize("name", METHODS)
async def test_methods(name):
    assert tuple(await run(getattr(Shop(), name), "tea")) == ("shop", "tea")
    span = kept.only()
    assert span.name == ("called" if name == "__call__" else f"Shop.{name}")
    assert span.input == {"item": "tea"}  # neither self nor cls


@pytest.mark.parametrize("name", ["of_class", "of_class_outside", "static", "static_outside"])
def test_methods_of_a_class_need_no_object(name):
    class Corner(Shop):
        name = "shop"

    assert getattr(Corner, name)("tea") == ("shop", "tea")


observed_double = observe(double)


@observe
def at_the_top(number):
    return number


def test_what_could_be_pickled_still_can():
    assert pickle.loads(pickle.dumps(at_the_top)) is at_the_top  # noqa: S301 - our own
    method = pickle.loads(pickle.dumps(Shop().method))  # noqa: S301 - our own
    assert method("tea") == ("shop", "tea")


def test_a_partial_and_an_object_that_is_called_are_functions_too():
    class Adder:
        def __call__(self, number):
            return number + 1

    class Waiter:
        async def __call__(self, number):
            return number + 1

    assert observe(functools.partial(double, 1))(times=3)[0] == 3
    assert observe(Adder())(1) == 2
    assert asyncio.run(observe(Waiter())(1)) == 2
    assert observe(functools.partial(adouble, 1)).__wrapped__.func is adouble
    assert observe(max)(1, 2) == 2
    assert [span.name for span in kept.spans()] == ["double", "Adder", "Waiter", "max"]


@pytest.mark.parametrize("given", [Shop, 5, None.__class__])
def test_what_is_no_function_is_refused(given):
    with pytest.raises(InterceptorError, match=r"takes a function or a method, and .* is none$"):
        observe(given)


def test_a_name_is_said_by_its_keyword_and_is_text():
    with pytest.raises(ArgumentError, match=r"'it' is none; for a name: observe\(name='it'\)$"):
        observe("it")
    with pytest.raises(ArgumentError, match="name is 5; use text"):
        observe(name=5)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"kind": "tol"}, "use one of: chain, agent, tool, retriever, llm"),
        ({"content": "none"}, "use one of: full, metadata"),
    ],
    ids=["kind", "content"],
)
def test_unknown_words_are_refused_when_the_function_is_made(given, said):
    with pytest.raises(InterceptorError, match=said):
        observe(**given)


KINDS = {
    "chain": ("invoke_workflow", "gen_ai.workflow.name"),
    "agent": ("invoke_agent", "gen_ai.agent.name"),
    "tool": ("execute_tool", "gen_ai.tool.name"),
    "retriever": ("retrieval", None),
    "llm": ("chat", None),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_says_what_it_is_for(kind):
    observe(name="it", kind=kind)(lambda: None)()
    span = kept.only()
    operation, name = KINDS[kind]
    assert span.attributes["gen_ai.operation.name"] == operation
    assert name is None or span.attributes[name] == "it"
    assert (span.name, span.kind) == ("it", "internal")
    assert interceptor.get_trace().find(kind=kind) == (span,)


def test_recursion_nests():
    @observe
    def factorial(n):
        return n * factorial(n - 1) if n else 1

    assert factorial(5) == 120
    assert kept.tree(interceptor.get_trace()) == [f"{'  ' * depth}factorial" for depth in range(6)]


async def test_nested_tasks_have_the_parent_that_started_them():
    @observe
    async def leaf(number):
        await anyio.lowlevel.checkpoint()
        return number

    @observe
    async def branch(number):
        async with anyio.create_task_group() as tasks:
            for one in range(3):
                tasks.start_soon(leaf, 10 * number + one)

    @observe
    async def root():
        async with anyio.create_task_group() as tasks:
            for one in range(3):
                tasks.start_soon(branch, one)

    await root()
    spans = {span.span_id: span for span in interceptor.get_trace().spans}
    assert len(spans) == 1 + 3 + 9
    for span in spans.values():
        if span.name.endswith("leaf"):
            assert spans[span.parent_id].input["number"] == span.input["number"] // 10
    assert kept.parents()["branch", "root"] == 3


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_thousand_coroutines_at_once_keep_their_parents(anyio_backend):
    @observe
    async def inner(number):
        for _ in range(number % 5):
            await asyncio.sleep(0)
        return number

    @observe
    async def outer(number):
        await asyncio.sleep(0)
        assert await inner(number) == number

    await asyncio.gather(*map(outer, range(1000)))
    spans = {span.span_id: span for span in kept.spans()}
    inners = [span for span in spans.values() if span.name == "inner"]
    assert len(inners) == len(spans) / 2 == 1000
    assert all(span.input == spans[span.parent_id].input for span in inners)


def test_threads_of_their_own_begin_traces_of_their_own():
    @observe
    def work(number):
        return number

    @observe
    def root():
        threads = [threading.Thread(target=work, args=(one,)) for one in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    root()
    assert kept.parents() == {("work", None): 8, ("root", None): 1}


def test_threads_that_copy_the_context_go_on_with_the_trace():
    @observe
    def work(number):
        return number

    @observe
    def root():
        inside = contextvars.copy_context()
        thread = threading.Thread(target=inside.run, args=(work, 1))
        thread.start()
        thread.join()

    root()
    assert kept.tree(interceptor.get_trace()) == ["root", "  work"]


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_timeout_holds_inside(anyio_backend):
    @observe
    async def slow():
        async with asyncio.timeout(0.01):
            await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        await slow()
    assert kept.only().attributes["error.type"] == "TimeoutError"


async def test_a_timeout_holds_around_it():
    @observe
    async def slow():
        await anyio.sleep_forever()

    with anyio.move_on_after(0.01) as scope:
        await slow()
    assert scope.cancelled_caught
    assert kept.only().attributes["error.type"] in ("CancelledError", "Cancelled")


async def test_it_runs_in_the_task_and_context_of_its_caller():
    variable = contextvars.ContextVar("variable")

    @observe
    async def remember():
        variable.set("seen")
        return anyio.get_current_task().id

    assert await remember() == anyio.get_current_task().id
    assert variable.get() == "seen"


def test_nothing_is_current_any_more_after_it():
    before = otel_context.get_current()
    observe(lambda: None)()
    with pytest.raises(Failed):
        observe(fails)()
    assert otel_context.get_current() is before


def test_its_span_is_current_for_other_instrumentation():
    @observe
    def work():
        return otel_trace.get_current_span().get_span_context().span_id

    assert f"{work():016x}" == kept.only().span_id


def test_a_coroutine_that_nobody_awaits_is_said_to_be_so_and_has_no_span():
    made = observe(adouble)(1)
    with pytest.warns(RuntimeWarning, match="coroutine 'adouble' was never awaited"):
        del made
    assert kept.traces() == []


class Stream:
    """A stream as the SDK gives it: to be read once, and closed by `with`."""

    def __init__(self, items):
        self.items, self.closed = iter(items), False

    def __iter__(self):
        return self.items

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.closed = True


STREAMS = {
    "a stream": lambda: Stream("ab"),
    "an iterator": lambda: iter("ab"),
    "a generator": lambda: (letter for letter in "ab"),
    "a map": lambda: map(str.lower, "AB"),
}


@pytest.mark.parametrize("make", STREAMS.values(), ids=STREAMS)
def test_a_stream_that_is_returned_is_that_very_object_unread(make):
    made = make()
    got = observe(lambda: made)()
    assert got is made
    assert list(got) == ["a", "b"]
    assert kept.only().output.startswith("<")


def test_a_returned_stream_can_be_closed_by_with():
    with observe(lambda: Stream("ab"))() as stream:
        assert list(stream) == ["a", "b"]
    assert stream.closed


def test_arguments_are_those_that_were_given_before_the_function_ran():
    @observe
    def spend(purse):
        purse.clear()
        return purse

    spend({"coins": [1, 2]})
    span = kept.only()
    assert (span.input, span.output) == ({"purse": {"coins": [1, 2]}}, {})


def test_arguments_have_the_names_of_the_parameters():
    @observe
    def many(first, second=2, *others, third=3, **rest):
        pass

    many(1, 2, 3, 4, third=5, fourth=6)
    assert kept.only().input == {"first": 1, "second": 2, "others": [3, 4], "third": 5, "fourth": 6}


def test_a_function_without_arguments_has_no_input_and_one_that_gives_none_an_output():
    observe(lambda: None)()
    span = kept.only()
    assert "input.value" not in span.attributes
    assert span.attributes["output.value"] == "null"


def test_a_mistake_of_ours_in_an_argument_is_logged_and_goes_by(caplog):
    changing = {"first": 1}
    changing["second"] = Changing(changing)
    assert observe(lambda given: given)(changing) is changing
    span = kept.only()
    assert (span.name, span.input) == ("<lambda>", None)
    assert "the arguments of a function was lost" in caplog.text


class BrokenProvider(otel_trace.TracerProvider):
    """Somebody's provider, whose tracer cannot be had."""

    def get_tracer(self, *args, **kwargs):
        raise RuntimeError("out of order")


async def test_a_provider_that_breaks_is_logged_and_goes_by(caplog):
    interceptor.configure(destinations=(), tracer_provider=BrokenProvider())
    for function in FUNCTIONS:
        assert await run(observe(function), 3, 4) == await run(function, 3, 4)
    with interceptor.span("it") as span:
        assert span.trace_id is None
    assert "a span was lost" in caplog.text


async def test_a_mistake_of_ours_in_a_result_or_an_item_is_logged_and_goes_by(caplog):
    changing = {"first": 1}
    changing["second"] = Changing(changing)
    for function in (lambda: changing, lambda: (yield changing)):
        await run(observe(function))
    assert "the result of a function was lost" in caplog.text
    assert "an item of a generator was lost" in caplog.text


class Changing:
    """An array whose shape changes the dictionary that it is in."""

    dtype = "odd"

    def __init__(self, holder):
        self.holder = holder

    @property
    def shape(self):
        self.holder[str(len(self.holder))] = 1
        return (1,)


async def test_off_is_off():
    interceptor.configure(on=False)
    for function in FUNCTIONS:
        assert await run(observe(function), 3, 4) == await run(function, 3, 4)
    with pytest.raises(Failed):
        observe(fails)()
    interceptor.configure(destinations=())
    assert kept.traces() == []


async def test_what_is_not_sampled_runs_without_a_span():
    provider = TracerProvider(sampler=ALWAYS_OFF, shutdown_on_exit=False)
    interceptor.configure(destinations=(), tracer_provider=provider)
    for function in FUNCTIONS:
        assert await run(observe(function), 3, 4) == await run(function, 3, 4)
    assert kept.traces() == []


def test_a_child_of_a_fork_does_not_end_what_its_parent_began():
    @observe
    def root():
        child = os.fork()
        if child:
            os.waitpid(child, 0)
            return "parent"
        try:
            observe(lambda: None)()
        finally:
            return "child"  # noqa: B012 - as a program forks that goes on in both

    if root() == "child":
        interceptor.flush()
        os._exit(len(kept.traces()))
    assert kept.tree(interceptor.get_trace()) == ["root"]
