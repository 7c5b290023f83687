"""What an error body says, in every shape that the API, its gateways and proxies send."""

import re
from typing import Any

from interceptor.record import Failure
from interceptor.wire.notes import Notes
from interceptor.wire.parsing import parse, text_of

__all__ = ["in_answer", "in_event", "of_body", "texts"]

_LIMIT_CHARS = 500
_MOST_BYTES = 1 << 16  # an error is short: what is longer is an answer
_TITLE = re.compile(r"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)
_BOM = b"\xef\xbb\xbf"
_JSON_STARTS = (b"{", b"[", b'"')
_MOST_NESTED = 16
_MESSAGES = ("message", "detail", "error_description", "error")
_BARE_START = re.compile(rb'\s*\{\s*"(?:detail|message)"')
_BARE = frozenset(
    {
        "code",
        "detail",
        "instance",
        "message",
        "param",
        "raw_status_code",
        "request_id",
        "status",
        "statusCode",
        "title",
        "type",
    }
)
"""What an error has that says nowhere that it is one; an answer has something else beside."""


def of_body(body: bytes, kind: str, notes: Notes) -> Failure:
    """Read the body of an answer whose status says that it failed.

    `kind` is what the failure is called where the body does not say.
    """
    body = body.removeprefix(_BOM).lstrip()
    if not body.startswith(_JSON_STARTS):
        return Failure(kind=kind, message=_plain(body) or None)
    value = _unlisted(parse(body, Any, notes, what="error body"))
    if isinstance(value, dict):
        return _failure(value, kind)
    return Failure(kind=kind, message=texts(value) or None)


def in_event(data: bytes, name: str | None, kind: str) -> Failure | None:
    """Give the error that an event of a stream holds, if it does; it may be one by its name."""
    if name != "error" or len(data) > _MOST_BYTES:
        return in_answer(data, kind)
    failure = of_body(data, kind, Notes())
    return failure if failure.message or failure.code else None


def in_answer(data: bytes, kind: str) -> Failure | None:
    """Give the error that stands where an answer or one event of it should be, if one does."""
    if len(data) > _MOST_BYTES or not _may_be(data):
        return None
    value = parse(data, Any, Notes(), what="event")  # whoever reads the answer notes what is amiss
    return _failure(value, kind) if isinstance(value, dict) and _is_error(value) else None


def _may_be(data: bytes) -> bool:
    """Tell in no time whether to look closer: a stream has hundreds of thousands of events."""
    return b'"error"' in data or b'"Error"' in data or _BARE_START.match(data) is not None


def _is_error(value: dict[str, Any]) -> bool:
    wrapped = value.get("error")
    if isinstance(wrapped, dict | str) and wrapped:
        return True
    if "error" in (str(value.get("object")).lower(), value.get("type")):
        return True
    return value.keys() <= _BARE and bool(value.get("detail") or value.get("message"))


def _unlisted(value: Any) -> Any:
    """Google's gateway sends the error of a stream as a list of one."""
    is_one = isinstance(value, list) and len(value) == 1 and isinstance(value[0], dict)
    return value[0] if is_one and "error" in value[0] else value


def _failure(value: dict[str, Any], fallback: str) -> Failure:
    wrapped = value.get("error")
    if isinstance(wrapped, dict):
        value = value | {name: held for name, held in wrapped.items() if held is not None}
    kind, code = value.get("type"), value.get("code")
    said = next((value[name] for name in _MESSAGES if value.get(name)), None)
    return Failure(
        kind=kind if isinstance(kind, str) and kind else fallback,
        message=texts(said) or None,
        code=None if code is None else text_of(code),
    )


def texts(value: Any) -> str:
    """Give a message as text; of an object or a list, its texts joined by "; ", of none nothing."""
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
