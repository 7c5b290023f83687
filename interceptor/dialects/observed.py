"""The attributes of spans around calls: what a function was given and gave, and what it was for.

Inputs, outputs and metadata are JSON text under the names that OpenInference gave them; each
span carries `gen_ai.operation.name` too, for without it some backends drop a span and orphan its
children.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from interceptor.dialects._budget import fitted

__all__ = [
    "ABSENT",
    "EVALUATION",
    "SCORE",
    "USAGE_NAMES",
    "Kind",
    "about",
    "content",
    "evaluation",
    "evaluation_words",
    "flat",
    "judging",
    "kind",
    "labels",
    "link",
    "model",
    "operation",
    "tool_call_id",
    "uncounted",
    "usage",
]

Value = str | bool | int | float | tuple[str, ...] | tuple[float, ...]
Attributes = dict[str, Value]

ABSENT: Any = object()
"""In place of an input or output that nobody gave: None is a value."""

EVALUATION = "gen_ai.evaluation.result"
"""The event of a score."""

SCORE = "evaluate"
"""The operation of the span that carries a score: no span of the program, but of who judges it."""

_JSON = "application/json"
_LABELS_LIMIT_BYTES = 1 << 16
_MOST = 2**63 - 1


class Kind(StrEnum):
    """What an observed span is there for."""

    CHAIN = "chain"
    AGENT = "agent"
    TOOL = "tool"
    RETRIEVER = "retriever"
    LLM = "llm"


_OPERATIONS = {
    Kind.CHAIN: "invoke_workflow",
    Kind.AGENT: "invoke_agent",
    Kind.TOOL: "execute_tool",
    Kind.RETRIEVER: "retrieval",
    Kind.LLM: "chat",
}
_NAMES = {
    Kind.CHAIN: "gen_ai.workflow.name",
    Kind.AGENT: "gen_ai.agent.name",
    Kind.TOOL: "gen_ai.tool.name",
}
_USAGE = {
    "input_tokens": ("gen_ai.usage.input_tokens", "prompt_tokens"),
    "output_tokens": ("gen_ai.usage.output_tokens", "completion_tokens"),
    "total_tokens": ("mistral_ai.usage.total_tokens", "total_tokens"),
    "cache_read_tokens": ("gen_ai.usage.cache_read.input_tokens", "cached_tokens"),
    "reasoning_tokens": ("gen_ai.usage.reasoning.output_tokens", "reasoning_tokens"),
}
USAGE_NAMES = tuple(dict.fromkeys((*_USAGE, *(theirs for _, theirs in _USAGE.values()))))
"""Under which names a model's usage is looked for: ours, and Mistral's own."""

_PARAMETERS = (
    "temperature",
    "top_p",
    "top_k",
    "max_tokens",
    "seed",
    "frequency_penalty",
    "presence_penalty",
)


def operation(kind: Kind) -> str:
    """Give the operation that a kind of span stands for."""
    return _OPERATIONS[kind]


def about(kind: Kind, name: str) -> Attributes:
    """Give what an observed span is there for, and of what."""
    found: Attributes = {"gen_ai.operation.name": _OPERATIONS[kind]}
    if kind in _NAMES:
        found[_NAMES[kind]] = name
    return found


def kind(attributes: Mapping[str, Any]) -> Kind | None:
    """Give what a span is there for; None for the span of a call, and for other people's."""
    operation = attributes.get("gen_ai.operation.name")
    if "mistral_ai.endpoint" in attributes:
        return None
    return next((kind for kind, name in _OPERATIONS.items() if name == operation), None)


def tool_call_id(given: str) -> Attributes:
    """Give which tool call a span runs."""
    return {"gen_ai.tool.call.id": given}


def labels(
    session_id: str | None, user_id: str | None, tags: tuple[str, ...], metadata: Mapping[str, Any]
) -> Attributes:
    """Give what stands on every span of a session, a user or a trace."""
    found: Attributes = {}
    if session_id is not None:
        found["session.id"] = session_id
    if user_id is not None:
        found["user.id"] = user_id
    if tags:
        found["tag.tags"] = tags
    if metadata:
        found["metadata"] = fitted(metadata, _LABELS_LIMIT_BYTES)[0]
    return found


def content(*, input: Any, output: Any, limit_bytes: int) -> Attributes:
    """Give what went in and what came out, as JSON text of at most `limit_bytes` each.

    What is over the limit is cut inside its structure; the names of the attributes that were cut
    stand in `mistral_ai.truncated`.
    """
    found: Attributes = {}
    cut = []
    for side, value in (("input", input), ("output", output)):
        if value is ABSENT:
            continue
        text, is_cut = fitted(value, limit_bytes)
        found |= {f"{side}.value": text, f"{side}.mime_type": _JSON}
        if is_cut:
            cut.append(f"{side}.value")
    if cut:
        found["mistral_ai.truncated"] = tuple(cut)
    return found


def usage(given: Any) -> Attributes:
    """Give what a model says it used: a mapping or an object with our names or Mistral's own."""
    found: Attributes = {}
    for ours, (attribute, theirs) in _USAGE.items():
        count = _member(given, ours)
        if count is None:
            count = _member(given, theirs)
        if _is_count(count):
            found[attribute] = count
    return found


def uncounted(given: Any) -> tuple[str, ...]:
    """Give the names in a model's usage under which there is something, and no count."""
    said = ((name, _member(given, name)) for name in USAGE_NAMES)
    return tuple(name for name, count in said if count is not None and not _is_count(count))


def model(name: str | None, parameters: Mapping[str, Any], limit_bytes: int) -> Attributes:
    """Give which model was asked, and how."""
    found: Attributes = {}
    if name is not None:
        found["gen_ai.request.model"] = name
    if parameters:
        known = {key: parameters.get(key) for key in _PARAMETERS}
        found |= {
            f"gen_ai.request.{key}": value
            for key, value in known.items()
            if isinstance(value, int | float) and not isinstance(value, bool)
        }
        found["mistral_ai.request.parameters"] = fitted(parameters, limit_bytes)[0]
    return found


def flat(value: Any, limit_bytes: int) -> Value:
    """Give a value that an attribute can have: what is none is given as JSON text."""
    if isinstance(value, bool | float) or (isinstance(value, int) and abs(value) <= _MOST):
        return value
    if isinstance(value, str) and len(value) <= limit_bytes:
        return value
    if isinstance(value, list | tuple) and value and all(isinstance(one, str) for one in value):
        return tuple(value)
    return fitted(value, limit_bytes)[0]


def link(tool_call: str, role: str) -> Attributes:
    """Give what a link says: which tool call it is about, and what the other span did."""
    return {"gen_ai.tool.call.id": tool_call, "interceptor.tool_call": role}


def evaluation(name: str, *, value: float | None, label: str | None) -> Attributes:
    """Give what the event of a score says, but its words."""
    found: Attributes = {"gen_ai.evaluation.name": name}
    if value is not None:
        found["gen_ai.evaluation.score.value"] = value
    if label is not None:
        found["gen_ai.evaluation.score.label"] = label
    return found


def judging(span_id: str | None) -> Attributes:
    """Give what the span of a score says: which span is meant, where it is not the whole trace."""
    found: Attributes = {"gen_ai.operation.name": SCORE}
    if span_id is not None:
        found["interceptor.score.span_id"] = span_id
    return found


def evaluation_words(comment: str, limit_bytes: int) -> Attributes:
    """Give the words of a score."""
    return {"gen_ai.evaluation.explanation": comment[:limit_bytes]}


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MOST


def _member(given: Any, name: str) -> Any:
    return given.get(name) if isinstance(given, Mapping) else getattr(given, name, None)
