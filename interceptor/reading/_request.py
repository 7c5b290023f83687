"""What the caller sent, from the request's body."""

from collections.abc import Callable
from typing import Any

import msgspec

from interceptor import decoding
from interceptor.credentials import STRUCK, is_credential, may_name_one
from interceptor.endpoints import Endpoint
from interceptor.exchange import Exchange
from interceptor.reading._bodies import inflated, struck
from interceptor.record import Input
from interceptor.wire import forms
from interceptor.wire.notes import Notes
from interceptor.wire.parsing import members, parse
from interceptor.wire.slimming import without_media

__all__ = ["to_input"]

_MOST_NESTED = 64


def to_input(
    exchange: Exchange,
    row: Endpoint,
    ids: dict[str, str],
    notes: Notes,
    rest: Callable[[], None],
) -> tuple[Endpoint, Input]:
    """Give what was asked, and the row that the body shows it to belong to.

    An `Input` has less in it where the body could not be read; what the path names stands in for
    what the body does not.
    """
    has_use = row.request is not None and not row.is_secret
    body = _json(exchange, notes, rest) if has_use else b""
    sent = members(body, notes, what="request") if body else {}
    row = next((other for name, other in row.by_member.items() if name in sent), row)
    asked = _asked(row, body, sent, notes) if sent else Input()
    found = {name: value for name, value in ids.items() if not getattr(asked, name)}
    return row, msgspec.structs.replace(asked, **found)


def _asked(row: Endpoint, body: bytes, sent: dict[str, msgspec.Raw], notes: Notes) -> Input:
    request = parse(body, row.request, notes, what="request")
    asked = Input() if request is None or row.to_input is None else row.to_input(request, notes)
    return msgspec.structs.replace(
        asked,
        tools=_without_secrets(asked.tools, notes),
        parameters={} if row.content is None else _parameters(sent, row.content, notes),
    )


def _json(exchange: Exchange, notes: Notes, rest: Callable[[], None]) -> bytes:
    """Give the request as JSON, without its media: a form is an object whose values are text."""
    request = exchange.request
    content_type = request.headers.get("content-type", "")
    if request.body is None:
        body = msgspec.json.encode(request.form) if request.form else b""
    elif forms.is_form(content_type):
        form = forms.fields(_plain(exchange, notes), content_type, rest)
        body = msgspec.json.encode(form)
    else:
        body = _plain(exchange, notes)
    return struck(without_media(body, rest), request.secrets, rest)


def _plain(exchange: Exchange, notes: Notes) -> bytes:
    """Give the request's body with its content encoding undone."""
    body = exchange.request.body or b""
    names = decoding.encodings(exchange.request.headers.get("content-encoding", ""))
    if not names:
        return body
    return b"".join(inflated(names, (body,), exchange, notes, what="request"))


def _parameters(
    sent: dict[str, msgspec.Raw], content: frozenset[str], notes: Notes
) -> dict[str, Any]:
    """Give the request's members that are no messages, no tools, no media and no secrets."""
    return {
        name: _clean(parse(raw, Any, notes, what=f"request.{name}"))
        for name, raw in sent.items()
        if name not in content and not is_credential(name)
    }


def _without_secrets(tools: str | None, notes: Notes) -> str | None:
    """Tool definitions may carry a connector's credentials: give them without."""
    if tools is None or not may_name_one(tools):
        return tools
    definitions = parse(tools.encode(), Any, notes, what="request.tools")
    kept = _clean(definitions)
    return tools if kept == definitions else msgspec.json.encode(kept).decode()


def _clean(value: Any, levels: int = _MOST_NESTED) -> Any:
    """Strike out what stands under the name of a credential; what is nested too deeply goes too.

    A JSON schema's `properties` are no values but say what values are: a tool that takes a
    `password` is still described.
    """
    if not isinstance(value, dict | list):
        return value
    if not levels:
        return STRUCK
    if isinstance(value, list):
        return [_clean(one, levels - 1) for one in value]
    return {
        name: _properties(held, levels - 1) if name == "properties" else _held(name, held, levels)
        for name, held in value.items()
    }


def _held(name: str, held: Any, levels: int) -> Any:
    return STRUCK if is_credential(name) and held else _clean(held, levels - 1)


def _properties(value: Any, levels: int) -> Any:
    if not isinstance(value, dict) or not levels:
        return _clean(value, levels)
    return {
        name: _clean(one, levels - 1) if isinstance(one, dict) else _held(name, one, levels)
        for name, one in value.items()
    }
