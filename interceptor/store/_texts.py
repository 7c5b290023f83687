"""The words in a span: what full-text search finds, and the preview of an answer.

Everything here takes attributes as they come, from any OpenTelemetry span: JSON that
is none is taken as text, and what has an unexpected shape has no words.
"""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

import orjson

__all__ = ["preview", "words"]

_PREVIEW_CHARS = 120
# Long enough for any conversation that a person reads; what follows is context that
# machines stuffed in, and the index would be larger than the store.
_INDEXED_CHARS = 64 * 1024

_OUTPUT = "gen_ai.output.messages"
_INPUT = "gen_ai.input.messages"
_INSTRUCTIONS = "gen_ai.system_instructions"
_VALUES = (
    "output.value",
    "gen_ai.tool.call.result",
    "gen_ai.tool.call.arguments",
    "input.value",
)
# What is not here has no words: media, and parts that we do not know.
_SAID_IN_PART: dict[str, tuple[str, ...]] = {
    "text": ("content",),
    "reasoning": ("content",),
    "tool_call": ("name", "arguments"),
    "tool_call_response": ("response",),
}


def words(name: str, error: str | None, attributes: Mapping[str, Any]) -> str:
    """Give what a person would look for: the name, the error, what was said; cut to a budget."""
    pieces: list[str] = [name]
    left = _INDEXED_CHARS
    for piece in _pieces(error, attributes):
        if left <= 0:
            break
        pieces.append(piece[:left])
        left -= len(piece)
    return "\n".join(pieces)


def preview(attributes: Mapping[str, Any]) -> str | None:
    """Give the first words of the answer on one line, or the tools that it calls; None if none."""
    parts = _parts(_parsed(attributes.get(_OUTPUT)))
    text = " ".join(
        part["content"]
        for part in parts
        if part.get("type") == "text" and isinstance(part.get("content"), str)
    )
    tools = (f"{part.get('name')}(…)" for part in parts if part.get("type") == "tool_call")
    line = " ".join(text[: 8 * _PREVIEW_CHARS].split()) or ", ".join(islice(tools, 8))
    if len(line) > _PREVIEW_CHARS:
        line = line[: _PREVIEW_CHARS - 1].rstrip() + "…"
    return line or None


def _pieces(error: str | None, attributes: Mapping[str, Any]) -> Iterator[str]:
    """Give what was said, the answer and the newest message first: they fit the budget."""
    yield error or ""
    yield from _leaves(_said(_parts(_parsed(attributes.get(_OUTPUT)))))
    for key in _VALUES:
        yield from _leaves(_parsed(attributes.get(key)))
    for message in reversed(_list(_parsed(attributes.get(_INPUT)))):
        yield from _leaves(_said(_parts([message])))
    yield from _leaves(_said(_list(_parsed(attributes.get(_INSTRUCTIONS)))))


def _said(parts: list[Any]) -> list[Any]:
    """Give what was said in parts, without their types and ids."""
    return [
        part.get(key)
        for part in parts
        if isinstance(part, dict)
        for key in _SAID_IN_PART.get(str(part.get("type")), ())
    ]


def _parts(messages: Any) -> list[Any]:
    return [
        part
        for message in _list(messages)
        if isinstance(message, dict)
        for part in _list(message.get("parts"))
        if isinstance(part, dict)
    ]


def _leaves(value: Any) -> Iterator[str]:
    """Give the texts and numbers in JSON, in order; no recursion, for depth is the sender's."""
    stack = [value]
    while stack:
        match stack.pop():
            case str(text):
                if not text.startswith("data:"):  # an image or a sound
                    yield text
            case dict(fields):
                stack.extend(reversed(fields.values()))
            case list(items):
                stack.extend(reversed(items))
            case int() | float() as number:
                yield str(number)


def _parsed(value: Any) -> Any:
    if not isinstance(value, str):
        return list(value) if isinstance(value, tuple) else value
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError:
        return value


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
