"""Chat completions, and what other endpoints share with them: choices, deltas, messages."""

from collections.abc import Iterable
from typing import Any

import msgspec

from interceptor.record import Answer, Input, Message, Output, Part, Text, ToolResult
from interceptor.wire import _content, _tools
from interceptor.wire._usage import to_usage
from interceptor.wire.notes import Notes
from interceptor.wire.parsing import said

__all__ = [
    "CONTENT",
    "Choice",
    "Chunk",
    "Request",
    "RequestMessage",
    "Response",
    "Sampling",
    "fold",
    "has_content",
    "is_last",
    "output_type",
    "sampling",
    "to_answer",
    "to_input",
    "to_message",
]

CONTENT = frozenset({"messages", "tools"})
"""The members of a request that are no parameters, but what the parameters are for."""


class RequestMessage(msgspec.Struct, kw_only=True, gc=False):
    """One message of the conversation so far."""

    role: str = ""
    content: _content.Content = None
    tool_calls: tuple[_tools.Call, ...] | None = None
    tool_call_id: str | None = None
    name: str | None = None


class Sampling(msgspec.Struct, kw_only=True, gc=False):
    """The parameters that every completion takes."""

    model: str | None = None
    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    random_seed: int | None = None
    stop: str | tuple[str, ...] | None = None
    stream: bool | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    reasoning_effort: str | None = None
    response_format: Any = None


class Request(Sampling, kw_only=True, gc=False):
    """What a chat completion, or an agent's completion, is asked for."""

    agent_id: str | None = None
    messages: tuple[RequestMessage, ...] | None = None
    n: int | None = None
    top_k: float | None = None
    tools: msgspec.Raw = msgspec.Raw()


class Delta(msgspec.Struct, kw_only=True, gc=False):
    """A message, or what one event adds to it.

    `index` numbers the messages of a choice that has several: where tools ran on the server,
    their calls and results come before the answer.
    """

    role: str | None = None
    content: _content.Content = None
    tool_calls: tuple[_tools.Call, ...] | None = None
    tool_call_id: str | None = None
    index: int | None = None


class Choice(msgspec.Struct, kw_only=True, gc=False):
    """One answer of several: whole under `message` or `messages`, in pieces under `delta`."""

    index: int = 0
    message: Delta | None = None
    messages: tuple[Delta, ...] | None = None
    delta: Delta | None = None
    finish_reason: str | None = None


class Response(msgspec.Struct, kw_only=True, gc=False):
    """A completion, whole or folded from a stream."""

    id: str | None = None
    model: str | None = None
    choices: tuple[Choice, ...] | None = None
    usage: msgspec.Raw = msgspec.Raw()
    guardrails: msgspec.Raw = msgspec.Raw()


Chunk = Response
"""One event of a streamed completion has the shape of a completion, with deltas for messages."""


def to_input(request: Request, notes: Notes) -> Input:  # noqa: ARG001 - the table's signature
    """Give what was asked, in neutral terms."""
    return Input(
        **sampling(request),
        agent_id=request.agent_id,
        top_k=request.top_k,
        choice_count=request.n,
        messages=tuple(to_message(one) for one in request.messages or ()),
        tools=said(request.tools),
    )


def sampling(request: Sampling) -> dict[str, Any]:
    """Give the parameters that every completion takes, by their names in `Input`."""
    stop = request.stop
    return {
        "model": request.model,
        "temperature": request.temperature,
        "top_p": request.top_p,
        "max_tokens": request.max_tokens,
        "seed": request.random_seed,
        "stop": (stop,) if isinstance(stop, str) else stop,
        "stream": bool(request.stream),
        "frequency_penalty": request.frequency_penalty,
        "presence_penalty": request.presence_penalty,
        "reasoning_level": request.reasoning_effort,
        "output_type": output_type(request.response_format),
    }


def output_type(response_format: Any) -> str | None:
    """Give what kind of output a response format asks for; both JSON formats are `json`."""
    kind = response_format.get("type") if isinstance(response_format, dict) else None
    if not isinstance(kind, str):
        return None
    return "json" if kind.startswith("json") else kind


def to_message(message: RequestMessage) -> Message:
    """Give a message that was sent; what a tool answered is one part, whatever its shape."""
    parts = _to_parts(message.role, message.content, message.tool_calls, message.tool_call_id)
    return Message(role=message.role, parts=parts, name=message.name)


def to_answer(response: Response, notes: Notes) -> Answer:
    """Give what was answered, one message a choice, in the order of their indexes."""
    choices = sorted(response.choices or (), key=lambda choice: choice.index)
    return Answer(
        output=Output(
            id=response.id,
            model=response.model,
            messages=tuple(_answered(choice) for choice in choices),
            finish_reasons=tuple(c.finish_reason for c in choices if c.finish_reason),
            guardrails=said(response.guardrails),
        ),
        usage=to_usage(response.usage, notes),
    )


def fold(chunks: Iterable[Chunk], notes: Notes) -> Response:  # noqa: ARG001 - the table's signature
    """Merge a stream into the response the server would have sent unstreamed.

    Text is joined in order. Tool calls are merged as `_tools.merged` says. The first id and
    model hold; of usage and guardrails the last that says something.
    """
    whole = Response()
    drafts: dict[int, _Draft] = {}
    for chunk in chunks:
        whole.id = whole.id or chunk.id
        whole.model = whole.model or chunk.model
        whole.usage = chunk.usage if said(chunk.usage) else whole.usage
        whole.guardrails = chunk.guardrails if said(chunk.guardrails) else whole.guardrails
        for choice in chunk.choices or ():
            if choice.index not in drafts:
                drafts[choice.index] = _Draft()
            drafts[choice.index].add(choice)
    whole.choices = tuple(draft.whole(index) for index, draft in drafts.items())
    return whole


def has_content(chunk: Chunk) -> bool:
    """Tell whether an event carries something of the answer, not only a role or padding."""
    return any(
        delta.content or delta.tool_calls
        for choice in chunk.choices or ()
        for delta in _messages(choice)
    )


def is_last(chunk: Chunk) -> bool:
    """Tell whether an event ends the answer: a choice has a reason to have finished."""
    return any(choice.finish_reason for choice in chunk.choices or ())


def _messages(choice: Choice) -> tuple[Delta, ...]:
    """Give the messages of a choice, or its deltas."""
    one = choice.message or choice.delta
    return choice.messages or (() if one is None else (one,))


def _answered(choice: Choice) -> Message:
    messages = _messages(choice)
    role = next((message.role for message in reversed(messages) if message.role), "assistant")
    return Message(
        role=role,
        parts=tuple(
            part
            for one in messages
            for part in _to_parts(one.role, one.content, one.tool_calls, one.tool_call_id)
        ),
        finish_reason=choice.finish_reason,
    )


class _DraftMessage(msgspec.Struct):
    """A message as its deltas come in."""

    role: str | None = None
    tool_call_id: str | None = None
    contents: list[_content.Content] = []
    calls: list[_tools.Call] = []

    def add(self, delta: Delta) -> None:
        """Take what a delta adds."""
        self.role = self.role or delta.role
        self.tool_call_id = self.tool_call_id or delta.tool_call_id
        if delta.content:
            self.contents.append(delta.content)
        self.calls.extend(delta.tool_calls or ())

    def whole(self) -> Delta:
        """Give the message with its texts and calls merged."""
        return Delta(
            role=self.role,
            tool_call_id=self.tool_call_id,
            content=_content.fused(self.contents),
            tool_calls=_tools.merged(self.calls) or None,
        )


class _Draft(msgspec.Struct):
    """A choice as its events come in."""

    index: int = 0
    messages: dict[int, _DraftMessage] = {}
    finish_reason: str | None = None

    def add(self, choice: Choice) -> None:
        """Take what an event adds; a delta without an index goes on with the last message."""
        self.finish_reason = choice.finish_reason or self.finish_reason
        for delta in _messages(choice):
            self.index = self.index if delta.index is None else delta.index
            if self.index not in self.messages:
                self.messages[self.index] = _DraftMessage()
            self.messages[self.index].add(delta)

    def whole(self, index: int) -> Choice:
        """Give the choice under its own index."""
        messages = tuple(message.whole() for message in self.messages.values())
        return Choice(index=index, messages=messages, finish_reason=self.finish_reason)


def _to_parts(
    role: str | None,
    content: _content.Content,
    calls: tuple[_tools.Call, ...] | None,
    call_id: str | None,
) -> tuple[Part, ...]:
    """Give a message's parts: what a tool answered is one of them, and media follow it."""
    parts = _content.to_parts(content)
    if role == "tool":
        media = tuple(part for part in parts if not isinstance(part, Text))
        parts = (ToolResult(call_id, _content.plain_text(parts)), *media)
    return parts + tuple(_tools.to_part(call) for call in calls or ())
