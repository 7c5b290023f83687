"""JSON to Structs, whatever the server sent.

The fast path is msgspec's own. What does not fit goes the slow way: each field that does fit is
kept, each that does not is left out and noted, so that one odd field does not cost the rest. A
whole number may be written as 16.0 or 1.6e1, and any number or flag as text: the API takes both.
"""

import functools
import json
import types
import typing
from typing import Any

import msgspec

from interceptor.wire.notes import Notes

__all__ = ["fitted", "members", "parse", "said", "text_of"]

_UNREADABLE = (msgspec.MsgspecError, UnicodeError, RecursionError, ValueError)


def parse(data: bytes | msgspec.Raw, kind: Any, notes: Notes, *, what: str) -> Any:
    """Read JSON as `kind`, a Struct or any type that msgspec takes, unions included.

    None, and a note that names `what`, where it is no JSON of that kind.
    """
    try:
        return _decoder(kind).decode(data)
    except _UNREADABLE:
        pass
    try:
        value = _loose(bytes(data))
    except _UNREADABLE as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else "not JSON"
        notes.add(f"{what}: {reason}")
        return None
    return _salvage(value, kind, notes, what)


def members(data: bytes, notes: Notes, *, what: str) -> dict[str, msgspec.Raw]:
    """Read the members of a JSON object, each as its own JSON text; none where it is no object."""
    return parse(data, dict[str, msgspec.Raw], notes, what=what) or {}


def fitted(value: Any, kind: Any, notes: Notes, *, what: str) -> Any:
    """Convert plain values to `kind` as far as they fit; text may stand for numbers and flags."""
    try:
        return msgspec.convert(value, kind, strict=False)
    except _UNREADABLE:
        return _salvage(value, kind, notes, what)


def said(raw: msgspec.Raw) -> str | None:
    """Give a member's JSON text; None where it was not sent, is null, or an object of nothing."""
    data = bytes(raw)
    return None if data in (b"", b"null", b"{}") else data.decode(errors="replace")


def text_of(value: Any) -> str:
    """Give text as it is, None as the empty text, and any other value as compact JSON."""
    if isinstance(value, str):
        return value
    try:
        return "" if value is None else msgspec.json.encode(value).decode()
    except RecursionError:  # what could just be read may be too deep to be written
        return "[nested too deeply]"


@functools.cache
def _decoder(kind: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(kind)


def _loose(data: bytes) -> Any:
    """Read JSON as Python's own parser does: NaN, lone surrogates and stray bytes included."""
    text = data.decode(errors="replace").removeprefix("\ufeff")
    return _without_surrogates(json.loads(text, parse_constant=lambda _: None))


def _without_surrogates(value: Any) -> Any:
    """A lone surrogate cannot be encoded again: no exporter would take it."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_without_surrogates(item) for item in value]
    if isinstance(value, dict):
        return {_without_surrogates(k): _without_surrogates(v) for k, v in value.items()}
    return value


def _salvage(value: Any, kind: Any, notes: Notes, what: str) -> Any:
    """Convert what fits; None, and a note, where nothing does."""
    if kind is msgspec.Raw:
        return msgspec.Raw(msgspec.json.encode(value))
    struct = _struct_in(kind)
    if struct is not None and isinstance(value, dict):
        return struct(**dict(_kept(value, struct, notes, what)))
    item = _item_in(kind)
    if item is not None and isinstance(value, list):
        found = (_salvage(one, item, notes, what) for one in value)
        return tuple(one for one in found if one is not None)
    of = _value_in(kind)
    if of is not None and isinstance(value, dict):
        fit = {name: _salvage(one, of, notes, f"{what}.{name}") for name, one in value.items()}
        return {name: one for name, one in fit.items() if one is not None}
    for one in (value, _whole(value)):
        try:
            return msgspec.convert(one, kind, strict=not isinstance(one, str))
        except (msgspec.MsgspecError, ValueError):
            continue
    notes.add(f"{what}: in a shape that is not known, left out")
    return None


def _whole(value: Any) -> Any:
    """Give a number without a fraction as the integer that it is."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _kept(value: dict[str, Any], struct: Any, notes: Notes, what: str) -> Any:
    hints = typing.get_type_hints(struct)
    for field in msgspec.structs.fields(struct):
        if field.encode_name in value:
            member = value[field.encode_name]
            found = _salvage(member, hints[field.name], notes, f"{what}.{field.encode_name}")
            if found is not None:
                yield field.name, found


def _choices(kind: Any) -> tuple[Any, ...]:
    is_union = typing.get_origin(kind) in (typing.Union, types.UnionType)
    return typing.get_args(kind) if is_union else (kind,)


def _struct_in(kind: Any) -> Any:
    """Give the Struct that `kind` is, or that its union offers."""
    for one in _choices(kind):
        if isinstance(one, type) and issubclass(one, msgspec.Struct):
            return one
    return None


def _item_in(kind: Any) -> Any:
    """Give the type of the items where `kind`, or one of its union, is a tuple of them."""
    for one in _choices(kind):
        if typing.get_origin(one) is tuple:
            return typing.get_args(one)[0]
    return None


def _value_in(kind: Any) -> Any:
    """Give the type of the values where `kind`, or one of its union, is a dict with them."""
    for one in _choices(kind):
        if typing.get_origin(one) is dict:
            return typing.get_args(one)[1]
    return None
