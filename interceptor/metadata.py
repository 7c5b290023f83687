"""What of a call is metadata: what counts, switches or picks, and nothing that anybody said.

With `content="metadata"` this is all that may be shown of JSON that has no field of its own in a
record: a request's parameters, its usage, what guardrails found. The rest are words, for whoever
may see words. Members that we do not know may hold anything, and so may those whose values the
caller makes up: `metadata`, a schema's descriptions, a conversation's name, a cache's key.
"""

import re
from typing import Any, NamedTuple

import msgspec

__all__ = ["choice", "of_answer", "of_request"]

_CHOICES = frozenset(
    {
        "action",
        "agent_id",
        "agent_version",
        "completion_window",
        "confidence_scores_granularity",
        "confirmation",
        "effort",
        "encoding_format",
        "endpoint",
        "from_entry_id",
        "function.name",
        "handoff_execution",
        "include",
        "language",
        "model",
        "model_name",
        "output_dtype",
        "pages",
        "previous_response_id",
        "prompt_mode",
        "reasoning.summary",
        "reasoning_effort",
        "response_format",
        "service_tier",
        "table_format",
        "timestamp_granularities",
        "tool_call_id",
        "tool_choice",
        "tool_choice.name",
        "truncation",
        "type",
        "verbosity",
        "voice",
        "voice_id",
    }
)
"""Members of a request whose texts, or lists of them, are the API's values, or ids; as `a.b` where
they stand in `a` alone."""

_OF_FORM = frozenset({"diarize", "stream", "temperature", "top_p"})
"""Members that are numbers and flags, and texts of those where they were sent in a form."""

_OBJECTS = frozenset(
    {
        "bbox_annotation_format",
        "completion_args",
        "custom_category_thresholds",
        "document_annotation_format",
        "format",
        "function",
        "guardrails",
        "json_schema",
        "moderation_llm_v1",
        "moderation_llm_v2",
        "reasoning",
        "response_format",
        "stream_options",
        "text",
        "tool_choice",
        "tool_confirmations",
    }
)
"""Members of a request that are objects of the API's making, or lists of those: they are looked
into. Any other object may have words for names."""

_OF_ANSWER = frozenset(
    {"action", "categories", "category", "flagged", "name", "service_tier", "status", "type"}
)
"""Members of an answer whose texts are the API's."""

_CHOICE = re.compile(r"[A-Za-z0-9/][\w.,:/+-]{0,127}", re.ASCII)
_COUNT = re.compile(r"-?\d{1,16}(\.\d{1,16})?|true|false", re.ASCII | re.IGNORECASE)
_NAME = re.compile(r"[A-Za-z][\w.-]*", re.ASCII)
_LONGEST_NAME = 64
_MOST_NESTED = 16
_WORDS = object()


class _Rules(NamedTuple):
    """Which members hold choices, and which objects are looked into: all, where that is None."""

    choices: frozenset[str]
    objects: frozenset[str] | None


_REQUEST = _Rules(_CHOICES, _OBJECTS)
_ANSWER = _Rules(_OF_ANSWER, None)


def choice(text: str | None) -> str | None:
    """Give a text that may be one of the API's values; None where it is more like words."""
    return text if text is not None and _CHOICE.fullmatch(text) else None


def of_request(parameters: dict[str, Any]) -> dict[str, Any]:
    """Give what of a request's parameters is metadata."""
    return _members(parameters, "", _REQUEST, _MOST_NESTED)


def of_answer(text: str | None) -> str | None:
    """Give what of an answer's JSON text is metadata: the text itself where all of it is."""
    if text is None:
        return None
    try:
        value = msgspec.json.decode(text)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None
    kept = _kept(value, "", "", _ANSWER, _MOST_NESTED)
    if kept is _WORDS:
        return None
    return text if kept == value else msgspec.json.encode(kept).decode()


def _members(value: dict[str, Any], within: str, rules: _Rules, levels: int) -> dict[str, Any]:
    found = {}
    for name, held in value.items():
        if not _is_name(name):
            continue
        if held is None or isinstance(held, int | float):  # as most are: this is done for each call
            found[name] = held
        elif (kept := _kept(held, name, within, rules, levels - 1)) is not _WORDS:
            found[name] = kept
    return found


def _is_name(text: str) -> bool:
    is_short = len(text) <= _LONGEST_NAME and text.isascii()
    return is_short and (text.isidentifier() or _NAME.fullmatch(text) is not None)


def _kept(value: Any, name: str, within: str, rules: _Rules, levels: int) -> Any:
    """Give what of a member is metadata, or `_WORDS` where nothing is."""
    if value is None or isinstance(value, int | float):
        return value
    is_choice = name in rules.choices or f"{within}.{name}" in rules.choices
    if isinstance(value, str):
        pattern = _CHOICE if is_choice else _COUNT if name in _OF_FORM else None
        return value if pattern is not None and pattern.fullmatch(value) else _WORDS
    is_object = rules.objects is None or name in rules.objects
    found: Any = _WORDS
    if isinstance(value, dict) and is_object and levels:
        found = _members(value, name, rules, levels)
    elif isinstance(value, list) and (is_object or is_choice) and levels:
        items = (_kept(one, name, within, rules, levels - 1) for one in value)
        found = [one for one in items if one is not _WORDS]
    return found if found or not value else _WORDS
