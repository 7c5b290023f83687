"""What is known of a span beside its words: the call that it is, its links, events and errors."""

from collections.abc import Iterator, Mapping
from typing import Any

from interceptor.cli._call import of_call
from interceptor.cli._layout import Field
from interceptor.cli._links import Links
from interceptor.cli._listing import STYLES, error_of
from interceptor.cli._texts import line, plain
from interceptor.cli._times import seconds
from interceptor.store import Event, Span, Status

__all__ = ["facts"]

_BETWEEN = " · "
_LONGEST_VALUE = 200
_SHOWN_ELSEWHERE = (
    *("gen_ai.", "mistral_ai.", "http.", "server.", "network.", "url.", "error."),
    *("input.", "output.", "session.", "user.", "tag."),
)

Attributes = Mapping[str, Any]


def facts(span: Span, links: Links, *, now_unix_ns: int, is_full: bool) -> Iterator[Field]:
    """Give a span's facts, the most telling ones; all of them if it `is_full`.

    `links` are those of its trace; `now` is for a span that is running.
    Nothing is said of what was not recorded.
    """
    has = span.attributes
    is_thorough = is_full or span.failed
    rows = {
        **of_call(span, is_thorough=is_thorough),
        "links": [*links.of(span)],
        "ids": _ids(span, is_thorough=is_thorough),
        "more": _others(has, is_full=is_full),
    }
    for label, parts in rows.items():
        if any(parts):
            yield Field.of(label, _BETWEEN.join(line(part) for part in parts if part))
    yield from _events(span, is_full=is_full)
    yield from _notes(has)
    yield from _outcome(span, now_unix_ns)


def _ids(span: Span, *, is_thorough: bool) -> list[str]:
    has = span.attributes
    conversation = has.get("gen_ai.conversation.id")
    tool_call = has.get("gen_ai.tool.call.id")
    response, correlation = has.get("gen_ai.response.id"), has.get("mistral_ai.correlation_id")
    return [
        f"conversation {conversation}" if conversation else "",
        f"tool call {tool_call}" if tool_call and not span.links else "",
        f"response {response}" if response and is_thorough else "",
        f"correlation {correlation}" if correlation and is_thorough else "",
    ]


def _others(has: Attributes, *, is_full: bool) -> list[str]:
    """Give what the program itself said of the span."""
    found = {key: line(plain(has[key])) for key in has if not key.startswith(_SHOWN_ELSEWHERE)}
    return [
        f"{key} {text if is_full or len(text) <= _LONGEST_VALUE else f'{text[:_LONGEST_VALUE]}…'}"
        for key, text in found.items()
    ]


def _events(span: Span, *, is_full: bool) -> Iterator[Field]:
    for event in span.events:
        has = dict(event.attributes)
        has.pop("exception.escaped", None)
        stacktrace = has.pop("exception.stacktrace", None)
        if not _is_told(event, span.status_message):
            after = seconds(max(event.unix_ns - span.start_unix_ns, 0) / 1e9)
            parts = [f"{event.name} after {after}", *(f"{key} {plain(has[key])}" for key in has)]
            yield Field.of("event", _BETWEEN.join(map(line, parts)))
        if is_full and stacktrace:
            yield Field.of("traceback", str(stacktrace).rstrip())


def _is_told(event: Event, error: str | None) -> bool:
    """Tell whether an event is the exception that the span's error names."""
    return event.name == "exception" and str(event.attributes.get("exception.message")) in (
        error or ""
    )


def _notes(has: Attributes) -> Iterator[Field]:
    notes = has.get("mistral_ai.notes")
    for note in notes if isinstance(notes, list) else []:
        yield Field.of("note", line(str(note)), "yellow")
    cut = has.get("mistral_ai.truncated")
    if isinstance(cut, list):
        yield Field.of(
            "note", f"too long to keep whole: {line(', '.join(map(str, cut)))}", "yellow"
        )


def _outcome(span: Span, now_unix_ns: int) -> Iterator[Field]:
    style = STYLES[span.status]
    match span.status:
        case Status.RUNNING:
            since = seconds(max(now_unix_ns - span.start_unix_ns, 0) / 1e9)
            yield Field.of(
                "running", f"for {since}, in process {span.pid}", style, label_style=style
            )
        case Status.LOST:
            yield Field.of(
                "lost", f"it had not ended when process {span.pid} did", style, label_style=style
            )
        case Status.ERROR:
            has = span.attributes
            code = has.get("mistral_ai.error.code")
            kind = has.get("error.type")
            text = error_of(str(kind) if kind else None, span.status_message)
            text = text if code is None or code == kind else f"{text} (code {code})"
            yield Field.of("error", text, style, label_style=style)
