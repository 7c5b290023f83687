"""The Responses API: items in, items out; a stream of many events whose last holds the answer."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec

from interceptor.record import (
    Answer,
    Failure,
    Input,
    Message,
    Output,
    Part,
    Text,
    ToolCall,
    ToolResult,
)
from interceptor.wire import _content, chat
from interceptor.wire._usage import to_usage
from interceptor.wire.errors import texts
from interceptor.wire.notes import Notes
from interceptor.wire.parsing import parse, said, text_of

__all__ = [
    "CONTENT",
    "Count",
    "Event",
    "Request",
    "Response",
    "fold",
    "has_content",
    "is_last",
    "to_answer",
    "to_count",
    "to_input",
    "to_model",
]

CONTENT = frozenset({"input", "instructions", "tools"})
"""The members of a request that are no parameters, but what the parameters are for."""

_FAILED = "response.failed"


class Item(msgspec.Struct, kw_only=True, gc=False):
    """A message, a call, a call's result or a thought; which fields are set depends on `type`."""

    type: str | None = None
    role: str | None = None
    content: _content.Content = None
    summary: tuple[_content.Chunk, ...] | None = None
    call_id: str | None = None
    name: str | None = None
    arguments: Any = None
    output: _content.Content = None


class Request(msgspec.Struct, kw_only=True, gc=False):
    """What a response is asked for."""

    model: str | None = None
    input: msgspec.Raw = msgspec.Raw()
    instructions: str | None = None
    max_output_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    stream: bool | None = None
    reasoning: Any = None
    text: Any = None
    tools: msgspec.Raw = msgspec.Raw()


class _Error(msgspec.Struct, kw_only=True, gc=False):
    code: Any = None
    message: Any = None


class _Incomplete(msgspec.Struct, kw_only=True, gc=False):
    reason: str | None = None


class Response(msgspec.Struct, kw_only=True, gc=False):
    """The answer: its items in order, and how it ended."""

    id: str | None = None
    model: str | None = None
    status: str | None = None
    output: tuple[Item, ...] | None = None
    incomplete_details: _Incomplete | None = None
    error: _Error | None = None
    service_tier: str | None = None
    usage: msgspec.Raw = msgspec.Raw()


class Event(msgspec.Struct, kw_only=True, gc=False):
    """One event of a streamed answer; which fields are set depends on `type`."""

    type: str | None = None
    output_index: int = 0
    content_index: int = 0
    response: Response | None = None
    item: Item | None = None
    part: _content.Chunk | None = None
    delta: str | None = None
    text: str | None = None
    name: str | None = None
    arguments: str | None = None


class Count(msgspec.Struct, kw_only=True, gc=False):
    """The answer of `responses/input_tokens`: how many tokens an input would be."""

    input_tokens: int | None = None


def to_input(request: Request, notes: Notes) -> Input:
    """Give what was asked."""
    effort = request.reasoning.get("effort") if isinstance(request.reasoning, dict) else None
    text_format = request.text.get("format") if isinstance(request.text, dict) else None
    return Input(
        model=request.model,
        temperature=request.temperature,
        top_p=request.top_p,
        max_tokens=request.max_output_tokens,
        stream=bool(request.stream),
        reasoning_level=effort if isinstance(effort, str) else None,
        output_type=chat.output_type(text_format),
        messages=tuple(_asked(request.input, notes)),
        system=(Text(request.instructions),) if request.instructions else (),
        tools=said(request.tools),
    )


def to_model(request: Request, notes: Notes) -> Input:  # noqa: ARG001 - the table's signature
    """Give the model alone: what is only counted is not kept."""
    return Input(model=request.model)


def to_answer(response: Response, notes: Notes) -> Answer:
    """Give what was answered, as one message. Why it is incomplete is its finish reason."""
    parts = tuple(part for item in response.output or () for part in _parts(item))
    reason = (response.incomplete_details or _Incomplete()).reason
    return Answer(
        output=Output(
            id=response.id,
            model=response.model,
            messages=(Message(role="assistant", parts=parts, finish_reason=reason),)
            if parts
            else (),
            finish_reasons=(reason,) if reason else (),
            facts={"status": response.status} if response.status else {},
        ),
        usage=_tiered(response, notes),
        failure=_failure(response),
    )


def to_count(count: Count, notes: Notes) -> Answer:  # noqa: ARG001 - the table's signature
    """Give a count of tokens that nobody has used: a fact, not usage."""
    tokens = count.input_tokens
    return Answer(output=Output(facts={} if tokens is None else {"input_tokens": tokens}))


def fold(events: Iterable[Event], notes: Notes) -> Response:
    """Merge a stream into the response the server would have sent unstreamed.

    The last event holds it whole. Where a stream ends before, the items are put together from
    what came of them: the last word on each part of an item is the one that holds.
    """
    whole = Response()
    items = _Items()
    for event in events:
        whole = event.response or whole
        if change := _CHANGES.get(event.type or ""):
            change(items, event)
        elif event.response is None:
            notes.add(f"event {event.type!r}: not known, skipped")
    if not whole.output:
        whole.output = items.whole()
    return whole


def has_content(event: Event) -> bool:
    """Tell whether an event carries something of the answer."""
    return bool(event.delta)


def is_last(event: Event) -> bool:
    """Tell whether an event ends the answer."""
    return event.type in ("response.completed", "response.incomplete", _FAILED)


class _Items:
    """The items of a stream as they come: whole ones, and the texts of those in progress."""

    def __init__(self) -> None:
        self._items: dict[int, Item] = {}
        self._parts: dict[int, dict[int, _content.Chunk]] = {}
        self._texts: dict[tuple[int, int], list[str]] = {}
        self._arguments: dict[int, list[str]] = {}

    def begin(self, event: Event) -> None:
        """Take an item as it stands when it opens."""
        self._items[event.output_index] = event.item or Item()

    def complete(self, event: Event) -> None:
        """Take an item as it stands in the end, in place of what came of it."""
        self.begin(event)
        self._parts.pop(event.output_index, None)
        self._arguments.pop(event.output_index, None)

    def put_part(self, event: Event) -> None:
        """Take a part as it stands now."""
        part = event.part or _content.Chunk()
        self._parts.setdefault(event.output_index, {})[event.content_index] = part
        self._texts[event.output_index, event.content_index] = [part.text or ""]

    def put_text(self, event: Event) -> None:
        """Take the whole text of a part."""
        self._texts_of(event)[:] = [event.text or ""]

    def add_text(self, event: Event) -> None:
        """Take more text of a part."""
        self._texts_of(event).append(event.delta or "")

    def put_arguments(self, event: Event) -> None:
        """Take the whole arguments of a call, and its name where no event has told it."""
        item = self._items.setdefault(event.output_index, Item())
        item.name = item.name or event.name
        self._arguments[event.output_index] = [event.arguments or ""]

    def add_arguments(self, event: Event) -> None:
        """Take more of the arguments of a call."""
        self._arguments.setdefault(event.output_index, []).append(event.delta or "")

    def whole(self) -> tuple[Item, ...]:
        """Give the items in their order."""
        indexes = sorted({*self._items, *self._parts, *self._arguments})
        return tuple(self._item(index) for index in indexes)

    def _texts_of(self, event: Event) -> list[str]:
        """Give the texts of an event's part, which is opened where no event has done so."""
        kind = "reasoning_text" if "reasoning" in (event.type or "") else "output_text"
        parts = self._parts.setdefault(event.output_index, {})
        parts.setdefault(event.content_index, _content.Chunk(type=kind))
        return self._texts.setdefault((event.output_index, event.content_index), [])

    def _item(self, index: int) -> Item:
        item = self._items.get(index) or Item()
        parts = self._parts.get(index, {})
        for at, part in parts.items():
            part.text = "".join(self._texts[index, at]) or part.text
        if parts:
            item.content = tuple(parts[at] for at in sorted(parts))
        if arguments := self._arguments.get(index):
            item.type, item.arguments = "function_call", "".join(arguments)
        return item


def _nothing(items: _Items, event: Event) -> None:
    """The stream's own error, which is read as one before it comes here."""


_CHANGES: dict[str, Callable[[_Items, Event], None]] = {
    "response.output_item.added": _Items.begin,
    "response.output_item.done": _Items.complete,
    "response.content_part.added": _Items.put_part,
    "response.content_part.done": _Items.put_part,
    "response.output_text.delta": _Items.add_text,
    "response.output_text.done": _Items.put_text,
    "response.reasoning_text.delta": _Items.add_text,
    "response.reasoning_text.done": _Items.put_text,
    "response.function_call_arguments.delta": _Items.add_arguments,
    "response.function_call_arguments.done": _Items.put_arguments,
    "error": _nothing,
}


def _asked(given: msgspec.Raw, notes: Notes) -> Iterator[Message]:
    """Give what was sent as messages: text alone is the user's."""
    sent = parse(given, str | tuple[Item, ...], notes, what="request.input") if said(given) else ()
    if isinstance(sent, str):
        yield Message(role="user", parts=(Text(sent),))
        return
    for item in sent or ():
        is_result = item.type == "function_call_output"
        role = "tool" if is_result else item.role or "assistant"
        yield Message(role=role, parts=tuple(_parts(item)))


def _parts(item: Item) -> Iterator[Part]:
    if item.type == "function_call":
        yield ToolCall(item.call_id, item.name, text_of(item.arguments))
    elif item.type == "function_call_output":
        parts = _content.to_parts(item.output)
        yield ToolResult(item.call_id, _content.plain_text(parts))
        yield from (part for part in parts if not isinstance(part, Text))
    else:
        yield from _content.to_parts(item.content)
        yield from _content.to_parts(item.summary)


def _tiered(response: Response, notes: Notes) -> Any:
    """Give the usage with the service tier, which stands beside it here."""
    usage = to_usage(response.usage, notes)
    if usage is None or response.service_tier is None:
        return usage
    return msgspec.structs.replace(usage, service_tier=response.service_tier)


def _failure(response: Response) -> Failure | None:
    if response.error is None and response.status != "failed":
        return None
    error = response.error or _Error()
    code = None if error.code is None else text_of(error.code)
    return Failure(kind=_FAILED, message=texts(error.message) or None, code=code)
