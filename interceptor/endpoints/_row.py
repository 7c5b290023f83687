"""A row of the table, and two ways to write one."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from interceptor.record import Answer, Input
from interceptor.wire.notes import Notes

__all__ = ["ANY", "Endpoint", "also", "light"]

ANY = "*"
"""The method of a row that fits every method."""


def _as_it_is(pieces: Iterable[bytes]) -> Iterable[bytes]:
    return pieces


class Endpoint(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """One row: how a request is recognised, and what reads it.

    - `operation` is what is done; `agent_operation`, where there is one, what is done if an agent
      is asked to. `is_inference` is false for calls that run no model by themselves.
    - `is_secret` says that the bodies carry credentials: they are never looked at, nor kept.
    - `by_member` names another row by a member of the request's JSON that only it has: where one
      path serves two endpoints.
    - `request` and `to_input` read the request; without them nothing of it is read. `content`
      names the members of its JSON that are no parameters, being messages, tools or media; None
      keeps no parameters.
    - `response` and `to_answer` read the answer; without them only the body of a failure is
      read. `prepare` cuts out of its pieces what need not be parsed. `measured` reads an answer
      on that cannot be understood without what was asked. `media` is the modality of an
      answer that may be a file itself rather than JSON about it.
    - `chunk`, `fold`, `has_content` and `is_last` read an answer that comes as a stream of
      events or, where `is_lines`, as lines of JSON.
    """

    name: str
    operation: str
    path: str
    method: str = "POST"
    agent_operation: str | None = None
    is_inference: bool = True
    is_secret: bool = False
    by_member: Mapping[str, "Endpoint"] = {}
    request: Any = None
    to_input: Callable[[Any, Notes], Input] | None = None
    content: frozenset[str] | None = None
    response: Any = None
    prepare: Callable[[Iterable[bytes]], Iterable[bytes]] = _as_it_is
    to_answer: Callable[[Any, Notes], Answer] | None = None
    measured: Callable[[Answer, Input], Answer] | None = None
    media: str | None = None
    chunk: Any = None
    fold: Callable[[Any, Notes], Any] | None = None
    has_content: Callable[[Any], bool] | None = None
    is_last: Callable[[Any], bool] | None = None
    is_lines: bool = False

    def answer(self, response: Any, notes: Notes) -> Answer:
        """Give what a response says; nothing where the row reads no answers."""
        return self.to_answer(response, notes) if self.to_answer else Answer()

    def folded(self, chunks: Iterable[Any], notes: Notes) -> Answer:
        """Give what a stream says; nothing where the row knows of no streams."""
        return self.answer(self.fold(chunks, notes), notes) if self.fold else Answer()


def also(row: Endpoint, **changes: Any) -> Endpoint:
    """Give a row for what is asked, or answered, in the same words elsewhere."""
    return msgspec.structs.replace(row, **changes)


def light(path: str, name: str | None = None, **columns: Any) -> Endpoint:
    """Give a row for a call that runs no model: its method, path, status, times and errors.

    The row is named by the words of its path, dotted.
    """
    words = [word for word in path.split("/")[2:] if not word.startswith(("*", "{"))]
    name = name or ".".join(words)
    defaults: dict[str, Any] = {"method": ANY, "is_inference": False}
    return Endpoint(name=name, operation=name, path=path, **defaults | columns)
