"""Tool calls of a message, whole or in the fragments of a stream."""

from collections.abc import Iterable
from typing import Any

import msgspec

from interceptor.record import ToolCall
from interceptor.wire.parsing import text_of

__all__ = ["Call", "Function", "merged", "to_part"]


class Function(msgspec.Struct, kw_only=True, gc=False):
    """The function to call; its arguments are JSON text, or the JSON itself."""

    name: str | None = None
    arguments: Any = None


class Call(msgspec.Struct, kw_only=True, gc=False):
    """A tool call, or a fragment of one."""

    id: str | None = None
    index: int | None = None
    function: Function = msgspec.field(default_factory=Function)


def to_part(call: Call) -> ToolCall:
    """Give a tool call as a part of its message; the arguments stay as they are."""
    return ToolCall(
        id=_id(call),
        name=call.function.name,
        arguments=text_of(call.function.arguments),
    )


def merged(fragments: Iterable[Call]) -> tuple[Call, ...]:
    """Merge the fragments of one message's tool calls, in the order in which calls opened.

    A fragment belongs to the call with its index. One that carries a new id opens a call even
    under an index that is taken: in 2024 the API sent all calls of a message without index or
    with index 0. One with neither continues the last call.
    """
    calls: list[Call] = []
    by_index: dict[int, Call] = {}
    for fragment in fragments:
        call = _continued(fragment, calls, by_index)
        if call is None:
            call = Call(id=_id(fragment), index=fragment.index, function=Function(arguments=""))
            calls.append(call)
        if fragment.index is not None:
            by_index[fragment.index] = call
        call.function.name = call.function.name or fragment.function.name
        call.function.arguments += text_of(fragment.function.arguments)
    return tuple(calls)


def _continued(fragment: Call, calls: list[Call], by_index: dict[int, Call]) -> Call | None:
    """Give the call that a fragment goes on with, or None where it opens one."""
    new_id = _id(fragment)
    if fragment.index is None:
        call = calls[-1] if calls else None
        if new_id is not None:
            call = next((c for c in calls if c.id == new_id), None)
    else:
        call = by_index.get(fragment.index)
    if call is not None and new_id is not None and call.id not in (None, new_id):
        return None
    return call


def _id(call: Call) -> str | None:
    """The API writes a missing id as "null" too."""
    return None if call.id in ("", "null") else call.id
