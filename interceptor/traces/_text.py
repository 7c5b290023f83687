"""A trace as lines of plain text: the tree, with what each span took and used."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from interceptor.record import Usage
from interceptor.store import Span, Status
from interceptor.store.tree import branches

if TYPE_CHECKING:
    from interceptor.traces.trace import Trace

__all__ = ["facts", "lines", "scored", "shown"]

_MOST_CHARS = 200


def lines(trace: "Trace") -> Iterator[str]:
    """Give a trace line by line: one for all of it, one for each span, one for each score."""
    yield "  ".join(
        ["trace", trace.trace_id, *facts(trace.status, trace.duration, trace.token_usage)]
    )
    for branch in branches(trace.spans):
        span = branch.span
        said = "  ".join(facts(span.status, span.duration_s, span.usage))
        yield f"{branch.stem}{shown(span.name)}  {said}{_error(span)}"
    for score in trace.scores:
        yield f"score {shown(scored(score.name, score.value, score.label, score.comment))}"


def facts(status: Status, seconds: float | None, usage: Usage | None) -> list[str]:
    """Give what there is to say of a trace or a span in few words."""
    found = [] if status is Status.OK else [status.value]
    if seconds is not None:
        found.append(f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1000:.1f} ms")
    if usage is not None and (usage.input_tokens, usage.output_tokens) != (None, None):
        found.append(f"{usage.input_tokens or 0} + {usage.output_tokens or 0} tokens")
    return found


def scored(name: str, value: float | None, label: str | None, comment: str | None) -> str:
    """Give a score in words."""
    given = [f"{value:g}"] if value is not None else []
    said = ", ".join([*given, *([label] if label else [])])
    return f"{name}: {said}" + (f" ({comment})" if comment else "")


def shown(text: str) -> str:
    """Give a text on one line, cut where it is long, with nothing in it that a terminal obeys."""
    line = " ".join(text.split())
    line = "".join(one if one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in line)
    return line if len(line) <= _MOST_CHARS else f"{line[: _MOST_CHARS - 1]}…"


def _error(span: Span) -> str:
    if not span.failed:
        return ""
    said = [str(span.attributes.get("error.type", "")), span.status_message or ""]
    return f"  {shown(': '.join(filter(None, said)))}"
