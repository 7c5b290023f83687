"""What an error body says, in every shape that the API, its gateways and proxies send."""

import re
from typing import Any

import msgspec

from interceptor.record import Failure
from interceptor.wire.notes import Notes
from interceptor.wire.parsing import parse

__all__ = ["in_event", "of_body"]

_LIMIT_CHARS = 500
_TITLE = re.compile(r"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)


def of_body(body: bytes, status: int, kind: str | None, notes: Notes) -> Failure:
    """Read the body of an answer whose status says that it failed.

    `kind` is the class of the exception that ended the reading, if one did.
    """
    fallback = kind or str(status)
    value = _object(body, notes)
    if isinstance(value, dict):
        return _failure(value, fallback)
    message = _texts(value) if value is not None else _plain(body)
    return Failure(kind=fallback, message=message or None)


def in_event(data: bytes, notes: Notes) -> Failure | None:
    """Give the error that stands where an answer or one event of it should be, if one does."""
    if b'"error"' not in data and b'"Error"' not in data:
        return None
    value = parse(data, Any, notes, what="event")
    if not isinstance(value, dict):
        return None
    if isinstance(value.get("error"), dict):
        return _failure(value["error"], "error")
    if str(value.get("object")).lower() == "error":
        return _failure(value, "error")
    return None


def _failure(value: dict[str, Any], fallback: str) -> Failure:
    nested = value.get("error")
    if isinstance(nested, dict):
        value = {**value, **nested}
    kind, code = value.get("type"), value.get("code")
    said = next((value[k] for k in ("message", "detail", "error") if value.get(k)), None)
    return Failure(
        kind=kind if isinstance(kind, str) and kind else fallback,
        message=_texts(said) or None,
        code=None if code is None else str(code),
    )


def _texts(value: Any) -> str:
    """Give a message as text; of an object or a list, its texts joined by "; "."""
    if isinstance(value, str):
        return value
    return "; ".join(_found(value))


def _found(value: Any) -> list[str]:
    if isinstance(value, dict):
        if isinstance(value.get("msg"), str):
            return [value["msg"]]
        return [text for one in value.values() for text in _found(one)]
    if isinstance(value, list):
        return [text for one in value for text in _found(one)]
    return [value] if isinstance(value, str) else []


def _object(body: bytes, notes: Notes) -> Any:
    if not body.lstrip().startswith((b"{", b"[", b'"')):
        return None
    return parse(body, Any, notes, what="error body")


def _plain(body: bytes) -> str:
    """Give a page's title or a short text; a page of HTML is no message."""
    text = body[: 1 << 16].decode(errors="replace").strip()
    if text.startswith("<"):
        title = _TITLE.search(text)
        return " ".join(title.group(1).split())[:_LIMIT_CHARS] if title else ""
    return text[:_LIMIT_CHARS]
