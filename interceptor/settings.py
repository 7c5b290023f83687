"""What the user may set, from a mapping of environment variables or in code.

`Settings.from_env` reads `INTERCEPTOR_*` and the `OTEL_*` variables that mean the same, and
raises `SettingsError` on a value that it cannot use. Nothing here reads the environment by
itself: the mapping is an argument.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Any

import msgspec

from interceptor.errors import SettingsError, quoted

__all__ = [
    "IN_CODE",
    "OTLP_ENDPOINTS",
    "OTLP_PROTOCOLS",
    "PROVIDERS",
    "VARIABLES",
    "Content",
    "Metrics",
    "Native",
    "Settings",
    "doubts",
    "first_said",
    "misspelt",
    "unknown",
]


class Content(StrEnum):
    """Whether message text is recorded, or only what was counted and timed."""

    FULL = "full"
    METADATA = "metadata"


class Native(StrEnum):
    """Whose span stays where the SDK traces itself too."""

    KEEP_OURS = "keep-ours"
    DEFER = "defer"


class Metrics(StrEnum):
    """Which generation of the GenAI metric names is written."""

    V1_41 = "v1.41"
    LATEST = "latest"
    OFF = "off"


# A colon by itself is a port's; an address of IPv6 has more of them.
_HAS_PORT = re.compile(r"[^:]*:\d+")
_AROUND_HOST = re.compile(r"^(?:[\w+.-]*://)?(?:[^/@]*@)?|(?::\d+)?(?:/.*)?$")

OTLP_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
OTLP_PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
"""OpenTelemetry's variables: the one for traces comes first, and wins."""

DESTINATIONS = ("store", "otlp", "console")
OFF = "off"


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Every setting, with its default. Sizes are in the unit that the name says.

    `content` None means: full where a destination exists to show it (the store, MLflow,
    Langfuse, Phoenix), metadata for plain OTLP. `on` None means: taps that code asks for
    work, injection stays off. `store` None means the user's own state folder; "off" keeps
    no file. `follows_otel` says that `destinations` are what `OTEL_*` variables ask for: those an
    application with a provider of its own has heeded already.
    """

    on: bool | None = None
    destinations: tuple[str, ...] = ("store",)
    store: str | None = None
    store_max_mb: int = 1024
    content: Content | None = None
    hosts: tuple[str, ...] = ()
    operations: tuple[str, ...] = ("all",)
    native: Native = Native.KEEP_OURS
    metrics: Metrics = Metrics.V1_41
    body_limit_mb: int = 32
    queue_mb: int = 64
    attribute_limit_kb: int = 256
    phases: bool = True
    redact: Any = None
    disabled: bool = False
    follows_otel: bool = False

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> "Settings":
        """Read the settings from environment variables; raise `SettingsError` on a bad one."""
        found: dict[str, Any] = {}
        for variable, (field, parse) in VARIABLES.items():
            value = environ.get(variable, "").strip()
            if value:
                found[field] = parse(variable, value)
        _add_otel(found, environ)
        return cls(**found)

    @classmethod
    def from_env_or_default(
        cls, environ: Mapping[str, str]
    ) -> tuple["Settings", tuple[SettingsError, ...]]:
        """Read the settings, a bad value giving way to its default; give what was wrong beside it.

        For programs that are traced by other means than their own code, which a bad variable
        must not stop. Whoever has set `content` wanted less said than usual, so that a value
        which cannot be read means metadata. Each error says what is gone on with.
        """
        usable, errors = dict(environ), []
        for variable, (_, parse) in VARIABLES.items():
            try:
                if value := usable.get(variable, "").strip():
                    parse(variable, value)
            except SettingsError as error:
                usable[variable] = instead = _INSTEAD.get(variable, "")
                errors.append(SettingsError(f"{error}; going on with {instead or 'the default'}"))
        return cls.from_env(usable), tuple(errors)

    @property
    def is_off(self) -> bool:
        """Whether nothing is to be recorded, whoever asks for it."""
        return self.on is False or self.disabled

    def changed(self, **changes: Any) -> "Settings":
        """Give the settings with these changed; raise `SettingsError` on a bad name or value."""
        for name, value in changes.items():
            if name not in _PARSERS:
                raise unknown(name, IN_CODE)
            changes[name] = _PARSERS[name](name, value)
        if "destinations" in changes:
            changes["follows_otel"] = False
        return msgspec.structs.replace(self, **changes)


def unknown(name: str, known: Iterable[str]) -> SettingsError:
    """Give the error of a name that no setting has."""
    return SettingsError(f"no setting is called {name!r}; there are: {', '.join(known)}")


def _choice(kind: type[StrEnum]) -> Callable[[str, str], StrEnum]:
    def parse(name: str, value: str) -> StrEnum:
        try:
            return kind(str(value).lower())
        except ValueError as error:
            raise SettingsError(
                f"{name} is {quoted(value)}; use one of: {', '.join(kind)}"
            ) from error

    return parse


def _switch(name: str, value: Any) -> bool:
    words = {"1": True, "true": True, "on": True, "0": False, "false": False, "off": False}
    found = words.get(str(value).lower())
    if found is None:
        raise SettingsError(f"{name} is {quoted(value)}; use 1 or 0")
    return found


def _count(name: str, value: Any) -> int:
    if not isinstance(value, bool):
        try:
            if (found := int(value)) > 0 and found == float(value):
                return found
        except (TypeError, ValueError, OverflowError):
            pass
    raise SettingsError(f"{name} is {quoted(value)}; use a whole number above 0")


def _text(name: str, value: Any) -> str:
    try:
        text = value if isinstance(value, str) else value.__fspath__()
    except AttributeError as error:
        raise SettingsError(f"{name} is {quoted(value)}; use text or a path") from error
    return str(text)


def _path(name: str, value: Any) -> str:
    text = _text(name, value)
    return OFF if text.lower() == OFF else text  # a file of that name is `./OFF`


def _names(name: str, value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    try:
        return tuple(_text(name, part) for part in value)
    except TypeError as error:
        raise SettingsError(f"{name} is {quoted(value)}; use a tuple of names") from error


def _hosts(name: str, value: Any) -> tuple[str, ...]:
    names = _names(name, value)
    for one in names:
        if "/" in one or _HAS_PORT.fullmatch(one):
            host = _AROUND_HOST.sub("", one)
            say = "host names, not URLs" if "/" in one else "host names without a port"
            raise SettingsError(f"{name} names {quoted(one)}; use {say}: {host!r}")
    return names


def _destinations(name: str, value: Any) -> tuple[str, ...]:
    names = _names(name, value)
    for one in names:
        if one not in DESTINATIONS:
            raise SettingsError(
                f"{name} names {one!r}; use any of: {', '.join(DESTINATIONS)}, with commas between"
            )
    return tuple(dict.fromkeys(names))  # one that is named twice would have each span twice


def _callable(name: str, value: Any) -> Any:
    if callable(value) or isinstance(value, str):
        return value
    raise SettingsError(
        f"{name} is {quoted(value)}; use a callable from Record to Record, or a policy's name"
    )


def _or_none(parse: Callable[[str, Any], Any]) -> Callable[[str, Any], Any]:
    return lambda name, value: None if value is None else parse(name, value)


_INSTEAD = {"INTERCEPTOR_CONTENT": Content.METADATA.value}

VARIABLES: Mapping[str, tuple[str, Callable[[str, str], Any]]] = {
    "INTERCEPTOR": ("on", _switch),
    "INTERCEPTOR_DESTINATIONS": ("destinations", _destinations),
    "INTERCEPTOR_STORE": ("store", _path),
    "INTERCEPTOR_STORE_MAX_MB": ("store_max_mb", _count),
    "INTERCEPTOR_CONTENT": ("content", _choice(Content)),
    "INTERCEPTOR_HOSTS": ("hosts", _hosts),
    "INTERCEPTOR_OPERATIONS": ("operations", _names),
    "INTERCEPTOR_NATIVE": ("native", _choice(Native)),
    "INTERCEPTOR_METRICS": ("metrics", _choice(Metrics)),
    "INTERCEPTOR_BODY_LIMIT_MB": ("body_limit_mb", _count),
    "INTERCEPTOR_QUEUE_MB": ("queue_mb", _count),
    "INTERCEPTOR_ATTRIBUTE_LIMIT_KB": ("attribute_limit_kb", _count),
    "INTERCEPTOR_PHASES": ("phases", _switch),
}
"""The environment variable, the field it sets, and what reads its text."""

PROVIDERS: Mapping[str, tuple[str, str]] = {
    "tracer_provider": ("get_tracer", "TracerProvider"),
    "meter_provider": ("get_meter", "MeterProvider"),
}
"""What of OpenTelemetry's `configure` takes beside the settings: by what it gives, and its name."""

_MAY_BE_NONE = {"on", "store", "content"}

_PARSERS: Mapping[str, Callable[[str, Any], Any]] = {
    field: _or_none(parse) if field in _MAY_BE_NONE else parse
    for field, parse in VARIABLES.values()
} | {
    "redact": _or_none(_callable),
    "disabled": _switch,
}
IN_CODE = tuple(name for name in _PARSERS if name != "disabled")
"""The settings that code may change; `disabled` is OpenTelemetry's word for `on=False`."""

_OURS = "INTERCEPTOR_"
_CLOSE = 0.75  # of 1, which is the same word
_CAPTURE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
_OTEL_CONTENT = {
    "NO_CONTENT": Content.METADATA,
    "FALSE": Content.METADATA,
    "SPAN_ONLY": Content.FULL,
    "TRUE": Content.FULL,
    "EVENT_ONLY": Content.FULL,
    "SPAN_AND_EVENT": Content.FULL,
}


def first_said(environ: Mapping[str, str], names: Iterable[str]) -> str:
    """Give the first of these variables that says something; an empty text where none does."""
    return next((value for name in names if (value := environ.get(name, "").strip())), "")


def doubts(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Give a sentence on each misspelt name, and each `OTEL_*` value not taken at its word.

    They may be other libraries' variables, or the program's own, so that none is an error.
    """
    return (*misspelt(environ), *_captured(environ))


def misspelt(environ: Mapping[str, str]) -> Iterator[str]:
    """Give a sentence on each variable whose name is nearly one of ours."""
    unknown = [name for name in environ if name.startswith(_OURS) and name not in VARIABLES]
    if not unknown:
        return
    from difflib import get_close_matches  # for those who need it

    known = [name.removeprefix(_OURS) for name in VARIABLES]
    for name in unknown:
        if close := get_close_matches(name.removeprefix(_OURS), known, 1, _CLOSE):
            yield f"{name} is no setting, and is ignored; there is {_OURS}{close[0]}"


def _captured(environ: Mapping[str, str]) -> Iterator[str]:
    value = environ.get(_CAPTURE, "").strip()
    if not value or environ.get("INTERCEPTOR_CONTENT", "").strip():
        return
    if value.upper() not in _OTEL_CONTENT:
        yield f"{_CAPTURE} is {value!r}, which is ignored; use NO_CONTENT or SPAN_ONLY"
    elif "EVENT" in value.upper():
        yield f"{_CAPTURE} is {value!r}; content goes on spans only, as with SPAN_ONLY"


def _add_otel(found: dict[str, Any], environ: Mapping[str, str]) -> None:
    """Fill what `INTERCEPTOR_*` leaves open from the OpenTelemetry variables that mean the same."""
    if "destinations" not in found and first_said(environ, OTLP_ENDPOINTS):
        found |= {"destinations": ("otlp",), "follows_otel": True}
    capture = environ.get(_CAPTURE, "").strip().upper()
    if "content" not in found and capture in _OTEL_CONTENT:
        found["content"] = _OTEL_CONTENT[capture]
    if environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        found["disabled"] = True
