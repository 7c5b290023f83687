"""A span as a row: the columns that lists need, and everything as JSON text.

The one place that knows which attributes mean what. It takes any span: an attribute
of the wrong type is left out of its column and kept in the JSON.
"""

import base64
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import orjson
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanContext, StatusCode, format_span_id, format_trace_id

from interceptor.dialects.observed import EVALUATION, SCORE
from interceptor.spans import SCOPE
from interceptor.store._texts import preview, words
from interceptor.store.rows import TOOL_CALL, State, is_call

__all__ = ["Row", "to_row"]

_LARGEST_INTEGER = 2**63 - 1  # SQLite's
_DEEPEST = 100  # no attribute of ours is; orjson gives up at 254
_EXPLANATION = "gen_ai.evaluation.explanation"


class ScoreRow(msgspec.Struct, kw_only=True):
    """A score as it is written; fields are named as their columns."""

    trace_id: str
    span_id: str | None
    name: str
    value: float | None
    label: str | None
    comment: str | None
    unix_ns: int


class Row(msgspec.Struct, kw_only=True):
    """A span as it is written; fields are named as their columns."""

    trace_id: str
    span_id: str
    parent_id: str | None
    name: str
    kind: str
    start_unix_ns: int
    end_unix_ns: int | None
    state: State
    process: str | None
    failed: bool
    status_message: str | None
    error_type: str | None
    endpoint: str | None
    is_call: bool
    operation: str | None
    model: str | None
    response_model: str | None
    input_tokens: int | None
    output_tokens: int | None
    total_tokens: int | None
    cost_usd: float | None
    time_to_first_chunk_s: float | None
    session_id: str | None
    user_id: str | None
    tags: tuple[str, ...]
    preview: str | None
    left_early: bool
    attempt: int | None
    retry_of: str | None
    words: str
    attributes: str
    events: str
    links: str
    resource: str
    scope: str
    scores: tuple[ScoreRow, ...] = ()

    @property
    def is_score(self) -> bool:
        """Whether the span itself stands for nothing but its scores.

        Ours does before it has any, too: it may be seen before its event stands on it.
        """
        return self.operation == SCORE and (self.scope == SCOPE or bool(self.scores))


def to_row(span: ReadableSpan, *, process: str) -> Row:
    """Give a span's row. One without an end is running, in this process."""
    end = span.end_time  # first of all: if it ends only now, what follows may be half of it
    attributes = _attributes(span)
    name = _text(span.name) or ""
    failed = span.status.status_code is StatusCode.ERROR
    message = _text(span.status.description)
    model = _text(attributes.get("gen_ai.request.model"))
    response_model = _text(attributes.get("gen_ai.response.model"))
    kind = span.kind.name.lower()
    scope = _text(getattr(span.instrumentation_scope, "name", None)) or ""
    attempt = _integer(attributes.get("mistral_ai.request.attempt"))
    return Row(
        **_ids(span.context, span.parent),
        name=name,
        kind=kind,
        start_unix_ns=span.start_time or 0,
        end_unix_ns=end,
        state=State.RUNNING if end is None else State.ENDED,
        process=process if end is None else None,
        failed=failed,
        status_message=message,
        error_type=_error_type(span, attributes) if failed else None,
        endpoint=_text(attributes.get("mistral_ai.endpoint")),
        is_call=is_call(kind, scope, attributes),
        operation=_text(attributes.get("gen_ai.operation.name")),
        model=model or response_model,
        response_model=response_model,
        input_tokens=_integer(attributes.get("gen_ai.usage.input_tokens")),
        output_tokens=_integer(attributes.get("gen_ai.usage.output_tokens")),
        total_tokens=_integer(attributes.get("mistral_ai.usage.total_tokens")),
        cost_usd=_number(attributes.get("mistral_ai.cost.usd")),
        time_to_first_chunk_s=_number(attributes.get("gen_ai.response.time_to_first_chunk")),
        session_id=_text(attributes.get("session.id")),
        user_id=_text(attributes.get("user.id")),
        tags=_tags(attributes.get("tag.tags")),
        preview=_text(preview(attributes)),
        left_early=not failed and attributes.get("mistral_ai.stream.completed") is False,
        attempt=attempt,
        retry_of=_retry_of(span) if attempt is not None and attempt > 1 else None,
        words=_text(words(name, message, attributes)) or "",
        attributes=_json(attributes),
        events=_json([_event(event) for event in span.events]),
        links=_json([_link(link) for link in span.links]),
        resource=_json(dict(span.resource.attributes)),
        scope=scope,
        scores=tuple(_scores(span, attributes)),
    )


def _ids(context: SpanContext, parent: SpanContext | None) -> dict[str, Any]:
    return {
        "trace_id": format_trace_id(context.trace_id),
        "span_id": format_span_id(context.span_id),
        "parent_id": None if parent is None else format_span_id(parent.span_id),
    }


def _retry_of(span: ReadableSpan) -> str | None:
    """Give the trace of the first attempt that a later one links to; None if it is the same."""
    linked = (link.context for link in span.links if TOOL_CALL not in (link.attributes or {}))
    first = next(linked, None)
    if first is None or first.trace_id == span.context.trace_id:
        return None
    return format_trace_id(first.trace_id)


def _scores(span: ReadableSpan, attributes: Mapping[str, Any]) -> Iterator[ScoreRow]:
    """Give the scores that stand on a span: as events of it, whoever wrote them."""
    ids = _ids(span.context, span.parent)
    about = ids["span_id"]
    if attributes.get("gen_ai.operation.name") == SCORE:
        about = _text(attributes.get("interceptor.score.span_id"))
    for event in span.events:
        said = event.attributes or {}
        name = _text(said.get("gen_ai.evaluation.name"))
        if event.name == EVALUATION and name is not None:
            # A destination that may have words has them beside the event, on the span.
            comment = said.get(_EXPLANATION) or attributes.get(_EXPLANATION)
            yield ScoreRow(
                trace_id=ids["trace_id"],
                span_id=about,
                name=name,
                value=_number(said.get("gen_ai.evaluation.score.value")),
                label=_text(said.get("gen_ai.evaluation.score.label")),
                comment=_text(comment),
                unix_ns=event.timestamp,
            )


def _attributes(span: ReadableSpan) -> dict[str, Any]:
    """Copy a span's attributes, also while another thread sets them.

    To set one anew, the SDK takes it out and puts it in again: it may be gone
    between its name and its value.
    """
    attributes = span.attributes or {}
    missing = object()
    return {
        key: value for key in attributes if (value := attributes.get(key, missing)) is not missing
    }


def _error_type(span: ReadableSpan, attributes: Mapping[str, Any]) -> str | None:
    raised = (
        (event.attributes or {}).get("exception.type")
        for event in span.events
        if event.name == "exception"
    )
    return _text(attributes.get("error.type")) or _text(next(raised, None))


def _event(event: Any) -> dict[str, Any]:
    return {
        "name": event.name,
        "unix_ns": event.timestamp,
        "attributes": dict(event.attributes or {}),
    }


def _link(link: Any) -> dict[str, Any]:
    return {
        "trace_id": format_trace_id(link.context.trace_id),
        "span_id": format_span_id(link.context.span_id),
        "attributes": dict(link.attributes or {}),
    }


def _tags(value: Any) -> tuple[str, ...]:
    values = value if isinstance(value, tuple | list) else ()
    return tuple(text for text in map(_text, values) if text)


def _text(value: Any) -> str | None:
    """Give a text that UTF-8 can say; None for what is no text."""
    if not isinstance(value, str):
        return None
    return value.encode("utf-8", "replace").decode("utf-8")


def _integer(value: Any) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > _LARGEST_INTEGER:
        return None
    return value


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, float) or _integer(value) is not None else None


def _json(value: Any) -> str:
    """Give JSON for any value an attribute can have."""
    try:
        return orjson.dumps(value, default=_plain).decode()
    except TypeError:  # a lone surrogate, a huge integer, a key that is no text, too deep
        return orjson.dumps(_cleaned(value)).decode()


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, Mapping):
        return dict(value)
    return str(value)


def _cleaned(value: Any, depth: int = 0) -> Any:
    """Copy a value with everything that JSON cannot say made a text."""
    if isinstance(value, Mapping | list | tuple) and depth == _DEEPEST:
        return "…"
    if isinstance(value, Mapping):
        return {_text(str(key)): _cleaned(one, depth + 1) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_cleaned(one, depth + 1) for one in value]
    if value is None or isinstance(value, bool | float) or _integer(value) is not None:
        return value
    return _text(value if isinstance(value, str) else _plain(value))
