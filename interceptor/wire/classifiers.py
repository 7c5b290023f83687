"""Moderations and classifications: texts or conversations in, scores by category out."""

from collections.abc import Iterator
from typing import Any

import msgspec

from interceptor.record import Answer, Generic, Input, Message, Output, Text
from interceptor.wire import chat
from interceptor.wire._usage import to_usage
from interceptor.wire.notes import Notes
from interceptor.wire.parsing import fitted, text_of

__all__ = ["CONTENT", "Request", "Response", "to_answer", "to_input"]

CONTENT = frozenset({"input", "inputs"})
"""The members of a request that are no parameters, but what the parameters are for."""


class Request(msgspec.Struct, kw_only=True, gc=False):
    """What is to be judged: one text or several, one conversation or several."""

    model: str | None = None
    input: Any = None
    inputs: Any = None


class Response(msgspec.Struct, kw_only=True, gc=False):
    """The answer; `results` has one for each input."""

    id: str | None = None
    model: str | None = None
    results: tuple[dict[str, Any], ...] | None = None
    usage: msgspec.Raw = msgspec.Raw()


def to_input(request: Request, notes: Notes) -> Input:
    """Give what was asked: the messages of conversations, or each text a part of one message."""
    given = request.inputs if request.input is None else request.input
    texts = tuple(Text(one) for one in _listed(given) if isinstance(one, str))
    spoken = (Message(role="user", parts=texts),) if texts else ()
    return Input(model=request.model, messages=(*spoken, *_messages(given, notes)))


def to_answer(response: Response, notes: Notes) -> Answer:
    """Give what was found: each result a part, and the categories that were true as a fact."""
    results = response.results
    parts = tuple(Generic("classification", text_of(result)) for result in results or ())
    return Answer(
        output=Output(
            id=response.id,
            model=response.model,
            messages=(Message(role="assistant", parts=parts),) if parts else (),
            facts={} if results is None else _facts(results),
        ),
        usage=to_usage(response.usage, notes),
    )


def _facts(results: tuple[dict[str, Any], ...]) -> dict[str, Any]:
    flagged = {
        name
        for result in results
        if isinstance(categories := result.get("categories"), dict)
        for name, is_found in categories.items()
        if is_found is True
    }
    return {"results": len(results)} | ({"flagged": sorted(flagged)} if flagged else {})


def _messages(given: Any, notes: Notes, levels: int = 3) -> Iterator[Message]:
    """Find messages: in a list, in a list of lists, or under `messages` in either."""
    for one in _listed(given) if levels else ():
        if isinstance(one, list):
            yield from _messages(one, notes, levels - 1)
        elif isinstance(one, dict) and "messages" in one:
            yield from _messages(one["messages"], notes, levels - 1)
        elif isinstance(one, dict):
            message = fitted(one, chat.RequestMessage, notes, what="request.input")
            yield chat.to_message(message or chat.RequestMessage())


def _listed(given: Any) -> list[Any]:
    return given if isinstance(given, list) else [given]
