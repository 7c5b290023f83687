"""Chat completions, and what other endpoints share with them: choices, deltas, messages."""

from collections.abc import Iterable
from typing import Any

import msgspec

from interceptor.record import Answer, Input, Message, Output, Part, ToolResult
from interceptor.wire import _content, _tools
from interceptor.wire._usage import to_usage
from interceptor.wire.notes import Notes

__all__ = [
    "CONTENT",
    "Choice",
    "Chunk",
    "Request",
    "Response",
    "fold",
    "has_content",
    "is_last",
    "sampling",
    "to_answer",
    "to_input",
    "to_message",
]

CONTENT = frozenset({"messages", "tools", "prediction"})
"""The members of a request that are words, not parameters."""


class RequestMessage(msgspec.Struct, kw_only=True):
    """One message of the conversation so far."""

    role: str = ""
    content: _content.Content = None
    tool_calls: tuple[_tools.Call, ...] | None = None
    tool_call_id: str | None = None
    name: str | None = None


class Sampling(msgspec.Struct, kw_only=True):
    """The parameters that every completion takes."""

    model: str | None = None
    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    random_seed: int | None = None
    stop: str | tuple[str, ...] | None = None
    stream: bool | None = None


class Request(Sampling, kw_only=True):
    """What a chat completion, or an agent's completion, is asked for."""

    agent_id: str | None = None
    messages: tuple[RequestMessage, ...] | None = None
    n: int | None = None
    top_k: float | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    reasoning_effort: str | None = None
    response_format: Any = None
    tools: msgspec.Raw = msgspec.Raw()


class Delta(msgspec.Struct, kw_only=True):
    """A message, or what one event adds to it."""

    role: str | None = None
    content: _content.Content = None
    tool_calls: tuple[_tools.Call, ...] | None = None


class Choice(msgspec.Struct, kw_only=True):
    """One answer of several: whole under `message`, in pieces under `delta`."""

    index: int = 0
    message: Delta | None = None
    delta: Delta | None = None
    finish_reason: str | None = None


class Response(msgspec.Struct, kw_only=True):
    """A completion, whole or folded from a stream."""

    id: str | None = None
    model: str | None = None
    choices: tuple[Choice, ...] | None = None
    usage: msgspec.Raw = msgspec.Raw()
    guardrails: msgspec.Raw = msgspec.Raw()


Chunk = Response
"""One event of a streamed completion has the shape of a completion, with deltas for messages."""


def to_input(request: Request) -> Input:
    """Give what was asked, in neutral terms."""
    return Input(
        **sampling(request),
        agent_id=request.agent_id,
        frequency_penalty=request.frequency_penalty,
        presence_penalty=request.presence_penalty,
        top_k=request.top_k,
        choice_count=request.n,
        reasoning_level=request.reasoning_effort,
        output_type=_output_type(request.response_format),
        messages=tuple(to_message(one) for one in request.messages or ()),
        tools=bytes(request.tools).decode(errors="replace") or None,
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
    }


def to_message(message: RequestMessage) -> Message:
    """Give a message that was sent; what a tool answered is one part, whatever its shape."""
    parts: tuple[Part, ...] = _content.to_parts(message.content)
    if message.role == "tool":
        answer = "".join(p.content for p in parts if isinstance(p, _content.Text))
        rest = tuple(p for p in parts if not isinstance(p, _content.Text))
        parts = (ToolResult(message.tool_call_id, answer), *rest)
    calls = tuple(_tools.to_part(call) for call in message.tool_calls or ())
    return Message(role=message.role, parts=parts + calls, name=message.name)


def to_answer(response: Response, notes: Notes) -> Answer:
    """Give what was answered, one message a choice, in the order of their indexes."""
    choices = sorted(response.choices or (), key=lambda choice: choice.index)
    guardrails = bytes(response.guardrails)
    return Answer(
        output=Output(
            id=response.id,
            model=response.model,
            messages=tuple(_answered(choice) for choice in choices),
            finish_reasons=tuple(c.finish_reason for c in choices if c.finish_reason),
            guardrails=guardrails.decode() if guardrails not in (b"", b"null") else None,
        ),
        usage=to_usage(response.usage, notes),
    )


def fold(chunks: Iterable[Chunk], notes: Notes) -> Response:  # noqa: ARG001 - the table's signature
    """Merge a stream into the response the server would have sent unstreamed.

    Text is joined in order. Tool calls are merged as `_tools.merged` says. The first id and
    model hold; of usage and guardrails the last that says something.
    """
    whole = Response()
    deltas: dict[int, list[Delta]] = {}
    reasons: dict[int, str | None] = {}
    for chunk in chunks:
        whole.id = whole.id or chunk.id
        whole.model = whole.model or chunk.model
        whole.usage = _later(whole.usage, chunk.usage)
        whole.guardrails = _later(whole.guardrails, chunk.guardrails)
        for choice in chunk.choices or ():
            deltas.setdefault(choice.index, []).append(choice.delta or choice.message or Delta())
            reasons[choice.index] = choice.finish_reason or reasons.get(choice.index)
    whole.choices = tuple(
        Choice(index=index, message=_folded(found), finish_reason=reasons[index])
        for index, found in deltas.items()
    )
    return whole


def has_content(chunk: Chunk) -> bool:
    """Tell whether an event carries something of the answer, not only a role or padding."""
    return any(
        (delta := choice.delta or choice.message) and (delta.content or delta.tool_calls)
        for choice in chunk.choices or ()
    )


def is_last(chunk: Chunk) -> bool:
    """Tell whether an event ends the answer: a choice has a reason to have finished."""
    return any(choice.finish_reason for choice in chunk.choices or ())


def _answered(choice: Choice) -> Message:
    message = choice.message or choice.delta or Delta()
    calls = tuple(_tools.to_part(call) for call in message.tool_calls or ())
    return Message(
        role=message.role or "assistant",
        parts=_content.to_parts(message.content) + calls,
        finish_reason=choice.finish_reason,
    )


def _folded(deltas: list[Delta]) -> Delta:
    contents = [delta.content for delta in deltas if delta.content]
    calls = _tools.merged(call for delta in deltas for call in delta.tool_calls or ())
    return Delta(
        role=next((delta.role for delta in deltas if delta.role), None),
        content=_joined(contents),
        tool_calls=calls or None,
    )


def _joined(contents: list[str | tuple[_content.Chunk, ...]]) -> _content.Content:
    """Text stays text; where parts come into it, text becomes a part among them."""
    if not contents:
        return None
    if all(isinstance(content, str) for content in contents):
        return "".join(contents)  # type: ignore[arg-type]
    return _content.joined(
        chunk
        for content in contents
        for chunk in (
            (_content.Chunk(type="text", text=content),) if isinstance(content, str) else content
        )
    )


def _later(old: msgspec.Raw, new: msgspec.Raw) -> msgspec.Raw:
    return old if bytes(new) in (b"", b"null") else new


def _output_type(response_format: Any) -> str | None:
    kind = response_format.get("type") if isinstance(response_format, dict) else None
    if not isinstance(kind, str):
        return None
    return "json" if kind.startswith("json") else kind
