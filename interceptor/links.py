"""Which spans had to do with the same tool call, told by its id alone.

A call asks for a tool, a span runs it, another call takes its result. Whoever is looked at later
learns of the others, so that its span can link to theirs.
"""

from collections import OrderedDict
from collections.abc import Iterator
from enum import StrEnum
from typing import Generic, TypeVar

from interceptor.record import Message, Record, ToolCall, ToolResult

__all__ = ["Role", "ToolCalls", "roles"]

Who = TypeVar("Who")

_MOST_IDS = 4096


class Role(StrEnum):
    """What a span had to do with a tool call."""

    ASKED = "asked"
    RAN = "ran"
    TOOK = "took"


class ToolCalls(Generic[Who]):
    """Who had to do with each of the newest tool calls. Not for two threads at once."""

    def __init__(self, limit: int = _MOST_IDS) -> None:
        """Remember `limit` ids at most: the one that was heard of first goes first."""
        self._limit = limit
        self._known: OrderedDict[str, dict[Role, Who]] = OrderedDict()

    def others(self, call_id: str, role: Role, who: Who) -> dict[Role, Who]:
        """Remember who had this role, and give who had the others.

        An id that is asked for anew is another tool call: what was known of the old one is not
        of this.
        """
        known = self._known.get(call_id, {})
        if role is Role.ASKED and role in known:
            known = {}
        others = {other: span for other, span in known.items() if other is not role}
        self._known[call_id] = known | {role: who}
        if len(self._known) > self._limit:
            self._known.popitem(last=False)
        return others


def roles(record: Record) -> Iterator[tuple[str, Role]]:
    """Give the tool calls that a call asked for, and those whose results it took.

    A conversation is sent whole with each turn. The results that a call takes are those at its
    end, after the last thing that the model said.
    """
    for call in _parts(record.output.messages, ToolCall):
        if call.id:
            yield call.id, Role.ASKED
    for result in _parts(_latest(record.input.messages), ToolResult):
        if result.id:
            yield result.id, Role.TOOK


Part = TypeVar("Part", ToolCall, ToolResult)


def _parts(messages: tuple[Message, ...], kind: type[Part]) -> Iterator[Part]:
    return (part for message in messages for part in message.parts if isinstance(part, kind))


def _latest(messages: tuple[Message, ...]) -> tuple[Message, ...]:
    """Give the messages after the last one of the model's."""
    for at in range(len(messages), 0, -1):
        if messages[at - 1].role == "assistant":
            return messages[at:]
    return messages
