"""`observe`: a function as a span, with what it was given and what it gave."""

import functools
import inspect
import sys
from collections.abc import AsyncGenerator, Callable, Generator
from contextvars import Token
from types import TracebackType
from typing import Any, NamedTuple, TypeVar, overload

from opentelemetry import context as otel_context
from opentelemetry.context import Context

from interceptor import surroundings
from interceptor.dialects import observed
from interceptor.dialects.observed import Kind
from interceptor.errors import ArgumentError, quoted
from interceptor.observer import Observed
from interceptor.observing._checks import check_text, to_content, to_kind
from interceptor.observing._values import Yielded, copied
from interceptor.observing.blocks import Contents, Kinds, begin, failed
from interceptor.quiet import report
from interceptor.settings import Content

__all__ = ["observe"]

F = TypeVar("F", bound=Callable[..., Any])

_RECEIVERS = ("self", "cls")
_TOOL_CALL_ID = "tool_call_id"


@overload
def observe(function: F, /) -> F: ...


@overload
def observe(
    *, name: str | None = None, kind: Kinds = "chain", content: Contents | None = None
) -> Callable[[F], F]: ...


def observe(
    function: Any = None,
    /,
    *,
    name: str | None = None,
    kind: Kinds = "chain",
    content: Contents | None = None,
) -> Any:
    """Record each call of a function as a span; what is called inside becomes its children.

    Use it bare, or with what you want to say: a `name` other than the function's own, what `kind`
    of thing it does, and `content="metadata"` where its words are to stay out whatever the
    settings say. For functions, methods, and generators, each sync or async. The function
    behaves as before: it gives the same objects, raises the same exceptions, and runs where it
    ran. A generator's span lasts until the generator ends; one that nobody starts has none. (Only
    this is different: a coroutine or a generator that is given wrong arguments says so when it
    first runs.)

    Arguments are copied before the function runs, the result when it has ended, a generator's
    items as they are yielded, and all of it is made into JSON later, on another thread. Copied are
    dictionaries, lists, and the fields of dataclasses, attrs classes, pydantic models and msgspec
    Structs: some thousand values a call, texts up to the limit of an attribute. Of anything else
    only the name of its class is kept. No iterator is consumed and no method of yours is called.
    `self` and `cls` are left out, and what is named like a secret is struck out.

    A tool's argument `tool_call_id` is taken as the id of the model's tool call; see `span`.
    Raises `ArgumentError` for an unknown kind or content, and for what is no function.
    """
    check_text("name", name)
    plan = functools.partial(_observed, name=name, kind=to_kind(kind), content=to_content(content))
    return plan if function is None else plan(function)


class _Plan(NamedTuple):
    """What is known of a function before it is called."""

    name: str
    kind: Kind
    content: Content | None
    parameters: tuple[str, ...]
    rest: str

    def begin(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Observed | None:
        """Begin a span of a call; None where nothing is recorded."""
        span = begin(self.name, self.kind, self.content)
        if span is None or not span.is_recording:
            return span
        try:
            given = self._given(args, kwargs)
            if self.kind is Kind.TOOL and type(given.get(_TOOL_CALL_ID)) is str:
                span.tool_call_id = given[_TOOL_CALL_ID]
            if given and span.has_words:
                span.input, span.size_bytes = copied(given, span.limit_bytes)
        except Exception as error:  # noqa: BLE001 - the edge: the function runs in any case
            report("the arguments of a function", error)
        return span

    def _given(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        """Give the arguments by their names, without the method's own object."""
        names = self.parameters
        given = dict(zip(names, args, strict=False))
        if len(args) > len(names):
            given[self.rest] = args[len(names) :]
        if names and names[0] in _RECEIVERS:
            given.pop(names[0], None)
        given.update(kwargs)
        return given


def _observed(function: Any, *, name: str | None, kind: Kind, content: Content | None) -> Any:
    if isinstance(function, classmethod | staticmethod):
        inner = _observed(function.__func__, name=name, kind=kind, content=content)
        return type(function)(inner)
    if isinstance(function, type) or not callable(function):
        hint = f"; for a name: observe(name={quoted(function)})" if type(function) is str else ""
        raise ArgumentError(
            f"observe takes a function or a method, and {quoted(function)} is none{hint}"
        )
    plan = _plan(function, name, kind, content)
    # An object with `__call__` is of the kind that its `__call__` is.
    called = function if inspect.isroutine(function) else getattr(function, "__call__", function)  # noqa: B004 - the method itself
    wrapper = _wrapper(function, called, plan)
    return functools.update_wrapper(wrapper, function)


def _wrapper(function: Any, called: Any, plan: _Plan) -> Any:
    for is_such, wrap in (
        (inspect.isasyncgenfunction, _async_generator),
        (inspect.isgeneratorfunction, _generator),
        (inspect.iscoroutinefunction, _coroutine),
    ):
        if is_such(function) or is_such(called):
            return wrap(function, plan)
    return _plain(function, plan)


def _plan(function: Any, name: str | None, kind: Kind, content: Content | None) -> _Plan:
    named = name or _own_name(function)
    parameters, rest = [], "args"
    for one in _parameters(function):
        if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD):
            parameters.append(one.name)
        elif one.kind is one.VAR_POSITIONAL:
            rest = one.name
    return _Plan(named, kind, content, tuple(parameters), rest)


def _own_name(function: Any) -> str:
    """Give a function's name as one would call it: with its class, without what it is nested in."""
    name = getattr(function, "__qualname__", None)
    if name is None:
        name = getattr(getattr(function, "func", type(function)), "__qualname__", "function")
    return str(name).rpartition("<locals>.")[2]


def _parameters(function: Any) -> list[inspect.Parameter]:
    try:
        return list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):  # a builtin that does not say
        return []


def _plain(function: Callable[..., Any], plan: _Plan) -> Callable[..., Any]:
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        span = plan.begin(args, kwargs)
        if span is None:
            return function(*args, **kwargs)
        token = otel_context.attach(span.context)
        try:
            result = function(*args, **kwargs)
        except BaseException as error:
            surroundings.leave(token)
            failed(span, error)
            raise
        surroundings.leave(token)
        _gave(span, result)
        return result

    return wrapper


def _coroutine(function: Callable[..., Any], plan: _Plan) -> Callable[..., Any]:
    async def wrapper(*args: Any, **kwargs: Any) -> Any:
        span = plan.begin(args, kwargs)
        if span is None:
            return await function(*args, **kwargs)
        token = otel_context.attach(span.context)
        try:
            result = await function(*args, **kwargs)
        except BaseException as error:
            surroundings.leave(token)
            failed(span, error)
            raise
        surroundings.leave(token)
        _gave(span, result)
        return result

    return wrapper


def _gave(span: Observed, result: Any) -> None:
    """End a span with what its function gave."""
    if span.has_words and span.output is observed.ABSENT:
        try:
            span.output, chars = copied(result, span.limit_bytes)
            span.size_bytes += chars
        except Exception as error:  # noqa: BLE001 - the edge: the caller gets the result
            report("the result of a function", error)
    span.end()


class _Steps:
    """A generator's span: current while the generator runs, and not while its reader does.

    What the generator itself makes current for longer than a step comes back with its next step,
    and its reader never sees it.
    """

    __slots__ = ("_context", "_span", "_token", "_yielded")

    _token: Token[Context]

    def __init__(self, span: Observed) -> None:
        self._span, self._context = span, span.context
        self._yielded = Yielded(span.limit_bytes)

    def __enter__(self) -> None:
        self._token = otel_context.attach(self._context)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            self._context = otel_context.get_current()
        surroundings.leave(self._token)

    def yielded(self, item: Any) -> None:
        """Take an item that goes to the reader."""
        if not self._span.has_words:
            return
        try:
            self._yielded.add(item)
        except Exception as error:  # noqa: BLE001 - the edge: the reader gets the item
            report("an item of a generator", error)

    def end(self, error: BaseException | None = None) -> None:
        """End the span; `error` is what left the generator."""
        span = self._span
        if span.has_words and span.output is observed.ABSENT:
            span.output = self._yielded.value()
            span.size_bytes += self._yielded.chars
        if error is None:
            span.end()
        else:
            failed(span, error)


class _Unrecorded:
    """In place of `_Steps` where nothing is recorded."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        pass

    def yielded(self, item: Any) -> None:
        """Let it go by."""

    def end(self, error: BaseException | None = None) -> None:
        """Do nothing."""


_UNRECORDED = _Unrecorded()


def _generator(
    function: Callable[..., Generator[Any, Any, Any]], plan: _Plan
) -> Callable[..., Generator[Any, Any, Any]]:
    def wrapper(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        span = plan.begin(args, kwargs)
        if span is None:
            return (yield from function(*args, **kwargs))
        steps = _Steps(span)
        try:
            result = yield from _stepped(function(*args, **kwargs), steps)
        except BaseException as error:
            steps.end(error)
            raise
        steps.end()
        return result

    return wrapper


def _stepped(inner: Generator[Any, Any, Any], steps: _Steps) -> Generator[Any, Any, Any]:
    """Pass on everything between a generator and its reader, as `yield from` does."""
    resume: Callable[[Any], Any] = inner.send
    given: Any = None
    while True:
        try:
            with steps:
                item = resume(given)
        except StopIteration as stop:
            return stop.value
        given = None  # an exception thrown in has been handled, and is not to be held on to
        steps.yielded(item)
        try:
            given = yield item
            resume = inner.send
        except GeneratorExit:
            with steps:
                inner.close()
            raise
        except BaseException as error:  # noqa: BLE001 - it is the generator's to handle
            resume, given = inner.throw, error


def _async_generator(
    function: Callable[..., AsyncGenerator[Any, Any]], plan: _Plan
) -> Callable[..., AsyncGenerator[Any, Any]]:
    async def wrapper(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        span = plan.begin(args, kwargs)
        steps = _UNRECORDED if span is None else _Steps(span)
        given: Any = None
        try:
            inner = function(*args, **kwargs)
            step = _first_step(inner)
            while True:
                try:
                    with steps:
                        item = await step
                except StopAsyncIteration:
                    break
                steps.yielded(item)
                try:
                    given = yield item
                    step = inner.asend(given)
                except GeneratorExit:
                    with steps:
                        await inner.aclose()
                    raise
                except BaseException as error:  # noqa: BLE001 - it is the generator's to handle
                    step = inner.athrow(error)
        except BaseException as error:
            steps.end(error)
            raise
        steps.end()

    return wrapper


def _first_step(inner: AsyncGenerator[Any, Any]) -> Any:
    """Give the first step of an async generator that only its wrapper is to know.

    An event loop closes every generator that it was told of, all at the same time when the loop
    ends. It is told of the wrapper, which closes this one.
    """
    hooks = sys.get_asyncgen_hooks()
    sys.set_asyncgen_hooks(None, None)
    try:
        return inner.asend(None)
    finally:
        sys.set_asyncgen_hooks(*hooks)
