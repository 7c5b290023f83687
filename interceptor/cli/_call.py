"""What is known of a call to the API: what was asked, what came back, when, for how much."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeGuard

from interceptor.cli._texts import counted, dollars, parsed, plain, size
from interceptor.cli._times import seconds
from interceptor.store import Span

__all__ = ["LEFT_EARLY", "of_call"]

_LOW = 0.1
_UNSAID_PORTS = (None, 443)
_REQUEST = "gen_ai.request."
_PHASE = "mistral_ai.phase."
_LIMIT = "mistral_ai.ratelimit."
_STATUS = "http.response.status_code"

LEFT_EARLY = "left early"
"""What is said of a stream that its program stopped reading before the end."""

Attributes = Mapping[str, Any]


def of_call(span: Span, *, is_thorough: bool) -> dict[str, Sequence[str]]:
    """Give the parts of each row, by its label; those that are empty say nothing.

    Only what `is_thorough` has the limits that are far away.
    """
    has = span.attributes
    return {
        "request": _request(has),
        "params": _parameters(has),
        "tools": _tools(has),
        "agent": _agent(has, span.name),
        "response": _response(has),
        "timing": _timing(has),
        "stream": _stream(has, has_failed=span.failed),
        "network": _network(has),
        "tokens": _tokens(has),
        "≈ cost": _cost(has),
        "limits": _limits(has, is_thorough=is_thorough),
    }


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
        f"{key} {plain(value)}"
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
        str(has.get(_STATUS, "")),
        ", ".join(map(str, finished)) if isinstance(finished, list) else "",
        f"by {model}" if model and model != has.get("gen_ai.request.model") else "",
        _embeddings(has),
        _size(has, "mistral_ai.response.bytes") if _STATUS in has else "",
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


def _stream(has: Attributes, *, has_failed: bool) -> list[str]:
    events = has.get("mistral_ai.stream.events")
    gaps = "mistral_ai.stream.chunk_interval."
    return [
        "" if events is None else counted(events, "event"),
        _seconds(has, f"{gaps}p50", "gaps {} p50")
        + _seconds(has, f"{gaps}p95", ", {} p95")
        + _seconds(has, f"{gaps}max", ", {} longest"),
        _ending(has, has_failed=has_failed),
    ]


def _ending(has: Attributes, *, has_failed: bool) -> str:
    """Say how a stream ended that did not reach its end: it was cut, or its reader had enough."""
    if has.get("mistral_ai.stream.completed") is not False:
        return ""
    if not has_failed:
        return LEFT_EARLY
    by = has.get("error.type")
    return f"broken off by {by}" if by else "broken off"


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
