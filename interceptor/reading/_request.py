"""What the caller sent, from the request's body."""

import re
from collections.abc import Callable
from typing import Any

import msgspec

from interceptor import decoding
from interceptor.endpoints import Endpoint
from interceptor.exchange import Exchange
from interceptor.reading._bodies import inflated, struck
from interceptor.record import Input
from interceptor.wire.notes import Notes
from interceptor.wire.parsing import members, parse
from interceptor.wire.slimming import without_media

__all__ = ["to_input"]

_SECRET_NAME = re.compile(
    r"authorization|api[-_]?key|(access|refresh|auth|bearer)[-_]?token|((client|signing)[-_]?)?secret"
    r"|password|passwd|credentials?|private[-_]?key",
    re.IGNORECASE,
)
_STRUCK = "[redacted]"


def to_input(
    exchange: Exchange,
    row: Endpoint,
    ids: dict[str, str],
    notes: Notes,
    rest: Callable[[], None],
) -> Input:
    """Give what was asked; an `Input` with less in it where the body could not be read."""
    asked = Input()
    if row.request is not None and row.to_input is not None and exchange.request.body:
        body = without_media(_plain(exchange, notes), rest)
        request = parse(body, row.request, notes, what="request") if body else None
        if request is not None:
            asked = row.to_input(request)
            asked = msgspec.structs.replace(
                asked,
                tools=_without_secrets(asked.tools),
                parameters=_parameters(body, row.content, notes),
            )
    found = {name: ids[name] for name in row.ids if name in ids and not getattr(asked, name)}
    return msgspec.structs.replace(asked, **found) if found else asked


def _plain(exchange: Exchange, notes: Notes) -> bytes:
    """Give the request's body with its content encoding undone and its credentials struck out."""
    request = exchange.request
    names = decoding.encodings(request.headers.get("content-encoding", ""))
    pieces = (request.body or b"",)
    body = (
        b"".join(inflated(names, pieces, exchange, notes, what="request")) if names else pieces[0]
    )
    return struck(body, request.secrets)


def _parameters(body: bytes, content: frozenset[str], notes: Notes) -> dict[str, Any]:
    """Give the request's members that are no words, no media and no secrets."""
    return {
        name: _clean(parse(raw, Any, notes, what=f"request.{name}"))
        for name, raw in members(body, notes, what="request").items()
        if name not in content and not _SECRET_NAME.fullmatch(name)
    }


def _without_secrets(tools: str | None) -> str | None:
    """Tool definitions may carry a connector's credentials: give them without."""
    if tools is None or not _SECRET_NAME.search(tools):
        return tools
    return msgspec.json.encode(_clean(msgspec.json.decode(tools))).decode()


def _clean(value: Any) -> Any:
    """Strike out what stands under the name of a secret, at any depth."""
    if isinstance(value, dict):
        return {
            name: _STRUCK if _SECRET_NAME.fullmatch(name) and held else _clean(held)
            for name, held in value.items()
        }
    return [_clean(one) for one in value] if isinstance(value, list) else value
