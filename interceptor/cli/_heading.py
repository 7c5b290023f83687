"""What a trace is, at a glance: its name and outcome, when it was, what it used, for whom."""

from collections.abc import Iterator, Sequence
from typing import Any

from rich.text import Text

from interceptor.cli._layout import Field
from interceptor.cli._listing import MARKS, STYLES
from interceptor.cli._texts import dollars, line
from interceptor.cli._times import date_and_time, seconds
from interceptor.store import Score, Span, Status

__all__ = ["about", "scored", "title"]

_CONTEXT = {"session.id": "session", "user.id": "user", "tag.tags": "tags"}


def title(span: Span, number: int | None = None) -> Text:
    """Give the mark of a span's outcome, its number in the tree where there is one, its name."""
    style = STYLES[span.status] or "green"
    mark = "✓" if span.status is Status.OK else MARKS[span.status]
    place = "" if number is None else f"{number} "
    return Text.assemble((f"{mark} ", style), (place, "dim"), (line(span.name), "bold"))


def about(spans: Sequence[Span]) -> Iterator[Field]:
    """Give what holds for a trace as a whole."""
    yield Field.of("trace", spans[0].trace_id)
    ends = [span.end_unix_ns for span in spans]
    start, last = min(span.start_unix_ns for span in spans), max(end or 0 for end in ends)
    took = "" if None in ends else f" · took {seconds((last - start) / 1e9)}"
    yield Field.of("started", f"{date_and_time(start)}{took}")
    calls = [span for span in spans if span.is_call]
    if len(calls) > 1:
        yield Field.of("calls", " · ".join(_totals(calls)))
    if context := list(_context(spans)):
        yield Field.of("context", " · ".join(context))


def scored(score: Score) -> Field:
    """Give what somebody thought of a span, or of the trace."""
    value = "" if score.value is None else f"{score.value:g}"
    parts = [score.name, value, score.label or "", f"· {score.comment}" if score.comment else ""]
    return Field.of("score", line(" ".join(part for part in parts if part)))


def _totals(calls: Sequence[Span]) -> Iterator[str]:
    """Sum over calls; only what was counted is said."""
    yield str(len(calls))
    if failed := sum(call.failed for call in calls):
        yield f"{failed} failed"
    for key, what in (("input", "tokens in"), ("output", "tokens out")):
        total = _sum(calls, f"gen_ai.usage.{key}_tokens")
        if total is not None:
            yield f"{total} {what}"
    cost = _sum(calls, "mistral_ai.cost.usd")
    if cost is not None:
        yield f"≈ {dollars(cost)}"


def _sum(calls: Sequence[Span], key: str) -> Any:
    values = (call.attributes.get(key) for call in calls)
    counted = [value for value in values if isinstance(value, int | float)]
    return sum(counted) if counted else None


def _context(spans: Sequence[Span]) -> Iterator[str]:
    """Give whose trace it is, as the first span that says so has it."""
    for key, what in _CONTEXT.items():
        found = next((span.attributes[key] for span in spans if key in span.attributes), None)
        if found is not None:
            names = ", ".join(map(str, found)) if isinstance(found, list) else str(found)
            yield f"{what} {line(names)}"
    service = str(spans[0].resource.get("service.name", ""))
    if service and not service.startswith("unknown_service"):
        yield f"service {line(service)}"
