"""What is known of a span beside its words: the request, the response, times, tokens, errors."""

from collections.abc import Iterator, Mapping
from typing import Any, TypeGuard

from interceptor.cli._layout import Field
from interceptor.cli._listing import STYLES, error_of
from interceptor.cli._texts import compact, counted, dollars, line, parsed, size
from interceptor.cli._times import seconds
from interceptor.store import Event, Span, Status

__all__ = ["facts"]

_BETWEEN = " · "
_LOW = 0.1
_UNSAID_PORTS = (None, 443)
_REQUEST = "gen_ai.request."
_PHASE = "mistral_ai.phase."
_LIMIT = "mistral_ai.ratelimit."
_LONGEST_VALUE = 200
_DID = {"asked": "asked for in", "ran": "run in", "took": "taken by"}
_SHOWN_ELSEWHERE = (
    *("gen_ai.", "mistral_ai.", "http.", "server.", "network.", "url.", "error."),
    *("input.", "output.", "session.", "user.", "tag."),
)

Attributes = Mapping[str, Any]


def facts(
    span: Span, numbers: Mapping[str, int], *, now_unix_ns: int, is_full: bool
) -> Iterator[Field]:
    """Give a span's facts, the most telling ones; all of them if it `is_full`.

    `numbers` are those of the trace's spans, by their ids; `now` is for a span that is running.
    Nothing is said of what was not recorded.
    """
    has = span.attributes
    is_thorough = is_full or span.failed
    rows = {
        "request": _request(has),
        "params": _parameters(has),
        "tools": _tools(has),
        "agent": _agent(has, span.name),
        "response": _response(has),
        "timing": _timing(has),
        "stream": _stream(has),
        "network": _network(has),
        "tokens": _tokens(has),
        "≈ cost": _cost(has),
        "limits": _limits(has, is_thorough=is_thorough),
        "links": _links(span, numbers),
        "ids": _ids(span, is_thorough=is_thorough),
        "more": _others(has, is_full=is_full),
    }
    for label, parts in rows.items():
        if any(parts):
            yield Field.of(label, _BETWEEN.join(line(part) for part in parts if part))
    yield from _events(span, is_full=is_full)
    yield from _notes(has)
    yield from _outcome(span, now_unix_ns)


def _request(has: Attributes) -> list[str]:
    if "http.request.method" not in has:
        return []
    port = has.get("server.port")
    host = f"{has.get('server.address', '')}{'' if port in _UNSAID_PORTS else f':{port}'}"
    attempt = has.get("mistral_ai.request.attempt", 1)
    return [
        f"{has['http.request.method']} {host}{has.get('url.path', '')}",
        f"attempt {attempt}" if attempt != 1 else "",
        _size(has, "mistral_ai.request.bytes"),
    ]


def _parameters(has: Attributes) -> list[str]:
    """Give the request's parameters but its model, which the span's name says."""
    found = parsed(has.get("mistral_ai.request.parameters"))
    if not isinstance(found, dict):
        found = {key.removeprefix(_REQUEST): has[key] for key in has if key.startswith(_REQUEST)}
    return [
        f"{key} {_value(value)}"
        for key, value in found.items()
        if key != "model" and (key, value) != ("stream", False)
    ]


def _tools(has: Attributes) -> list[str]:
    tools = parsed(has.get("gen_ai.tool.definitions"))
    return [", ".join(map(_tool, tools))] if isinstance(tools, list) else []


def _tool(tool: Any) -> str:
    if not isinstance(tool, dict):
        return str(tool)
    function = tool.get("function")
    named = function if isinstance(function, dict) else tool
    return str(named.get("name") or tool.get("type"))


def _agent(has: Attributes, span_name: str) -> list[str]:
    """Give which agent it was, but for a name that the span has too."""
    name, version = has.get("gen_ai.agent.name"), has.get("gen_ai.agent.version")
    return [
        str(name) if name and name != span_name else "",
        str(has.get("gen_ai.agent.id", "")),
        "" if version is None else f"version {version}",
    ]


def _response(has: Attributes) -> list[str]:
    model = has.get("gen_ai.response.model")
    finished = has.get("gen_ai.response.finish_reasons")
    return [
        str(has.get("http.response.status_code", "")),
        ", ".join(map(str, finished)) if isinstance(finished, list) else "",
        f"by {model}" if model and model != has.get("gen_ai.request.model") else "",
        _embeddings(has),
        _size(has, "mistral_ai.response.bytes"),
    ]


def _embeddings(has: Attributes) -> str:
    count = has.get("mistral_ai.embeddings.count")
    dimensions = has.get("gen_ai.embeddings.dimension.count")
    if count is None:
        return ""
    vectors = counted(count, "vector")
    return vectors if dimensions is None else f"{vectors} of {dimensions} dimensions"


def _timing(has: Attributes) -> list[str]:
    return [
        _seconds(has, "gen_ai.response.time_to_first_chunk", "first token {}"),
        _seconds(has, "mistral_ai.stream.time_to_first_byte", "first byte {}"),
        _seconds(has, "mistral_ai.time_to_headers", "headers {}"),
        _seconds(has, "mistral_ai.upstream_time", "upstream {}"),
    ]


def _stream(has: Attributes) -> list[str]:
    events = has.get("mistral_ai.stream.events")
    gaps = "mistral_ai.stream.chunk_interval."
    return [
        "" if events is None else counted(events, "event"),
        _seconds(has, f"{gaps}p50", "gaps {} p50")
        + _seconds(has, f"{gaps}p95", ", {} p95")
        + _seconds(has, f"{gaps}max", ", {} longest"),
        "left before its end" if has.get("mistral_ai.stream.completed") is False else "",
    ]


def _network(has: Attributes) -> list[str]:
    """Give the phases of the call, in the order in which they began."""
    phases = (
        _seconds(has, key, key.removeprefix(_PHASE).replace("_", " ") + " {}")
        for key in has
        if key.startswith(_PHASE)
    )
    return [", ".join(phase for phase in phases if phase)]


def _tokens(has: Attributes) -> list[str]:
    return [
        _count(has, "gen_ai.usage.input_tokens", "{} in")
        + _count(has, "gen_ai.usage.cache_read.input_tokens", " ({} from the cache)", zero=False),
        _count(has, "gen_ai.usage.output_tokens", "{} out")
        + _count(has, "gen_ai.usage.reasoning.output_tokens", " ({} of it thinking)", zero=False),
        _count(has, "mistral_ai.usage.total_tokens", "{} in all"),
        _count(has, "gen_ai.usage.audio.input_tokens", "{} of audio", zero=False),
        _count(has, "mistral_ai.usage.audio_seconds", "{}s of audio", zero=False),
        _count(has, "mistral_ai.usage.connector_tokens", "{} by connectors", zero=False),
        _count(has, "mistral_ai.ocr.usage.pages_processed", "{} pages"),
        _count(has, "mistral_ai.usage.input_characters", "{} characters"),
    ]


def _cost(has: Attributes) -> list[str]:
    keys = {"usd": "{}", "input_usd": "{} in", "output_usd": "{} out"}
    found = {form: has.get(f"mistral_ai.cost.{key}") for key, form in keys.items()}
    return [form.format(dollars(usd)) for form, usd in found.items() if _is_number(usd)]


def _limits(has: Attributes, *, is_thorough: bool) -> list[str]:
    """Give the rate limits, those that are nearly used up or all: `req minute 3 of 360 left`."""
    found = {key.removeprefix(_LIMIT): has[key] for key in has if key.startswith(_LIMIT)}
    limits = []
    for key, left in found.items():
        of = found.get(key.replace("remaining_", "limit_", 1))
        if not (key.startswith("remaining_") and _is_number(left) and _is_number(of)):
            continue
        if is_thorough or left < of * _LOW:
            what = key.removeprefix("remaining_").replace("_", " ")
            limits.append(f"{what} {left} of {of} left")
    return limits


def _links(span: Span, numbers: Mapping[str, int]) -> list[str]:
    """Give what other spans had to do with this one, those of one tool call together."""
    found: dict[str, list[str]] = {}
    for link in span.links:
        number = numbers.get(link.span_id)
        where = f"trace {link.trace_id[:8]}" if number is None else f"span {number}"
        did = _DID.get(str(link.attributes.get("interceptor.tool_call")), "see")
        call = str(link.attributes.get("gen_ai.tool.call.id", ""))
        found.setdefault(call, []).append(f"{did} {where}")
    return [f"{call} {', '.join(others)}".lstrip() for call, others in found.items()]


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
    found = {key: line(_value(has[key])) for key in has if not key.startswith(_SHOWN_ELSEWHERE)}
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
            parts = [f"{event.name} after {after}", *(f"{key} {_value(has[key])}" for key in has)]
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


def _value(value: Any) -> str:
    value = parsed(value)
    return value if isinstance(value, str) else compact(value)


def _seconds(has: Attributes, key: str, form: str) -> str:
    value = has.get(key)
    return form.format(seconds(value)) if _is_number(value) else ""


def _count(has: Attributes, key: str, form: str, *, zero: bool = True) -> str:
    value = has.get(key)
    return form.format(value) if _is_number(value) and (value or zero) else ""


def _size(has: Attributes, key: str) -> str:
    value = has.get(key)
    return size(value) if isinstance(value, int) else ""


def _is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)
