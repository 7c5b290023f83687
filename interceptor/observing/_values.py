"""Copies of a program's values: plain, short, and without credentials.

What a function is given may be changed while it runs, so it is copied before. A copy is made of
what JSON knows; texts are immutable and taken as they are. Everything else becomes a few words on
what it is. A value's own methods are never called, for they may do anything: ask a database, read
a stream, tell a secret.
"""

import datetime as dt
import decimal
import fractions
import functools
import io
import ipaddress
import math
import pathlib
import types
import uuid
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping
from enum import Enum
from itertools import islice
from typing import Any

from interceptor.credentials import HARMLESS, STRUCK, is_credential

__all__ = ["Yielded", "copied"]

_MOST_VALUES = 4096  # in one copy: at some hundred nanoseconds each
_MOST_DEEP = 24
_SHORT = 1024  # characters: a text that long is taken whatever there is already

_SPOKEN = (
    dt.date,
    dt.time,
    dt.timedelta,
    decimal.Decimal,
    fractions.Fraction,
    pathlib.PurePath,
    uuid.UUID,
    ipaddress.IPv4Address,
    ipaddress.IPv6Address,
)
"""Types of the standard library whose text says all that they hold."""

_DEFINITIONS = (
    types.FunctionType,
    types.BuiltinFunctionType,
    types.MethodType,
    types.ModuleType,
    type,
)


def copied(value: Any, limit: int) -> tuple[Any, int]:
    """Copy a value as JSON would say it: some thousand values at most, texts of `limit` characters.

    What is left out is counted where it stood. What stands under a credential's name is struck out.
    Gives about how many characters the copy holds beside it.
    """
    copier = _Copier(limit)
    return copier.copy(value), copier.chars


class Yielded:
    """What a generator has yielded so far: joined where it is text, within a budget.

    Texts are held as one, up to `limit` characters; other values as copies, some thousand values
    of them. What comes after that is counted.
    """

    __slots__ = ("_copier", "_limit", "_missed", "_text", "_values")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._copier = _Copier(limit)
        self._text: io.StringIO | None = None
        self._values: list[Any] = []
        self._missed = 0

    @property
    def chars(self) -> int:
        """About how many characters are held."""
        return self._copier.chars

    def add(self, value: Any) -> None:
        """Take what was yielded."""
        if type(value) is str and not self._values:
            self._join(value)
        elif value is not None or self._values:
            self._keep(value)

    def value(self) -> Any:
        """Give all of it: one text, or a list."""
        if self._values:
            rest = [_more(self._missed)] if self._missed else []
            return [*self._values, *rest]
        if self._text is None:
            return []
        text = self._text.getvalue()
        return f"{text}{_more(self._missed)}" if self._missed else text

    def _join(self, text: str) -> None:
        if self._text is None:
            self._text = io.StringIO()
        room = self._limit - self._copier.chars
        kept = text if len(text) <= room else text[: max(room, 0)]
        self._copier.chars += self._text.write(kept)
        self._missed += len(text) - len(kept)

    def _keep(self, value: Any) -> None:
        """Keep a value that is no text: from now on there is a list, of the text so far first."""
        if self._text is not None:
            self._values.append(self.value())
            self._text, self._missed = None, 0
        if self._copier.left <= 0 or self._copier.chars > self._limit:
            self._missed += 1
        else:
            self._copier.left -= 1
            self._values.append(self._copier.copy(value))


class _Copier:
    """Copies values until there are too many."""

    __slots__ = ("_limit", "chars", "left")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.chars, self.left = 0, _MOST_VALUES

    def copy(self, value: Any, depth: int = 0) -> Any:
        """Copy a value; `depth` counts the containers around it."""
        kind: type = type(value)
        if kind is str:
            return self.text(value)
        if value is None or kind is int or kind is bool:
            return value
        if kind is dict:
            return self.mapping(value, depth)
        return _how(kind)(self, value, depth)

    def text(self, text: str) -> str:
        """Copy a text, the beginning of it where it is long or much has been copied already."""
        room = self._limit if self.chars <= self._limit else _SHORT
        if len(text) > room:
            text = f"{text[:room]}{_more(len(text) - room)}"
        self.chars += len(text)
        return text

    def mapping(self, value: dict[Any, Any], depth: int) -> Any:
        """Copy a dictionary, as far as there is room for its values."""
        length = len(value)
        if length > self.left or depth >= _MOST_DEEP or not HARMLESS.issuperset(value):
            return self._odd_mapping(value, length, depth)
        self.left -= length
        found = value.copy()
        for name, held in value.items():
            kind: type = type(held)
            if kind is str and len(held) <= _SHORT:
                self.chars += len(held)
            elif held is not None and kind is not int and kind is not bool:
                found[name] = self.copy(held, depth + 1)
        return found

    def sequence(self, value: Collection[Any], depth: int) -> Any:
        """Copy a list, or what is like one, as far as there is room for its values."""
        length, room = len(value), self.left
        if depth >= _MOST_DEEP:
            return _named(self, value, depth)
        self.left = max(room - length, 0)
        found = list(value if length <= room else islice(value, room))
        for at, held in enumerate(found):
            kind: type = type(held)
            if kind is str and len(held) <= _SHORT:
                self.chars += len(held)
            elif held is not None and kind is not int and kind is not bool:
                found[at] = self.copy(held, depth + 1)
        if length > room:
            found.append(_more(length - room))
        return found

    def _odd_mapping(self, value: dict[Any, Any], length: int, depth: int) -> Any:
        """Copy a dictionary that is too large, or has keys which nobody has looked at yet."""
        if depth >= _MOST_DEEP:
            return _named(self, value, depth)
        room = self.left
        self.left = max(room - length, 0)
        found: dict[str, Any] = {}
        for name, held in islice(value.items(), room):
            key = self._key(name)
            struck = is_credential(key) and held is not None
            found[key] = STRUCK if struck else self.copy(held, depth + 1)
        if length > len(found):
            found["…"] = _more(length - len(found))
        return found

    def _key(self, name: Any) -> str:
        return self.text(name) if type(name) is str else str(self.copy(name, _MOST_DEEP))


_How = Callable[[_Copier, Any, int], Any]


@functools.lru_cache(maxsize=4096)
def _how(kind: type) -> _How:
    """Give how values of a class are copied. Told by the class: a value itself may lie about it."""
    if _declared(kind):
        return _object
    for base, how in _HOWS:
        if issubclass(kind, base):
            return how
    return _array if hasattr(kind, "shape") and hasattr(kind, "dtype") else _named


def _enum(copier: _Copier, value: Any, depth: int) -> Any:
    return copier.copy(object.__getattribute__(value, "_value_"), depth)


def _string(copier: _Copier, value: Any, depth: int) -> str:  # noqa: ARG001 - one signature for all
    return copier.text(str.__str__(value))


def _integer(copier: _Copier, value: Any, depth: int) -> int:  # noqa: ARG001 - as above
    return int.__int__(value)


def _number(copier: _Copier, value: Any, depth: int) -> float | str:  # noqa: ARG001 - as above
    plain = float.__float__(value)
    return plain if math.isfinite(plain) else repr(plain)


def _bytes(copier: _Copier, value: Any, depth: int) -> str:  # noqa: ARG001 - as above
    return f"<{type(value).__name__}: {memoryview(value).nbytes} bytes>"


def _spoken(copier: _Copier, value: Any, depth: int) -> str:  # noqa: ARG001 - as above
    return copier.text(str(value))


def _definition(copier: _Copier, value: Any, depth: int) -> str:  # noqa: ARG001 - as above
    name = getattr(value, "__qualname__", None) or value.__name__
    return f"<{type(value).__name__} {name}>"


def _error(copier: _Copier, value: Any, depth: int) -> str:  # noqa: ARG001 - as above
    said = value.args[0] if value.args and type(value.args[0]) is str else ""
    return f"<{_title(type(value))}: {copier.text(said)}>" if said else f"<{_title(type(value))}>"


def _array(copier: _Copier, value: Any, depth: int) -> Any:
    """Say how large an array is, of numpy or with its manners; one of no dimension is a number."""
    shape = tuple(value.shape)
    if not shape and hasattr(type(value), "item"):
        return copier.copy(value.item(), depth)
    return f"<{_title(type(value))} shape={shape} dtype={value.dtype}>"


def _named(copier: _Copier, value: Any, depth: int) -> str:  # noqa: ARG001 - as above
    """Say what a value is, where its text would say too much or nothing at all."""
    return f"<{_title(type(value))}>"


def _dict(copier: _Copier, value: Any, depth: int) -> Any:
    """Copy a dictionary of a class of its own, without asking that class for anything."""
    return copier.mapping(dict(dict.items(value)), depth)


def _proxy(copier: _Copier, value: Any, depth: int) -> Any:
    return copier.mapping(dict(value), depth)


def _object(copier: _Copier, value: Any, depth: int) -> Any:
    return copier.mapping(dict(_fields(value)), depth)


def _sequence(copier: _Copier, value: Any, depth: int) -> Any:
    return copier.sequence(value, depth)


_HOWS: tuple[tuple[type | tuple[type, ...], _How], ...] = (
    (Enum, _enum),
    (str, _string),
    (int, _integer),
    (float, _number),
    ((bytes, bytearray, memoryview), _bytes),
    (dict, _dict),
    (types.MappingProxyType, _proxy),
    ((list, tuple, set, frozenset, deque), _sequence),
    (_SPOKEN, _spoken),
    (_DEFINITIONS, _definition),
    (BaseException, _error),
)


_DECLARATIONS: Mapping[str, type] = {
    "__dataclass_fields__": dict,
    "__attrs_attrs__": tuple,
    "__struct_fields__": tuple,
    "__pydantic_fields__": dict,
}


@functools.lru_cache(maxsize=4096)
def _declared(kind: type) -> Mapping[str, Any]:
    """Give what a class declares its values' fields to be, in the words of the library it is of."""
    declared = ((name, getattr(kind, name, None), shape) for name, shape in _DECLARATIONS.items())
    found = {name: fields for name, fields, shape in declared if isinstance(fields, shape)}
    names = getattr(kind, "_fields", None)
    if issubclass(kind, tuple) and isinstance(names, tuple):
        found["_fields"] = names
    return found


def _fields(value: Any) -> Iterator[tuple[str, Any]]:
    """Give the fields of a value whose class declares them.

    A field that its class keeps out of `repr` is kept out here.
    """
    kind: type = type(value)
    known = _declared(kind)
    match known:
        case {"_fields": names}:
            return zip(names, tuple.__iter__(value), strict=False)
        case {"__pydantic_fields__": fields}:
            return _of_model(value, fields)
        case {"__dataclass_fields__": fields}:
            names = [name for name, field in fields.items() if field.repr]
        case {"__attrs_attrs__": fields}:
            names = [field.name for field in fields if field.repr]
        case _:
            names = known["__struct_fields__"]
    missing = object()
    held = ((name, _attribute(value, name, missing)) for name in names)
    return ((name, one) for name, one in held if one is not missing)


def _of_model(value: Any, fields: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Give a pydantic model's fields, but those that hold a model without any: an SDK's `Unset`."""
    extra = _attribute(value, "__pydantic_extra__", None) or {}
    for name, held in {**_attribute(value, "__dict__", {}), **extra}.items():
        if name in fields and fields[name].repr is False:
            continue
        kind: type = type(held)
        if _declared(kind).get("__pydantic_fields__", fields):
            yield name, held


def _attribute(value: Any, name: str, missing: Any) -> Any:
    """Read an attribute where it is stored, past whatever the class makes of reading."""
    try:
        return object.__getattribute__(value, name)
    except AttributeError:
        return missing


def _title(kind: type) -> str:
    """Give a class's full name."""
    module = "" if kind.__module__ == "builtins" else f"{kind.__module__}."
    return f"{module}{kind.__qualname__}"


def _more(count: int) -> str:
    return f"… [{count} more]"
