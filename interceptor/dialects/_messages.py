"""Messages as GenAI's vocabulary has them: roles and parts, as plain values that are JSON."""

import json
import re
from typing import Any

import orjson

from interceptor.record import (
    Blob,
    FileRef,
    Generic,
    Link,
    Message,
    Part,
    Reasoning,
    Text,
    ToolCall,
    ToolResult,
)

__all__ = ["to_message", "to_part", "to_value"]

_LONG_NUMBER = re.compile(r"\d{19}")


def to_message(message: Message) -> dict[str, Any]:
    """Give a message; what it does not say is absent."""
    found: dict[str, Any] = {"role": message.role, "parts": [to_part(one) for one in message.parts]}
    if message.name is not None:
        found["name"] = message.name
    if message.finish_reason is not None:
        found["finish_reason"] = message.finish_reason
    return found


def to_part(part: Part) -> dict[str, Any]:  # noqa: PLR0911 - one return a kind of part
    """Give a part of a message."""
    match part:
        case Text(content=text):
            return {"type": "text", "content": text}
        case Reasoning(content=text):
            return {"type": "reasoning", "content": text}
        case ToolCall():
            arguments = _arguments(part.arguments)
            return {"type": "tool_call", "id": part.id, "name": part.name, "arguments": arguments}
        case ToolResult():
            return {"type": "tool_call_response", "id": part.id, "response": part.response}
        case Blob():
            blob = {
                "type": "blob",
                "modality": part.modality,
                "mime_type": part.mime_type,
                "size_bytes": part.size_bytes,
                "sha256": part.sha256,
            }
            return blob if part.name is None else blob | {"name": part.name}
        case Link():
            return {"type": "uri", "modality": part.modality, "uri": part.uri}
        case FileRef():
            return {"type": "file", "modality": part.modality, "file_id": part.file_id}
        case Generic():
            found = {"type": "generic", "generic_type": part.generic_type}
            return found if part.content is None else found | {"content": to_value(part.content)}


def _arguments(text: str) -> Any:
    """Give arguments as the object that they are; as text, where as an object they would differ.

    orjson reads an integer beyond 64 bits as a float: an account's number would be another's.
    """
    value = to_value(text)
    if not isinstance(value, dict) or (_LONG_NUMBER.search(text) and not _is_exact(value, text)):
        return text
    return value


def _is_exact(value: Any, text: str) -> bool:
    try:
        return bool(value == json.loads(text))
    except RecursionError:  # orjson reads a few more levels
        return False


def to_value(text: str) -> Any:
    """Read JSON text; text that is none stays as it is."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return text
