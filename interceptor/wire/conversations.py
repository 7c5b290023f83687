"""Conversations: started, appended to, restarted; answered whole or as a stream of many events.

What goes in and what comes out are entries of one shape: messages, function calls and their
results, tools that the server ran, and handoffs between agents.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from interceptor.record import (
    Answer,
    Failure,
    Generic,
    Handoff,
    Input,
    Message,
    Output,
    Part,
    Text,
    ToolCall,
    ToolResult,
    ToolRun,
)
from interceptor.wire import _content, chat
from interceptor.wire._times import unix_ns
from interceptor.wire._usage import to_usage
from interceptor.wire.errors import texts
from interceptor.wire.notes import Notes
from interceptor.wire.parsing import parse, said, text_of

__all__ = [
    "CONTENT",
    "Event",
    "Request",
    "Response",
    "fold",
    "has_content",
    "is_last",
    "to_answer",
    "to_input",
]

CONTENT = frozenset({"inputs", "instructions", "tools"})
"""The members of a request that are no parameters, but what the parameters are for."""

_FAILED = "conversation.response.error"


class Entry(msgspec.Struct, kw_only=True, omit_defaults=True, gc=False):
    """One step of a conversation; which fields are set depends on `type`."""

    type: str | None = None
    id: str | None = None
    created_at: str | None = None
    completed_at: str | None = None
    model: str | None = None
    agent_id: str | None = None
    role: str | None = None
    content: _content.Content | _content.Chunk = None
    name: str | None = None
    function: str | None = None
    tool_call_id: str | None = None
    arguments: Any = None
    result: Any = None
    info: msgspec.Raw = msgspec.Raw()
    previous_agent_id: str | None = None
    previous_agent_name: str | None = None
    next_agent_id: str | None = None
    next_agent_name: str | None = None


class Request(msgspec.Struct, kw_only=True, gc=False):
    """What a conversation is asked for; which agent or model answers may be known to it alone."""

    inputs: msgspec.Raw = msgspec.Raw()
    instructions: str | None = None
    model: str | None = None
    agent_id: str | None = None
    agent_version: str | int | None = None
    completion_args: chat.Sampling | None = None
    stream: bool | None = None
    tools: msgspec.Raw = msgspec.Raw()


class Error(msgspec.Struct, kw_only=True, gc=False):
    """Why a stream ended where it did."""

    message: Any = None
    code: Any = None


class Response(msgspec.Struct, kw_only=True, gc=False):
    """The answer: its entries in order. A stream that failed stands for one with an `error`."""

    conversation_id: str | None = None
    outputs: tuple[Entry, ...] | None = None
    usage: msgspec.Raw = msgspec.Raw()
    guardrails: msgspec.Raw = msgspec.Raw()
    error: Error | None = None


class Event(Entry, kw_only=True, gc=False):
    """One event of a streamed answer: what it adds to an entry, or to the answer itself."""

    output_index: int | None = None
    conversation_id: str | None = None
    usage: msgspec.Raw = msgspec.Raw()
    guardrails: msgspec.Raw = msgspec.Raw()
    message: Any = None
    code: Any = None


def to_input(request: Request, notes: Notes) -> Input:
    """Give what was asked; the conversation's own id stands in the path."""
    sampling = chat.sampling(request.completion_args or chat.Sampling())
    version = request.agent_version
    return Input(
        **sampling | {"model": request.model, "stream": bool(request.stream)},
        agent_id=request.agent_id,
        agent_version=None if version is None else str(version),
        messages=tuple(_asked(request.inputs, notes)),
        system=(Text(request.instructions),) if request.instructions else (),
        tools=said(request.tools),
    )


def to_answer(response: Response, notes: Notes) -> Answer:
    """Give what was answered: one message; tools that the server ran, and handoffs, beside it."""
    entries = response.outputs or ()
    parts = tuple(part for entry in entries for part in _answered(entry))
    speaker = _speaker(entries)
    return Answer(
        output=Output(
            model=speaker.model,
            agent_id=speaker.agent_id,
            conversation_id=response.conversation_id,
            messages=(Message(role="assistant", parts=parts),) if parts else (),
            guardrails=said(response.guardrails),
        ),
        usage=to_usage(response.usage, notes),
        failure=_failure(response.error) if response.error else None,
        tool_runs=tuple(_tool_run(entry) for entry in entries if entry.type == "tool.execution"),
        handoffs=tuple(_handoff(entry) for entry in entries if entry.type == "agent.handoff"),
    )


def fold(events: Iterable[Event], notes: Notes) -> Response:
    """Merge a stream into the response the server would have sent unstreamed.

    Entries stand in the order in which they began. Contents and arguments are joined; a tool has
    run, and a handoff is over, when its `done` event says so. Whichever event around the entries
    names the conversation, or what was used, is believed.
    """
    whole = Response()
    drafts = _Drafts()
    for event in events:
        match event.type:
            case str(kind) if kind in _OF_ENTRY:
                drafts.of(kind.rpartition(".")[0], event).add(event)
                continue
            case "conversation.response.error":
                whole.error = Error(message=event.message, code=event.code)
            case kind if kind not in _OF_ANSWER:
                notes.add(f"event {kind!r}: not known, skipped")
        whole.conversation_id = event.conversation_id or whole.conversation_id
        whole.usage = event.usage if said(event.usage) else whole.usage
        whole.guardrails = event.guardrails if said(event.guardrails) else whole.guardrails
    whole.outputs = drafts.whole()
    return whole


def has_content(event: Event) -> bool:
    """Tell whether an event carries something of the answer: words, or a call's arguments."""
    return bool(event.content) or (event.type == "function.call.delta" and bool(event.arguments))


def is_last(event: Event) -> bool:
    """Tell whether an event ends the answer."""
    return event.type in ("conversation.response.done", _FAILED)


class _Draft(msgspec.Struct):
    """An entry as its events come in."""

    entry: Entry
    contents: list[_content.Content] = []
    arguments: list[str] = []

    def add(self, event: Event) -> None:
        """Take what an event says: whose entry it is, more of it, or that it is done."""
        for name in _IDENTITY:
            setattr(self.entry, name, getattr(self.entry, name) or getattr(event, name))
        self.contents.append(_as_content(event.content))
        self.arguments.append(text_of(event.arguments))
        if event.type in _DONE:
            self.entry.completed_at, self.entry.info = event.created_at, event.info

    def whole(self) -> Entry:
        """Give the entry with its content and arguments joined."""
        self.entry.content = _content.fused(self.contents)
        self.entry.arguments = "".join(self.arguments)
        return self.entry


class _Drafts:
    """The entries of a stream as they come, each known by what its events say of it.

    A call is known by the id that its result is to name, any entry by its own id; an event that
    has none goes on with the entry in its place, and one without a place with the last of its
    kind.
    """

    def __init__(self) -> None:
        self._drafts: list[_Draft] = []
        self._known: dict[tuple[str, str, Any], _Draft] = {}

    def of(self, kind: str, event: Event) -> _Draft:
        """Give the draft of an event's entry; the first event opens it."""
        last = (kind, "", None)
        draft = self._known.get(last)
        if draft is not None and _is_same(event, draft.entry):
            return draft  # as nearly every event of a long stream
        named = [(name, getattr(event, name)) for name in _NAMES]
        keys = [(kind, name, value) for name, value in named if value not in (None, "")]
        found = (self._known[key] for key in keys or [last] if key in self._known)
        draft = next((one for one in found if not _is_other(event, one.entry)), None)
        if draft is None:
            draft = _Draft(entry=Entry(type=kind))
            self._drafts.append(draft)
        for key in (*keys, last):
            self._known[key] = draft
        return draft

    def whole(self) -> tuple[Entry, ...]:
        """Give the entries with their contents joined."""
        return tuple(draft.whole() for draft in self._drafts)


_NAMES = ("tool_call_id", "id", "output_index")


def _is_same(event: Event, entry: Entry) -> bool:
    """Tell at once where an event has the ids of the entry, neither more nor fewer."""
    has_ids = event.id == entry.id and event.tool_call_id == entry.tool_call_id
    return has_ids and bool(event.id)


def _is_other(event: Event, entry: Entry) -> bool:
    """Tell whether an event has an id of its own, and not the entry's."""
    if event.tool_call_id and entry.tool_call_id:
        return event.tool_call_id != entry.tool_call_id
    return bool(event.id and entry.id) and event.id != entry.id


def _failure(error: Error) -> Failure:
    code = None if error.code is None else text_of(error.code)
    return Failure(kind=_FAILED, message=texts(error.message) or None, code=code)


_IDENTITY = (
    "id",
    "created_at",
    "model",
    "agent_id",
    "role",
    "name",
    "function",
    "tool_call_id",
    "previous_agent_id",
    "previous_agent_name",
    "next_agent_id",
    "next_agent_name",
)
_OF_ANSWER = ("conversation.response.started", "conversation.response.done")
_DONE = ("tool.execution.done", "agent.handoff.done")
_OF_ENTRY = frozenset(
    {
        "message.output.delta",
        "tool.execution.started",
        "tool.execution.delta",
        "function.call.delta",
        "agent.handoff.started",
        *_DONE,
    }
)


def _asked(inputs: msgspec.Raw, notes: Notes) -> Iterator[Message]:
    """Give what was sent as messages: text alone is the user's."""
    what = "request.inputs"
    given = parse(inputs, str | tuple[Entry, ...], notes, what=what) if said(inputs) else ()
    if isinstance(given, str):
        yield Message(role="user", parts=(Text(given),))
        return
    for entry in given or ():
        yield Message(role=_role(entry), parts=tuple(_sent(entry)))


def _role(entry: Entry) -> str:
    if entry.type == "function.result":
        return "tool"
    return entry.role or ("user" if entry.type == "message.input" else "assistant")


def _sent(entry: Entry) -> Iterator[Part]:
    """Give an entry that the caller sent, as the parts of a message."""
    match entry.type:
        case "function.result":
            yield ToolResult(entry.tool_call_id, text_of(entry.result))
        case "tool.execution" | "agent.handoff":
            yield Generic(entry.type, text_of(entry))
        case _:
            yield from _answered(entry)


def _answered(entry: Entry) -> Iterator[Part]:
    """Give an entry's share of a message: words and calls; what the server ran is no part."""
    if entry.type == "function.call":
        yield ToolCall(entry.tool_call_id, entry.name, text_of(entry.arguments))
    elif entry.type not in ("tool.execution", "agent.handoff"):
        yield from _content.to_parts(_as_content(entry.content))


def _as_content(given: _content.Content | _content.Chunk) -> _content.Content:
    """A stream sends one part by itself, where a whole message has a list of them."""
    return (given,) if isinstance(given, _content.Chunk) else given


def _speaker(entries: tuple[Entry, ...]) -> Entry:
    """Give the entry that says who answered: the last that names a model or an agent."""
    named = (entry for entry in reversed(entries) if entry.model or entry.agent_id)
    return next(named, Entry())


def _tool_run(entry: Entry) -> ToolRun:
    return ToolRun(
        id=entry.id,
        name=entry.name or entry.function or "unknown",
        arguments=text_of(entry.arguments) or None,
        result=said(entry.info),
        started_unix_ns=unix_ns(entry.created_at),
        ended_unix_ns=unix_ns(entry.completed_at),
    )


def _handoff(entry: Entry) -> Handoff:
    return Handoff(
        previous_agent_id=entry.previous_agent_id,
        previous_agent_name=entry.previous_agent_name,
        next_agent_id=entry.next_agent_id,
        next_agent_name=entry.next_agent_name,
    )
