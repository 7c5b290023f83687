"""What the type checker says of spans around calls. It reads this file, and nobody runs it.

Each `type: ignore` is an error that must be one: where it is none, mypy says that the comment is
not needed.
"""

import datetime as dt
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Executor, Future
from typing import Any, Literal, assert_type, overload

import interceptor
from interceptor.record import Record, Usage
from interceptor.store import Span


@interceptor.observe
def plain(number: int, /, *more: str, times: int = 2) -> str:
    return str(number * times)


@interceptor.observe(name="other", kind="tool", content="metadata")
async def coroutine(number: int) -> str:
    return str(number)


@interceptor.observe
def generator(number: int) -> Iterator[str]:
    yield str(number)


@interceptor.observe(kind="agent")
async def async_generator(number: int) -> AsyncIterator[str]:
    yield str(number)


class Shop:
    @interceptor.observe
    def method(self, item: str) -> int:
        return len(item)

    @classmethod
    @interceptor.observe
    def of_class(cls, item: str) -> "Shop":
        return cls()

    @staticmethod
    @interceptor.observe
    def static(item: str) -> int:
        return len(item)


@overload
def two(value: int) -> int: ...
@overload
def two(value: str) -> str: ...
@interceptor.observe
def two(value: int | str) -> int | str:
    return value


async def a_function_keeps_its_type() -> None:
    assert_type(plain(1, "a", times=3), str)
    assert_type(await coroutine(1), str)
    assert_type(generator(1), Iterator[str])
    assert_type(async_generator(1), AsyncIterator[str])
    assert_type(Shop().method("tea"), int)
    assert_type(Shop.of_class("tea"), Shop)
    assert_type(Shop.static("tea"), int)
    assert_type(two(1), int)
    assert_type(two("1"), str)
    typed: Callable[[int], Iterator[str]] = generator
    typed(1)


async def wrong_arguments_are_errors() -> None:
    plain("a")  # type: ignore[arg-type]
    plain(1, times="3")  # type: ignore[arg-type]
    await coroutine()  # type: ignore[call-arg]
    Shop().method(1)  # type: ignore[arg-type]
    interceptor.observe(kind="tol")  # type: ignore[call-overload]
    interceptor.observe(content="none")  # type: ignore[call-overload]
    interceptor.observe(5)  # type: ignore[call-overload]


def blocks() -> None:
    with interceptor.span("it", kind="retriever", tool_call_id="c1") as span:
        span.set_input({"any": "thing"})
        span.set(rows=3)
        span.event("found", rows=3)
        span.fail(LookupError())
        assert_type(span.trace_id, str | None)
    with interceptor.span("it", kind="tol"):  # type: ignore[arg-type]
        pass
    with interceptor.context(session_id="s", user_id="u", tags=["a"], metadata={"a": 1}):
        interceptor.update_span(input=1, output=2, model="m", usage={"input_tokens": 1})
        interceptor.update_trace(name="n", user_id="u", tags="a")


def threads() -> None:
    pool: Executor = interceptor.ContextThreadPoolExecutor(2)
    assert_type(pool.submit(plain, 1, times=3), Future[str])
    pool.submit(plain, "a")  # type: ignore[arg-type]


def reading_back() -> None:
    trace = interceptor.get_trace(interceptor.last_trace_id())
    assert_type(trace, interceptor.Trace)
    assert_type(trace.token_usage, Usage)
    assert_type(trace.token_usage.input_tokens, int | None)
    assert_type(trace.duration, float | None)
    assert_type(trace.find("chat *"), tuple[Span, ...])
    assert_type(trace.spans[0].usage, Usage | None)
    assert_type(trace.spans[0].output, Any)
    assert_type(interceptor.search(status="error", limit=3), list[interceptor.Trace])
    interceptor.search(since="1h", until=dt.timedelta(minutes=1))
    interceptor.search(since=dt.datetime.now(), until=dt.date(2026, 11, 21))  # noqa: DTZ005
    interceptor.search(since=5)  # type: ignore[arg-type]
    trace.spans = ()  # type: ignore[misc]
    interceptor.score("helpful", 0.5)
    interceptor.score("helpful", "good", trace_id=trace.trace_id, comment="short")
    interceptor.score("helpful", None)  # type: ignore[arg-type]


def testing() -> None:
    with interceptor.testing.recorded() as records:
        assert_type(records, list[Record])


Kind = Literal["chain", "agent", "tool", "retriever", "llm"]


def a_kind_may_be_a_variable(kind: Kind) -> None:
    with interceptor.span("it", kind=kind):
        pass
