"""What the store gives, as JSON for other programs: in ASCII, which every pipe can carry whole."""

import json
from collections.abc import Sequence
from typing import Any

from interceptor.store import Score, Span, Trace

__all__ = ["story_json", "trace_json"]


def trace_json(trace: Trace) -> str:
    """Give a trace's summary as JSON on one line."""
    return json.dumps(_with_properties(trace))


def story_json(spans: Sequence[Span], scores: Sequence[Score]) -> str:
    """Give a trace whole as one JSON object; attributes are as they were recorded."""
    found = {
        "trace_id": spans[0].trace_id,
        "spans": [_with_properties(span) for span in spans],
        "scores": [_plain(score) for score in scores],
    }
    return json.dumps(found, indent=2)


def _with_properties(row: Trace | Span) -> dict[str, Any]:
    return {**_plain(row), "status": row.status, "duration_s": row.duration_s}


def _plain(value: Any) -> Any:
    """Give the Structs of the store as what JSON has."""
    if hasattr(value, "__struct_fields__"):
        return {name: _plain(getattr(value, name)) for name in value.__struct_fields__}
    return [_plain(one) for one in value] if isinstance(value, tuple) else value
