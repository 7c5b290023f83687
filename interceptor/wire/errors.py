"""What an error body says, in every shape that the API, its gateways and proxies send."""

import re
from typing import Any

from interceptor.record import Failure
from interceptor.wire.notes import Notes
from interceptor.wire.parsing import parse

__all__ = ["in_answer", "of_body"]

_LIMIT_CHARS = 500
_MOST_BYTES = 1 << 16  # an error is short: what is longer is an answer
_TITLE = re.compile(r"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)
_JSON_STARTS = (b"{", b"[", b'"')
_MOST_NESTED = 16
_MESSAGES = ("message", "detail", "error")


def of_body(body: bytes, kind: str, notes: Notes) -> Failure:
    """Read the body of an answer whose status says that it failed.

    `kind` is what the failure is called where the body does not say.
    """
    if not body.lstrip().startswith(_JSON_STARTS):
        return Failure(kind=kind, message=_plain(body) or None)
    value = parse(body, Any, notes, what="error body")
    if isinstance(value, dict):
        return _failure(value, kind)
    return Failure(kind=kind, message=_texts(value) or None)


def in_answer(data: bytes, kind: str) -> Failure | None:
    """Give the error that stands where an answer or one event of it should be, if one does."""
    if len(data) > _MOST_BYTES or (b'"error"' not in data and b'"Error"' not in data):
        return None
    value = parse(data, Any, Notes(), what="event")  # whoever reads the answer notes what is amiss
    if not isinstance(value, dict):
        return None
    if isinstance(value.get("error"), dict):
        return _failure(value["error"], kind)
    if "error" in (str(value.get("object")).lower(), value.get("type")):
        return _failure(value, kind)
    return None


def _failure(value: dict[str, Any], fallback: str) -> Failure:
    nested = value.get("error")
    if isinstance(nested, dict):
        value = {**value, **nested}
    kind, code = value.get("type"), value.get("code")
    said = next((value[name] for name in _MESSAGES if value.get(name)), None)
    return Failure(
        kind=kind if isinstance(kind, str) and kind else fallback,
        message=_texts(said) or None,
        code=None if code is None else str(code),
    )


def _texts(value: Any) -> str:
    """Give a message as text; of an object or a list, its texts joined by "; "."""
    return "; ".join(_found(value, _MOST_NESTED))


def _found(value: Any, levels: int) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        message = value.get("msg")
        value = [message] if isinstance(message, str) else list(value.values())
    if not isinstance(value, list) or not levels:
        return []
    return [text for one in value for text in _found(one, levels - 1)]


def _plain(body: bytes) -> str:
    """Give a page's title or a short text; a page of HTML is no message."""
    text = body[: 1 << 16].decode(errors="replace").strip()
    if text.startswith("<"):
        title = _TITLE.search(text)
        return " ".join(title.group(1).split())[:_LIMIT_CHARS] if title else ""
    return text[:_LIMIT_CHARS]
