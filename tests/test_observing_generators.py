"""What becomes of an observed generator: however it ends, its span ends then, and once."""

import asyncio
import contextlib
import contextvars
import gc
import logging

import anyio
import pytest
from opentelemetry import context as otel_context

import interceptor
from interceptor import observe
from tests import kept

pytestmark = pytest.mark.usefixtures("in_memory")


@pytest.fixture(autouse=True)
def nothing_is_logged(caplog):
    """In no test here may OpenTelemetry say that it failed to detach a context, nor we anything."""
    with caplog.at_level(logging.WARNING):
        yield
    assert not caplog.get_records("call")


class Letters:
    """Generators that say when they were left."""

    def __init__(self):
        self.left = []

    @observe(name="letters")
    def sync(self):
        try:
            yield "a"
            yield "b"
        except BaseException as error:
            self.left.append(type(error).__name__)
            raise
        self.left.append("end")

    @observe(name="letters")
    async def asynchronous(self):
        try:
            yield "a"
            await anyio.lowlevel.checkpoint()
            yield "b"
        except BaseException as error:
            self.left.append(type(error).__name__)
            with anyio.CancelScope(shield=True):
                await anyio.lowlevel.checkpoint()  # cleaning up takes a moment
            raise
        self.left.append("end")


END = object()


async def step(generator):
    """Take one item of a generator of either kind, or END."""
    return next(generator, END) if hasattr(generator, "__next__") else await anext(generator, END)


async def close(generator):
    return generator.close() if hasattr(generator, "close") else await generator.aclose()


either = pytest.mark.parametrize("form", ["sync", "asynchronous"])


@either
async def test_read_to_its_end(form):
    letters = Letters()
    generator = getattr(letters, form)()
    assert await step(generator) == "a"
    assert kept.traces() == []  # it goes on
    assert await step(generator) == "b"
    assert await step(generator) is END
    assert letters.left == ["end"]
    span = kept.only()
    assert (span.output, span.failed) == ("ab", False)
    assert "interceptor.completed" not in span.attributes


@either
async def test_closed_early(form):
    letters = Letters()
    generator = getattr(letters, form)()
    await step(generator)
    await close(generator)
    await close(generator)
    assert letters.left == ["GeneratorExit"]
    span = kept.only()
    assert (span.output, span.failed) == ("a", False)
    assert span.attributes["interceptor.completed"] is False


@either
async def test_never_started(form):
    letters = Letters()
    generator = getattr(letters, form)()
    await close(generator)
    del generator
    assert letters.left == []
    assert kept.traces() == []


async def test_collected():
    letters = Letters()
    generator = letters.sync()
    next(generator)
    del generator
    gc.collect()
    assert letters.left == ["GeneratorExit"]
    assert kept.only().attributes["interceptor.completed"] is False


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_collected_while_the_loop_runs(anyio_backend):
    letters = Letters()
    generator = letters.asynchronous()
    await anext(generator)
    del generator
    gc.collect()
    while not kept.traces():  # noqa: ASYNC110 - the loop closes it in a task of its own
        await asyncio.sleep(0)
    assert letters.left == ["GeneratorExit"]
    assert kept.only().attributes["interceptor.completed"] is False


def test_left_behind_when_the_loop_ends():
    letters = Letters()
    held = []

    async def main():
        held.append(letters.asynchronous())
        await anext(held[0])

    asyncio.run(main())  # closes all generators that it knows, all at the same time
    assert letters.left == ["GeneratorExit"]
    assert kept.only().attributes["interceptor.completed"] is False


def test_collected_where_no_loop_runs():
    @observe
    async def letters():
        yield "a"
        yield "b"

    generator = letters()
    with pytest.raises(StopIteration, match="a"):
        generator.__anext__().send(None)
    del generator
    gc.collect()
    assert kept.only().attributes["interceptor.completed"] is False


async def test_cancelled_while_it_waits():
    @observe
    async def waits():
        yield "a"
        await anyio.sleep_forever()

    with anyio.move_on_after(0.01) as scope:
        async for _ in waits():
            pass
    assert scope.cancelled_caught
    span = kept.only()
    assert (span.failed, span.output) == (True, "a")
    assert span.attributes["error.type"] in ("CancelledError", "Cancelled")


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_timed_out_inside(anyio_backend):
    @observe
    async def waits():
        yield "a"
        async with asyncio.timeout(0.01):
            await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        async for _ in waits():
            pass
    assert kept.only().attributes["error.type"] == "TimeoutError"


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_timeout_that_lasts_over_items_still_holds(anyio_backend):
    @observe
    async def waits():
        async with asyncio.timeout(0.01):
            yield "a"
            await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        async for _ in waits():
            pass


@either
async def test_an_exception_after_the_last_item(form):
    @observe
    def sync():
        yield "a"
        raise LookupError("late")

    @observe
    async def asynchronous():
        yield "a"
        raise LookupError("late")

    generator = {"sync": sync, "asynchronous": asynchronous}[form]()
    assert await step(generator) == "a"
    with pytest.raises(LookupError):
        await step(generator)
    span = kept.only()
    assert (span.failed, span.output, span.status_message) == (True, "a", "late")


def test_what_is_sent_and_thrown_reaches_it_and_what_it_returns_comes_back():
    def bare():
        heard = []
        while len(heard) < 3:
            try:
                heard.append((yield len(heard)))
            except LookupError as error:
                heard.append(error)
        return heard

    observed = observe(bare)()
    error = LookupError()
    assert next(observed) == 0
    assert observed.send("first") == 1
    assert observed.throw(error) == 2
    with pytest.raises(StopIteration) as stopped:
        next(observed)
    assert stopped.value.value == ["first", error, None]
    span = kept.only()
    assert (span.output, span.failed) == ([0, 1, 2], False)


async def test_what_is_sent_and_thrown_reaches_an_async_one():
    heard = []

    @observe
    async def listens():
        while len(heard) < 3:
            try:
                heard.append((yield len(heard)))
            except LookupError as error:
                heard.append(error)

    observed, error = listens(), LookupError()
    assert await anext(observed) == 0
    assert await observed.asend("first") == 1
    assert await observed.athrow(error) == 2
    with pytest.raises(StopAsyncIteration):
        await anext(observed)
    assert heard == ["first", error, None]
    assert not kept.only().failed


def test_an_exception_thrown_in_is_let_go_of():
    class Heavy(LookupError):  # noqa: N818 - it is not an error here
        alive = 0

        def __init__(self):
            Heavy.alive += 1

        def __del__(self):
            Heavy.alive -= 1

    @observe
    def patient():
        while True:
            with contextlib.suppress(LookupError):
                yield

    generator = patient()
    next(generator)
    generator.throw(Heavy())
    gc.collect()
    assert Heavy.alive == 0
    generator.close()


def test_one_that_will_not_close_is_told_off_as_before():
    @observe
    def stubborn():
        with contextlib.suppress(GeneratorExit):
            yield
        yield

    generator = stubborn()
    next(generator)
    with pytest.raises(RuntimeError, match="generator ignored GeneratorExit"):
        generator.close()


@either
async def test_calls_inside_are_its_children_and_those_of_its_reader_are_not(form):
    @observe
    def inner():
        pass

    @observe
    def sync():
        inner()
        yield 1
        inner()
        yield 2

    @observe
    async def asynchronous():
        inner()
        yield 1
        await anyio.lowlevel.checkpoint()
        inner()
        yield 2

    @observe
    def between():
        pass

    generator = {"sync": sync, "asynchronous": asynchronous}[form]()
    await step(generator)
    between()
    await step(generator)
    await close(generator)
    assert kept.parents() == {("inner", form): 2, (form, None): 1, ("between", None): 1}


@either
async def test_generators_read_in_turns_do_not_mix(form):
    @observe
    def inner(number):
        pass

    @observe
    def sync(number):
        for _ in range(3):
            inner(number)
            yield

    @observe
    async def asynchronous(number):
        for _ in range(3):
            await anyio.lowlevel.checkpoint()
            inner(number)
            yield

    make = {"sync": sync, "asynchronous": asynchronous}[form]
    both = [make(1), make(2)]
    for generator in both * 3:
        await step(generator)
    for generator in reversed(both):
        await close(generator)
    for trace in kept.traces():
        assert {span.input["number"] for span in trace.spans} in ({1}, {2})
        assert len(trace.spans) == 4


def test_what_the_generator_makes_current_for_long_stays_its_own():
    @observe
    def holds():
        with interceptor.span("held"):
            yield otel_context.get_current()
            yield otel_context.get_current()

    before = otel_context.get_current()
    generator = holds()
    first = next(generator)
    assert otel_context.get_current() is before
    assert next(generator) is first
    assert list(generator) == []
    assert otel_context.get_current() is before
    assert kept.tree(interceptor.get_trace()) == ["holds", "  held"]


def test_a_block_inside_a_bare_generator_can_be_left_from_anywhere():
    def bare():
        with interceptor.span("held"), interceptor.context(user_id="u"):
            yield

    generator = bare()
    contextvars.copy_context().run(next, generator)
    generator.close()
    assert kept.only().attributes["interceptor.completed"] is False


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_an_async_one_may_be_read_by_one_task_and_closed_by_another(anyio_backend):
    @observe
    async def held():
        with interceptor.span("held"), interceptor.context(user_id="u"):
            yield 1

    generator = held()

    async def read():
        return await anext(generator)

    assert await asyncio.create_task(read()) == 1
    before = otel_context.get_current()
    await asyncio.create_task(generator.aclose())
    assert otel_context.get_current() is before
    assert kept.tree(interceptor.get_trace()) == ["held", "  held"]


def test_its_arguments_are_those_of_the_call():
    assert list(observe(lambda first, second: (yield first + second))(1, second=2)) == [3]
    assert kept.only().input == {"first": 1, "second": 2}


def test_memory_stays_bounded_however_much_it_yields():
    interceptor.configure(destinations=(), content="full", attribute_limit_kb=1)

    @observe
    def endless():
        for number in range(200_000):
            yield f"{number:08d}"

    assert sum(1 for _ in endless()) == 200_000
    output = kept.only().output
    assert output.startswith("0000000000000001")
    assert len(output) < 1100
    assert output.endswith("more]")


def test_items_that_are_no_text_are_a_list():
    @observe
    def many():
        yield {"part": 1}
        yield None
        yield "two"

    list(many())
    assert kept.only().output == [{"part": 1}, None, "two"]


def test_texts_are_joined_and_none_among_them_left_out():
    @observe
    def deltas():
        yield from ("The ", None, "sea", "")

    list(deltas())
    assert kept.only().output == "The sea"


def test_a_generator_of_nothing_gave_nothing():
    list(observe(lambda: (yield from ()))())
    assert kept.only().output == []
