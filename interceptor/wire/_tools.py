"""Tool calls of a message, whole or in the fragments of a stream."""

from collections.abc import Iterable
from typing import Any

import msgspec

from interceptor.record import ToolCall
from interceptor.wire.parsing import text_of

__all__ = ["Call", "Function", "merged", "to_part"]


class Function(msgspec.Struct, gc=False):
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
    with index 0, some of them with no id either, so that a name after whole arguments opens one
    too. One with neither continues the last call.
    """
    drafts: list[_Draft] = []
    by_index: dict[int, _Draft] = {}
    for fragment in fragments:
        draft = _continued(fragment, drafts, by_index)
        if draft is None:
            draft = _Draft()
            drafts.append(draft)
        if fragment.index is not None:
            by_index[fragment.index] = draft
        draft.id = draft.id or _id(fragment)
        draft.name = draft.name or fragment.function.name
        draft.arguments.append(text_of(fragment.function.arguments))
    return tuple(draft.whole() for draft in drafts)


class _Draft(msgspec.Struct):
    """A call as its fragments come in."""

    id: str | None = None
    name: str | None = None
    arguments: list[str] = []

    def whole(self) -> Call:
        """Give the call with its arguments joined."""
        return Call(id=self.id, function=Function(self.name, "".join(self.arguments)))

    def is_whole(self) -> bool:
        """Tell whether the arguments so far are an object of JSON."""
        if not self.arguments[-1].endswith("}"):
            return False
        try:
            msgspec.json.decode("".join(self.arguments), type=dict[str, msgspec.Raw])
        except (msgspec.MsgspecError, RecursionError):
            return False
        return True


def _continued(fragment: Call, drafts: list[_Draft], by_index: dict[int, _Draft]) -> _Draft | None:
    """Give the call that a fragment goes on with, or None where it opens one."""
    new_id, index = _id(fragment), fragment.index
    last = drafts[-1] if drafts else None
    draft = last if index is None else by_index.get(index)
    if new_id is None:
        return None if draft is None or _is_next(fragment, draft) else draft
    if index is not None and (draft is None or draft.id in (None, new_id)):
        return draft
    return next((draft for draft in drafts if draft.id == new_id), None)


def _is_next(fragment: Call, draft: _Draft) -> bool:
    """Tell whether a fragment without an id names the function of another call than the draft."""
    name = fragment.function.name
    if not name or not draft.name:
        return False
    if fragment.index is None and name != draft.name:
        return True
    return bool(fragment.function.arguments) and draft.is_whole()  # a name may be said again


def _id(call: Call) -> str | None:
    """The API writes a missing id as "null" too."""
    return None if call.id in ("", "null") else call.id
